"""Let moments pass: the answer is late, a step of the escalation is reached, nobody will answer any more.

Each decision carries the moment itself, not when it was noticed, so a clock that is looked at late, or only by the next
happening, tells the same.
"""

from __future__ import annotations

import msgspec

from qunce.domain.decisions import Evidence
from qunce.domain.desk import DeskDecision, DeskVerdict
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.desk.program import Clock, DeskProgram
from qunce.engine.desk.state import GroupDesk, Thread
from qunce.engine.desk.threads import after


def fire(
    group: GroupDesk, group_id: GroupId, program: DeskProgram, clock: Clock, until_ms: int, now_ms: int
) -> tuple[list[DeskDecision], dict[IdentityId, Thread]]:
    """Return the moments of a group before `until_ms` in order, and the threads after them."""
    threads = dict(group.threads)
    decisions: list[DeskDecision] = []
    while True:
        due = [
            (known.timer_ms, known.seq, known.person) for known in threads.values() if known.timer_ms < until_ms and known.waits
        ]
        if not due:
            return decisions, threads
        thread = threads[min(due)[2]]
        decision = _moment(thread, group_id, program, clock, now_ms)
        decisions.append(decision)
        changed = after(thread, decision)
        if changed is None:
            del threads[thread.person]
        else:
            threads[thread.person] = changed


def dismissed(thread: Thread, group_id: GroupId, program: DeskProgram, clock: Clock, now_ms: int) -> DeskDecision:
    """Let a thread go because a colleague said that it needs no answer."""
    moment = max(thread.asked_ms, now_ms)
    return msgspec.structs.replace(
        _decision(msgspec.structs.replace(thread, timer_ms=moment), group_id, program, clock, now_ms, "released", (), 0),
        decision_id=f"{thread.asked_seq}:desk:{thread.seq}:dismissed",
        reason="no_answer_needed",
        late=thread.late or moment > thread.due_ms,
    )


def _moment(thread: Thread, group_id: GroupId, program: DeskProgram, clock: Clock, now_ms: int) -> DeskDecision:
    """Return what the thread's next moment means. A rule that changed meanwhile is followed as it is now."""
    rule = clock.rule
    verdict: DeskVerdict = "awaits"
    late, level = thread.late, thread.level
    to: tuple[str, ...] = ()
    if not late and thread.timer_ms >= thread.due_ms:
        verdict, late = "late", True
    elif level < len(rule.escalate) and thread.timer_ms >= clock.add(thread.asked_ms, rule.escalate[level].after_s):
        verdict, to, level = "escalate", rule.escalate[level].to, level + 1
    elif thread.timer_ms >= thread.due_ms + rule.give_up_after_s * 1_000:
        verdict = "expired"
    timer_ms = clock.next_timer(thread.asked_ms, thread.due_ms, late=late, level=level)
    moved = msgspec.structs.replace(thread, late=late, level=level)
    return _decision(moved, group_id, program, clock, now_ms, verdict, to, timer_ms)


def _decision(
    thread: Thread, group_id: GroupId, program: DeskProgram, clock: Clock, now_ms: int, verdict: DeskVerdict,
    to: tuple[str, ...], timer_ms: int,
) -> DeskDecision:  # fmt: skip
    moment = thread.timer_ms
    return DeskDecision(
        decision_id=f"{thread.asked_seq}:desk:{thread.seq}:{verdict}:{thread.level}",
        group_id=group_id,
        event=thread.asked_seq,
        ts_ms=moment,
        decided_ms=now_ms,
        subject=thread.person,
        rule_id=clock.rule.rule_id,
        version=program.version,
        mode=clock.rule.mode,
        verdict=verdict,
        reason="rule_changed" if verdict == "awaits" else "timeout",
        thread=thread.seq,
        need=thread.need,
        stage="first" if thread.stage == "first" else "next",
        due_ms=thread.due_ms,
        timer_ms=timer_ms,
        waited_s=clock.waited_ms(thread.asked_ms, moment) // 1_000,
        clock_s=max(0, moment - thread.asked_ms) // 1_000,
        late=thread.late,
        level=thread.level,
        to=to,
        on_duty=clock.on_duty(moment),
        peer_seen=thread.peer_seen,
        evidence=(Evidence(check="clock", events=(thread.asked_seq,)),),
    )
