"""The whole way: an ad is posted, becomes a case, is acted on, undone, appealed; the rule changes and acts anew."""

from pathlib import Path

import msgspec
import pytest
from pytest_django import DjangoAssertNumQueries

from qunce.domain.events import Event, MemberRestricted, MessageDeleted
from qunce.domain.ids import GroupId, IdentityId
from qunce.outbox.models import Delivery, State
from qunce.readmodels.models import Membership, Message
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import channel_views, playbooks, views, words
from qunce.runtime.live.wiring import DryRun
from qunce.runtime.models import Appeal, Case, CaseState, PlaybookVersion, Word
from qunce.testing.live import PLAYBOOK, Stage

pytestmark = pytest.mark.django_db

AD = "代 购·返 现，私聊我"
SUGGESTING = PLAYBOOK.replace("mode: act", "mode: suggest")


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.publish()
    return stage


def the_case() -> Case:
    return Case.objects.get(area="moderation")


def muted(who: str) -> int | None:
    return Membership.objects.get(identity__platform_id=who).muted_until_ms


def purposes(case_id: str) -> list[tuple[str, str, str]]:
    detail = views.case_detail(case_id)
    assert detail is not None
    return [(row.purpose, row.capability, row.state) for row in detail.deliveries]


def test_an_ad_in_disguise_becomes_a_case_and_is_acted_on(stage: Stage) -> None:
    stage.say("小红", "大家好")
    seq = stage.say("老王", AD)
    assert stage.react() == 2
    case = the_case()
    assert (case.seq, case.rule_id, case.mode, case.verdict, case.state) == (seq, "ads.terms", "act", "mute", CaseState.DONE)
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    assert Message.objects.get(pk=seq).deleted_by == "moderator"
    assert muted("老王") == stage.now_ms + 1_800_000
    reported = stage.ingest.journal.read(seq, 10)
    assert [type(stored.event.body) for stored in reported][:2] == [MessageDeleted, MemberRestricted]
    assert {stored.event.source.origin for stored in reported} == {"self"}


def test_a_case_shows_its_evidence_and_what_may_be_said_to_it(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    detail = views.case_detail(the_case().decision_id)
    assert detail is not None
    assert detail.message is not None
    assert detail.message.text == AD
    (span,) = detail.evidence[0].evidence.spans
    assert AD[span.start : span.end] == "代 购·返 现"
    assert detail.row.reason == "群里不发广告，谢谢理解。"
    assert (detail.can_approve, detail.can_undo, detail.can_appeal) == (False, True, True)
    assert [row.stays for row in detail.deliveries if row.capability == "message.delete"] == ["message"]
    assert views.case_detail(detail.row.case_id, group_ids=[]) is None
    assert [row.case_id for row in views.case_list().rows] == [detail.row.case_id]


def test_an_undo_takes_back_exactly_what_the_case_did(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    case = the_case()
    words.do_undo(actor=None, case_id=case.decision_id, reason="误伤", clock=stage.clock)
    assert stage.deliver() == ["message.delete", "member.unmute"]
    assert muted("老王") is None
    assert purposes(case.decision_id)[3:] == [
        ("lift", "member.unmute", State.CANCELLED),
        ("undo", "message.delete", State.DONE),
        ("undo", "member.unmute", State.DONE),
    ]
    stage.react()
    assert Word.objects.get().after_seq is not None
    stage.say("老王", AD)
    stage.react()
    assert Case.objects.order_by("-id")[0].verdict == "mute", "the undone offence no longer counts"
    with pytest.raises(CommandRefused):
        words.do_undo(actor=None, case_id=case.decision_id, reason="again", clock=stage.clock)


def test_a_mute_ends_by_itself_where_the_platform_keeps_no_end(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    stage.wait(1_799)
    assert stage.deliver() == []
    stage.wait(1)
    assert stage.deliver() == ["member.unmute"]
    assert muted("老王") is None


def test_undoing_one_mute_leaves_the_other(stage: Stage) -> None:
    stage.publish(PLAYBOOK.replace("{do: ban}", "{do: mute, for: 2h}"), "longer")
    for _ in range(2):
        stage.wait(120)
        stage.say("老王", AD)
        stage.react()
        stage.deliver()
    first, second = Case.objects.order_by("id")
    until = muted("老王")
    words.do_undo(actor=None, case_id=first.decision_id, reason="误伤", clock=stage.clock)
    assert "member.unmute" not in stage.deliver()
    assert muted("老王") == until
    words.do_undo(actor=None, case_id=second.decision_id, reason="误伤", clock=stage.clock)
    assert "member.unmute" in stage.deliver()
    assert muted("老王") is None


def test_undoing_the_longer_mute_leaves_the_shorter_one_in_force(stage: Stage) -> None:
    stage.publish(PLAYBOOK.replace("{do: ban}", "{do: mute, for: 2h}"), "longer")
    untils = []
    for _ in range(2):
        stage.wait(120)
        stage.say("老王", AD)
        stage.react()
        stage.deliver()
        untils.append(muted("老王"))
    words.do_undo(actor=None, case_id=Case.objects.order_by("-id")[0].decision_id, reason="误伤", clock=stage.clock)
    assert "member.mute" in stage.deliver()
    assert muted("老王") == untils[0]


def test_the_end_of_a_short_mute_does_not_lift_a_longer_one(stage: Stage) -> None:
    stage.publish(PLAYBOOK.replace("{do: ban}", "{do: mute, for: 2h}"), "longer")
    for _ in range(2):
        stage.wait(120)
        stage.say("老王", AD)
        stage.react()
        stage.deliver()
    stage.wait(1_800)
    assert stage.deliver() == []
    assert Delivery.objects.get(state=State.SUPPRESSED).reason == "muted_again"
    assert muted("老王") is not None


def test_what_was_on_its_way_when_the_case_was_undone_is_taken_back_when_it_arrives(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    on_their_way = stage.hand.claim()
    words.do_undo(actor=None, case_id=the_case().decision_id, reason="误伤", clock=stage.clock)
    for row in on_their_way:
        stage.carry_out(row)
    assert stage.deliver() == ["member.unmute"]
    assert muted("老王") is None


def test_an_appeal_that_is_granted_undoes_the_case(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    case_id = the_case().decision_id
    appeal = words.do_appeal(actor=None, case_id=case_id, text="我在问哪里能退", by_member=True, clock=stage.clock)
    assert [view.appeal_id for view, _ in views.appeal_list()] == [appeal]
    assert views.waiting().appeals == 1
    words.do_resolve_appeal(actor=None, appeal_id=appeal, grant=True, answer="抱歉，已经恢复。", clock=stage.clock)
    stage.deliver()
    assert muted("老王") is None
    assert (the_case().state, Appeal.objects.get().state) == (CaseState.UNDONE, "granted")
    with pytest.raises(CommandRefused):
        words.do_resolve_appeal(actor=None, appeal_id=appeal, grant=False, answer="", clock=stage.clock)


def test_a_member_appeals_in_their_own_words(stage: Stage) -> None:
    stage.say("老王", "申诉：我什么也没做")
    stage.react()
    assert not Appeal.objects.exists(), "there is nothing to appeal"
    stage.say("老王", AD)
    stage.say("小红", "申诉：这不公平")
    stage.say("老王", "我要申诉，那是我自己的店", group="与群策的私聊")
    stage.react()
    ((appeal, row),) = views.appeal_list()
    assert (appeal.text, appeal.by_member, row.case_id) == ("那是我自己的店", True, the_case().decision_id)


def test_a_rejected_appeal_changes_nothing_else(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    appeal = words.do_appeal(actor=None, case_id=the_case().decision_id, text="?", by_member=True, clock=stage.clock)
    words.do_resolve_appeal(actor=None, appeal_id=appeal, grant=False, answer="群规第三条", clock=stage.clock)
    assert stage.deliver() == []
    assert (the_case().state, muted("老王") is None) == (CaseState.DONE, False)


def test_a_suggestion_waits_for_a_person_and_is_timed_from_their_word(stage: Stage) -> None:
    stage.publish(SUGGESTING, "try")
    stage.wait(1)
    stage.say("老王", AD)
    stage.react()
    assert stage.deliver() == []
    assert views.waiting().cases == 1
    stage.wait(3_600)
    words.do_approve(actor=None, case_id=the_case().decision_id, clock=stage.clock)
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    assert muted("老王") == stage.now_ms + 1_800_000
    stage.react()
    stage.wait(1_800)
    assert stage.deliver() == ["member.unmute"]
    with pytest.raises(CommandRefused):
        words.do_decline(actor=None, case_id=the_case().decision_id, clock=stage.clock)


def test_a_declined_suggestion_does_nothing_and_counts_for_nothing(stage: Stage) -> None:
    stage.publish(SUGGESTING, "try")
    stage.wait(1)
    stage.say("老王", AD)
    stage.react()
    words.do_decline(actor=None, case_id=the_case().decision_id, reason="开玩笑", clock=stage.clock)
    assert stage.deliver() == []
    assert set(Delivery.objects.values_list("state", flat=True)) == {State.DECLINED}
    stage.react()
    assert stage.reactor.state.moderation.groups[GroupId(1)].people[IdentityId(1)].strikes == []


def test_a_changed_rule_acts_by_its_new_version(stage: Stage) -> None:
    stage.say("老王", "私人飞机包机")
    stage.react()
    assert not Case.objects.exists()
    number = stage.publish(PLAYBOOK.replace("[代购返现]", "[代购返现, 包机]"), "包机也是广告")
    assert number == 2
    stage.say("老王", "私人飞机包机")
    stage.react()
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    assert the_case().version.startswith("2-")
    assert [version.from_seq is not None for version in PlaybookVersion.objects.order_by("number")] == [True, True]


def test_a_mode_is_changed_for_one_group_by_a_version(stage: Stage) -> None:
    stage.say("小红", "大家好", group="福利群")
    stage.react()
    playbooks.do_set_mode(actor=None, rule_id="ads.terms", mode="observe", group_id=1, reason="先看看", clock=stage.clock)
    stage.say("老王", AD, group="福利群")
    stage.say("老王", AD, group="别的群")
    stage.react()
    assert list(Case.objects.order_by("id").values_list("mode", "state")) == [("observe", "noted"), ("act", "done")]
    with pytest.raises(CommandRefused):
        playbooks.do_set_mode(actor=None, rule_id="nobody", mode="act", reason="x")


HISTORY = [
    pytest.param({"confidence": "imported"}, 0, id="what was imported is only observed"),
    pytest.param({}, -3_600_000, id="what happened before the rules were published is only observed"),
]


@pytest.mark.parametrize(("changes", "earlier_ms"), HISTORY)
def test_history_is_never_acted_on(stage: Stage, changes: dict[str, object], earlier_ms: int) -> None:
    stage.wait(1)
    event = stage.said("老王", AD)
    stage.take(msgspec.structs.replace(event, ts_ms=event.ts_ms + earlier_ms, **changes))
    stage.react()
    assert (the_case().mode, the_case().state) == ("observe", CaseState.NOTED)
    assert not Delivery.objects.exists()


def ours(stage: Stage) -> list[Event]:
    said = stage.said("练习", AD, kind="bot")
    ours = msgspec.structs.replace(said.source, origin="self")
    return [said, msgspec.structs.replace(stage.said("老王", AD), source=ours)]


def test_what_we_did_ourselves_sets_off_no_rule(stage: Stage) -> None:
    stage.publish(PLAYBOOK.replace("exempt: {kinds: [staff]}", "exempt: {kinds: [staff], roles: [owner]}"), "all")
    stage.wait(1)
    stage.take(*ours(stage))
    stage.react()
    assert not Case.objects.exists()


def test_without_a_playbook_everything_is_remembered_and_nothing_decided(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.say("老王", AD)
    assert stage.react() == 1
    assert not Case.objects.exists()
    assert stage.reactor.state.moderation.groups[GroupId(1)].recent[0].seq == 1


def test_a_channel_in_simulation_does_nothing_and_says_so(tmp_path: Path) -> None:
    stage = Stage(tmp_path, mode="simulated")
    stage.connector = DryRun(stage.connector)
    stage.restart()
    stage.publish()
    stage.wait(1)
    seq = stage.say("老王", AD)
    stage.react()
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]
    assert stage.ingest.journal.head() == seq
    detail = views.case_detail(the_case().decision_id)
    assert detail is not None
    assert [row.simulated for row in detail.deliveries] == [True, True, True, False]


def test_lists_ask_the_database_a_fixed_number_of_times(
    stage: Stage, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for who in ("老王", "老李", "老张"):
        stage.say(who, AD)
    stage.react()
    with django_assert_num_queries(5):
        assert len(views.case_list().rows) == 3
    with django_assert_num_queries(1):
        assert len(views.delivery_list()) == 12
    with django_assert_num_queries(3):
        assert views.waiting().cases == 0
    with django_assert_num_queries(3):
        assert len(channel_views.channel_list()) == 1
    first = views.case_list(limit=2)
    assert first.older is not None
    assert [row.subject.name for row in views.case_list(before=first.older).rows if row.subject] == ["老王"]
