"""A kill at any point of the loop loses nothing and does nothing twice; state is the same as if nothing had happened."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from qunce.connectors.base import Capabilities
from qunce.domain.commands import AnyCommand, Receipt
from qunce.engine import core
from qunce.journal.store import Journal
from qunce.outbox import queue
from qunce.outbox.models import Delivery, State
from qunce.outbox.queue import LEASE_MS
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import cases, words
from qunce.runtime.live.deliver import Hand
from qunce.runtime.live.practice import Practice
from qunce.runtime.live.react import Overtaken, Reactor
from qunce.runtime.models import Case
from qunce.testing.live import ACCOUNT, PLAYBOOK, Stage

pytestmark = pytest.mark.django_db

AD = "代购返现"


class Killed(BaseException):
    """The process is gone."""


def kill(*_args: object, **_kwargs: object) -> Any:
    raise Killed


def kill_after(real: Callable[..., Any]) -> Callable[..., Any]:
    def work(*args: Any, **kwargs: Any) -> Any:
        real(*args, **kwargs)
        raise Killed

    return work


class Counting(Practice):
    """Counts what reaches the platform; the answer of call `kills_at` never comes back."""

    def __init__(self, clock: Callable[[], int], *, idempotent: bool = True) -> None:
        super().__init__(ACCOUNT, clock)
        self.keys: list[str] = []
        self.kills_at = -1
        self._idempotent = idempotent

    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, idempotent="yes" if self._idempotent else "no")

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        self.keys.append(idem_key)
        if len(self.keys) == self.kills_at + 1:
            raise Killed
        return await super().act(command, idem_key=idem_key)


def whole_day(stage: Stage) -> None:
    for index in range(3):
        stage.wait(120)
        stage.say("小红", f"大家好 {index}")
        stage.say("老王", AD)


REACTING: list[Any] = [
    pytest.param(Journal, "read", kill, id="before the batch is read"),
    pytest.param(core, "decide", kill, id="while it decides"),
    pytest.param(Journal, "advance_cursor", kill_after(Journal.advance_cursor), id="after the cursor was moved"),
    pytest.param(cases, "store", kill, id="before the decisions are stored"),
    pytest.param(queue, "enqueue", kill, id="before the deliveries are there"),
    pytest.param(queue, "enqueue", kill_after(queue.enqueue), id="before the transaction ends"),
    pytest.param(Reactor, "_store", kill_after(Reactor._store), id="after the transaction ended"),
]


@pytest.mark.parametrize(("where", "name", "what"), REACTING)
def test_a_kill_while_reacting_changes_nothing(
    where: Any, name: str, what: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    stage.say("老王", AD)
    stage.react()
    whole_day(stage)
    with monkeypatch.context() as patch:
        patch.setattr(where, name, what)
        stage.restart()
        with pytest.raises(Killed):
            stage.react()
    stage.restart()
    stage.react()
    found = list(Case.objects.order_by("id").values_list("decision_id", "verdict"))
    assert found == [("1:ads.terms", "mute"), ("3:ads.terms", "ban"), ("5:ads.terms", "ban"), ("7:ads.terms", "ban")]
    assert Delivery.objects.values("idem_key").distinct().count() == Delivery.objects.count() == 13
    assert core.dump(stage.reactor.state) == core.dump(fresh(stage).state)


def fresh(stage: Stage) -> Reactor:
    """Return a reactor without a checkpoint, so that it folds the whole journal."""
    return Reactor(stage.folder / "none.state", stage.clock)


def test_state_from_a_checkpoint_equals_state_from_the_whole_journal(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    whole_day(stage)
    stage.react()
    stage.reactor.checkpoint()
    words.do_undo(actor=None, case_id="2:ads.terms", reason="误伤", clock=stage.clock)
    stage.react()
    running = core.dump(stage.reactor.state)
    stage.restart()
    assert core.dump(stage.reactor.state) == running == core.dump(fresh(stage).state)
    whole_day(stage)
    stage.publish(PLAYBOOK.replace("{do: mute, for: 30m}", "{do: warn}"), "milder")
    stage.react()
    running = core.dump(stage.reactor.state)
    stage.restart()
    assert core.dump(stage.reactor.state) == running == core.dump(fresh(stage).state)


def test_a_kill_while_the_checkpoint_is_written_leaves_the_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    whole_day(stage)
    stage.react()
    stage.reactor.checkpoint()
    whole_day(stage)
    stage.react()
    running = core.dump(stage.reactor.state)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", kill)
        with pytest.raises(Killed):
            stage.reactor.checkpoint()
    stage.restart()
    assert core.dump(stage.reactor.state) == running


def test_a_checkpoint_of_another_journal_is_passed_over(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    whole_day(stage)
    stage.react()
    stage.reactor.checkpoint()
    path = stage.folder / "engine.state"
    whole = path.read_bytes()
    running = core.dump(stage.reactor.state)
    for data in (b"", b"nonsense", whole[:40], whole.replace(AD.encode(), "代购返呀".encode(), 1)):
        path.write_bytes(data)
        stage.restart()
        assert core.dump(stage.reactor.state) == running


def test_a_second_reactor_is_noticed_before_anything_is_stored_twice(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    other = Reactor(tmp_path / "other.state", stage.clock)
    other.turn()
    stage.say("老王", AD)
    stage.react()
    with pytest.raises(Overtaken):
        other.turn()
    assert other.turn() == 0
    assert Case.objects.count() == 1


DELIVERING = [
    pytest.param(True, 0, [State.DONE] * 3, 4, id="where the channel takes our key it is asked again"),
    pytest.param(False, 0, [State.DONE] * 3, 4, id="what may be done twice is asked again everywhere"),
    pytest.param(False, 2, [State.DONE, State.DONE, State.UNKNOWN], 3, id="of a word a person says whether it arrived"),
]


@pytest.mark.parametrize(("idempotent", "at_call", "ends", "calls"), DELIVERING)
def test_a_kill_between_call_and_answer(idempotent: bool, at_call: int, ends: list[State], calls: int, tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.connector = platform = Counting(stage.clock, idempotent=idempotent)
    stage.restart()
    stage.publish()
    stage.say("老王", AD)
    stage.react()
    platform.kills_at = at_call
    with pytest.raises(Killed):
        stage.deliver()
    stage.restart()
    stage.wait(LEASE_MS / 1_000)
    stage.deliver()
    assert states() == ends
    for pk in Delivery.objects.filter(state=State.UNKNOWN).values_list("pk", flat=True):
        words.do_settle_unknown(actor=None, delivery_id=pk, sent=False, clock=stage.clock)
        calls += 1
    stage.deliver()
    assert states() == [State.DONE] * 3
    assert len(platform.keys) == calls
    assert len(set(platform.keys)) == 3


def states() -> list[str]:
    return list(Delivery.objects.exclude(capability="member.unmute").order_by("pk").values_list("state", flat=True))


SETTLING: list[Any] = [
    pytest.param(queue, "finish", kill, id="before it is recorded"),
    pytest.param(Ingest, "take", kill, id="before its events are stored"),
    pytest.param(Ingest, "take", kill_after(Ingest.take), id="before the transaction ends"),
]


@pytest.mark.parametrize(("where", "name", "what"), SETTLING)
def test_a_kill_between_answer_and_record_stores_the_events_once(
    where: Any, name: str, what: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    seq = stage.say("老王", AD)
    stage.react()
    with monkeypatch.context() as patch:
        patch.setattr(where, name, what)
        with pytest.raises(Killed):
            stage.deliver()
    stage.restart()
    stage.wait(LEASE_MS / 1_000)
    stage.deliver()
    keys = [stored.event.dedupe_key for stored in stage.ingest.journal.read(seq, 100)]
    assert len(keys) == len(set(keys)) == 3
    assert list(Delivery.objects.filter(state=State.DONE).order_by("pk").values_list("attempts", flat=True)) in (
        [2, 2, 1],
        [2, 1, 1],
    )


def test_two_hands_never_do_the_same_thing(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.publish()
    stage.say("老王", AD)
    stage.react()
    other = Hand("practice", ACCOUNT, stage.connector.capabilities, "other", stage.ingest, stage.clock)
    assert len(stage.hand.claim()) == 2
    assert other.claim() == []
