"""Somebody who is in a sister group by another account is flagged at the door, with the link; live as in a replay."""

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from qunce.accounts.models import Role, Staff
from qunce.readmodels.models import Group, Identity, IdentityLink
from qunce.runtime.happenings import Resolver
from qunce.runtime.identity.commands import do_link, do_unlink
from qunce.runtime.models import Case
from qunce.runtime.replay.service import Request, reach, replay
from qunce.testing.builders import placed
from qunce.testing.live import Stage

pytestmark = pytest.mark.django_db

DOOR = """schema_version: 1
playbook: {playbook_id: door, title: 门口}
rules:
  - rule_id: door.sister
    title: 已在姊妹群
    category: people
    reason: 已在姊妹群
    mode: suggest
    when: [{check: sister, was: [in]}]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.publish(DOOR)
    source = stage.joined("小红").source
    stage.take(*(placed(group, "宝妈", at="08:00", source=source) for group in ("演练一群", "演练二群")))
    stage.take(stage.joined("小红"), stage.said("小红的手机", "在吗", group="演练三群"))
    stage.react()
    return stage


def ids(*names: str) -> list[int]:
    return [Identity.objects.get(platform_id=name).pk for name in names]


def arrive(stage: Stage, who: str) -> list[str]:
    """Let somebody join the sister group, and return the rules that found them."""
    stage.wait(60)
    before = set(Case.objects.values_list("pk", flat=True))
    stage.take(stage.joined(who, group="演练二群"))
    stage.react()
    return list(Case.objects.exclude(pk__in=before).values_list("rule_id", flat=True))


def test_only_a_linked_account_is_known_next_door(stage: Stage) -> None:
    assert arrive(stage, "小红的手机") == []
    first, second = ids("小红", "小红的手机")
    link_id = do_link(actor=None, first_id=first, second_id=second, reason="她自己说的")
    assert arrive(stage, "小红的手机") == ["door.sister"]
    do_unlink(actor=None, link_id=link_id)
    assert arrive(stage, "小红的手机") == []


def test_a_replay_finds_what_was_found_live(stage: Stage) -> None:
    do_link(actor=None, first_id=ids("小红")[0], second_id=ids("小红的手机")[0])
    arrive(stage, "小红的手机")
    arrive(stage, "小兰")
    found = replay(Request(playbook={"door.yaml": DOOR}))
    (rule,) = found.side.rules
    assert (rule.rule_id, rule.decisions, rule.people) == ("door.sister", 1, 1)
    assert [line.seq for line in rule.samples] == list(Case.objects.values_list("seq", flat=True))


def test_the_case_shows_the_link(stage: Stage) -> None:
    do_link(actor=None, first_id=ids("小红")[0], second_id=ids("小红的手机")[0])
    arrive(stage, "小红的手机")
    client = Client()
    client.force_login(Staff.objects.create_user("owner", "correct-horse-9", role=Role.ADMIN))
    page = client.get(reverse("case", args=[Case.objects.get().decision_id])).content.decode()
    assert "小红 = 小红的手机" in page
    link_id = IdentityLink.objects.get().link_id
    do_unlink(actor=None, link_id=link_id)
    assert "已拆开" in client.get(reverse("case", args=[Case.objects.get().decision_id])).content.decode()


def test_a_ban_reaches_wherever_any_account_of_the_person_was(stage: Stage) -> None:
    first, second = ids("小红", "小红的手机")
    apart = reach([first])  # type: ignore[list-item]  # a plain number of an account
    do_link(actor=None, first_id=first, second_id=second)
    together = reach([first])  # type: ignore[list-item]
    assert set(Group.objects.filter(pk__in=together - apart).values_list("name", flat=True)) == {"演练三群"}


def test_other_accounts_come_with_the_links_that_lead_to_them(stage: Stage) -> None:
    first, second = ids("小红", "小红的手机")
    link_id = do_link(actor=None, first_id=first, second_id=second)
    made = Resolver(stage.ingest.database).happenings(stage.ingest.journal.read(0, 100))
    found = {(item.person, other, told) for item in made for other, told in item.others.items()}
    assert found == {(first, second, ("小红的手机", (link_id,))), (second, first, ("小红", (link_id,)))}
