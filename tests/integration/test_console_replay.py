"""The pages of replays: start one, wait, read what would have happened, each line leading to its messages."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import AuditEntry, Role
from qunce.readmodels.models import Group
from qunce.runtime import jobs
from qunce.runtime.live import playbooks
from qunce.runtime.models import Case, Job, JobState
from qunce.testing.live import PLAYBOOK, Stage
from tests.integration.console_world import SignIn

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(tmp_path: Path) -> Stage:
    """Two groups with an ad each, judged by nobody so far."""
    stage = Stage(tmp_path)
    stage.say("老王", "代购返现<b>")
    stage.say("小红", "大家好")
    stage.say("阿强", "代购返现", group="演练二群")
    return stage


def start(client: Client, **data: str) -> int:
    response = client.post(reverse("replay"), data)
    assert response.status_code == 302
    return Job.objects.latest("pk").pk


def result_of(client: Client, job_id: int) -> str:
    assert jobs.run_next()
    response = client.get(reverse("replay-job", args=[job_id]))
    assert response.status_code == 200
    return response.content.decode()


def test_without_messages_the_page_says_where_to_begin(sign_in: SignIn) -> None:
    page = sign_in().get(reverse("replay")).content.decode()
    assert "还没有消息可以回放" in page
    assert reverse("imports") in page


@pytest.mark.usefixtures("past")
def test_a_replay_runs_as_a_job_and_touches_nobody(sign_in: SignIn) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    client = sign_in()
    job_id = start(client, source="1")
    assert "排队中" in client.get(reverse("replay-job", args=[job_id])).content.decode()
    page = result_of(client, job_id)
    for shown in ("广告词", "禁言", "老王", "代购返现&lt;b&gt;", "演练二群", "?around="):
        assert shown in page
    assert "<b>：" not in page.replace("</b>", "")
    assert not Case.objects.exists()
    assert reverse("replay-job", args=[job_id]) in client.get(reverse("replay")).content.decode()
    assert AuditEntry.objects.filter(action="replay.start").exists()


@pytest.mark.usefixtures("past")
def test_a_replay_against_another_version_shows_the_difference(sign_in: SignIn) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK.replace("[代购返现]", "[大家好]")}, reason="other")
    client = sign_in()
    page = result_of(client, start(client, source="2", against="1"))
    for shown in ("与 第 1 版 的不同", "多出来的", "不再有的"):
        assert shown in page


@pytest.mark.usefixtures("past")
def test_one_group_and_a_period_can_be_chosen(sign_in: SignIn) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    client = sign_in()
    group = Group.objects.get(name="演练二群")
    page = result_of(client, start(client, source="1", group=str(group.pk), since="2027-01-15", until="2027-01-15"))
    assert "阿强" in page
    assert "老王" not in page
    page = result_of(client, start(client, source="1", until="2020-01-01"))
    assert "什么都没有发现" in page


@pytest.mark.usefixtures("past")
def test_a_playbook_of_the_gallery_can_be_replayed(sign_in: SignIn) -> None:
    client = sign_in()
    assert "样板 muying" in result_of(client, start(client, source="gallery:muying"))


def test_a_replay_that_cannot_be_done_says_why(sign_in: SignIn, past: Stage) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    client = sign_in()
    job_id = start(client, source="1")
    Job.objects.filter(pk=job_id).update(params={**Job.objects.get().params, "files": {"playbook.yaml": "x: 1"}})
    assert "回放没有做成" in result_of(client, job_id)
    assert Job.objects.get().state == JobState.FAILED


@pytest.mark.usefixtures("past")
def test_a_replay_keeps_to_the_scope_of_who_starts_it_and_of_who_looks(sign_in: SignIn) -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="test")
    mine, other = Group.objects.get(name="演练一群").pk, Group.objects.get(name="演练二群").pk
    everywhere, scoped = sign_in(), sign_in(Role.SUPERVISOR, (mine,))
    assert scoped.post(reverse("replay"), {"source": "1", "group": str(other)}).status_code == 404
    page = result_of(scoped, start(scoped, source="1"))
    assert "老王" in page
    assert "阿强" not in page
    whole = start(everywhere, source="1")
    assert scoped.get(reverse("replay-job", args=[whole])).status_code == 404
    assert reverse("replay-job", args=[whole]) not in scoped.get(reverse("replay")).content.decode()


def test_nothing_chosen_and_other_roles(sign_in: SignIn) -> None:
    client = sign_in()
    assert "请选一套规则" in client.post(reverse("replay"), {"source": "99"}, follow=True).content.decode()
    assert sign_in(Role.MANAGER).get(reverse("replay")).status_code == 403
    assert client.get(reverse("replay-job", args=[4242])).status_code == 404
