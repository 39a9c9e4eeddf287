"""Say as of which moment people are judged: now, or the newest news of an archive."""

from __future__ import annotations

from typing import Final

from django.db.models import Max

from qunce.readmodels.models import Group, Order
from qunce.runtime.models import Channel

QUIET_MS: Final = 2 * 86_400_000
"""Without news for longer, data that nobody adds to are judged as of their newest news."""


def moment_of(now_ms: int) -> int:
    """Return the moment people are judged at.

    An old export would otherwise show only sleepers, and nobody who bought lately. Where a channel is connected time goes on:
    silence is news there.
    """
    newest = newest_ms()
    if newest is None or newest > now_ms - QUIET_MS or Channel.objects.filter(enabled=True).exists():
        return now_ms
    return newest


def newest_ms() -> int | None:
    """Return the moment of the newest news in a group or of an order; None = there is none."""
    groups = Group.objects.aggregate(newest=Max("last_ms"))["newest"]
    orders = Order.objects.aggregate(newest=Max("status_ms"))["newest"]
    return max((moment for moment in (groups, orders) if moment is not None), default=None)
