"""Say what a replay found, in plain records that a command line and a page can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from qunce.domain.ids import event_id
from qunce.runtime.replay.tally import Answering, Count, Key, Sample, Tally

GRAVITY = ("ban", "remove", "mute", "warn", "talk", "review", "expired", "escalate", "late", "awaits", "answered", "released")


class Names(msgspec.Struct, frozen=True):
    """What ids are called."""

    groups: Mapping[int, str]
    people: Mapping[int, str]
    """Of the people in samples and of those who answered."""
    received_ms: Mapping[int, int]
    """Of the events in samples; their ids are made of it."""
    texts: Mapping[int, str]
    """Beginnings of the messages in samples."""
    staff: Mapping[str, str]
    """Of the colleagues who answered from the desk, by login name."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One decision shown as a sample."""

    event_id: str
    seq: int
    ts_ms: int
    group_id: int
    group: str
    person_id: int | None
    person: str
    reason: str
    text: str
    """Beginning of the message; empty for media and for what is no message."""
    waited_s: int | None = None
    responder_id: int | None = None
    responder: str = ""


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """What one rule did."""

    area: str
    rule_id: str
    title: str
    verdict: str
    mode: str
    decisions: int
    covered: int
    people: int
    samples: tuple[Line, ...]


class GroupRow(msgspec.Struct, frozen=True, kw_only=True):
    """What happened in one group."""

    group_id: int
    group: str
    messages: int
    decisions: dict[str, int]
    """By verdict."""
    against: dict[str, int] | None


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """How answers came: of one stage and kind, or of one person."""

    what: str
    """`first staff`, `next peer` …, or the name of who answered."""
    person_id: int | None
    """Identity who answered; None = a kind of answers, or a colleague from the desk."""
    answered: int
    late: int
    median_s: int | None
    p90_s: int | None


class Delay(msgspec.Struct, frozen=True, kw_only=True):
    """How long questions and answers took to reach us, apart from all waits. The figures are None when none came live."""

    messages: int
    median_s: int | None
    p90_s: int | None


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one playbook decided."""

    version: str
    rules: tuple[RuleRow, ...]
    answers: tuple[AnswerRow, ...]
    responders: tuple[AnswerRow, ...]
    late: tuple[Line, ...]
    missed: dict[str, int]
    """Deadlines that passed, by platform id of who was on the roster then."""
    delay: Delay


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a replay."""

    events: int
    messages: int
    groups: tuple[GroupRow, ...]
    since_ms: int | None
    until_ms: int
    seconds: float
    processes: int
    side: Side
    against: Side | None
    added: tuple[RuleRow, ...]
    """What only the playbook decides; empty without another one."""
    removed: tuple[RuleRow, ...]
    same: int

    @property
    def differs(self) -> bool:
        """Whether the two playbooks decide differently."""
        return bool(self.added or self.removed)

    def as_json(self) -> dict[str, Any]:
        """Return it as plain values."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return data


def line_of(sample: Sample, names: Names) -> Line:
    """Return a sample with names."""
    return Line(
        event_id=event_id(names.received_ms.get(sample.seq, 0), sample.seq),
        seq=sample.seq,
        ts_ms=sample.ts_ms,
        group_id=sample.group_id,
        group=names.groups.get(sample.group_id, ""),
        person_id=sample.person or None,
        person=names.people.get(sample.person, ""),
        reason=sample.reason,
        text=names.texts.get(sample.seq, ""),
        waited_s=sample.waited_s if sample.responder or sample.staff else None,
        responder_id=sample.responder or None,
        responder=names.staff.get(sample.staff, sample.staff) or names.people.get(sample.responder, ""),
    )


def rule_rows(counts: Mapping[Key, Count], titles: Mapping[str, str], names: Names) -> tuple[RuleRow, ...]:
    """Return counts as rows, moderation first, by rule and gravity."""
    ordered = sorted(
        counts.items(), key=lambda item: (item[0].area != "moderation", item[0].rule_id, _gravity(item[0]), item[0])
    )
    return tuple(
        RuleRow(
            area=key.area,
            rule_id=key.rule_id,
            title=titles.get(key.rule_id, ""),
            verdict=key.verdict,
            mode=key.mode,
            decisions=count.decisions,
            covered=count.covered,
            people=len(count.people),
            samples=tuple(line_of(sample, names) for sample in count.samples),
        )
        for key, count in ordered
    )


def _gravity(key: Key) -> int:
    return GRAVITY.index(key.verdict) if key.verdict in GRAVITY else len(GRAVITY)


def side_of(tally: Tally, version: str, titles: Mapping[str, str], names: Names) -> Side:
    """Return what one playbook decided."""
    return Side(
        version=version,
        rules=rule_rows(tally.counts, titles, names),
        answers=tuple(_answers(" ".join(stage), None, tally.stages[stage]) for stage in sorted(tally.stages)),
        responders=_responders(tally, names),
        late=tuple(line_of(sample, names) for sample in tally.late),
        missed=dict(sorted(tally.missed.items())),
        delay=Delay(messages=tally.delays.answered, median_s=tally.delays.rank(1, 2), p90_s=tally.delays.rank(9, 10)),
    )


def _responders(tally: Tally, names: Names) -> tuple[AnswerRow, ...]:
    """Return who answered, in the group or from the desk, whoever was late most often first."""
    rows = [_answers(names.people.get(person, ""), person, one) for person, one in sorted(tally.responders.items())]
    rows += [_answers(names.staff.get(login, login), None, one) for login, one in sorted(tally.colleagues.items())]
    return tuple(sorted(rows, key=lambda row: (-row.late, -row.answered)))


def _answers(what: str, person: int | None, answering: Answering) -> AnswerRow:
    return AnswerRow(
        what=what,
        person_id=person,
        answered=answering.answered,
        late=answering.late,
        median_s=answering.rank(1, 2),
        p90_s=answering.rank(9, 10),
    )


def verdicts(tally: Tally) -> dict[str, int]:
    """Return how often each verdict was given."""
    found: dict[str, int] = {}
    for key, count in tally.counts.items():
        found[key.verdict] = found.get(key.verdict, 0) + count.decisions
    return dict(sorted(found.items()))
