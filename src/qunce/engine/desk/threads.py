"""Change a thread by a decision: the one place that says what each verdict means for the clock."""

from __future__ import annotations

from typing import Final

from qunce.domain.desk import DeskDecision
from qunce.domain.ids import IdentityId
from qunce.engine.desk.hours import NEVER
from qunce.engine.desk.state import MAX_LINES, GroupDesk, Thread

NOTED: Final = "noted"
"""Reason of an answer that is only written down."""


def after(thread: Thread, decision: DeskDecision) -> Thread | None:
    """Return the thread after a decision about it; None when it is over."""
    if decision.verdict in ("released", "expired"):
        return None
    changed = Thread(**{name: getattr(thread, name) for name in Thread.__struct_fields__})
    changed.timer_ms = decision.timer_ms
    changed.need = decision.need
    if decision.verdict == "awaits":
        _asks(changed, decision)
    elif decision.verdict == "late":
        changed.late = True
    elif decision.verdict == "escalate":
        changed.level = decision.level
    elif decision.reason == NOTED:
        changed.peer_seen = True
    elif decision.verdict == "answered":
        _answered(changed, decision)
    return changed


def opened(decision: DeskDecision) -> Thread:
    """Return the thread that an `awaits` opens."""
    return Thread(
        seq=decision.thread,
        person=decision.subject,
        need=decision.need,
        rule_id=decision.rule_id,
        opened_ms=decision.ts_ms,
        stage=decision.stage,
        asked_seq=decision.event,
        asked_ms=decision.ts_ms,
        due_ms=decision.due_ms,
        timer_ms=decision.timer_ms,
        lines=_lines(decision),
    )


def _asks(thread: Thread, decision: DeskDecision) -> None:
    thread.due_ms = decision.due_ms
    if thread.waits:
        return  # a graver word brought the end forward; the clock still counts from the first message
    thread.stage = decision.stage
    thread.asked_seq, thread.asked_ms = decision.event, decision.ts_ms
    thread.late, thread.level, thread.helped, thread.peer_seen = False, 0, False, False
    thread.lines = _lines(decision)


def _lines(decision: DeskDecision) -> tuple[str, ...]:
    return () if decision.message_id is None else (decision.message_id,)


def _answered(thread: Thread, decision: DeskDecision) -> None:
    thread.responder = decision.responder
    thread.answered_ms = decision.ts_ms
    thread.stage, thread.lines = "done", ()


def put(group: GroupDesk, person: IdentityId, thread: Thread | None) -> None:
    """Set or drop a person's thread, and keep the group's earliest timers exact."""
    before = group.threads.get(person)
    if thread is None:
        group.threads.pop(person, None)
    else:
        group.threads[person] = thread
    if before is not None and before.timer_ms <= (group.timer_ms if before.waits else group.sweep_ms):
        group.timer_ms = min([known.timer_ms for known in group.threads.values() if known.stage != "done"], default=NEVER)
        group.sweep_ms = min([known.timer_ms for known in group.threads.values() if known.stage == "done"], default=NEVER)
    elif thread is not None and thread.waits:
        group.timer_ms = min(group.timer_ms, thread.timer_ms)
    elif thread is not None:
        group.sweep_ms = min(group.sweep_ms, thread.timer_ms)


def add_line(thread: Thread, message_id: str | None) -> None:
    """Note a message of the person who waits."""
    if message_id is not None:
        thread.lines = (*thread.lines, message_id)[-MAX_LINES:]
