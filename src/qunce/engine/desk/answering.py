"""Find whom an answer is for: who is quoted first, then who is named, then who asked last."""

from __future__ import annotations

from typing import Final

import msgspec

from qunce.domain.desk import DeskDecision
from qunce.domain.events import ReplyGiven
from qunce.domain.ids import IdentityId
from qunce.engine.desk import needs
from qunce.engine.desk.look import Address, Look
from qunce.engine.desk.making import Role, stopped, waits_on
from qunce.engine.desk.state import Thread

FOCUS_MS: Final = 60_000
"""A colleague's line said to nobody, this soon after an answer of theirs, goes on with that answer."""
RECENT_MS: Final = 900_000
"""A line said to nobody answers only who has waited at most so long on duty; later an answer must say whom it is for."""


def answered(look: Look, address: Address, responder: IdentityId, role: Role = "staff") -> list[DeskDecision]:
    """Return the clocks that a message of somebody who may answer stops; usually one or none."""
    threads, how = _meant(look, address, responder, role)
    decisions = []
    holding = role == "staff" and needs.is_holding(look.happening.views)
    for thread in threads:
        note = role == "peer" and look.clock.rule.peers == "note"
        decisions.append(stopped(look, thread, responder, role, how, holding=holding, note=note))
        if holding:
            decisions.append(waits_on(look, thread))
    return decisions


def _meant(look: Look, address: Address, responder: IdentityId, role: Role) -> tuple[list[Thread], str]:
    named = [thread for person in address.people if (thread := look.waiting(person)) is not None and person != responder]
    if named:
        return named, "reply" if address.replies else "mention"
    if role == "peer" or address.replies or address.to_member:
        return [], ""
    views = look.happening.views
    waiting = [thread for thread in look.threads.values() if thread.waits and thread.asked_ms <= look.ts_ms]
    if not waiting:
        return [], ""
    if needs.answers_all(views):
        return waiting, "everybody"
    greeted = [thread for thread in waiting if thread.need == "first_post"] if needs.is_welcome(views) else []
    if greeted or address.everybody or address.to_staff or needs.is_notice(views) or needs.tone(views) == "closing":
        return greeted, "welcome"
    newest = _newest(look, waiting)
    return ([], "") if newest is None or _goes_on(look, newest, responder) else ([newest], "recency")


def _newest(look: Look, waiting: list[Thread]) -> Thread | None:
    """Return who asked last and not too long ago; words of newcomers want a welcome, not just any line."""
    asked = [thread for thread in waiting if thread.need != "first_post"]
    newest = max(asked, key=lambda thread: (thread.asked_ms, thread.asked_seq), default=None)
    if newest is None or look.clock.waited_ms(newest.asked_ms, look.ts_ms) > RECENT_MS:
        return None
    return newest


def _goes_on(look: Look, newest: Thread, responder: IdentityId) -> bool:
    """Tell whether a colleague is still in the talk they answered last, and nobody asked since."""
    return any(
        not thread.waits
        and thread.responder == responder
        and look.ts_ms - FOCUS_MS <= thread.answered_ms
        and newest.asked_ms < thread.answered_ms
        for thread in look.threads.values()
    )


def from_console(look: Look, body: ReplyGiven) -> list[DeskDecision]:
    """Return the clock that an answer from the console stops: that of whom it was given to. Nothing when it does not run."""
    thread = look.waiting(look.happening.person)
    if thread is None:
        return []
    answer = stopped(look, thread, None, "staff", "console", holding=body.holding, note=False, staff=body.staff)
    return [answer, waits_on(look, thread)] if body.holding else [answer]


def early_answer(look: Look, decision: DeskDecision, message_id: str | None) -> list[DeskDecision]:
    """Return the answer that reached us before the message it quotes, if there was one: late news, not a late answer."""
    early = look.group.early.get(message_id) if message_id is not None else None
    if early is None or look.side(early.person) != "staff":
        return []
    thread = Thread(
        seq=decision.thread, person=decision.subject, need=decision.need, rule_id=decision.rule_id,
        opened_ms=decision.ts_ms, stage=decision.stage, asked_seq=decision.event, asked_ms=decision.ts_ms,
        due_ms=decision.due_ms, timer_ms=decision.timer_ms,
    )  # fmt: skip
    answer = stopped(look, thread, early.person, "staff", "reply", holding=False, note=False)
    waited_ms = look.clock.waited_ms(thread.asked_ms, early.ts_ms)
    return [
        msgspec.structs.replace(
            answer,
            ts_ms=max(early.ts_ms, thread.asked_ms),
            waited_s=waited_ms // 1_000,
            clock_s=max(0, early.ts_ms - thread.asked_ms) // 1_000,
            late=early.ts_ms > thread.due_ms,
        )
    ]
