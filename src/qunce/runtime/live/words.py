"""What people say to cases: approve, decline, undo, appeal; and to deliveries only they can finish.

Each word is a conditional change of the case, so that two people cannot both decide it. The engine hears it at its next turn,
at a recorded position of the journal.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import connection, transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.engine.moderation.ladder import quiet_until
from qunce.journal.store import Journal
from qunce.outbox import queue
from qunce.outbox.models import Delivery, State
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import cases, plans, playbooks, undoing
from qunce.runtime.live.desk import alarms, replies
from qunce.runtime.models import Appeal, Case, CaseState, Word

Clock = Callable[[], int]
MAX_APPEAL: Final = 2_000
"""Characters of an appeal or its answer that are kept."""


def do_approve(*, actor: Staff | None, case_id: str, clock: Clock = now_ms) -> None:
    """Accept a suggestion: it is carried out from here on. Raises CommandRefused unless the case is open."""
    moment = clock()
    with transaction.atomic():
        case = _decide(case_id, (CaseState.OPEN,), CaseState.DONE, actor, "", moment)
        _release(case, actor, moment)
        _say("approved", case, actor, moment)
        audit.record(actor=actor, action="case.approve", target_type="case", target_id=case_id)


def do_decline(*, actor: Staff | None, case_id: str, reason: str = "", clock: Clock = now_ms) -> None:
    """Turn a suggestion down: nothing of it is done, what was is taken back. Raises CommandRefused unless the case is open."""
    moment = clock()
    with transaction.atomic():
        case = _decide(case_id, (CaseState.OPEN,), CaseState.DECLINED, actor, reason, moment)
        proposed = [row.pk for row in _proposed(case_id)]
        queue.decide(
            proposed, expect=State.PROPOSED, state=State.DECLINED, staff_id=_id(actor) or 0, reason=reason, now_ms=moment
        )
        undoing.take_back(case, moment)
        _say("undone", case, actor, moment)
        audit.record(actor=actor, action="case.decline", target_type="case", target_id=case_id, after={"reason": reason})


def do_undo(*, actor: Staff | None, case_id: str, reason: str, clock: Clock = now_ms) -> None:
    """Take a case back: what it did is undone, what it counted for is forgotten, nothing else changes and nothing is taught.

    Raises CommandRefused without a reason, and unless the case is done.
    """
    if not reason.strip():
        raise CommandRefused("an undo needs a reason")
    with transaction.atomic():
        _undo(case_id, actor, reason.strip(), clock())


def do_appeal(*, actor: Staff | None, case_id: str, text: str, by_member: bool, clock: Clock = now_ms) -> int:
    """Record a member's objection, `by_member` or by staff on their behalf; return the appeal's id.

    A second appeal to the same case changes the words of the first while it is open. Raises CommandRefused when there is no
    such case, it did nothing, or the appeal was answered already.
    """
    with transaction.atomic():
        case = access_case(case_id)
        if case.state not in (CaseState.OPEN, CaseState.DONE):
            raise CommandRefused("nothing of this case is in force")
        appeal, made = Appeal.objects.get_or_create(
            decision_id=case_id,
            defaults={"text": text[:MAX_APPEAL], "by_member": by_member, "staff_id": _id(actor), "opened_ms": clock()},
        )
        if not made:
            if Appeal.objects.filter(pk=appeal.pk, state="open").update(text=text[:MAX_APPEAL]) == 0:
                raise CommandRefused("the appeal was answered already")
            return int(appeal.pk)
        audit.record(actor=actor, action="appeal.open", target_type="case", target_id=case_id, after={"by_member": by_member})
    return int(appeal.pk)


def do_resolve_appeal(*, actor: Staff | None, appeal_id: int, grant: bool, answer: str, clock: Clock = now_ms) -> None:
    """Answer an appeal; granting it undoes the case. Raises CommandRefused unless the appeal is open."""
    moment = clock()
    with transaction.atomic():
        changes = {
            "state": "granted" if grant else "rejected", "answer": answer[:MAX_APPEAL], "resolved_by": _id(actor),
            "resolved_ms": moment,
        }  # fmt: skip
        if Appeal.objects.filter(pk=appeal_id, state="open").update(**changes) == 0:
            raise CommandRefused("the appeal is not open")
        appeal = Appeal.objects.get(pk=appeal_id)
        if grant:
            case = access_case(appeal.decision_id)
            if case.state == CaseState.OPEN:
                do_decline(actor=actor, case_id=case.decision_id, reason="appeal", clock=clock)
            else:
                _undo(appeal.decision_id, actor, "appeal", moment)
        audit.record(
            actor=actor, action="appeal.resolve", target_type="case", target_id=appeal.decision_id, after={"granted": grant}
        )


def do_tap(*, actor: Staff | None, delivery_id: int, done: bool, clock: Clock = now_ms) -> None:
    """Say that a human task was done, or that it will not be. Raises CommandRefused unless it waits for a person."""
    state = State.DONE if done else State.CANCELLED
    _finish_by_hand(actor, delivery_id, State.HUMAN, state, "delivery.tap", clock())


def do_settle_unknown(*, actor: Staff | None, delivery_id: int, sent: bool, clock: Clock = now_ms) -> None:
    """Say of a delivery nobody could know about whether it arrived; if not, it is sent again. Raises CommandRefused else."""
    state = State.DONE if sent else State.READY
    _finish_by_hand(actor, delivery_id, State.UNKNOWN, state, "delivery.settle", clock())


def access_case(case_id: str) -> Case:
    """Return a case of moderation. Raises CommandRefused when there is none of that id."""
    case = Case.objects.filter(decision_id=case_id, area="moderation").first()
    if case is None:
        raise CommandRefused(f"no case {case_id!r}")
    return case


def _undo(case_id: str, actor: Staff | None, reason: str, moment: int) -> None:
    case = _decide(case_id, (CaseState.DONE,), CaseState.UNDONE, actor, reason, moment)
    undoing.take_back(case, moment)
    _say("undone", case, actor, moment)
    audit.record(actor=actor, action="case.undo", target_type="case", target_id=case_id, after={"reason": reason})


def _decide(
    case_id: str, expect: tuple[CaseState, ...], state: CaseState, actor: Staff | None, reason: str, moment: int
) -> Case:
    rows = Case.objects.filter(decision_id=case_id, area="moderation", state__in=expect)
    if rows.update(state=state, reason=reason, decided_by=_id(actor), updated_ms=moment) == 0:
        case = access_case(case_id)
        raise CommandRefused(f"the case is {case.state}")
    alarms.clear_case(case_id, moment)
    return access_case(case_id)


def _release(case: Case, actor: Staff | None, moment: int) -> None:
    """Let what was proposed go, as of this moment: a mute lasts from its approval, a notice waits for the morning."""
    proposed = {row.idem_key: row for row in _proposed(case.decision_id)}
    if not proposed:
        return
    version = playbooks.newest()
    quiet = quiet_until(playbooks.loaded_newest().playbook.playbook, moment) if version is not None else None
    decision = cases.decision_of(case)
    for plan in cases.planned_now(Journal(connection), decision, moment):
        row = proposed.get(plan.idem_key)
        if row is None:
            continue
        waits = quiet if plan.capability == "message.send" and quiet is not None else 0
        Delivery.objects.filter(pk=row.pk, state=State.PROPOSED).update(
            state=plan.state, reason=plan.reason, command=plan.command, decided_by=_id(actor), updated_ms=moment,
            not_before_ms=max(plan.not_before_ms, waits), expires_ms=max(plan.expires_ms, waits + plan.expires_ms - moment),
        )  # fmt: skip


def _proposed(case_id: str) -> list[Delivery]:
    return list(Delivery.objects.filter(case_id__in=(case_id, plans.lift_of(case_id)), state=State.PROPOSED))


def _say(kind: str, case: Case, actor: Staff | None, moment: int) -> None:
    Word.objects.create(decision_id=case.decision_id, group_id=case.group_id, kind=kind, staff_id=_id(actor), said_ms=moment)


def _finish_by_hand(actor: Staff | None, delivery_id: int, expect: State, state: State, action: str, moment: int) -> None:
    with transaction.atomic():
        if queue.decide([delivery_id], expect=expect, state=state, staff_id=_id(actor) or 0, now_ms=moment) == 0:
            raise CommandRefused(f"delivery {delivery_id} is not {expect}")
        row = Delivery.objects.get(pk=delivery_id)
        if state == State.READY:
            Delivery.objects.filter(pk=delivery_id).update(attempts=0, not_before_ms=moment)
        if state == State.DONE:
            undoing.take_back_late(row, moment)
            replies.record_given(row, moment, by_hand=expect == State.HUMAN)
        audit.record(actor=actor, action=action, target_type="delivery", target_id=delivery_id, after={"state": str(state)})


def _id(actor: Staff | None) -> int | None:
    return actor.pk if actor is not None else None
