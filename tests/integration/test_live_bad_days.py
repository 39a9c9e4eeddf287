"""What goes wrong on bad days: late, doubled and disordered news, clocks, raids, platforms that answer badly or not at all."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qunce.connectors.base import Capabilities, Emit, Quota
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable, UnknownOutcome, Unsupported
from qunce.domain.commands import AnyCommand, Content, Receipt
from qunce.domain.events import Event
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.outbox.models import Attempt, Delivery, Pause, State
from qunce.playbook.errors import InvalidPlaybook
from qunce.readmodels.models import Identity, Message
from qunce.runtime.live import channels, deliver
from qunce.runtime.live.cases import NOTICES
from qunce.runtime.live.deliver import rates
from qunce.runtime.live.practice import CAPABILITIES
from qunce.runtime.models import Case, Channel
from qunce.testing.live import PLAYBOOK, Stage

pytestmark = pytest.mark.django_db

AD = "代购返现"
PATTERN = """\
schema_version: 1
playbook: {{playbook_id: pattern, title: 正则}}
rules:
  - rule_id: pattern
    title: 正则
    category: ads
    reason: 请不要这样发。
    mode: suggest
    when: [{{check: pattern, any_of: ["{pattern}"]}}]
"""
RAID = """\
schema_version: 1
playbook: {playbook_id: raids, title: 防冲群}
ladders:
  - {ladder_id: out, title: 移出, steps: [{do: remove}]}
rules:
  - rule_id: raid.joins
    title: 冲群
    category: raid
    reason: 短时间内大量进群。
    mode: act
    ladder: out
    when: [{check: raid, joins: 20, window: 60s}]
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    stage = Stage(tmp_path)
    stage.publish()
    stage.wait(1)
    return stage


def verdicts() -> list[tuple[str, str]]:
    return list(Case.objects.order_by("id").values_list("decision_id", "verdict"))


def test_what_is_reported_twice_is_decided_once(stage: Stage) -> None:
    event = stage.said("老王", AD)
    stage.take(event, event)
    stage.take(event)
    stage.react()
    stage.take(event)
    stage.react()
    assert verdicts() == [("1:ads.terms", "mute")]


def test_news_out_of_order_is_decided_in_the_order_of_the_journal_and_again_alike(stage: Stage, tmp_path: Path) -> None:
    early = stage.said("老王", "代购返现 1")
    stage.wait(300)
    late = stage.said("老王", "代购返现 2")
    stage.take(late)
    stage.react()
    stage.take(early)
    stage.react()
    assert [verdict for _, verdict in verdicts()] == ["mute", "mute"], "the earlier offence belongs to the sanction it had"
    other = Stage.__new__(Stage)
    other.__dict__.update(stage.__dict__)
    other.folder = tmp_path / "again"
    other.restart()
    assert core.dump(other.reactor.state) == core.dump(stage.reactor.state)


def test_an_hour_old_message_is_acted_on_and_one_of_yesterday_only_suggested(stage: Stage) -> None:
    hour_old = stage.said("老王", AD)
    stage.wait(3_600)
    stage.take(hour_old)
    stage.react()
    day_old = stage.said("老李", AD)
    stage.wait(86_400)
    stage.take(day_old)
    stage.react()
    assert list(Case.objects.order_by("id").values_list("mode", flat=True)) == ["act", "suggest"]


def test_a_clock_set_back_stops_nothing(stage: Stage) -> None:
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    stage.wait(-3_500)
    stage.publish(PLAYBOOK.replace("for: 30m", "for: 31m"), "other")
    stage.say("老李", AD)
    stage.react()
    assert stage.deliver() == ["message.delete", "member.mute", "message.send"]


def test_our_own_actions_coming_back_as_events_set_nothing_off(stage: Stage) -> None:
    stage.say("老王", AD)
    total = 0
    for _ in range(5):
        total += stage.react()
        stage.deliver()
    assert total == 4
    assert Delivery.objects.count() == 4


def test_a_megabyte_of_text_is_decided_on(stage: Stage) -> None:
    text = "嗨" * 350_000 + AD
    assert len(text.encode()) > 2**20
    stage.take(stage.said("老王", text, id="long"))
    stage.react()
    assert Case.objects.count() == 1
    assert Message.objects.get().text == text


def test_an_expression_that_explodes_is_refused_and_the_rules_in_force_stay(stage: Stage) -> None:
    for pattern in ("(a+)+b", "(a|aa){1,40}b", "a{1,60}a{1,60}a{1,60}b"):
        with pytest.raises(InvalidPlaybook) as caught:
            stage.publish(PATTERN.format(pattern=pattern), "dangerous")
        (problem,) = caught.value.problems
        assert problem.line > 0
        assert problem.fix
    stage.say("老王", AD)
    stage.react()
    assert [verdict for _, verdict in verdicts()] == ["mute"]


def test_the_worst_expression_that_is_accepted_is_shown_a_bounded_stretch_of_hostile_text(stage: Stage) -> None:
    stage.publish(PATTERN.format(pattern="(?:a|b){1,9}(?:a|c){1,9}d"), "as bad as may be")
    stage.wait(1)
    stage.take(stage.said("老王", "a" * 1_000_000, id="1"), stage.said("老李", "ab" * 200_000 + "acd", id="2"))
    stage.say("小红", "aacd")
    stage.react()
    found = Identity.objects.filter(pk__in=Case.objects.values("identity_id")).values_list("name", flat=True)
    assert "小红" in found


def test_a_raid_is_answered_without_a_flood_of_ours(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.publish(RAID)
    stage.wait(1)
    joins: list[Event] = []
    for index in range(1_000):
        stage.now_ms += 60
        joins.append(stage.joined(f"raider{index}"))
    stage.take(*joins)
    stage.react()
    assert Delivery.objects.filter(capability="member.kick", state=State.READY).count() > 900
    said = Delivery.objects.filter(capability="message.send")
    assert 0 < said.filter(state=State.READY).count() <= NOTICES
    assert set(said.exclude(state=State.READY).values_list("state", "reason")) == {(State.SUPPRESSED, "too_many_notices")}
    assert stage.deliver(most=50).count("member.kick") >= 40
    assert len(core.dump(stage.reactor.state)) < 500_000


class Bad:
    """A platform that answers every call with the same error, or with nonsense."""

    def __init__(self, answer: object, *, idempotent: bool = True, how: str = "automatic") -> None:
        self._answer = answer
        changed = tuple(msgspec.structs.replace(one, how=how) for one in CAPABILITIES.abilities)
        self.capabilities: Capabilities = msgspec.structs.replace(
            CAPABILITIES, idempotent="yes" if idempotent else "no", abilities=changed
        )
        self.calls = 0

    async def run(self, emit: Emit, since: str | None) -> None:
        raise NotImplementedError

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        raise NotImplementedError

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        self.calls += 1
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer  # type: ignore[return-value]  # nonsense is the point


ANSWERS = [
    pytest.param(Retryable("429", after_s=7.0), True, State.RETRYING, "429", id="too many requests: later, as asked"),
    pytest.param(Retryable("503"), True, State.RETRYING, "503", id="a server error: later"),
    pytest.param(Permanent("no_right"), True, State.FAILED, "no_right", id="a refusal: never"),
    pytest.param(UnknownOutcome("no_answer"), True, State.RETRYING, "no_answer", id="no answer where our key is taken: again"),
    pytest.param(
        UnknownOutcome("no_answer"), False, State.RETRYING, "no_answer", id="no answer to what may be done twice: again"
    ),
    pytest.param(ValueError("?"), False, State.RETRYING, "connector_fault", id="a fault of ours: again"),
    pytest.param(None, True, State.RETRYING, "connector_fault", id="nonsense where our key is taken: again"),
    pytest.param(Unsupported("member.mute"), True, State.HUMAN, "member.mute", id="not possible for this member: a person"),
    pytest.param(AuthFailed("bad_token"), True, State.RETRYING, "bad_token", id="bad credentials: later"),
]


@pytest.mark.parametrize(("answer", "idempotent", "state", "code"), ANSWERS)
def test_each_bad_answer_has_its_end(
    answer: ConnectorError | None, idempotent: bool, state: State, code: str, stage: Stage
) -> None:
    stage.connector = Bad(answer, idempotent=idempotent)
    stage.restart()
    stage.say("老王", AD)
    stage.react()
    for row in stage.hand.claim():
        stage.carry_out(row)
    rows = Delivery.objects.filter(capability__in=("message.delete", "member.mute"))
    assert set(rows.values_list("state", "reason")) == {(state, code)}
    assert Attempt.objects.count() == 2
    if isinstance(answer, Retryable) and answer.after_s:
        assert set(rows.values_list("not_before_ms", flat=True)) == {stage.now_ms + 7_000}


def test_a_channel_that_is_asked_to_wait_waits_with_everything(stage: Stage) -> None:
    stage.connector = bad = Bad(Retryable("429", after_s=90.0))
    stage.restart()
    stage.say("老王", AD)
    stage.react()
    stage.carry_out(stage.hand.claim()[0])
    stage.say("老李", AD)
    stage.react()
    stage.wait(80)
    assert stage.hand.claim() == []
    stage.wait(10)
    assert len(stage.hand.claim()) > 2
    assert bad.calls == 1


def test_bad_credentials_pause_the_channel_until_they_are_mended(stage: Stage) -> None:
    stage.connector = bad = Bad(AuthFailed("bad_token"))
    stage.restart()
    stage.say("老王", AD)
    stage.react()
    for row in stage.hand.claim():
        stage.carry_out(row)
    stage.wait(600)
    assert stage.hand.claim() == []
    assert (bad.calls, Pause.objects.get().reason) == (2, "bad_token")
    assert Channel.objects.get().status == "auth_failed"
    channels.do_change_channel(actor=None, channel_id=stage.channel_id, settings={"name": "练习"})
    assert len(stage.hand.claim()) == 2


async def test_an_answer_that_never_comes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(Bad):
        async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
            await asyncio.sleep(60)
            raise NotImplementedError

    monkeypatch.setattr(deliver, "CALL_S", 0.01)
    said = '{"type":"message.send","conv_id":"g","content":{"text":"早"}}'
    row = Delivery(command=said, idem_key="k", capability="message.send")
    assert (await deliver.attempt(Silent(None, idempotent=False), row)).outcome == "unknown"
    assert (await deliver.attempt(Silent(None, idempotent=True), row)).outcome == "retry"


@pytest.mark.parametrize("how", ["human", "impossible"])
def test_what_the_channel_cannot_do_becomes_a_task_with_its_reason(how: str, stage: Stage) -> None:
    stage.connector = bad = Bad(None, how=how)
    stage.restart()
    stage.say("老王", AD)
    stage.react()
    assert stage.deliver() == []
    assert bad.calls == 0
    rows = Delivery.objects.filter(capability__in=("message.delete", "member.mute"))
    assert set(rows.values_list("state", "reason")) == {(State.HUMAN, how)}


def test_a_public_word_about_a_sanction_that_failed_is_not_said(stage: Stage) -> None:
    stage.connector = Bad(Permanent("no_right"))
    stage.restart()
    stage.say("老王", AD)
    stage.react()
    stage.deliver()
    assert Delivery.objects.get(capability="message.send").reason == "not_carried_out"
    stage.wait(1_800)
    stage.deliver()
    assert Delivery.objects.get(capability="member.unmute").reason == "not_muted"


def test_an_event_no_rule_can_take_does_not_stop_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    real = core.decide

    def decide(state: core.State, happening: Happening, *rest: Any) -> tuple[core.AnyDecision, ...]:
        if happening.text == "毒":
            raise RuntimeError("a fault of a check")
        return real(state, happening, *rest)

    monkeypatch.setattr(core, "decide", decide)
    stage.say("老王", "毒")
    stage.say("老王", AD)
    assert stage.react() == 2
    assert verdicts() == [("2:ads.terms", "mute")]


def test_a_group_without_a_channel_gets_tasks_for_people(stage: Stage) -> None:
    channels.do_change_channel(actor=None, channel_id=stage.channel_id, enabled=False)
    stage.say("老王", AD)
    stage.react()
    assert set(Delivery.objects.values_list("state", "reason")) == {(State.HUMAN, "no_channel")}


QUOTAS = [
    pytest.param(20, True, 20, id="a certain quota is never passed"),
    pytest.param(20, False, 10, id="of an uncertain one half is used"),
    pytest.param(1, True, 1, id="a quota of one allows one"),
]


@pytest.mark.parametrize(("limit", "certain", "most"), QUOTAS)
def test_no_minute_sees_more_calls_than_the_quota(limit: int, certain: bool, most: int) -> None:
    quota = Quota(
        name="message.send", limit=limit, per_s=60, scope="conversation", source="-", stated="2026-11", is_certain=certain
    )
    assert rates([quota], "member.mute", "g") == ()
    (rate,) = rates([quota], "message.send", "g")
    in_a_minute = rate.burst + 60_000 // rate.interval_ms
    assert in_a_minute <= max(most, 2)
    assert rate.name.endswith("@g")
