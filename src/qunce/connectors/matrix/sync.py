"""Take the answer of `/sync` apart: what happened in which room, and what is missing in between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from qunce.connectors.rows import Row, text_of


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomPart:
    """What one answer says about one room."""

    room_id: str
    state: tuple[Row, ...]
    """State at the beginning of the timeline: all of it for a room seen for the first time, else what changed unseen."""
    timeline: tuple[Row, ...]
    """Oldest first."""
    is_limited: bool
    """Something happened between the last answer and this timeline."""
    prev_batch: str
    """Where that can be paged back from; empty when the server does not say."""

    @property
    def is_first(self) -> bool:
        """Tell whether `state` is the whole room."""
        return any(row.get("type") == "m.room.create" for row in self.state)


def room_parts(data: Row) -> Iterator[RoomPart]:
    """Yield the rooms of an answer, also those the account has just left."""
    for group in ("join", "leave"):
        for room_id, room in _dict(_dict(data, "rooms"), group).items():
            if not isinstance(room, dict):
                continue
            timeline = _dict(room, "timeline")
            yield RoomPart(
                room_id=room_id,
                state=_rows(_dict(room, "state")),
                timeline=_rows(timeline),
                is_limited=timeline.get("limited") is True,
                prev_batch=text_of(timeline.get("prev_batch")),
            )


def invitations(data: Row) -> tuple[str, ...]:
    """Return the ids of rooms the account is invited to."""
    return tuple(_dict(_dict(data, "rooms"), "invite"))


def direct_rooms(data: Row) -> dict[str, tuple[str, ...]] | None:
    """Return the rooms of two, by person, where the answer tells of them."""
    for row in _rows(_dict(data, "account_data")):
        if row.get("type") == "m.direct":
            return direct_of(_dict(row, "content"))
    return None


def direct_of(content: Row) -> dict[str, tuple[str, ...]]:
    """Return the rooms of two, by person, of an `m.direct` content."""
    return {person: tuple(map(text_of, rooms)) for person, rooms in content.items() if isinstance(rooms, list)}


def is_member_state(row: Row) -> bool:
    """Tell whether a state event of a room seen for the first time says something that still holds.

    Of the people only those who are in, or ask to be let in: who left long ago did not leave now.
    """
    if row.get("type") != "m.room.member":
        return True
    return _dict(row, "content").get("membership") in ("join", "knock")


def as_first(row: Row) -> Row:
    """Return a state event without what it replaced, so that it is read as a whole and not as a change."""
    return {key: value for key, value in row.items() if key not in ("unsigned", "prev_content")}


def _dict(row: Row, key: str) -> Row:
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _rows(row: Row) -> tuple[Row, ...]:
    events = row.get("events")
    return tuple(event for event in events if isinstance(event, dict)) if isinstance(events, list) else ()
