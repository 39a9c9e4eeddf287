"""Say which days have data, and sum up days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Exists, Max, OuterRef, Q, Sum

from qunce.readmodels.models import GroupDay, Membership, Order

if TYPE_CHECKING:
    from collections.abc import Collection

Visible = frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCounts:
    """What happened on one local day."""

    day: int
    messages: int
    joined: int
    left: int


def newest_day(visible: Visible = None) -> int | None:
    """Return the newest day on which anything happened in a group; None = there is no such day."""
    rows = GroupDay.objects.all() if visible is None else GroupDay.objects.filter(group_id__in=visible)
    newest: int | None = rows.aggregate(newest=Max("day"))["newest"]
    return newest


def newest_counted_day(visible: Visible = None) -> int | None:
    """Return the newest day metrics have something to count on: in a group, or an order paid; None = no data at all.

    With a choice of groups, orders of people who were ever in one of them, as in the metrics.
    """
    orders = Order.objects.filter(Q(paid_ms__isnull=False) | Q(status__in=("paid", "refunded")))
    if visible is not None:
        inside = Membership.objects.filter(group_id__in=visible, identity__member=OuterRef("identity__member"))
        orders = orders.filter(Exists(inside))
    bought = orders.order_by("-day").values_list("day", flat=True).first()
    found = [day for day in (newest_day(visible), bought) if day is not None]
    return max(found, default=None)


def daily(since: int, until: int, group_ids: Collection[int] | None) -> tuple[DayCounts, ...]:
    """Return every day from `since` to `until`, both included, with days without data as zeros. None = all groups."""
    rows = GroupDay.objects.filter(day__range=(since, until))
    if group_ids is not None:
        rows = rows.filter(group_id__in=group_ids)
    sums = {
        day: (messages, joined, left)
        for day, messages, joined, left in rows.order_by()
        .values_list("day")
        .annotate(Sum("messages"), Sum("joined"), Sum("left"))
    }
    return tuple(
        DayCounts(day=day, messages=messages, joined=joined, left=left)
        for day in range(since, until + 1)
        for messages, joined, left in (sums.get(day, (0, 0, 0)),)
    )
