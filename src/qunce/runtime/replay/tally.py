"""Count what a playbook decided, so that parts counted apart can be joined and give the same.

Memory grows with groups, rules and people, never with events: of single decisions only the first few are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec

from qunce.domain.desk import DeskDecision
from qunce.engine.core import AnyDecision
from qunce.engine.desk.threads import NOTED

K = TypeVar("K")
MAX_SAMPLES: Final = 5
MAX_LATE: Final = 20


class Key(NamedTuple):
    """What decisions are counted by."""

    area: str
    """`moderation` or `answers`."""
    rule_id: str
    verdict: str
    mode: str


class Sample(NamedTuple):
    """One decision, in the order in which samples are chosen."""

    seq: int
    """Journal position of the message it is about."""
    ts_ms: int
    group_id: int
    person: int
    """Identity; 0 = nobody in particular."""
    reason: str
    waited_s: int
    responder: int
    """Identity who answered; 0 = nobody, or a colleague from the desk."""
    staff: str = ""
    """Login name of the colleague who answered from the desk; empty = nobody did."""


class Count(msgspec.Struct):
    """Decisions of one kind."""

    decisions: int = 0
    covered: int = 0
    """Of them, those that a graver rule acts for."""
    people: set[int] = msgspec.field(default_factory=set)
    samples: list[Sample] = msgspec.field(default_factory=list)
    """The first ones by journal position."""

    def add(self, sample: Sample, *, covered: bool = False) -> None:
        """Count one more."""
        self.decisions += 1
        self.covered += covered
        if sample.person:
            self.people.add(sample.person)
        if len(self.samples) < MAX_SAMPLES or sample < self.samples[-1]:
            self.samples = sorted([*self.samples, sample])[:MAX_SAMPLES]

    def join(self, other: Count) -> None:
        """Take another part in."""
        self.decisions += other.decisions
        self.covered += other.covered
        self.people |= other.people
        self.samples = sorted([*self.samples, *other.samples])[:MAX_SAMPLES]


class Answering(msgspec.Struct):
    """How one person, or one kind of answer, did."""

    answered: int = 0
    late: int = 0
    waits: dict[int, int] = msgspec.field(default_factory=dict)
    """How often each wait in duty seconds occurred, so that the median of joined parts is exact."""

    def add(self, waited_s: int, *, late: bool) -> None:
        """Count one answer."""
        self.answered += 1
        self.late += late
        self.waits[waited_s] = self.waits.get(waited_s, 0) + 1

    def join(self, other: Answering) -> None:
        """Take another part in."""
        self.answered += other.answered
        self.late += other.late
        for waited_s, times in other.waits.items():
            self.waits[waited_s] = self.waits.get(waited_s, 0) + times

    def rank(self, numerator: int, denominator: int) -> int | None:
        """Return the shortest wait within which that share of answers came (nearest rank); None without answers."""
        passed = 0
        for waited_s in sorted(self.waits):
            passed += self.waits[waited_s]
            if passed * denominator >= self.answered * numerator:
                return waited_s
        return None


class Tally(msgspec.Struct):
    """All that is counted of one playbook, in one group or joined."""

    counts: dict[Key, Count] = msgspec.field(default_factory=dict)
    stages: dict[tuple[str, str], Answering] = msgspec.field(default_factory=dict)
    """By stage (first, next) and role (staff, peer)."""
    responders: dict[int, Answering] = msgspec.field(default_factory=dict)
    """By who answered in the group; staff only."""
    colleagues: dict[str, Answering] = msgspec.field(default_factory=dict)
    """By who answered from the desk: their login names."""
    missed: dict[str, int] = msgspec.field(default_factory=dict)
    """Deadlines that passed while these platform ids were on the roster."""
    late: list[Sample] = msgspec.field(default_factory=list)
    """The first late answers."""
    delays: Answering = msgspec.field(default_factory=Answering)
    """How long the messages behind these figures took to reach us, in seconds; imported ones are left out."""

    def add(self, decision: AnyDecision) -> None:
        """Count a decision."""
        key, sample = key_of(decision), sample_of(decision)
        covered = not isinstance(decision, DeskDecision) and decision.covered_by is not None
        self.counts.setdefault(key, Count()).add(sample, covered=covered)
        if isinstance(decision, DeskDecision):
            self._answer(decision, sample)

    def _answer(self, decision: DeskDecision, sample: Sample) -> None:
        if decision.delay_ms is not None and decision.verdict in ("awaits", "answered"):
            self.delays.add(decision.delay_ms // 1_000, late=False)
        if decision.verdict == "late":
            for name in decision.on_duty:
                self.missed[name] = self.missed.get(name, 0) + 1
        if decision.verdict != "answered" or decision.reason == NOTED:
            return
        stage = decision.stage, decision.responder_role
        self.stages.setdefault(stage, Answering()).add(decision.waited_s, late=decision.late)
        if decision.responder is not None and decision.responder_role == "staff":
            self.responders.setdefault(decision.responder, Answering()).add(decision.waited_s, late=decision.late)
        elif decision.staff:
            self.colleagues.setdefault(decision.staff, Answering()).add(decision.waited_s, late=decision.late)
        if decision.late:
            self.late = sorted([*self.late, sample])[:MAX_LATE]

    def join(self, other: Tally) -> None:
        """Take another part in."""
        join_counts(self.counts, other.counts)
        _join_answers(self.stages, other.stages)
        _join_answers(self.responders, other.responders)
        _join_answers(self.colleagues, other.colleagues)
        self.delays.join(other.delays)
        for name, times in other.missed.items():
            self.missed[name] = self.missed.get(name, 0) + times
        self.late = sorted([*self.late, *other.late])[:MAX_LATE]


def key_of(decision: AnyDecision) -> Key:
    """Return what a decision is counted by."""
    area = "answers" if isinstance(decision, DeskDecision) else "moderation"
    return Key(area, decision.rule_id, decision.verdict, decision.mode)


def sample_of(decision: AnyDecision) -> Sample:
    """Return a decision as a sample."""
    desk = decision if isinstance(decision, DeskDecision) else None
    return Sample(
        seq=decision.event,
        ts_ms=decision.ts_ms,
        group_id=decision.group_id,
        person=decision.subject or 0,
        reason=desk.need if desk else decision.category,
        waited_s=desk.waited_s if desk else 0,
        responder=(desk.responder or 0) if desk else 0,
        staff=desk.staff if desk else "",
    )


def join_counts(into: dict[Key, Count], other: Mapping[Key, Count]) -> None:
    """Take the counts of another part in."""
    for key, count in other.items():
        into.setdefault(key, Count()).join(count)


def _join_answers(into: dict[K, Answering], other: Mapping[K, Answering]) -> None:
    for key, answering in other.items():
        into.setdefault(key, Answering()).join(answering)


def joined(tallies: Iterable[Tally]) -> Tally:
    """Return many parts as one."""
    whole = Tally()
    for tally in tallies:
        whole.join(tally)
    return whole
