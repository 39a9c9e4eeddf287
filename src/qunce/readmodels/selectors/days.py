"""Say which days have data, and sum up days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Max, Sum

from qunce.readmodels.models import GroupDay

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
    """Return the newest day with anything in it; None = no data at all."""
    rows = GroupDay.objects.all() if visible is None else GroupDay.objects.filter(group_id__in=visible)
    newest: int | None = rows.aggregate(newest=Max("day"))["newest"]
    return newest


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
