"""Groups, their pages, several groups and metrics count people: who has three accounts counts once, colleagues stay apart."""

import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff
from qunce.analytics.registry import all_metrics
from qunce.domain.events import Source
from qunce.readmodels.models import Group
from qunce.readmodels.selectors import group as one
from qunce.readmodels.selectors import groups, overlap
from qunce.runtime.ingest import Ingest
from qunce.testing.builders import flagged, joined, left, linked, moment, said

pytestmark = pytest.mark.django_db

TELEGRAM = Source(connector="telegram", account="test", origin="archive")
HISTORY = (
    joined("一群", "小红", at="09:00", channel="海报"),
    said("一群", "小红", "早", at="09:01"),
    joined("一群", "小红的手机", at="09:02", inviter="小助理"),
    said("一群", "小红的手机", "在路上", at="09:03"),
    said("一群", "小红的手机", "到了", at="09:04"),
    said("一群", "小兰", "早", at="09:05"),
    said("一群", "小兰", "好", at="09:06"),
    joined("一群", "小梅", at="09:07", channel="海报"),
    said("一群", "小助理", "大家好", at="09:08"),
    flagged("小助理", "staff", at="09:09"),
    said("二群", "xiaohong", "hi", at="09:10", source=TELEGRAM),
    said("二群", "小助理", "hi", at="09:11"),
    joined("一群", "走了的人", at="09:12"),
    left("一群", "走了的人", at="09:13"),
    linked("小红", "小红的手机", at="10:00"),
    linked("小红", "xiaohong", at="10:01", other_source=TELEGRAM),
)


@pytest.fixture(autouse=True)
def _history() -> None:
    Ingest(clock=lambda: moment("23:00", 30)).take_all(HISTORY)


@pytest.fixture
def client() -> Client:
    client = Client()
    client.force_login(Staff.objects.create_user("owner", "correct-horse-9", role=Role.ADMIN))
    return client


def listed(sort: str = "needs") -> dict[str, tuple[int, int]]:
    page = groups.list_groups(
        None, narrow=groups.GroupFilter(), sort=sort, descending=True, page=1, until=moment("09:00") // 86_400_000
    )
    return {f"{row.name} {row.connector}": (row.member_count, row.account_count) for row in page.rows}


def the_group() -> int:
    return Group.objects.get(name="一群").pk


@pytest.mark.parametrize("sort", ["needs", "members"])
def test_the_list_of_groups_counts_people_and_tells_accounts_apart(sort: str) -> None:
    found = listed(sort)
    assert next(iter(found.values())) == (4, 5)  # 小红 by two accounts, 小兰, 小梅, 小助理
    assert sorted(found.values()) == [(1, 1), (1, 1), (4, 5)]


def test_the_list_page_and_the_export_show_both(client: Client) -> None:
    page = client.get(reverse("groups")).content.decode()
    assert re.search(r">4<br><span class=\"muted small\">5 个账号</span>", page)
    table = client.get(reverse("export-groups-csv")).getvalue().decode("utf-8-sig")  # type: ignore[attr-defined]
    assert table.splitlines()[0].split(",")[4:6] == ['"在群人数"', '"在群账号"']
    assert ["4", "5"] in [line.split(",")[4:6] for line in table.splitlines()]


def test_a_groups_page_counts_each_person_once(client: Client) -> None:
    crowd = one.crowd(the_group())
    assert (crowd.present, crowd.accounts, crowd.lurking, crowd.left, crowd.staff) == (4, 5, 1, 1, 1)
    (first, *_) = one.speakers(the_group(), 8)
    assert (first.name, first.message_count) == ("小红", 3)
    ways = one.ways(the_group(), show="", since_ms=0)
    assert (dict(ways.known), ways.told, ways.total) == ({"qr": 2, "invited": 1}, 2, 4)
    page = client.get(reverse("group-people", args=[the_group()])).content.decode()
    assert "4 个人，5 个账号" in page


def test_who_is_in_several_groups_is_the_same_person_as_in_the_groups() -> None:
    page = overlap.in_several(None)
    assert [(row.name, row.accounts, len(row.groups)) for row in page.rows] == [("小红", 3, 2)]
    assert page.persons == 3  # 小红, 小兰, 小梅: no colleague
    members = one.crowd(the_group())
    assert members.present - members.staff == page.persons


def test_every_metric_says_what_it_counts(client: Client) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/algorithms/identity.md").read_text("utf-8")
    told = {
        metric: kind
        for kind, cell in re.findall(r"^\| `(person|membership|group|event)` \| .* \| (.*) \|$", text, re.MULTILINE)
        for metric in re.findall(r"`(\w+)`", cell)
    }
    assert told == {metric.id: metric.counts for metric in all_metrics()}
    assert "几个账号只计一次" in client.get(reverse("metric", args=["speakers"])).content.decode()
