"""Find the answers that colleagues gave from the desk, for pairing them with questions.

The platform shows our account only, or nobody where a colleague said it by hand, so these answers are told by `reply.given`.
The same answer may arrive once more as a message of the group: that message is the reply's own and answers nothing by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from qunce.domain import events as ev
from qunce.domain.keys import message_key
from qunce.domain.localtime import DAY_MS
from qunce.readmodels.rows import Database

Positions = Callable[[ev.Source, Sequence[str]], dict[str, int]]
"""Find the journal positions of dedupe keys within a source."""

ECHO_MS: Final = DAY_MS // 2
"""So far a message may stand from the reply that names it: half of what is walked again after a change, whichever is first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer from the desk."""

    seq: int
    identity_id: int
    """To whom it was given."""
    ts_ms: int
    staff: str
    quoted_ms: int | None
    """When the message it answers was written; None = unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replies:
    """The answers from the desk in a stretch of one group, in order of time."""

    given: tuple[Reply, ...] = ()
    echoes: frozenset[int] = frozenset()
    """Messages that are such an answer as the platform tells it."""


def replies_since(database: Database, positions: Positions, group_id: int, begin_ms: int) -> Replies:
    """Return the answers given in a group from `begin_ms` on, and which of its messages from then on are theirs."""
    rows = database.query(
        "SELECT seq, identity_id, ts_ms, detail FROM happening WHERE group_id = ? AND type = ? AND ts_ms >= ? "
        "AND identity_id IS NOT NULL ORDER BY ts_ms, seq",
        (group_id, ev.TYPE_CODES[ev.ReplyGiven], begin_ms - ECHO_MS),
    )
    if not rows:
        return Replies()
    bodies = [msgspec.json.decode(row[3], type=ev.ReplyGiven) for row in rows]
    named = {name for body in bodies for name in (body.answers, body.message_id) if name is not None}
    times = _times(database, positions, group_id, sorted(named))
    given, echoes = [], set()
    for (seq, identity_id, ts_ms, _), body in zip(rows, bodies, strict=True):
        echo = times.get(body.message_id or "")
        if echo is not None and abs(echo[1] - ts_ms) <= ECHO_MS:
            echoes.add(echo[0])
        quoted = times.get(body.answers or "")
        # What is said to be written after its answer is no help; and whether it is known may not depend on when it came.
        quoted_ms = quoted[1] if quoted is not None and quoted[1] <= ts_ms else None
        if ts_ms >= begin_ms:
            given.append(Reply(seq=seq, identity_id=identity_id, ts_ms=ts_ms, staff=body.staff, quoted_ms=quoted_ms))
    return Replies(given=tuple(given), echoes=frozenset(echoes))


def _times(database: Database, positions: Positions, group_id: int, names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return position and time of the messages of a group with these ids of the platform; unknown ones are left out."""
    if not names:
        return {}
    connector, account, platform_id = database.query(
        "SELECT connector, account, platform_id FROM chat_group WHERE id = ?", (group_id,)
    )[0]
    keys = {message_key(platform_id, name): name for name in names}
    found = positions(ev.Source(connector=connector, account=account), list(keys))
    test, params = database.in_list("seq", sorted(found.values()))
    told: dict[int, int] = dict(database.query(f"SELECT seq, ts_ms FROM message WHERE {test}", params))
    return {keys[key]: (seq, told[seq]) for key, seq in found.items() if seq in told}
