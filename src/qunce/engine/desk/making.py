"""Write the desk's decisions about happenings, each with its figures."""

from __future__ import annotations

from typing import Literal

from qunce.domain.decisions import Evidence
from qunce.domain.desk import DeskDecision, Need, Stage
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.desk.look import Look
from qunce.engine.desk.state import Thread
from qunce.engine.desk.threads import NOTED
from qunce.engine.happening import Happening

Role = Literal["staff", "peer"]


def decision_id(thread: int, verdict: str, event: int) -> str:
    """Return the id of a decision: the same however often it is decided, another for each happening and level."""
    return f"{event}:desk:{thread}:{verdict}"


def delay_of(happening: Happening) -> int | None:
    """Return how long a happening took to reach us, in ms; None when it was imported or nobody knows.

    A clock that was set back counts as no delay.
    """
    if happening.received_ms is None or happening.event.source.origin in ("import", "archive", "self"):
        return None
    return max(0, happening.received_ms - happening.event.ts_ms)


def _group_id(look: Look) -> GroupId:
    group_id = look.happening.group
    assert group_id is not None  # noqa: S101  # a Look is made of happenings in groups only
    return group_id


def awaits(look: Look, person: IdentityId, need: Evidence, thread: Thread | None, message_id: str | None) -> list[DeskDecision]:
    """Start a clock: of a new thread (None), of the next answer in an answered one, or an earlier end of one that runs."""
    what: Need = need.check  # type: ignore[assignment]  # checks of the desk are needs
    stage: Stage = "first" if thread is None or thread.stage == "first" else "next"
    runs = thread is not None and thread.waits
    asked_ms = thread.asked_ms if thread is not None and runs else look.ts_ms
    due_ms = look.clock.add(look.ts_ms, look.clock.target_s(what, stage))
    late, level = False, 0
    if thread is not None and runs:
        due_ms = min(due_ms, thread.due_ms)
        late, level = thread.late, thread.level
    return [
        DeskDecision(
            decision_id=decision_id(thread.seq if thread else look.happening.seq, "awaits", look.happening.seq),
            group_id=_group_id(look),
            event=look.happening.seq,
            ts_ms=look.ts_ms,
            decided_ms=look.now_ms,
            subject=person,
            rule_id=look.clock.rule.rule_id,
            version=look.program.version,
            mode=look.clock.rule.mode,
            verdict="awaits",
            reason=what,
            thread=thread.seq if thread else look.happening.seq,
            message_id=message_id,
            need=what,
            stage=stage,
            due_ms=due_ms,
            timer_ms=look.clock.next_timer(asked_ms, due_ms, late=late, level=level),
            on_duty=look.clock.on_duty(look.ts_ms),
            delay_ms=delay_of(look.happening),
            late=late,
            evidence=(need,),
        )
    ]


def stopped(
    look: Look, thread: Thread, responder: IdentityId | None, role: Role, how: str, *, holding: bool, note: bool,
    staff: str = "",
) -> DeskDecision:  # fmt: skip
    """Stop a thread's clock with an answer; with `note` it is only written down and the clock runs on.

    `responder` is None for an answer from the console, which `staff` gave.
    """
    waited_ms = look.clock.waited_ms(thread.asked_ms, look.ts_ms)
    late = thread.late or look.ts_ms > thread.due_ms
    keep_ms = look.ts_ms + look.clock.rule.follow_up_s * 1_000
    return DeskDecision(
        decision_id=decision_id(thread.seq, "answered", look.happening.seq),
        group_id=_group_id(look),
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=look.now_ms,
        subject=thread.person,
        rule_id=look.clock.rule.rule_id,
        version=look.program.version,
        mode=look.clock.rule.mode,
        verdict="answered",
        reason=NOTED if note else how,
        thread=thread.seq,
        need=thread.need,
        stage="first" if thread.stage == "first" else "next",
        due_ms=thread.due_ms,
        timer_ms=thread.timer_ms if note else keep_ms,
        waited_s=waited_ms // 1_000,
        clock_s=max(0, look.ts_ms - thread.asked_ms) // 1_000,
        late=late,
        responder=responder,
        staff=staff,
        responder_role=role,
        holding=holding,
        on_duty=look.clock.on_duty(look.ts_ms),
        delay_ms=delay_of(look.happening),
        peer_seen=thread.peer_seen,
        evidence=(Evidence(check=how, events=(thread.asked_seq, look.happening.seq)),),
    )


def waits_on(look: Look, thread: Thread) -> DeskDecision:
    """Start the next clock of a thread whose asker was told to have patience."""
    due_ms = look.clock.add(look.ts_ms, look.clock.target_s(thread.need, "next"))
    return DeskDecision(
        decision_id=decision_id(thread.seq, "awaits", look.happening.seq),
        group_id=_group_id(look),
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=look.now_ms,
        subject=thread.person,
        rule_id=look.clock.rule.rule_id,
        version=look.program.version,
        mode=look.clock.rule.mode,
        verdict="awaits",
        reason="holding",
        thread=thread.seq,
        need=thread.need,
        stage="next",
        due_ms=due_ms,
        timer_ms=look.clock.next_timer(look.ts_ms, due_ms, late=False, level=0),
        on_duty=look.clock.on_duty(look.ts_ms),
        evidence=(Evidence(check="holding", events=(look.happening.seq,)),),
    )


def released(look: Look, thread: Thread, reason: str) -> DeskDecision:
    """Let a thread go that nobody of us answered, because the matter went away."""
    return DeskDecision(
        decision_id=decision_id(thread.seq, "released", look.happening.seq),
        group_id=_group_id(look),
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=look.now_ms,
        subject=thread.person,
        rule_id=look.clock.rule.rule_id,
        version=look.program.version,
        mode=look.clock.rule.mode,
        verdict="released",
        reason=reason,
        thread=thread.seq,
        need=thread.need,
        stage="first" if thread.stage == "first" else "next",
        due_ms=thread.due_ms,
        waited_s=look.clock.waited_ms(thread.asked_ms, look.ts_ms) // 1_000,
        clock_s=max(0, look.ts_ms - thread.asked_ms) // 1_000,
        late=thread.late or look.ts_ms > thread.due_ms,
        on_duty=look.clock.on_duty(look.ts_ms),
        peer_seen=thread.peer_seen,
        evidence=(Evidence(check=reason, events=(thread.asked_seq, look.happening.seq)),),
    )


def passed(look: Look, person: IdentityId, reason: str) -> DeskDecision:
    """Say that a message needs no answer, and why."""
    return DeskDecision(
        decision_id=decision_id(look.happening.seq, "pass", look.happening.seq),
        group_id=_group_id(look),
        event=look.happening.seq,
        ts_ms=look.ts_ms,
        decided_ms=look.now_ms,
        subject=person,
        rule_id=look.clock.rule.rule_id,
        version=look.program.version,
        mode=look.clock.rule.mode,
        verdict="pass",
        reason=reason,
        thread=look.happening.seq,
        score=0.0,
    )
