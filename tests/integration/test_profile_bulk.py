"""A tag for everybody of a list or a segment: looked at first, done in batches, gone on with, undone as one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.readmodels.models import Group, Member, TagHolding
from qunce.runtime import jobs
from qunce.runtime.ingest import Ingest
from qunce.runtime.models import ChangeBatch, Job
from qunce.runtime.profile import bulk, changing
from qunce.runtime.rebuild import rebuild
from qunce.testing import builders as b
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db
STRONG, WEAK = "意向/强", "意向/弱"


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty people in one group, three in another, and what is much made small."""
    monkeypatch.setattr("qunce.console.views.profiles.MOST_CHOSEN", 10)
    monkeypatch.setattr(bulk, "CHUNK", 25)
    people = [b.joined("晨跑团", f"跑者{n}", at="08:00") for n in range(60)]
    Ingest().take_all([*people, *(b.joined("读书会", f"读者{n}", at="08:00") for n in range(3))])


def post(client: Client, **data: Any) -> str:
    response = client.post(reverse("tag-members"), data, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def tagged(tag: str = STRONG) -> set[str]:
    held = TagHolding.objects.filter(tag=tag, taken_ms=None, put_ms__isnull=False).values("identity_id")
    return set(Member.objects.filter(identity__pk__in=held).values_list("name", flat=True))


LIST = {"scope": "all", "f_q": "跑者", "f_kind": "", "f_tag": "", "f_field": "=", "tag": STRONG}


def test_a_narrowed_list_is_tagged_as_a_job_after_a_look_and_undone_as_one(sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    look = post(client, **LIST, verb="put")
    assert "给 60 位成员打上" in look
    assert 'name="f_q" value="跑者"' in look
    assert "其中的几位" in look
    assert not TagHolding.objects.exists()
    page = post(client, **LIST, verb="put", confirmed="yes", reason="春跑", days="30")
    assert "排队中" in page
    assert jobs.run_next()
    job = Job.objects.get(kind=bulk.JOB_KIND)
    assert "已处理 60 位成员，改动 60 处" in client.get(reverse("tag-job", args=[job.pk])).content.decode()
    assert tagged() == {f"跑者{n}" for n in range(60)}
    row = TagHolding.objects.filter(tag=STRONG)[0]
    assert (row.reason, row.until_ms) == ("春跑", (row.put_ms or 0) + 30 * bulk.DAY_MS)
    assert AuditEntry.objects.filter(action="profile.bulk").count() == 1
    batch = ChangeBatch.objects.get()
    assert (batch.changes, batch.summary["members"]) == (60, 60)
    assert "已恢复 60 处" in client.post(reverse("undo-change", args=[batch.pk]), follow=True).content.decode()
    assert tagged() == set()
    report = rebuild(keep=False)
    assert report.same, [table for table in report.tables if not table.same]


def test_colleagues_on_the_list_are_left_out_unless_they_are_asked_for(sign_in: SignIn) -> None:
    Ingest().take_all([b.said("晨跑团", "跑者客服", "在", at="09:00", kind="staff")])
    client = sign_in(Role.SUPERVISOR)
    assert "给 60 位成员打上" in post(client, **LIST, verb="put")
    assert "给 1 位成员打上" in post(client, **{**LIST, "f_kind": "staff"}, verb="put")


def test_a_job_that_died_goes_on_and_does_nothing_twice(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    post(sign_in(Role.SUPERVISOR), **LIST, verb="put", confirmed="yes")
    real, calls = changing.take, list[int]()

    def dies(*args: Any) -> int:
        calls.append(1)
        if len(calls) == 2:
            raise MemoryError
        return real(*args)

    monkeypatch.setattr(changing, "take", dies)
    job = Job.objects.get(kind=bulk.JOB_KIND)
    with pytest.raises(MemoryError):
        bulk.perform(job.params, lambda progress: None)
    assert len(tagged()) == 25
    result = bulk.perform(job.params, lambda progress: None)
    assert (result["changes"], len(tagged()), ChangeBatch.objects.get().changes) == (60, 60, 60)


def test_a_change_that_is_undone_meanwhile_ends_there(sign_in: SignIn) -> None:
    post(sign_in(Role.SUPERVISOR), **LIST, verb="put", confirmed="yes")
    job = Job.objects.get(kind=bulk.JOB_KIND)

    def undo(progress: dict[str, Any]) -> None:
        if progress["done"] == 25:
            changing.do_undo_batch(actor=None, batch_id=job.params["batch"])

    result = bulk.perform(job.params, undo)
    assert (result["undone"], result["members"], tagged()) == (True, 25, set())


def test_who_sees_some_groups_changes_only_who_is_in_them(sign_in: SignIn) -> None:
    reading = Group.objects.get(name="读书会").pk
    client = sign_in(Role.SUPERVISOR, groups=(reading,))
    everybody = {**LIST, "f_q": ""}
    assert "给 3 位成员打上" in post(client, **everybody, verb="put")
    post(client, **everybody, verb="put", confirmed="yes")
    assert tagged() == {"读者0", "读者1", "读者2"}


def test_taking_away_from_who_has_it_ends_with_nobody(sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    post(client, **LIST, verb="put", confirmed="yes")
    jobs.run_next()
    post(client, **{**LIST, "f_q": "", "f_tag": STRONG}, verb="take", confirmed="yes")
    job = Job.objects.order_by("-pk")[0]
    assert jobs.run_next()
    assert tagged() == set()
    job.refresh_from_db()
    assert (job.state, job.result["members"]) == ("done", 60)
    assert "没有改动" in post(client, **{**LIST, "f_tag": STRONG}, verb="take")


@pytest.mark.parametrize(
    "wrong",
    [{"tag": "没有的标签"}, {"tag": "福利群"}, {"f_q": "没有这样的人"}, {"f_tag": "x\x00y"}, {"segment": "no_such"}],
    ids=["unknown tag", "tag of a group", "nobody", "odd letters", "unknown segment"],
)
def test_what_makes_no_sense_changes_nothing(wrong: dict[str, str], sign_in: SignIn) -> None:
    client = sign_in(Role.SUPERVISOR)
    assert "没有改动" in post(client, **{**LIST, **wrong}, verb="put")
    assert "没有改动" in post(client, **{**LIST, **wrong}, verb="put", confirmed="yes")
    assert not Job.objects.exists()


def test_a_foreign_job_is_not_shown_to_who_sees_some_groups(sign_in: SignIn) -> None:
    post(sign_in(Role.SUPERVISOR), **LIST, verb="put", confirmed="yes")
    job = Job.objects.get(kind=bulk.JOB_KIND)
    scoped = sign_in(Role.SUPERVISOR, groups=(Group.objects.get(name="读书会").pk,))
    assert scoped.get(reverse("tag-job", args=[job.pk])).status_code == 404
