"""Evaluate a segment for one subject.

Logic has two values: a missing value fails every test but `missing`, and `not` of a failed test holds. Counting is exact.
`explain` walks the same leaves with the same functions as `matches`, so that it cannot tell another story.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from qunce.domain.sampling import bucket
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.records import Happened, History, SubjectRow, Value
from qunce.playbook.segments.tree import (
    AllOf,
    AnyOf,
    Attr,
    Between,
    Compare,
    Did,
    Field,
    IsMissing,
    IsSet,
    Leaf,
    Node,
    Not,
    OneOf,
    OneOfIds,
    Ref,
    Rule,
    Sample,
    Since,
    Tagged,
    Test,
)  # fmt: skip

Rules = Mapping[str, Rule]


class Explained(msgspec.Struct, frozen=True, kw_only=True):
    """A condition with its outcome for one subject; leaves carry the value that was tested and the events behind it."""

    node: Node
    holds: bool
    parts: tuple[Explained, ...] = ()
    value: Value = None
    """Counted or stored value: milliseconds for moments, the minor unit for money; None = missing."""
    event_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()


def matches(segment: Rule, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> bool:
    """Tell whether `subject` belongs to `segment` at `now`. `segments` holds those that are referred to."""
    return _holds(segment.body, subject, events, now, segments)


def explain(segment: Rule, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> Explained:
    """Return every condition of a segment with its outcome; references are opened up."""
    return _explain(segment.body, subject, events, now, segments)


def leaf_holds(leaf: Leaf, subject: SubjectRow, events: History, now: Moment) -> bool:
    """Tell whether one condition holds."""
    return _leaf(leaf, subject, events, now).holds


def _holds(node: Node, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> bool:
    match node:
        case AllOf(parts):
            return all(_holds(part, subject, events, now, segments) for part in parts)
        case AnyOf(parts):
            return any(_holds(part, subject, events, now, segments) for part in parts)
        case Not(part):
            return not _holds(part, subject, events, now, segments)
        case Ref(segment_id):
            return _holds(segments[segment_id].body, subject, events, now, segments)
        case _:
            return _leaf(node, subject, events, now).holds


def _explain(node: Node, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> Explained:
    match node:
        case AllOf(inner) | AnyOf(inner):
            parts = tuple(_explain(part, subject, events, now, segments) for part in inner)
            holds = (all if isinstance(node, AllOf) else any)(part.holds for part in parts)
            return Explained(node=node, holds=holds, parts=parts)
        case Not(part):
            inside = _explain(part, subject, events, now, segments)
            return Explained(node=node, holds=not inside.holds, parts=(inside,))
        case Ref(segment_id):
            inside = _explain(segments[segment_id].body, subject, events, now, segments)
            return Explained(node=node, holds=inside.holds, parts=(inside,))
        case _:
            return _leaf(node, subject, events, now)


def _leaf(leaf: Leaf, subject: SubjectRow, events: History, now: Moment) -> Explained:
    match leaf:
        case Attr(name, test):
            value = subject.attributes.get(name)
            holds = passes(value, test, now)
            return Explained(node=leaf, holds=holds, value=value)
        case Field(name, kind, _title, test):
            value = subject.fields.get(name)
            if isinstance(test, IsSet | IsMissing):
                there = isinstance(value, str) if kind == "word" else isinstance(value, int)
                return Explained(node=leaf, holds=there is isinstance(test, IsSet), value=value)
            return Explained(node=leaf, holds=passes(value, test, now), value=value)
        case Tagged(tags):
            held = subject.tags_at(now.now_ms)
            found = tuple(tag for tag in tags if tag in held)
            return Explained(node=leaf, holds=bool(found), tags=found)
        case Sample(share, salt):
            number = bucket(salt, subject.subject_id)
            return Explained(node=leaf, holds=number < share, value=number)
        case Did():
            return _did(leaf, subject, events, now)


def _did(leaf: Did, subject: SubjectRow, events: History, now: Moment) -> Explained:
    start_ms: int | None = None
    if isinstance(leaf.window, Since):
        since = subject.attributes.get(leaf.window.attribute)
        if not isinstance(since, int) or since > now.now_ms:
            return Explained(node=leaf, holds=False)
        start_ms = since
    elif leaf.window is not None:
        start_ms = now.window_start_ms(leaf.window)
    found: Sequence[Happened] = events.between(leaf.events, start_ms, now.now_ms)
    for field, test in leaf.where:
        found = [event for event in found if passes(getattr(event, field), test, now)]
    value = _measure(leaf, found)
    return Explained(
        node=leaf, holds=passes(value, leaf.test, now), value=value, event_ids=tuple(event.event_id for event in found)
    )


def _measure(leaf: Did, found: Sequence[Happened]) -> int | None:
    match leaf.measure:
        case "times":
            return len(found)
        case "days":
            return len({event.day for event in found})
        case "sum":
            return sum(_number(event, leaf.field) for event in found)
        case "distinct":
            return len({_number(event, leaf.field) for event in found} - {0})
        case "first":
            return min((event.ts_ms for event in found), default=None)
        case "last":
            return max((event.ts_ms for event in found), default=None)


def _number(event: Happened, field: str) -> int:
    value: int = getattr(event, field)
    return value


def passes(value: Value, test: Test, now: Moment) -> bool:
    """Tell whether a value passes a test at `now`."""
    match test:
        case Compare(op, wanted):
            return isinstance(value, int) and _compare(value, op, wanted)
        case Between(low, high):
            return isinstance(value, int) and low <= value <= high
        case OneOf(words):
            return value in words
        case OneOfIds(ids):
            return value in ids
        case IsSet() | IsMissing():
            there = not (value is None or value == "" or (isinstance(value, int) and value > now.now_ms))
            return there is isinstance(test, IsSet)
        case _:
            low_ms, high_ms = now.bounds(test)
            return isinstance(value, int) and (low_ms is None or low_ms <= value) and value <= high_ms


def _compare(value: int, op: str, wanted: int) -> bool:
    match op:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case ">=":
            return value >= wanted
        case "<=":
            return value <= wanted
        case ">":
            return value > wanted
        case _:
            return value < wanted
