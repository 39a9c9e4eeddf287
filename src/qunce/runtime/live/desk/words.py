"""What colleagues say to a matter: take it, give it to somebody, look at it later, say that it needs no answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.access import can
from qunce.accounts.models import Staff
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import marks
from qunce.runtime.live.desk import alarms
from qunce.runtime.models import DeskThread, DeskWord, ThreadState

Clock = Callable[[], int]
SNOOZES_M: Final = (10, 30, 60, 240)
"""Minutes a matter may be put aside for."""


def do_assign(*, actor: Staff | None, thread: int, owner: Staff | None) -> None:
    """Let `owner` look after a matter; None = nobody in particular. Raises CommandRefused for who may not answer there."""
    with transaction.atomic():
        row = access_waiting(thread)
        if owner is not None and not can(owner, "desk.answer", group_id=row.group_id):
            raise CommandRefused("this colleague may not answer in that group")
        DeskThread.objects.filter(pk=thread).update(owner_id=owner.pk if owner else None)
        audit.record(
            actor=actor, action="desk.assign", target_type="thread", target_id=thread, before={"owner": row.owner_id},
            after={"owner": owner.pk if owner else None},
        )  # fmt: skip


def do_snooze(*, actor: Staff | None, thread: int, minutes: int, clock: Clock = now_ms) -> None:
    """Put a matter aside for `minutes` (one of SNOOZES_M, 0 = not any more); its clock runs on. Raises CommandRefused else."""
    if minutes not in (0, *SNOOZES_M):
        raise CommandRefused("unknown time")
    until = clock() + minutes * 60_000 if minutes else None
    with transaction.atomic():
        access_waiting(thread)
        DeskThread.objects.filter(pk=thread).update(snoozed_until_ms=until)
        audit.record(
            actor=actor, action="desk.snooze", target_type="thread", target_id=thread, after={"minutes": minutes}
        )  # fmt: skip


def do_settle(*, actor: Staff | None, thread: int, teach: bool = False, clock: Clock = now_ms) -> None:
    """Say that a matter needs no answer: its clock stops without one. Teaches the model only when `teach` says so.

    Raises CommandRefused when it does not wait any more, and when there is nothing to learn from.
    """
    moment = clock()
    with transaction.atomic():
        row = access_waiting(thread)
        DeskThread.objects.filter(pk=thread).update(closed_by=actor.pk if actor else None, closed_ms=moment)
        alarms.clear_thread(thread, moment)
        DeskWord.objects.create(
            thread_seq=thread, group_id=row.group_id, identity_id=row.identity_id, staff_id=actor.pk if actor else None,
            said_ms=moment,
        )  # fmt: skip
        if teach:
            marks.do_teach(actor=actor, model="needs_answer", seq=row.asked_seq, label=False, clock=clock)
        audit.record(actor=actor, action="desk.settle", target_type="thread", target_id=thread, after={"teach": teach})


def access_waiting(thread: int) -> DeskThread:
    """Return a matter that waits. Raises CommandRefused when it does not, or not any more."""
    row = DeskThread.objects.filter(pk=thread).first()
    if row is None:
        raise CommandRefused(f"no thread {thread}")
    if row.state != ThreadState.WAITING or row.closed_ms is not None:
        raise CommandRefused("this was answered or ended already")
    return row
