"""Compare what two playbooks decide in one group, happening by happening, holding only what is not settled yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from qunce.domain.desk import DeskDecision
from qunce.engine.core import AnyDecision
from qunce.runtime.replay.tally import Count, Key, Sample, key_of, sample_of

MAX_PENDING: Final = 500
"""Decisions on moments that pass may come at different happenings; so many of a group wait for their like."""

Outcome = tuple[int, int, str]
"""What must be equal: the message, the person, and what is done (rule and verdict of moderation, verdict of the desk)."""


class Difference(msgspec.Struct):
    """What only one of two playbooks decides."""

    added: dict[Key, Count] = msgspec.field(default_factory=dict)
    removed: dict[Key, Count] = msgspec.field(default_factory=dict)
    same: int = 0


class Comparison:
    """The comparison in one group. Its result does not depend on what happens in others."""

    def __init__(self, since_ms: int | None) -> None:
        self.result = Difference()
        self._since_ms = since_ms
        self._pending: dict[Outcome, tuple[bool, Key, Sample]] = {}

    def take(self, new: Sequence[AnyDecision], old: Sequence[AnyDecision]) -> None:
        """Compare the decisions of one happening."""
        for is_new, decisions in ((True, new), (False, old)):
            for decision in decisions:
                if decision.verdict != "pass" and (self._since_ms is None or decision.ts_ms >= self._since_ms):
                    self._meet(is_new, decision)
        while len(self._pending) > MAX_PENDING:
            self._settle(next(iter(self._pending)))

    def finish(self) -> Difference:
        """Return the difference; call once, at the end."""
        for outcome in list(self._pending):
            self._settle(outcome)
        return self.result

    def _meet(self, is_new: bool, decision: AnyDecision) -> None:
        outcome = _outcome(decision)
        other = self._pending.get(outcome)
        if other is not None and other[0] != is_new:
            del self._pending[outcome]
            self.result.same += 1
            return
        self._pending[outcome] = is_new, key_of(decision), sample_of(decision)

    def _settle(self, outcome: Outcome) -> None:
        is_new, key, sample = self._pending.pop(outcome)
        side = self.result.added if is_new else self.result.removed
        side.setdefault(key, Count()).add(sample)


def _outcome(decision: AnyDecision) -> Outcome:
    if isinstance(decision, DeskDecision):
        return decision.event, decision.subject, f"desk:{decision.verdict}:{decision.level}:{decision.late}:{decision.thread}"
    what = f"{decision.rule_id}:{decision.verdict}:{decision.mode}:{decision.covered_by is None}"
    return decision.event, decision.subject or 0, what
