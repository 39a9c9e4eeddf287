"""Call colleagues: who is on duty when an answer is late, whom a rule names when nobody answers, group managers in a quarrel.

An alarm is for roles and login names; who of them sees it is asked when it is read, so scopes and roles hold as they are then.
It goes away with what it is about: an answer, an end, or a colleague's decision on the case.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q

from qunce.accounts.models import Role, Staff
from qunce.domain.decisions import Decision
from qunce.domain.desk import DeskDecision
from qunce.engine.core import AnyDecision
from qunce.engine.desk.threads import NOTED
from qunce.readmodels.models import Group
from qunce.runtime.models import DeskAlarm, DeskAlarmSeen

EVERYBODY: Final = "*"
MANAGERS: Final = (Role.MANAGER.value, Role.SUPERVISOR.value)
"""Who mediates."""
LAST: Final = (Role.SUPERVISOR.value, Role.ADMIN.value)
"""Who is called when whom a rule names has no account here."""
MOST: Final = 200
SHOWN: Final = 12
_ENDS: Final = ("answered", "released", "expired")


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRow:
    """An alarm as somebody sees it."""

    alarm_id: int
    kind: str
    group_id: int
    group: str
    thread: int | None
    case_id: str
    need: str
    level: int
    waited_s: int
    created_ms: int
    seen: bool


def follow(decisions: Iterable[AnyDecision], now_ms: int) -> None:
    """Raise and clear what decisions say. Call in the transaction that stores them; without calls it asks nothing."""
    made: list[DeskAlarm] = []
    ended: set[int] = set()
    for decision in decisions:
        if isinstance(decision, DeskDecision):
            if decision.verdict in _ENDS and decision.reason != NOTED:
                ended.add(decision.thread)
                made = [alarm for alarm in made if alarm.thread_seq != decision.thread]
            elif decision.mode != "observe" and decision.verdict in ("late", "escalate"):
                made.append(_of_clock(decision, now_ms))
        elif decision.mode != "observe" and decision.verdict == "review":
            made.append(_of_case(decision, now_ms))
    if ended:
        _clear(Q(thread_seq__in=ended), now_ms)
    if made:
        known = _accounts()
        for alarm in made:
            alarm.audience = _reachable(alarm.audience, known, alarm.kind)
        DeskAlarm.objects.bulk_create(made, ignore_conflicts=True)


def clear_thread(thread: int, now_ms: int) -> None:
    """Let no alarm about a matter call any more."""
    _clear(Q(thread_seq=thread), now_ms)


def clear_case(case_id: str, now_ms: int) -> None:
    """Let the alarm about a case of moderation call no more."""
    _clear(Q(decision_id=case_id, kind="case"), now_ms)


def alarms_for(staff: Staff, group_ids: Collection[int] | None) -> tuple[AlarmRow, ...]:
    """Return what calls somebody in the groups they may see, newest first: of each matter its newest alarm. Three queries."""
    rows = DeskAlarm.objects.filter(cleared_ms=None)
    if group_ids is not None:
        rows = rows.filter(group_id__in=group_ids)
    calling = [row for row in rows.order_by("-created_ms", "-pk")[:MOST] if _is_for(row.audience, staff)]
    mine = list({row.thread_seq or row.decision_id: row for row in reversed(calling)}.values())[::-1]
    if not mine:
        return ()
    seen = set(DeskAlarmSeen.objects.filter(staff_id=staff.pk, alarm__in=mine).values_list("alarm_id", flat=True))
    names = dict(Group.objects.filter(pk__in={row.group_id for row in mine}).values_list("pk", "name"))
    return tuple(
        AlarmRow(
            alarm_id=row.pk, kind=row.kind, group_id=row.group_id, group=names.get(row.group_id, ""), thread=row.thread_seq,
            case_id=row.decision_id if row.kind == "case" else "", need=row.need, level=row.level, waited_s=row.waited_s,
            created_ms=row.created_ms, seen=row.pk in seen,
        )
        for row in mine
    )  # fmt: skip


def do_see(*, staff: Staff, group_ids: Collection[int] | None, now_ms: int) -> int:
    """Note that somebody has noticed all that calls them; return how many were new. What is noticed still waits."""
    new = [row.alarm_id for row in alarms_for(staff, group_ids) if not row.seen]
    rows = [DeskAlarmSeen(alarm_id=pk, staff_id=staff.pk, seen_ms=now_ms) for pk in new]
    DeskAlarmSeen.objects.bulk_create(rows, ignore_conflicts=True)
    return len(new)


def _of_clock(decision: DeskDecision, now_ms: int) -> DeskAlarm:
    audience = decision.to if decision.verdict == "escalate" else decision.on_duty or (EVERYBODY,)
    return DeskAlarm(
        decision_id=decision.decision_id, kind=decision.verdict, group_id=decision.group_id, thread_seq=decision.thread,
        need=decision.need, level=decision.level if decision.verdict == "escalate" else 0, waited_s=decision.waited_s,
        audience=list(audience), created_ms=now_ms,
    )  # fmt: skip


def _of_case(decision: Decision, now_ms: int) -> DeskAlarm:
    return DeskAlarm(
        decision_id=decision.decision_id, kind="case", group_id=decision.group_id, need=decision.category,
        audience=list(MANAGERS), created_ms=now_ms,
    )  # fmt: skip


def _accounts() -> frozenset[str]:
    """Return the roles and login names that lead to somebody who can sign in."""
    active = Staff.objects.filter(is_active=True).values_list("role", "username")
    return frozenset(name for row in active for name in row)


def _reachable(audience: Sequence[str], known: frozenset[str], kind: str) -> list[str]:
    if EVERYBODY in audience or any(name in known for name in audience):
        return list(audience)
    # Named by ids of the platform only: the call must not go into the void.
    return [*audience, EVERYBODY] if kind == "late" else [*audience, *LAST]


def _is_for(audience: Collection[str], staff: Staff) -> bool:
    return EVERYBODY in audience or staff.role in audience or staff.username in audience


def _clear(which: Q, now_ms: int) -> None:
    DeskAlarm.objects.filter(which, cleared_ms=None).update(cleared_ms=now_ms)
