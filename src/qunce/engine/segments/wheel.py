"""Judge one subject, and tell until when the answer holds if nothing happens.

「7 天未发言」 becomes true without an event. `judge` returns, beside the answer, the earliest moment it could be another one:
never later than the true moment, so that looking again then misses nothing; looking again too early costs a look.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from qunce.engine.segments.evaluate import Rules, leaf_holds, passes
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.records import Happened, History, SubjectRow, Value
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    AllOf,
    AnyOf,
    Attr,
    Did,
    Field,
    InPeriod,
    IsMissing,
    IsSet,
    Leaf,
    Node,
    Not,
    Period,
    Ref,
    Rule,
    Since,
    Tagged,
    Test,
    Within,
)  # fmt: skip

_LATE_MS = 1 << 62


class Judged(msgspec.Struct, frozen=True):
    """An answer. `until_ms`: the earliest moment it could change without an event; None = it cannot."""

    holds: bool
    until_ms: int | None


def judge(segment: Rule, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> Judged:
    """Tell whether `subject` belongs to `segment` at `now`, and until when at least."""
    return _judge(segment.body, subject, events, now, segments)


def earliest(moments: Iterable[int | None]) -> int | None:
    """Return the earliest moment; None = there is none."""
    return min((moment for moment in moments if moment is not None), default=None)


def _judge(node: Node, subject: SubjectRow, events: History, now: Moment, segments: Rules) -> Judged:
    match node:
        case AllOf(inner) | AnyOf(inner):
            parts = [_judge(part, subject, events, now, segments) for part in inner]
            return _joined(parts, isinstance(node, AllOf))
        case Not(part):
            inside = _judge(part, subject, events, now, segments)
            return Judged(not inside.holds, inside.until_ms)
        case Ref(segment_id):
            return _judge(segments[segment_id].body, subject, events, now, segments)
        case _:
            return Judged(leaf_holds(node, subject, events, now), _leaf(node, subject, events, now))


def _joined(parts: Sequence[Judged], is_all: bool) -> Judged:
    """Join parts: what holds fails with its first part; what fails needs every failing part to turn."""
    against = [part.until_ms for part in parts if part.holds != is_all]
    if not against:
        return Judged(is_all, earliest(part.until_ms for part in parts))
    turning = [until for until in against if until is not None]
    return Judged(not is_all, max(turning) if len(turning) == len(against) else None)


def _leaf(leaf: Leaf, subject: SubjectRow, events: History, now: Moment) -> int | None:
    match leaf:
        case Attr(name, test):
            return _turns(subject.attributes.get(name), test, now)
        case Field(name, _, _, test):
            return None if isinstance(test, IsSet | IsMissing) else _turns(subject.fields.get(name), test, now)
        case Tagged(tags):
            return _tagged(tags, subject, now)
        case Did():
            return _did(leaf, subject, events, now)
        case _:
            return None


def _tagged(tags: tuple[str, ...], subject: SubjectRow, now: Moment) -> int | None:
    """Return when tags that begin or end by themselves give another answer."""
    wanted = frozenset(tags)
    holds = bool(wanted & subject.tags_at(now.now_ms))
    edges = {moment for held in subject.tags if held.tag in wanted for moment in (held.from_ms, held.to_ms)}
    for moment in sorted(edge for edge in edges if edge > now.now_ms):
        if bool(wanted & subject.tags_at(moment)) != holds:
            return moment
    return None


def _turns(value: Value, test: Test, now: Moment) -> int | None:
    """Return when a test on a moment that stays as it is gives another answer."""
    if not isinstance(value, int):
        return None
    holds = passes(value, test, now)
    for moment in sorted(at for at in _edges(value, test, now) if at > now.now_ms):
        if passes(value, test, Moment(moment, now.clock)) != holds:
            return moment
    return None


def _edges(value: int, test: Test, now: Moment) -> Iterator[int]:
    yield value
    match test:
        case Age(span_ms=span_ms):
            yield value + span_ms
            yield value + span_ms + 1
        case AgeBetween(low_ms=low_ms, high_ms=high_ms):
            yield value + low_ms
            yield value + high_ms + 1
        case InPeriod(word=word):
            yield now.next_start_ms(word)
        case _:
            pass


def _did(leaf: Did, subject: SubjectRow, events: History, now: Moment) -> int | None:
    start_ms: int | None = None
    if isinstance(leaf.window, Since):
        since = subject.attributes.get(leaf.window.attribute)
        if not isinstance(since, int):
            return None
        if since > now.now_ms:
            return since
        start_ms = since
    elif leaf.window is not None:
        start_ms = now.window_start_ms(leaf.window)
    found = _where(leaf, events.between(leaf.events, start_ms, now.now_ms), now)
    ahead = _where(leaf, events.between(leaf.events, now.now_ms + 1, _LATE_MS), now)
    return earliest((_fades(leaf, found, now), *(event.ts_ms for event in ahead)))


def _where(leaf: Did, found: Sequence[Happened], now: Moment) -> list[Happened]:
    for field, test in leaf.where:
        found = [event for event in found if passes(getattr(event, field), test, now)]
    return sorted(found, key=lambda event: event.ts_ms)


def _fades(leaf: Did, found: Sequence[Happened], now: Moment) -> int | None:
    """Return when the answer changes because events, oldest first, leave the window, or because the value grows old."""
    ends = _ends(leaf, found, now)
    if leaf.measure in ("first", "last"):
        if not found:
            return None
        place = 0 if leaf.measure == "first" else -1
        return earliest((_turns(found[place].ts_ms, leaf.test, now), ends[place] if ends else None))
    if not ends:
        return None
    values = _suffixes(leaf, found)
    holds = passes(values[0], leaf.test, now)
    for index, end_ms in enumerate(ends):
        last = index + 1 == len(ends) or ends[index + 1] != end_ms
        if last and passes(values[index + 1], leaf.test, now) != holds:
            return end_ms
    return None


def _ends(leaf: Did, found: Sequence[Happened], now: Moment) -> list[int]:
    """Return for each event when it leaves the window; empty = none ever does."""
    match leaf.window:
        case Within(span_ms=span_ms):
            return [event.ts_ms + span_ms + 1 for event in found]
        case Period(word=word):
            return [now.next_start_ms(word)] * len(found)
        case _:
            return []


def _suffixes(leaf: Did, found: Sequence[Happened]) -> list[int]:
    """Return the measure of all events, of all but the oldest, and so on down to none."""
    values = [0]
    seen: set[int] = set()
    add = _ADD[leaf.measure]
    for event in reversed(found):
        values.append(add(values[-1], leaf, event, seen))
    return values[::-1]


def _once(value: int, seen: set[int]) -> int:
    if value:
        seen.add(value)
    return len(seen)


_ADD: dict[str, Callable[[int, Did, Happened, set[int]], int]] = {
    "times": lambda total, leaf, event, seen: total + 1,
    "days": lambda total, leaf, event, seen: _once(event.day + 1, seen),
    "sum": lambda total, leaf, event, seen: total + int(getattr(event, leaf.field)),
    "distinct": lambda total, leaf, event, seen: _once(int(getattr(event, leaf.field)), seen),
}
