"""Walk the journal once with one or two programs, for some groups, and count.

The steps are those of live work, on a clock that follows the events.

Groups do not know each other, with one exception: who was removed for good in one group is blocked in all. So what a walk
over some groups gives is right if it is told of the bans in the others; `parts` sees to that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from qunce.domain.decisions import Decision
from qunce.domain.events import MessageCreated
from qunce.domain.ids import GroupId
from qunce.engine import core
from qunce.engine.happening import Happening
from qunce.runtime.replay.difference import Comparison, Difference
from qunce.runtime.replay.tally import Tally


class GroupResult(msgspec.Struct):
    """What came of one group."""

    events: int = 0
    messages: int = 0
    tally: Tally = msgspec.field(default_factory=Tally)
    against: Tally | None = None
    difference: Difference | None = None
    bans: list[Decision] = msgspec.field(default_factory=list)
    """Decisions of the playbook that block people in other groups too, in order."""
    against_bans: list[Decision] = msgspec.field(default_factory=list)


class Span(msgspec.Struct, frozen=True):
    """Which part of the past is reported. Everything before it is still decided, since ladders and clocks remember."""

    since_ms: int | None
    until_ms: int
    """Events from here on are left out; clocks run to here."""


class _Side:
    """One program with its state."""

    def __init__(self, program: core.Program, foreign: Sequence[Decision]) -> None:
        self.program = program
        self.state = core.State()
        self._foreign = list(reversed(foreign))

    def step(self, happening: Happening) -> tuple[core.AnyDecision, ...]:
        """Return the decisions on a happening, after the bans that came before it elsewhere."""
        while self._foreign and self._foreign[-1].event < happening.seq:
            core.fold(self.state, self._foreign.pop())
        return core.step(self.state, happening, self.program, happening.event.ts_ms)


class Walk:
    """One walk; call `take` with batches in journal order, then `finish` once."""

    def __init__(
        self, program: core.Program, against: core.Program | None, span: Span, *, wanted: Callable[[GroupId], bool],
        foreign: Sequence[Decision] = (), foreign_against: Sequence[Decision] = (),
    ) -> None:  # fmt: skip
        """`wanted` chooses the groups; the foreign bans are those of all other groups, in order."""
        self._span = span
        self._wanted = wanted
        self._new = _Side(program, foreign)
        self._old = _Side(against, foreign_against) if against is not None else None
        self._comparisons: dict[GroupId, Comparison] = {}
        self.groups: dict[GroupId, GroupResult] = {}

    def take(self, happenings: Iterable[Happening]) -> None:
        """Decide and fold a batch."""
        until_ms, wanted = self._span.until_ms, self._wanted
        for happening in happenings:
            if happening.event.ts_ms >= until_ms:
                continue
            group_id = happening.group
            if group_id is not None and wanted(group_id):
                self._step(group_id, happening)
                continue
            core.fold_people(self._new.state, happening)
            if self._old is not None:
                core.fold_people(self._old.state, happening)

    def _step(self, group_id: GroupId, happening: Happening) -> None:
        result = self._result(group_id)
        result.events += 1
        result.messages += isinstance(happening.event.body, MessageCreated)
        decisions = self._new.step(happening)
        if self._old is None:
            if decisions:
                self._count(result, result.tally, result.bans, decisions)
            return
        others = self._old.step(happening)
        if decisions or others:
            self._count(result, result.tally, result.bans, decisions)
            self._count(result, result.against or Tally(), result.against_bans, others)
            self._comparisons[group_id].take(decisions, others)

    def _result(self, group_id: GroupId) -> GroupResult:
        result = self.groups.get(group_id)
        if result is None:
            result = self.groups[group_id] = GroupResult()
            if self._old is not None:
                result.against = Tally()
                self._comparisons[group_id] = Comparison(self._span.since_ms)
        return result

    def _count(self, result: GroupResult, tally: Tally, bans: list[Decision], decisions: Sequence[core.AnyDecision]) -> None:
        since_ms = self._span.since_ms
        for decision in decisions:
            if since_ms is None or decision.ts_ms >= since_ms:
                tally.add(decision)
            if isinstance(decision, Decision) and decision.verdict == "ban" and decision.mode == "act" and decision.offence:
                bans.append(decision)

    def finish(self) -> dict[GroupId, GroupResult]:
        """Let the clocks run to the end and return what came of each group."""
        for group_id, result in self.groups.items():
            decisions = core.tick(self._new.state, self._new.program, self._span.until_ms, group_id)
            self._count(result, result.tally, result.bans, decisions)
            if self._old is not None and result.against is not None:
                others = core.tick(self._old.state, self._old.program, self._span.until_ms, group_id)
                self._count(result, result.against, result.against_bans, others)
                self._comparisons[group_id].take(decisions, others)
                result.difference = self._comparisons[group_id].finish()
        return self.groups
