"""Fold the clock's decisions into the table the desk reads, in the transaction that stores them.

The engine's memory is the truth; the table is its copy with what screens need beside. `align` makes the copy whole again
after a start: threads that waited before the table existed come in, and what no longer waits is ended.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from qunce.domain.desk import DeskDecision
from qunce.engine import core
from qunce.engine.desk.state import Thread
from qunce.engine.desk.threads import NOTED
from qunce.readmodels.rows import Database
from qunce.runtime.desk_models import DeskThread, ThreadState
from qunce.runtime.live import practice

_COLUMNS: Final = (
    "seq", "group_id", "identity_id", "rule_id", "version", "mode", "need", "stage", "state", "opened_ms", "asked_seq",
    "asked_ms", "due_ms", "late", "level", "peer_seen", "ended_ms", "waited_s", "responder_id", "staff", "reason",
)  # fmt: skip
"""What the clock says; what colleagues said is never written here, so the two cannot overwrite each other."""
_READ: Final = f"SELECT {', '.join(_COLUMNS)} FROM desk_thread WHERE "
_WRITE: Final = (
    f"INSERT INTO desk_thread ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))}) "
    f"ON CONFLICT (seq) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])}"
)
_ENDED: Final = {"answered": "answered", "released": "released", "expired": "expired"}


class _Row(msgspec.Struct, kw_only=True):
    """A row in memory, in the order of `_COLUMNS`."""

    seq: int
    group_id: int
    identity_id: int
    rule_id: str
    version: str
    mode: str
    need: str
    stage: str
    state: str
    opened_ms: int
    asked_seq: int
    asked_ms: int
    due_ms: int
    late: bool = False
    level: int = 0
    peer_seen: bool = False
    ended_ms: int | None = None
    waited_s: int = 0
    responder_id: int | None = None
    staff: str = ""
    reason: str = ""


def fold(database: Database, decisions: Iterable[DeskDecision]) -> None:
    """Change the rows of the threads that `decisions`, oldest first, are about. Three statements at most."""
    told = [decision for decision in decisions if decision.verdict != "pass"]
    if not told:
        return
    rows = _read(database, {decision.thread for decision in told})
    again: set[int] = set()
    for decision in told:
        row = rows.get(decision.thread)
        if row is None:
            if decision.verdict == "awaits":
                rows[decision.thread] = _opened(decision)
            continue
        if decision.verdict == "awaits" and row.state != ThreadState.WAITING:
            again.add(row.seq)
        _change(row, decision)
    _write(database, rows.values())
    if again:
        # What colleagues said was said about the clock before this one.
        DeskThread.objects.filter(seq__in=again).update(snoozed_until_ms=None, closed_by=None, closed_ms=None)


def align(database: Database, state: core.State, version: str, now_ms: int) -> int:
    """Make the rows that wait those that wait in the engine's memory; return how many were not."""
    played = practice.rooms_among([group_id for group_id, group in state.desk.groups.items() if group.threads])
    waiting = {
        thread.seq: (int(group_id), thread)
        for group_id, group in state.desk.groups.items()
        if group_id not in played
        for thread in group.threads.values()
        if thread.waits
    }
    known = set(DeskThread.objects.filter(state=ThreadState.WAITING).values_list("seq", flat=True))
    gone, missing = known - waiting.keys(), waiting.keys() - known
    DeskThread.objects.filter(seq__in=gone).update(state=ThreadState.RELEASED, ended_ms=now_ms, reason="lost")
    rows = _read(database, missing)
    for seq in missing:
        rows[seq] = _copied(rows.get(seq), *waiting[seq], version)
    _write(database, rows.values())
    return len(gone) + len(missing)


def _change(row: _Row, decision: DeskDecision) -> None:
    """Change a row by a decision, as `engine.desk.threads.after` changes the thread."""
    row.rule_id, row.version, row.mode, row.need = decision.rule_id, decision.version, decision.mode, decision.need
    if decision.verdict == "awaits":
        _asks(row, decision)
    elif decision.verdict == "late":
        row.late = True
    elif decision.verdict == "escalate":
        row.level = decision.level
    elif decision.reason == NOTED:
        row.peer_seen = True
    else:
        row.state, row.ended_ms, row.reason = _ENDED[decision.verdict], decision.ts_ms, decision.reason
        row.waited_s, row.late = decision.waited_s, decision.late
        row.responder_id, row.staff = decision.responder, decision.staff


def _asks(row: _Row, decision: DeskDecision) -> None:
    row.due_ms = decision.due_ms
    if row.state == ThreadState.WAITING:
        return
    row.state, row.stage, row.asked_ms = ThreadState.WAITING, decision.stage, decision.ts_ms
    if decision.reason != "holding":
        row.asked_seq = decision.event
    row.late, row.level, row.peer_seen, row.ended_ms, row.reason = False, 0, False, None, ""


def _opened(decision: DeskDecision) -> _Row:
    return _Row(
        seq=decision.thread, group_id=decision.group_id, identity_id=decision.subject, rule_id=decision.rule_id,
        version=decision.version, mode=decision.mode, need=decision.need, stage=decision.stage, state=ThreadState.WAITING,
        opened_ms=decision.ts_ms, asked_seq=decision.event, asked_ms=decision.ts_ms, due_ms=decision.due_ms,
    )  # fmt: skip


def _copied(known: _Row | None, group_id: int, thread: Thread, version: str) -> _Row:
    row = _Row(
        seq=thread.seq, group_id=group_id, identity_id=thread.person, rule_id=thread.rule_id, version=version, mode="observe",
        need=thread.need, stage=thread.stage, state=ThreadState.WAITING, opened_ms=thread.opened_ms,
        asked_seq=thread.asked_seq, asked_ms=thread.asked_ms, due_ms=thread.due_ms, late=thread.late, level=thread.level,
        peer_seen=thread.peer_seen,
    )  # fmt: skip
    if known is not None:
        row.version, row.mode = known.version, known.mode
    return row


def _read(database: Database, seqs: Iterable[int]) -> dict[int, _Row]:
    wanted = list(seqs)
    if not wanted:
        return {}
    test, params = database.in_list("seq", wanted)
    rows = (_Row(**dict(zip(_COLUMNS, values, strict=True))) for values in database.query(_READ + test, params))
    return {row.seq: row for row in rows}


def _write(database: Database, rows: Iterable[_Row]) -> None:
    database.execute_many(_WRITE, [msgspec.structs.astuple(_plain(row)) for row in rows])


def _plain(row: _Row) -> _Row:
    row.late, row.peer_seen, row.state = bool(row.late), bool(row.peer_seen), str(row.state)
    return row
