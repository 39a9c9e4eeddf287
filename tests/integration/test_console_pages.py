"""The pages on real rows: what they show, how many queries they ask, and that hostile names stay text."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role, Staff
from qunce.readmodels.models import Group, Identity, Member, Message
from qunce.readmodels.selectors import members as member_selectors
from qunce.readmodels.selectors import transcript
from qunce.runtime import mirror
from qunce.testing import builders as b
from tests.integration.console_world import NASTY, eager, take

pytestmark = pytest.mark.django_db


@pytest.fixture
def client() -> Client:
    """An administrator's browser."""
    client = Client()
    client.force_login(Staff.objects.create_user("admin", "correct-horse-9", role=Role.ADMIN, display_name="林晓"))
    return client


@pytest.fixture
def figures(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Metrics computed over the test's own mirror, at once. Call `mirror.refresh` after putting rows in."""
    settings.DATA_DIR = tmp_path
    results = eager(tmp_path)
    monkeypatch.setattr("qunce.console.figures.results", lambda: results)


def _get(client: Client, name: str, *args: object, **query: str | int) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, (name, response.status_code)
    return response.content.decode()


def test_empty_pages_say_what_to_do_next(client: Client, figures: None) -> None:
    assert "欢迎使用群策" in _get(client, "overview")
    assert "还没有社群" in _get(client, "groups")
    assert "还没有成员" in _get(client, "members")
    assert "还没有导入过" in _get(client, "imports")
    assert "没有已知的缺口" in _get(client, "settings")
    assert "搜索全部聊天记录" in _get(client, "search")
    assert "日活跃成员" in _get(client, "metrics")


def test_the_dashboard_shows_figures_with_period_and_denominator(client: Client, figures: None) -> None:
    take()
    mirror.refresh()
    page = _get(client, "overview", days=7)
    assert "2026-02-24 至 2026-03-02" in page
    assert "今天有人跑吗" in page  # waits for an answer
    assert 'aria-busy="true"' not in page
    assert f'href="{reverse("metric", args=["dau"])}?days=7"' in page


def test_every_card_of_the_dashboard_can_be_asked_for_alone(client: Client, figures: None) -> None:
    take()
    mirror.refresh()
    for card in ("kpis", "trend", "funnel", "retention", "hours", "health"):
        text = _get(client, "overview-card", card)
        assert "<html" not in text
        assert text.strip().startswith("<")
    assert client.get(reverse("overview-card", args=["nothing"])).status_code == 404


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_every_metric_has_a_page_in_both_languages(client: Client, figures: None, language: str) -> None:
    take()
    mirror.refresh()
    client.cookies["django_language"] = language
    for metric in (
        "dau",
        "retention",
        "funnel",
        "heat_map",
        "content_kinds",
        "group_health",
        "first_response",
        "revenue",
        "repeat_orders_per_month",
        "interactions_per_member",
        "reply_rate",
        "group_health_trend",
    ):
        for by in ("", "day", "week", "group"):
            page = _get(client, "metric", metric, by=by)
            assert metric in page
    csv = client.get(reverse("metric-csv", args=["dau"]), {"by": "group"})
    assert "读书会" in csv.content.decode("utf-8-sig")


def test_the_worked_examples_groups_are_no_links(client: Client, figures: None) -> None:
    page = _get(client, "metric", "messages", by="none")
    assert "群 1" in page
    assert f'href="{reverse("group", args=[1])}"' not in page


def test_the_trend_of_health_is_drawn_by_week(client: Client, figures: None) -> None:
    take()
    mirror.refresh()
    page = _get(client, "metric", "group_health_trend")
    assert "有评分的群" in page
    assert "data-chart" in page


def test_groups_that_need_somebody_come_first(client: Client, figures: None) -> None:
    take()
    page = _get(client, "groups")
    assert page.index("晨跑团") < page.index("读书会")
    assert "读书会" not in _get(client, "groups", q="晨跑")
    assert "没有符合条件的群" in _get(client, "groups", q="无此群")


@pytest.mark.parametrize("sort", ["needs", "health", "members", "messages", "joined", "left", "last", "name"])
@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_groups_sort_both_ways(client: Client, figures: None, sort: str, direction: str) -> None:
    take(more=3)
    page = _get(client, "groups", sort=sort, dir=direction)
    assert page.count("data-row") == 6


def test_the_transcript_shows_people_replies_and_what_happened(client: Client) -> None:
    take()
    group = Group.objects.get(name="读书会").pk
    page = _get(client, "group-messages", group)
    assert "什么时候发货？" in page
    assert "小红 进群" in page
    assert "老王 退群" in page
    assert 'class="quote"' in page
    found = _get(client, "group-messages", group, q="发货")
    assert "<mark>发貨</mark>好快" in found
    assert "2 分" in _get(client, "group-questions", group, show="answered")
    assert "客服小丽" in _get(client, "group-people", group, show="staff")
    assert "老王" in _get(client, "group-people", group, show="left")


def test_a_question_answered_from_the_desk_names_the_colleague(client: Client) -> None:
    from qunce.runtime.ingest import Ingest

    asked = b.said("夜读", "小红", "什么时候发货？", at="09:00")
    Ingest(clock=lambda: b.moment("23:00", 30)).take_all([asked, b.answered(asked, "admin", at="09:02")])
    page = _get(client, "group-questions", Group.objects.get(name="夜读").pk, show="answered")
    assert "林晓 从应答台回复" in page
    assert "2 分" in page


def test_pages_of_a_transcript_hold_every_message_once(client: Client) -> None:
    from qunce.runtime.ingest import Ingest

    lines = [b.said("大群", f"人{n % 7}", f"第 {n} 句", at=f"10:{n // 10:02d}", id=f"i{n}") for n in range(200)]
    Ingest().take_all(lines)
    group = Group.objects.get(name="大群").pk
    up: list[int] = []
    place = None
    while True:
        page = transcript.before(group, place)
        up = [line.seq for line in page.lines] + up
        if page.older is None:
            break
        place = page.older
    expected = list(Message.objects.filter(group_id=group).order_by("ts_ms", "seq").values_list("seq", flat=True))
    assert up == expected
    down = [line.seq for line in transcript.around(group, 0).lines]
    after = transcript.around(group, 0).newer
    while after:
        page = transcript.after(group, after)
        down += [line.seq for line in page.lines]
        after = page.newer
    assert down == expected


def test_pages_of_members_hold_everybody_once(client: Client) -> None:
    take(more=120)
    for sort in member_selectors.SORTS:
        for visible in (None, frozenset(Group.objects.values_list("pk", flat=True))):
            found: list[int] = []
            place = None
            while True:
                page = member_selectors.list_members(visible, text="", kind="", sort=sort, after=place)
                found += [row.id for row in page.rows]
                if page.next is None:
                    break
                place = page.next
            assert sorted(found) == sorted(Member.objects.values_list("pk", flat=True)), (sort, visible is None)


LISTS = [
    ("groups", {}), ("members", {}), ("members", {"q": "人"}), ("search", {"q": "句"}), ("staff", {}), ("audit", {}),
    ("settings", {}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "query"), LISTS)
def test_the_number_of_queries_does_not_grow_with_the_rows(
    client: Client, figures: None, name: str, query: dict[str, str]
) -> None:
    take(more=2)
    client.get(reverse(name), query)
    with CaptureQueriesContext(connection) as few:
        client.get(reverse(name), query)
    take(more=40)
    for number in range(5):
        Staff.objects.create_user(f"s{number}", "correct-horse-9")
    with CaptureQueriesContext(connection) as many:
        client.get(reverse(name), query)
    assert len(many) <= len(few)
    assert len(many) <= 16


@pytest.mark.parametrize("name", ["group", "group-messages", "group-people", "group-questions", "member"])
def test_a_detail_page_asks_a_fixed_number_of_queries(
    client: Client, figures: None, name: str, django_assert_max_num_queries: Any
) -> None:
    take(more=5)
    pk = (Member.objects.get(name="小红") if name == "member" else Group.objects.get(name="读书会")).pk
    client.get(reverse(name, args=[pk]))
    with django_assert_max_num_queries(25):
        client.get(reverse(name, args=[pk]))


def test_hostile_names_and_texts_stay_text(client: Client, figures: None) -> None:
    take()
    mirror.refresh()
    group, member = Group.objects.get(name=NASTY).pk, Member.objects.get(name=NASTY).pk
    pages = [
        _get(client, "groups"), _get(client, "group", group), _get(client, "group-messages", group),
        _get(client, "group-messages", group, q="script"), _get(client, "group-people", group), _get(client, "members"),
        _get(client, "member", member), _get(client, "search", q="script"), _get(client, "overview"),
        _get(client, "search", q=NASTY), _get(client, "groups", q=NASTY), _get(client, "members", q=NASTY),
        _get(client, "metric", "messages", by="group"),
    ]  # fmt: skip
    for page in pages:
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_texts_in_data_blocks_cannot_close_them() -> None:
    from qunce.console.jinja import json_block

    block = str(json_block({"a": "</script><b>"}, "x"))
    assert block.count("</script>") == 1
    assert "<b>" not in block


def test_odd_parameters_are_taken_as_not_given(client: Client, figures: None) -> None:
    take()
    group = Group.objects.get(name="读书会").pk
    odd = {
        "page": "-1", "sort": "evil", "dir": "x", "community": "9" * 30, "after": "1.x", "before": "..", "around": "²",
        "day": "2026-99-99", "days": "1e9", "since": "x", "until": "9999-12-31", "before_seq": "٣", "q": "\x00发",
    }  # fmt: skip
    plain = [reverse(name) for name in ("overview", "groups", "members", "search", "audit")]
    of_group = [reverse(name, args=[group]) for name in ("group", "group-messages", "group-people")]
    for address in plain + of_group:
        for key, value in odd.items():
            assert client.get(address, {key: value}).status_code == 200, (address, key)


def test_marking_a_member_is_audited_and_shown(client: Client) -> None:
    take()
    member = Member.objects.get(name="老王").pk
    response = client.post(reverse("flag-member", args=[member]), {"kind": "house_persona"}, follow=True)
    assert "已标记为群马甲" in response.content.decode()
    assert Identity.objects.get(member_id=member).kind == "house_persona"
    assert AuditEntry.objects.filter(action="member.flag", target_id=str(member)).exists()
    client.post(reverse("flag-member", args=[member]), {"kind": "emperor"})
    assert Identity.objects.get(member_id=member).kind == "house_persona"


def test_a_group_is_put_into_a_community(client: Client) -> None:
    take()
    group = Group.objects.get(name="读书会").pk
    response = client.post(reverse("group-set-community", args=[group]), {"community": "春风里"}, follow=True)
    assert "所属社群已保存" in response.content.decode()
    assert Group.objects.get(pk=group).community.name == "春风里"  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize(("what", "holds"), [("groups", "读书会"), ("members", "小红")])
def test_lists_are_exported_and_audited(client: Client, figures: None, kind: str, what: str, holds: str) -> None:
    take(more=60)
    response = client.get(reverse(f"export-{what}-{kind}"))
    assert f'filename="{what}.{kind}"' in response["Content-Disposition"]
    assert response.content
    if kind == "csv":
        text = response.content.decode("utf-8-sig")
        assert holds in text
        assert text.count("\r\n") > 60
    assert AuditEntry.objects.filter(action=f"{what[:-1]}.exported").exists()


def test_a_groups_health_is_shown_with_its_parts(client: Client, figures: None) -> None:
    take()
    mirror.refresh()
    page = _get(client, "group", Group.objects.get(name="读书会").pk)
    assert "不足 5 位成员" in page
    assert "活跃成员占比" in page


def test_no_address_is_answered_in_words(client: Client) -> None:
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "没有这个页面" in response.content.decode()


def test_the_page_for_broken_servers_needs_nothing() -> None:
    assert "出错了" in render_to_string("500.html")


def test_a_stale_form_is_answered_in_words() -> None:
    browser = Client(enforce_csrf_checks=True)
    response = browser.post(reverse("set-theme"), {"theme": "dark"})
    assert response.status_code == 403
    assert "放得太久" in response.content.decode()


def test_every_page_sends_a_strict_policy(client: Client) -> None:
    policy = client.get(reverse("groups"))["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
