"""Take back what a case did, and nothing else: the recorded inverse, delivery by delivery.

What another case still holds stays: undoing one mute leaves the other's. What no platform can give back (a deleted message, a
place in a group) is left over and shown; nothing is pretended.
"""

from __future__ import annotations

from collections.abc import Iterable

from qunce.domain.commands import (
    AnyCommand,
    BanMember,
    DeleteMessage,
    MuteMember,
    SendMessage,
    UnbanMember,
    UnmuteMember,
)  # fmt: skip
from qunce.outbox import queue
from qunce.outbox.models import Delivery, State
from qunce.outbox.queue import Plan
from qunce.runtime.live import plans
from qunce.runtime.live.plans import Where
from qunce.runtime.models import Case, CaseState, Channel

HAPPENED = (State.DONE, State.UNKNOWN)
"""It was done, or may have been."""
_FOREVER_MS = 1 << 62


def take_back(case: Case, now_ms: int) -> None:
    """Cancel what has not left yet of a case, and enqueue the inverse of what has. Call in the transaction of the undo."""
    for case_id in (case.decision_id, plans.lift_of(case.decision_id)):
        queue.cancel_case(case_id, reason="undone", now_ms=now_ms)
    rows = Delivery.objects.filter(case_id=case.decision_id, state__in=HAPPENED).order_by("-pk")
    queue.enqueue(list(_inverses(rows, now_ms)), now_ms)


def take_back_late(row: Delivery, now_ms: int) -> None:
    """Enqueue the inverse of a delivery that was on its way when its case was undone."""
    gone = Case.objects.filter(decision_id=row.case_id, state__in=(CaseState.UNDONE, CaseState.DECLINED)).exists()
    if row.case_id and gone:
        queue.enqueue(list(_inverses([row], now_ms)), now_ms)


def stays(row: Delivery) -> str:
    """Return what cannot be given back of a delivery that happened: `message`, `place`, `words`; empty = all can."""
    kinds = {"message.delete": "message", "member.kick": "place", "member.ban": "place", "message.send_direct": "words"}
    return kinds.get(row.capability, "") if row.state in HAPPENED else ""


def standing(row: Delivery, now_ms: int) -> list[tuple[Delivery, AnyCommand]]:
    """Return what other cases did to the same person in the same group with the same means, and what holds still."""
    rows = Delivery.objects.filter(
        group_id=row.group_id, identity_id=row.identity_id, capability=row.capability, state__in=HAPPENED
    ).exclude(case_id=row.case_id)
    gone = set(
        Case.objects.filter(
            decision_id__in=[other.case_id for other in rows], state__in=(CaseState.UNDONE, CaseState.DECLINED)
        ).values_list("decision_id", flat=True)
    )
    held = [(other, plans.decode(other.command)) for other in rows if other.case_id not in gone]
    return [(other, command) for other, command in held if ends_ms(command) > now_ms]


def ends_ms(command: AnyCommand) -> int:
    """Return when what a command does ends by itself; far away where it does not."""
    if isinstance(command, MuteMember) and command.until_ms is not None:
        return command.until_ms
    return _FOREVER_MS


def _inverses(rows: Iterable[Delivery], now_ms: int) -> Iterable[Plan]:
    for row in rows:
        inverse = _inverse(row, now_ms)
        if inverse is not None:
            where = Where(connector=row.connector, account=row.account, conv_id=row.conv_id)
            connected = Channel.objects.filter(connector=row.connector, account=row.account, enabled=True).exists()
            state, reason = (State.READY, "") if connected else (State.HUMAN, "no_channel")
            yield plans.inverse_plan(
                row.case_id, row.idem_key, inverse, where, row.group_id, row.identity_id, now_ms, state=state, reason=reason
            )


def _inverse(row: Delivery, now_ms: int) -> AnyCommand | None:
    command = plans.decode(row.command)
    if isinstance(command, MuteMember):
        others = [ends_ms(other) for _, other in standing(row, now_ms)]
        if not others:
            return UnmuteMember(conv_id=command.conv_id, member_id=command.member_id) if ends_ms(command) > now_ms else None
        until = max(others)
        if until >= ends_ms(command):
            return None
        return MuteMember(conv_id=command.conv_id, member_id=command.member_id, until_ms=until)
    if isinstance(command, BanMember):
        return None if standing(row, now_ms) else UnbanMember(conv_id=command.conv_id, member_id=command.member_id)
    if isinstance(command, SendMessage) and row.receipt:
        return DeleteMessage(conv_id=command.conv_id, message_id=row.receipt)
    return None
