"""Read Matrix power levels: who has which role, and who may not speak.

Source: Matrix client-server specification, `m.room.power_levels`. A user may send a message when the user's level reaches
`events["m.room.message"]`, else `events_default`; roles are a convention (50 moderator, 100 administrator). From room version
12 on the creators stand above all levels and are not in the list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from qunce.connectors.rows import Row, text_of

ADMIN_LEVEL: Final = 50
OWNER_LEVEL: Final = 100
CREATORS_ABOVE_ALL: Final = 12
"""The first room version in which creators are not in the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a change of levels means for one person."""

    person: str
    old_role: str
    new_role: str
    is_mute: bool | None
    """True: may not speak from here on; False: may speak again; None: as before."""


def changes(before: Row, after: Row) -> Iterator[Change]:
    """Yield those whose role or right to speak differs, in the order of their ids. Nothing before = everybody had defaults."""
    old_users, new_users = _users(before), _users(after)
    for person in sorted(old_users.keys() | new_users.keys()):
        old, new = level_of(before, person), level_of(after, person)
        was_mute, is_mute = old < speaking_level(before), new < speaking_level(after)
        change = Change(
            person=person,
            old_role=_role(old),
            new_role=_role(new),
            is_mute=is_mute if is_mute != was_mute else None,
        )
        if change.is_mute is not None or change.old_role != change.new_role:
            yield change


def level_of(content: Row, person: str) -> int:
    """Return somebody's level, as far as the list tells."""
    return _users(content).get(person, _int(content.get("users_default"), 0))


def speaking_level(content: Row) -> int:
    """Return the level needed to send a message."""
    events = content.get("events")
    special = events.get("m.room.message") if isinstance(events, dict) else None
    return _int(special, _int(content.get("events_default"), 0))


def level_needed(content: Row, key: str, default: int) -> int:
    """Return the level that a list asks for something; `default` where it says nothing."""
    return _int(content.get(key), default)


def creators(row: Row, content: Row) -> tuple[str, ...]:
    """Return the creators of a room in which they stand above all levels; elsewhere nobody, the list names them."""
    if not text_of(content.get("room_version")).isdigit() or int(text_of(content["room_version"])) < CREATORS_ABOVE_ALL:
        return ()
    more = content.get("additional_creators")
    people = (row.get("sender"), *(more if isinstance(more, list) else ()))
    return tuple(dict.fromkeys(filter(None, map(text_of, people))))


def previous_content(row: Row) -> Row:
    """Return the content this state event replaced, where the event itself tells; else nothing."""
    for holder in (row.get("unsigned"), row):
        if isinstance(holder, dict) and isinstance(previous := holder.get("prev_content"), dict):
            return previous
    return {}


def _users(content: Row) -> dict[str, int]:
    users = content.get("users")
    return {person: _int(level, 0) for person, level in users.items()} if isinstance(users, dict) else {}


def _int(value: object, default: int) -> int:
    """Old rooms write levels as text."""
    text = text_of(value)
    try:
        return int(text)
    except ValueError:
        return default


def _role(level: int) -> str:
    return "owner" if level >= OWNER_LEVEL else "admin" if level >= ADMIN_LEVEL else "member"
