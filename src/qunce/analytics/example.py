"""A community small enough to count by hand: all worked examples are reckoned over it.

Two weeks from Monday, day 20,003. Two groups and one direct chat (9). Members 11 林, 12 王 (15 is a second account of 王),
13 陈, 14 赵, 16 孙 and 17 周; 21 is staff, 22 a bot, 23 a house persona.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa

from qunce.analytics.tables import CLICKED, JOINED, LEFT, MESSAGE, REACTION, TABLE_SCHEMAS
from qunce.journal.mirror import FACT_SCHEMA
from qunce.readmodels.contents import CONTENT_CODES

MONDAY: Final = 20_003
LAST: Final = MONDAY + 13
DAY_MS: Final = 86_400_000

_TYPES: Final = {
    "joins": JOINED,
    "leaves": LEFT,
    "says": MESSAGE,
    "asks": MESSAGE,
    "shows": MESSAGE,
    "forwards": MESSAGE,
    "likes": REACTION,
    "clicks": CLICKED,
}
_CONTENTS: Final = {"shows": "image", "forwards": "forward"}

HAPPENED: Final = """
 0 09:00 group 1: 11 joins
 0 09:00 group 1: 22 joins
 0 09:10 group 1: 11 asks
 0 09:11 group 1: 21 says re 3
 0 10:00 group 1: 12 says re 3
 0 20:00 group 2: 15 says
 1 09:00 group 1: 12 says re 5
 1 09:05 group 1: 11 likes
 1 09:06 group 1: 23 says
 1 09:07 group 1: 22 says
 2 12:00 group 1: 14 joins
 2 12:01 group 2: 14 joins
 2 12:10 group 1: 14 shows
 2 12:20 group 2: 14 forwards
 7 10:00 group 1: 11 says re 13
 7 11:00 group 2: 13 joins
 8 08:00 group 2: 17 joins
 8 09:30 group 1: 12 asks
 8 21:00 group 2: 13 asks
 8 21:05 group 2: 21 says re 19
 8 21:30 group 1: 12 clicks
 9 09:00 group 1: 14 leaves
 9 09:30 group 9: 11 says
"""
"""Day (0 = the first Monday), local time, group, identity, what it did. `shows` = sends a picture; `re` = in reply to that
line."""


def facts() -> pa.Table:
    """Return the facts of the example; local time is UTC."""
    return pa.Table.from_pylist(
        [_fact(seq, line) for seq, line in enumerate(HAPPENED.strip().splitlines(), start=1)], schema=FACT_SCHEMA
    )


def dimensions() -> dict[str, pa.Table]:
    """Return the dimension tables of the example, by name."""
    return {name: _table(name, *rows) for name, rows in _DIMENSIONS.items()}


_DIMENSIONS: Final[dict[str, tuple[tuple[int | str, ...], ...]]] = {
    "exceptions": ((15, 12, 0), (21, 21, 1), (22, 22, 1), (23, 23, 1)),
    "groups": ((1, 1, "group"), (2, 1, "group"), (9, 0, "other")),
    "memberships": (
        (1, 11, MONDAY, MONDAY, 0),
        (1, 12, MONDAY, 0, 0),
        (2, 15, MONDAY, 0, 0),
        (1, 14, MONDAY + 2, MONDAY + 2, MONDAY + 9),
        (2, 14, MONDAY + 2, MONDAY + 2, 0),
        (2, 13, MONDAY + 7, MONDAY + 7, 0),
        (1, 16, MONDAY, 0, 0),
        (2, 17, MONDAY + 8, MONDAY + 8, 0),
        (1, 21, MONDAY, 0, 0),
        (1, 22, MONDAY, MONDAY, 0),
        (1, 23, MONDAY, 0, 0),
        (9, 11, MONDAY + 9, 0, 0),
    ),
    "purchases": (
        (1, 11, MONDAY + 1, (MONDAY + 1) * DAY_MS, 10_000, 0, "CNY", 1),
        (2, 12, MONDAY + 1, (MONDAY + 1) * DAY_MS, 5_000, 0, "CNY", 1),
        (3, 15, MONDAY + 8, (MONDAY + 8) * DAY_MS, 3_000, 500, "CNY", 1),
        (4, 14, MONDAY + 3, (MONDAY + 3) * DAY_MS, 8_000, 8_000, "CNY", 1),
        (5, 21, MONDAY + 3, (MONDAY + 3) * DAY_MS, 1_000, 0, "CNY", 1),
        (6, 13, MONDAY + 9, (MONDAY + 9) * DAY_MS, 9_900, 0, "CNY", 0),
    ),
    "questions": (
        (3, 1, 11, MONDAY, 60, 21),
        (18, 1, 12, MONDAY + 8, -1, 0),
        (19, 2, 13, MONDAY + 8, 300, 21),
    ),
}


def _fact(seq: int, line: str) -> dict[str, int]:
    day, clock, _, group, actor, verb, *reply = line.split()
    hour, minute = map(int, clock.split(":"))
    message = _TYPES[verb] == MESSAGE
    return {
        "seq": seq,
        "ts_ms": (MONDAY + int(day)) * DAY_MS + (hour * 60 + minute) * 60_000,
        "day": MONDAY + int(day),
        "hour": hour,
        "type": _TYPES[verb],
        "group_id": int(group.rstrip(":")),
        "actor": int(actor),
        "peer": 12 if verb == "likes" else _author(int(reply[1])) if reply else 0,
        "content": CONTENT_CODES[_CONTENTS.get(verb, "text")] if message else 0,
        "length": 4 if message else 0,
        "is_question": 1 if verb == "asks" else 0,
        "reply_to": int(reply[1]) if reply else 0,
    }


def _author(seq: int) -> int:
    return int(HAPPENED.strip().splitlines()[seq - 1].split(": ")[1].split()[0])


def _table(name: str, *rows: tuple[int | str, ...]) -> pa.Table:
    kinds = {"int8": pa.int8(), "int32": pa.int32(), "int64": pa.int64(), "string": pa.string()}
    schema = pa.schema([(column, kinds[kind]) for column, kind in TABLE_SCHEMAS[name].items()])
    return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in rows], schema=schema)
