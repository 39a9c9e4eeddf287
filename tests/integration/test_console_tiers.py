"""The pages of tiers: counts with their denominator, people, moves; the scope is kept and nothing waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from qunce.accounts.models import Role, Staff, StaffScope
from qunce.readmodels.models import Group, Member
from qunce.runtime import jobs
from qunce.runtime.models import Job
from qunce.runtime.tiers import sorting
from qunce.testing.builders import moment, ordered, said
from tests.integration.console_world import eager
from tests.integration.test_tiers import OWN, take

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = moment("12:00", 10)


@pytest.fixture(autouse=True)
def sorted_world(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    from qunce.runtime.live.playbooks import do_publish

    take(
        said("读书会", "大客", "在", at="09:00"), said("晨跑团", "小客", "早", at="09:01"),
        said("读书会", "看客", "嗯", at="09:02"),
        ordered("大客", 150.00, at="10:00", day=8), ordered("小客", 20.00, at="10:00", day=9),
    )  # fmt: skip
    do_publish(actor=None, files=OWN, reason="自己的分层")
    monkeypatch.setattr(sorting, "now_ms", lambda: NOW)
    job_id = sorting.start(actor=None)
    Job.objects.filter(pk=job_id).update(state="done", result=sorting.perform({}, lambda progress: None), finished_ms=NOW)


def signed_in(client: Client, role: str = Role.ADMIN, *groups: str) -> Client:
    staff = Staff.objects.create_user(f"{role}-{len(groups)}", "correct-horse-9", role=role)
    StaffScope.objects.bulk_create(StaffScope(staff=staff, group_id=Group.objects.get(name=name).pk) for name in groups)
    client.force_login(staff)
    return client


def test_each_level_shows_how_many_of_how_many(client: Client) -> None:
    page = signed_in(client).get(reverse("tiers")).content.decode()
    assert "3 位成员" in page
    assert page.count("33.3%") == 3


def test_a_scheme_lists_its_people_and_who_moved(client: Client, django_assert_max_num_queries: Any) -> None:
    signed_in(client)
    with django_assert_max_num_queries(20):
        page = client.get(reverse("tier", args=["spend"]), {"level": "big"}).content.decode()
    assert "大客" in page
    assert "最近 30 天支付订单金额合计" in page
    assert "无 → 有" in page, "小客 rose within the weeks that the first sorting looks back on"
    lowest = client.get(reverse("tier", args=["spend"]), {"level": "none"}).content.decode()
    assert "看客" in lowest
    assert client.get(reverse("tier", args=["no-such"])).status_code == 404


def test_people_outside_the_scope_are_neither_counted_nor_listed(client: Client) -> None:
    signed_in(client, Role.MANAGER, "晨跑团")
    assert "1 位成员" in client.get(reverse("tiers")).content.decode()
    page = client.get(reverse("tier", args=["spend"]), {"level": "big"}).content.decode()
    assert "大客" not in page


def test_a_member_page_says_where_they_stand_and_how_to_treat_them(client: Client) -> None:
    page = signed_in(client).get(reverse("member", args=[Member.objects.get(name="小客").pk])).content.decode()
    assert "消费：无 → 有" in page
    assert reverse("tier", args=["spend"]) + "?level=some" in page


def test_valuable_members_are_ranked_with_reasons_within_the_scope(
    client: Client, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    results = eager(tmp_path)
    monkeypatch.setattr("qunce.console.figures.results", lambda: results)
    page = signed_in(client).get(reverse("valuable")).content.decode()
    assert page.index("大客") < page.index("看客")
    assert "1 笔订单" in page
    assert "只能按发言天数和订单排" in page, "these builders tell no replies"
    signed_in(client, Role.MANAGER, "晨跑团")
    assert "大客" not in client.get(reverse("valuable")).content.decode()
    foreign = Group.objects.get(name="读书会").pk
    assert client.get(reverse("valuable"), {"group": foreign}).status_code == 404


def test_sorting_anew_is_a_job_for_those_who_lead(client: Client) -> None:
    signed_in(client, Role.MANAGER, "晨跑团")
    assert client.post(reverse("sort-members")).status_code == 403
    signed_in(client)
    assert client.post(reverse("sort-members")).status_code == 302
    assert jobs.unfinished(sorting.JOB_KIND) is not None


def test_the_shipped_tiers_are_taken_into_the_draft_from_their_page(client: Client) -> None:
    from qunce.runtime.live.playbooks import do_publish
    from qunce.testing.live import PLAYBOOK

    do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="without tiers")
    job_id = sorting.start(actor=None)
    Job.objects.filter(pk=job_id).update(state="done", result=sorting.perform({}, lambda progress: None), finished_ms=NOW)
    add = reverse("add-shipped", args=["tiers"])
    analyst = signed_in(client, Role.ANALYST).get(reverse("tiers")).content.decode()
    assert "门槛是示例" in analyst
    assert add not in analyst
    assert add in signed_in(client).get(reverse("tiers")).content.decode()
    client.post(add)
    page = client.get(reverse("tiers")).content.decode()
    assert add not in page
    assert "草稿里已经有了" in page
