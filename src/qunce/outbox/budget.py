"""Keep within what a platform allows: the generic cell rate algorithm, one number a rule.

GCRA (ITU-T I.371): with interval T between calls and burst B, a call at `now` conforms when max(tat, now) - now ≤ (B - 1) × T;
then tat = max(tat, now) + T. The number is stored in the transaction that claims, so that claim and budget cannot part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qunce.outbox.models import Budget


@dataclass(frozen=True, slots=True)
class Rate:
    """`calls` per `seconds`, of which `burst` at once."""

    name: str
    calls: int
    seconds: int
    burst: int = 1

    @property
    def interval_ms(self) -> int:
        return self.seconds * 1_000 // self.calls


def conforming(tat_ms: int, now_ms: int, rate: Rate, wanted: int) -> int:
    """Return how many of `wanted` calls may be made now."""
    ahead = max(0, tat_ms - now_ms)
    free = rate.burst * rate.interval_ms - ahead
    return max(0, min(wanted, free // rate.interval_ms))


def take(connector: str, account: str, rates: Sequence[Rate], wanted: int, now_ms: int) -> int:
    """Take up to `wanted` calls from every rule's budget and return how many. Call inside the claiming transaction."""
    rows = []
    for rate in rates:
        row, _ = Budget.objects.select_for_update().get_or_create(connector=connector, account=account, rule=rate.name)
        full = now_ms + rate.burst * rate.interval_ms
        if row.tat_ms > full:
            # The clock was set back: that must not lock the channel for as long as it was ahead.
            row.tat_ms = full
            row.save(update_fields=["tat_ms"])
        wanted = conforming(row.tat_ms, now_ms, rate, wanted)
        rows.append((row, rate))
    if wanted:
        for row, rate in rows:
            row.tat_ms = max(row.tat_ms, now_ms) + wanted * rate.interval_ms
            row.save(update_fields=["tat_ms"])
    return wanted


def next_free_ms(connector: str, account: str, rates: Sequence[Rate], now_ms: int) -> int:
    """Return the moment one more call conforms to every rule."""
    moment = now_ms
    for rate in rates:
        row = Budget.objects.filter(connector=connector, account=account, rule=rate.name).first()
        if row is not None:
            moment = max(moment, row.tat_ms - (rate.burst - 1) * rate.interval_ms)
    return moment
