"""Put deliveries in, claim them, and record what became of them.

Every change is a conditional update on the state it expects, so two dispatchers, a person and a crash cannot tear a row apart.
`now_ms` is always given.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet

from qunce.outbox.budget import Rate, take
from qunce.outbox.models import OPEN, Attempt, Delivery, Pause, State

LEASE_MS = 60_000
"""A call that has not come back by then is lost, with its worker."""
MAX_ATTEMPTS = 6
_BACKOFF_MS = (2_000, 10_000, 60_000, 300_000, 1_800_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A delivery to be made."""

    idem_key: str
    connector: str
    account: str
    conv_id: str
    group_id: int
    capability: str
    command: str
    expires_ms: int
    identity_id: int | None = None
    case_id: str = ""
    place: int = 0
    state: State = State.READY
    not_before_ms: int = 0
    reason: str = ""


def idem_key(*parts: object) -> str:
    """Return the key of a delivery from what makes it this one: case, action, target. Never a clock or chance."""
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:40]


def enqueue(plans: Sequence[Plan], now_ms: int) -> int:
    """Add deliveries that are not there yet; return how many were new. Call in the transaction of the decision."""
    before = Delivery.objects.filter(idem_key__in=[plan.idem_key for plan in plans]).count()
    rows = [
        Delivery(
            idem_key=plan.idem_key, connector=plan.connector, account=plan.account, conv_id=plan.conv_id,
            group_id=plan.group_id, identity_id=plan.identity_id, capability=plan.capability, command=plan.command,
            case_id=plan.case_id, place=plan.place, state=plan.state, reason=plan.reason, not_before_ms=plan.not_before_ms,
            expires_ms=plan.expires_ms, created_ms=now_ms, updated_ms=now_ms,
        )
        for plan in plans
    ]  # fmt: skip
    Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    return len({plan.idem_key for plan in plans}) - before


def waiting(connector: str, account: str, *, now_ms: int, limit: int) -> list[tuple[str, str]]:
    """Return which (capability, conversation) have something due, oldest first: each is claimed within its own budget."""
    due = Delivery.objects.filter(connector=connector, account=account, state__in=(State.READY, State.RETRYING))
    pairs = due.filter(not_before_ms__lte=now_ms).values_list("capability", "conv_id").annotate(oldest=Min("pk"))
    return [(capability, conv_id) for capability, conv_id, _ in pairs.order_by("oldest")[:limit]]


def claim(
    connector: str, account: str, *, by: str, now_ms: int, limit: int, rates: Sequence[Rate],
    only: tuple[str, str] | None = None,
) -> list[Delivery]:  # fmt: skip
    """Claim due deliveries of a channel account within its budget, oldest first; each is `sending` under a lease of `by`.

    What is too late expires here instead. A delivery of a case waits for those before it in the case. `only` claims one
    capability in one conversation; None = all of them.
    """
    with transaction.atomic():
        if Pause.objects.filter(connector=connector, account=account).exists():
            return []
        mine = Delivery.objects.filter(connector=connector, account=account)
        if only is not None:
            mine = mine.filter(capability=only[0], conv_id=only[1])
        late = mine.filter(state__in=(State.READY, State.RETRYING), expires_ms__lte=now_ms)
        late.update(state=State.EXPIRED, reason="too_late", updated_ms=now_ms)
        earlier = Delivery.objects.filter(case_id=OuterRef("case_id"), place__lt=OuterRef("place"), state__in=OPEN)
        due = (
            mine.filter(state__in=(State.READY, State.RETRYING), not_before_ms__lte=now_ms)
            .filter(Q(case_id="") | ~Exists(earlier))
            .order_by("not_before_ms", "pk")
        )
        rows = list(_locked(due)[:limit])
        allowed = take(connector, account, rates, len(rows), now_ms) if rows else 0
        chosen = rows[:allowed]
        Delivery.objects.filter(pk__in=[row.pk for row in chosen]).update(
            state=State.SENDING, lease_by=by, lease_until_ms=now_ms + LEASE_MS, attempts=F("attempts") + 1, updated_ms=now_ms
        )
        for row in chosen:
            row.state, row.lease_by, row.attempts = State.SENDING, by, row.attempts + 1
        return chosen


def _locked(rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    """Skip rows another dispatcher is claiming; on SQLite the transaction is the only writer anyway."""
    return rows.select_for_update(skip_locked=True) if connection.vendor == "postgresql" else rows


def finish(row: Delivery, *, outcome: str, code: str = "", receipt: str = "", retry_after_ms: int = 0, now_ms: int) -> bool:
    """Record how a claimed delivery ended: `done`, `retry`, `failed`, `unknown`, `human`, or `suppressed` before it was tried.

    Return False when the lease was lost meanwhile; then somebody else has decided, and nothing is changed but the attempt.
    """
    changes: dict[str, object] = {"lease_by": "", "lease_until_ms": None, "updated_ms": now_ms, "reason": code}
    if outcome == "retry" and row.attempts < MAX_ATTEMPTS:
        wait = max(retry_after_ms, _BACKOFF_MS[min(row.attempts, len(_BACKOFF_MS)) - 1])
        changes |= {"state": State.RETRYING, "not_before_ms": now_ms + wait}
    else:
        ends = {
            "done": State.DONE, "retry": State.FAILED, "failed": State.FAILED, "unknown": State.UNKNOWN,
            "suppressed": State.SUPPRESSED,
        }  # fmt: skip
        changes |= {"state": ends.get(outcome, State.HUMAN), "receipt": receipt}
    with transaction.atomic():
        Attempt.objects.create(delivery=row, at_ms=now_ms, outcome=outcome, code=code)
        held = Delivery.objects.filter(pk=row.pk, state=State.SENDING, lease_by=row.lease_by)
        return held.update(**changes) == 1


REPEATABLE = (
    "message.delete", "member.mute", "member.unmute", "member.kick", "member.ban", "member.unban", "join.approve",
)  # fmt: skip
"""What may be asked for twice on any platform: it says how things shall be, and the second time they are so already."""


def recover(connector: str, account: str, *, idempotent: bool, now_ms: int) -> int:
    """Take back deliveries whose worker was lost while calling; return how many.

    Where the channel takes our key they are tried again, and so is what is `REPEATABLE`. Of the rest nobody can know whether
    it left: `unknown`.
    """
    lost = Delivery.objects.filter(connector=connector, account=account, state=State.SENDING, lease_until_ms__lte=now_ms)
    if not lost.exists():
        return 0  # looked at often; an update that finds nothing would still wait for the database's one writer
    changes = {
        "reason": "worker_lost", "lease_by": "", "lease_until_ms": None, "not_before_ms": now_ms, "updated_ms": now_ms,
    }  # fmt: skip
    again = lost if idempotent else lost.filter(capability__in=REPEATABLE)
    return again.update(state=State.RETRYING, **changes) + lost.update(state=State.UNKNOWN, **changes)


def decide(ids: Collection[int], *, expect: State, state: State, staff_id: int, reason: str = "", now_ms: int) -> int:
    """Record a person's word on deliveries that are in state `expect`; return how many it reached."""
    rows = Delivery.objects.filter(pk__in=ids, state=expect)
    return rows.update(state=state, decided_by=staff_id, reason=reason, updated_ms=now_ms)


def cancel_case(case_id: str, *, reason: str, now_ms: int) -> int:
    """Cancel what has not left yet of a case; return how many."""
    waiting = (State.PROPOSED, State.READY, State.RETRYING, State.HUMAN)
    rows = Delivery.objects.filter(case_id=case_id, state__in=waiting)
    return rows.update(state=State.CANCELLED, reason=reason, updated_ms=now_ms)


def pause(connector: str, account: str, *, reason: str, now_ms: int) -> None:
    """Let a channel account send nothing until `resume`."""
    Pause.objects.update_or_create(connector=connector, account=account, defaults={"reason": reason, "since_ms": now_ms})


def resume(connector: str, account: str) -> None:
    """Let a channel account send again, from the rows as they are."""
    Pause.objects.filter(connector=connector, account=account).delete()
