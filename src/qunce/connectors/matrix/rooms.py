"""Turn the parts of `/sync` into events. Pure: what must be fetched in between is given."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec.structs import replace

from qunce.connectors.cleaning import live_event
from qunce.connectors.matrix.room import RoomReader, redacted_id
from qunce.connectors.matrix.sync import RoomPart, as_first, is_member_state
from qunce.connectors.rows import Row, read_each, text_of
from qunce.domain.events import Event, Source

KIND: Final = "matrix"
_KEPT: Final = 50_000
"""So many ids of messages and reactions are remembered, to know what a redaction is about."""


class Rooms:
    """Reads the rooms of one account, each with its own memory of names."""

    def __init__(self, user_id: str) -> None:
        self._us = user_id
        self._source = Source(connector=KIND, account=user_id, origin="poll")
        self._readers: dict[str, RoomReader] = {}
        self._read: dict[str, None] = {}

    def is_known(self, room_id: str) -> bool:
        """Tell whether the room has been read since the start."""
        return room_id in self._readers

    def learn(self, room_id: str, state: Iterable[Row]) -> None:
        """Take the names of a room from its state, without telling of it."""
        reader = self._reader(room_id)
        for row in state:
            reader.learn(row)

    def make_direct(self, room_id: str) -> None:
        """Take a room for a conversation of two."""
        self._reader(room_id).make_direct()

    def unknown_targets(self, rows: Sequence[Row]) -> tuple[str, ...]:
        """Return the ids of redacted events that have not been read since the start and do not stand in `rows`."""
        here = {text_of(row.get("event_id")) for row in rows}
        targets = (redacted_id(row) for row in rows if row.get("type") == "m.room.redaction")
        return tuple(target for target in dict.fromkeys(targets) if target and target not in here and target not in self._read)

    def settle(self, room_id: str, event_id: str) -> None:
        """Take an event for a reaction that is gone, so that its redaction is not taken for a deleted message."""
        self._reader(room_id).settle(event_id)

    def read(self, part: RoomPart, between: tuple[Row, ...], *, is_whole: bool, now_ms: int) -> tuple[Event, ...]:
        """Return the events of one room, oldest first.

        `between` is what was paged back of a limited timeline; `is_whole`: nothing is missing between it and the last answer.
        """
        self.learn(part.room_id, part.state)
        for row in (*between, *part.timeline):
            self._remember(text_of(row.get("event_id")))
        rows = [*self._state(part, is_whole=is_whole), *between, *part.timeline]
        events = (self._own(event) for event in read_each(rows, self._reader(part.room_id).read, KIND))
        return tuple(event for event in (live_event(event, now_ms) for event in events) if event)

    def _state(self, part: RoomPart, *, is_whole: bool) -> Iterator[Row]:
        """Yield the state events that tell something new: those of a new room, or those lost in a gap."""
        if not part.is_first and is_whole:
            return
        for row in sorted(part.state, key=_time):
            if not part.is_first:
                yield row
            elif is_member_state(row):
                yield as_first(row)

    def _remember(self, event_id: str) -> None:
        self._read[event_id] = None
        if len(self._read) > _KEPT:
            del self._read[next(iter(self._read))]

    def _reader(self, room_id: str) -> RoomReader:
        reader = self._readers.get(room_id)
        if reader is None:
            reader = self._readers[room_id] = RoomReader(None, room_id, source=self._source, is_live=True)
        return reader

    def _own(self, event: Event) -> Event:
        """Mark what this account did itself, and what was done to it."""
        if event.subject and event.subject.platform_id == self._us:
            event = replace(event, subject=replace(event.subject, kind="bot"))
        if event.actor is None or event.actor.platform_id != self._us:
            return event
        return replace(event, source=replace(event.source, origin="self"), actor=replace(event.actor, kind="bot"))


def _time(row: Row) -> int:
    ts_ms = row.get("origin_server_ts")
    return ts_ms if isinstance(ts_ms, int) else 0
