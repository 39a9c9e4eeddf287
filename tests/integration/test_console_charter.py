"""What a group is for is set down, measured and kept; decisions about proposals are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role, Staff, StaffScope
from qunce.readmodels.models import Group, GroupChart
from qunce.runtime.grouping.charter import of_group, read
from qunce.runtime.rebuild import rebuild
from tests.integration.console_world import eager, take

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
FORM = {
    "purpose": "service", "goal": "三个月内复购两成", "fit": "纸尿裤每月都要买", "cost": "一位同事每天一小时", "for_brand": "",
    "for_member": "育儿问题当天有答案", "for_product": "", "threshold": "买过一次",
    "metric": ["active_share", "members", ""], "way": ["least", "least", "least"], "target": ["30", "500", ""],
    "until": ["2027-03-31", "", ""],
}  # fmt: skip


@pytest.fixture(autouse=True)
def world(settings: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    take()
    results = eager(tmp_path)
    monkeypatch.setattr("qunce.console.figures.results", lambda: results)
    from qunce.runtime import mirror

    mirror.refresh()


def signed_in(client: Client, role: str = Role.ADMIN, *groups: int) -> Client:
    staff = Staff.objects.create_user(f"{role}-{len(groups)}", "correct-horse-9", role=role)
    StaffScope.objects.bulk_create(StaffScope(staff=staff, group_id=pk) for pk in groups)
    client.force_login(staff)
    return client


def group_id(name: str = "读书会") -> int:
    return int(Group.objects.get(name=name).pk)


def test_a_charter_is_kept_and_measured(client: Client) -> None:
    assert signed_in(client).post(reverse("set-charter", args=[group_id()]), FORM).status_code == 302
    charter = read(of_group(group_id())["charter"].value)
    assert (charter.purpose, charter.answered, [goal.target for goal in charter.goals]) == ("service", 3, [0.3, 500.0])
    page = client.get(reverse("group-charter", args=[group_id()])).content.decode()
    assert "答了 3 / 3" in page
    assert "2027-03-31" in page
    assert "未达到" in page, "two members are not five hundred"
    assert rebuild(keep=False).same
    assert "三个月内" not in str(list(AuditEntry.objects.values())), "the charter's words stay out of the audit"


@pytest.mark.parametrize("target", ["101", "-1", "nan", "many"])
def test_a_goal_that_makes_no_sense_is_refused_and_nothing_typed_is_lost(client: Client, target: str) -> None:
    answer = signed_in(client).post(reverse("set-charter", args=[group_id()]), {**FORM, "target": [target, "500", ""]})
    assert answer.status_code == 422
    assert "三个月内复购两成" in answer.content.decode()
    assert not GroupChart.objects.exists()


def test_types_and_phases_are_set_down_and_taken_away_and_lists_can_be_narrowed(client: Client) -> None:
    signed_in(client)
    address = reverse("chart-group", args=[group_id()])
    client.post(address, {"field": "group_type", "value": "vip"})
    listed = client.get(reverse("groups"), {"type": "vip"}).content.decode()
    assert "读书会" in listed
    assert "晨跑团" not in listed
    client.post(address, {"field": "group_type", "value": ""})
    assert of_group(group_id()) == {}
    client.post(address, {"field": "group_type", "value": "no-such"})
    assert of_group(group_id()) == {}
    assert client.post(address, {"field": "charter", "value": "{}"}).status_code == 404


def test_only_those_who_may_change_the_group_do_and_others_do_not_see_foreign_ones(client: Client) -> None:
    mine, foreign = group_id(), group_id("晨跑团")
    signed_in(client, Role.MANAGER, mine)
    assert client.get(reverse("group-charter", args=[mine])).status_code == 200
    assert client.get(reverse("group-charter", args=[foreign])).status_code == 404
    assert client.post(reverse("set-charter", args=[mine]), FORM).status_code == 403
    assert client.post(reverse("chart-group", args=[mine]), {"field": "group_type", "value": "vip"}).status_code == 403


def test_a_decision_about_a_proposal_keeps_it_away(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_in(client)
    from qunce.analytics import phases

    judged = phases.Judged(code="revive", reasons=(("leaving", 5, 40),))
    monkeypatch.setattr("qunce.analytics.phases.proposal", lambda now, *rest: judged if now["group_id"] == group_id() else None)
    page = client.get(reverse("group-proposals")).content.decode()
    assert "28 天里走了 5 人，期初 40 人" in page
    client.post(reverse("chart-group", args=[group_id()]), {"field": "decision", "value": "keep", "reason": "节后再看"})
    page = client.get(reverse("group-proposals")).content.decode()
    assert "没有需要调整的群" in page
    assert "先留着" in page
    assert of_group(group_id())["decision"].reason == "节后再看"
