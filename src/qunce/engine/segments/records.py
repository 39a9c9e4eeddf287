"""Hold what one subject is and did, as the evaluator reads it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping

import msgspec

from qunce.playbook.schema.segments import Subject

Value = int | str | None


class Held(msgspec.Struct, frozen=True):
    """A tag of the subject, from `from_ms` on and before `to_ms`; 0 = has not ended."""

    tag: str
    from_ms: int = 0
    to_ms: int = 0


class SubjectRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member, a membership or a group as it stands."""

    of: Subject
    subject_id: int
    """Member for members and memberships, group for groups."""
    group_id: int = 0
    """Group of a membership; 0 = not a membership."""
    attributes: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """By the names of `playbook.segments.catalogue.ATTRIBUTES`; None or absent = missing."""
    fields: Mapping[str, Value] = msgspec.field(default_factory=dict)
    """Attributes that the playbook declares, of the member; None or absent = missing."""
    tags: tuple[Held, ...] = ()

    def tags_at(self, now_ms: int) -> frozenset[str]:
        """Return the tags the subject has at a moment."""
        return frozenset(held.tag for held in self.tags if held.from_ms <= now_ms and (not held.to_ms or now_ms < held.to_ms))


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """One event of the subject. 0 = none in ids and numbers."""

    event_id: int
    """Journal position; for orders the order."""
    kind: str
    """A name of `playbook.segments.catalogue.EVENTS`; a question is a `message` with `is_question`."""
    ts_ms: int
    day: int
    """Local day number."""
    group_id: int = 0
    member_id: int = 0
    """Who acted."""
    peer: int = 0
    """The other member, where there is one who is not staff, bot or house persona."""
    content: str = ""
    length: int = 0
    is_question: bool = False
    amount: int = 0
    """Minor unit of the organisation's currency; less refunds for paid orders; 0 in other currencies."""


class History:
    """Events of one subject by kind, in order of time, so that a window is found without reading all of them."""

    def __init__(self, events: Iterable[Happened] = ()) -> None:
        self._events: dict[str, list[Happened]] = {}
        for event in sorted(events, key=lambda event: (event.ts_ms, event.event_id)):
            self._events.setdefault(event.kind, []).append(event)
            if event.kind == "message" and event.is_question:
                self._events.setdefault("question", []).append(event)
        self._times = {kind: [event.ts_ms for event in events] for kind, events in self._events.items()}

    def between(self, kinds: tuple[str, ...], start_ms: int | None, end_ms: int) -> list[Happened]:
        """Return events of `kinds` from `start_ms` (None = the beginning) to `end_ms`, both inclusive, each once."""
        found: list[Happened] = []
        for kind in kinds:
            if kind == "question" and "message" in kinds:
                continue
            times = self._times.get(kind)
            if times is not None:
                low = 0 if start_ms is None else bisect_left(times, start_ms)
                found += self._events[kind][low : bisect_right(times, end_ms)]
        return found


NOTHING = History()
