"""The whole way: an ad is posted, becomes a case, is acted on, undone, appealed; the rule changes and acts anew."""

from pathlib import Path

import pytest

from qunce.domain.events import MemberRestricted, MemberUnrestricted, MessageDeleted
from qunce.outbox.models import Delivery, State
from qunce.readmodels.models import Membership, Message
from qunce.runtime.live import words
from qunce.runtime.models import Case, CaseState
from qunce.testing.live import Stage

pytestmark = pytest.mark.django_db

AD = "代 购·返 现，私聊我"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.publish()
    return stage


def test_an_ad_in_disguise_becomes_a_case_and_is_acted_on(stage: Stage) -> None:
    stage.say("小红", "大家好")
    seq = stage.say("老王", AD)
    assert stage.react() == 2
    case = Case.objects.get(area="moderation")
    assert (case.seq, case.rule_id, case.mode, case.verdict, case.state) == (seq, "ads.terms", "act", "mute", CaseState.DONE)
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    assert Message.objects.get(pk=seq).deleted_by == "moderator"
    assert Membership.objects.get(identity__platform_id="老王").muted_until_ms == stage.now_ms + 1_800_000
    bodies = [type(stored.event.body) for stored in stage.ingest.journal.read(seq, 10)]
    assert bodies[:2] == [MessageDeleted, MemberRestricted]
    assert all(stored.event.source.origin == "self" for stored in stage.ingest.journal.read(seq, 10))
