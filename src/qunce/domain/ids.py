"""Name the ids of the domain, and make event ids.

An event's public id is a ULID (26 characters, sorts by time; https://github.com/ulid/spec). Its time part is when we learnt of
the event, its other 80 bits hold the journal position, so the id needs no storage and no index of its own.
"""

from __future__ import annotations

from typing import Final, NewType

Seq = NewType("Seq", int)
"""Position in the journal, 1, 2, 3 … without holes."""
GroupId = NewType("GroupId", int)
IdentityId = NewType("IdentityId", int)
MemberId = NewType("MemberId", int)
CommunityId = NewType("CommunityId", int)

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_VALUES: Final = {char: index for index, char in enumerate(_ALPHABET)}


def event_id(received_ms: int, seq: int) -> str:
    """Return the ULID of the event at journal position `seq`, learnt at `received_ms`."""
    number = (received_ms << 80) | seq
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))


def seq_of(event_id: str) -> Seq:
    """Return the journal position inside a ULID made by `event_id`. Raises ValueError if it is not one."""
    if len(event_id) != 26:
        raise ValueError("an event id has 26 characters")
    number = 0
    for char in event_id.upper():
        if char not in _VALUES:
            raise ValueError(f"not a letter of an event id: {char!r}")
        number = number << 5 | _VALUES[char]
    return Seq(number & ((1 << 80) - 1))
