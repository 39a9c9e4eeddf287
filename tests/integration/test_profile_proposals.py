"""What members say of themselves is proposed once, with the message, and decided by people or by the playbook."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff, StaffScope
from qunce.readmodels.models import AttributeValue, Group, Message
from qunce.runtime import jobs
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import ChangeBatch, Job, Proposal
from qunce.runtime.profile import proposals
from qunce.runtime.rebuild import rebuild
from qunce.testing.builders import deleted, said

pytestmark = pytest.mark.django_db


def look() -> dict[str, Any]:
    return proposals.perform({}, lambda progress: None)


@pytest.fixture
def world() -> None:
    gone = said("群", "小刚", "坐标上海", at="09:05")
    Ingest().take_all([
        said("群", "小红", "坐标杭州", at="09:00"), said("群", "小红", "我是宝妈", at="09:01"),
        said("别的群", "小明", "其实我在成都", at="09:02"), said("群", "客服", "我在北京", at="09:03", kind="staff"),
        gone, deleted(gone, at="09:06"),
    ])  # fmt: skip


@pytest.fixture
def client(world: None) -> Client:
    staff = Staff.objects.create_user("lead", "correct-horse-9", role=Role.SUPERVISOR)
    client = Client()
    client.force_login(staff)
    return client


def waiting() -> list[tuple[str, str]]:
    return list(Proposal.objects.filter(state="open").order_by("pk").values_list("attribute", "value"))


def test_the_sure_is_taken_and_the_rest_waits_with_its_message(world: None) -> None:
    assert {name: look()[name] for name in ("looked",)} == {"looked": 4}
    assert waiting() == [("gender", '"女"'), ("city", '"成都"')]
    row = AttributeValue.objects.get()
    seq = Message.objects.get(text="坐标杭州").seq
    assert (row.attribute, row.word, row.kept, row.confidence, row.evidence) == ("city", "杭州", "chat", 0.95, f"[{seq}]")
    assert look()["proposed"] == 0
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_proposals_are_accepted_refused_and_not_made_again(client: Client) -> None:
    look()
    page = client.get(reverse("proposals")).content.decode()
    assert "其实我在成都" in page
    ids = dict(Proposal.objects.values_list("attribute", "pk").filter(state="open"))
    client.post(reverse("decide-proposals"), {"verb": "refuse", "p": [ids["gender"]]})
    client.post(reverse("decide-proposals"), {"verb": "accept", "p": [ids["city"], ids["gender"], 987654]})
    assert sorted(AttributeValue.objects.values_list("attribute", "word")) == [("city", "成都"), ("city", "杭州")]
    Ingest().take_all([said("群", "小红", "我是宝妈呀", at="10:00"), said("群", "小红", "坐标杭州呀", at="10:01")])
    assert look()["proposed"] == 0
    assert "没有等着确认的资料" in client.get(reverse("proposals")).content.decode()
    again = client.post(reverse("decide-proposals"), {"verb": "accept", "p": [ids["city"]]}, follow=True)
    assert "没有改动" in again.content.decode()


def test_all_of_a_kind_are_accepted_above_a_confidence_and_undone(client: Client) -> None:
    look()
    client.post(reverse("decide-proposals"), {"verb": "all", "attribute": "city", "above": "95"})
    assert ("city", '"成都"') in waiting()
    client.post(reverse("decide-proposals"), {"verb": "all", "attribute": "city", "above": "80"})
    assert waiting() == [("gender", '"女"')]
    batch = ChangeBatch.objects.filter(actor_id__isnull=False).get()
    client.post(reverse("undo-change", args=[batch.pk]))
    assert list(AttributeValue.objects.exclude(value=None).values_list("word", flat=True)) == ["杭州"]


def test_only_what_was_said_in_groups_one_sees_can_be_decided(world: None) -> None:
    look()
    staff = Staff.objects.create_user("scoped", "correct-horse-9", role=Role.MANAGER)
    StaffScope.objects.create(staff=staff, group_id=Group.objects.get(name="群").pk)
    client = Client()
    client.force_login(staff)
    assert "其实我在成都" not in client.get(reverse("proposals")).content.decode()
    ids = list(Proposal.objects.filter(state="open").values_list("pk", flat=True))
    client.post(reverse("decide-proposals"), {"verb": "accept", "p": ids})
    assert waiting() == [("city", '"成都"')]


def test_looking_is_a_job_that_is_queued_once(client: Client) -> None:
    client.post(reverse("decide-proposals"), {"verb": "look"})
    client.post(reverse("decide-proposals"), {"verb": "look"})
    assert Job.objects.filter(kind="proposals").count() == 1
    assert jobs.run_next()
    assert waiting()
    assert proposals.start_if_due() is None
