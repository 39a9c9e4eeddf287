"""Count members who come, go and stay: joins, leaves, leave rate, weekly retention, and the way to a first order."""

from __future__ import annotations

from typing import Final

import ibis

from qunce.analytics.metrics.activity import members_between
from qunce.analytics.metrics.orders import counted_orders
from qunce.analytics.tables import (
    ACTIVE_TYPES,
    JOINED,
    LEFT,
    MESSAGE,
    Expr,
    Params,
    Tables,
    cells,
    count_people,
    happened,
    monday,
    people,
    scoped,
    total,
    with_totals,
)  # fmt: skip

RETENTION_WEEKS: Final = 12


def joined(tables: Tables, params: Params) -> Expr:
    """Return the number of people who joined a group per cell, by reported joins."""
    rows, names = cells(tables, params, happened(tables, params, (JOINED,)))
    return count_people(rows, names, "joined")


def left(tables: Tables, params: Params) -> Expr:
    """Return the number of people who left a group or were removed per cell."""
    rows, names = cells(tables, params, happened(tables, params, (LEFT,)))
    return count_people(rows, names, "left")


def leave_rate(tables: Tables, params: Params) -> Expr:
    """Return memberships ended in the period, of the memberships that existed when it began."""
    ended, names = cells(tables, params, happened(tables, params, (LEFT,)))
    ended = ended.select(*dict.fromkeys([*names, "group_id", "person"])).distinct()
    ended = total(ended, names, numerator=ended.count())
    start = members_at(tables, params, params.since_day)
    start, names = cells(tables, params, start)
    start = start.select(*dict.fromkeys([*names, "group_id", "person"])).distinct()
    start = total(start, names, denominator=start.count())
    return with_totals(start, ended, names, "numerator").select(*names, "numerator", "denominator")


def members_at(tables: Tables, params: Params, day: int) -> Expr:
    """Return memberships that existed when local `day` began, with `person`."""
    return members_between(tables, params, day, day - 1)


def retention(tables: Tables, params: Params) -> Expr:
    """Return, for people who came in each week of the period, how many were active n weeks later."""
    seen = people(tables, scoped(tables, params, tables.memberships), "identity_id")
    first = seen.group_by("person").agg(first_day=seen.first_day.min())
    first = first.filter((first.first_day >= params.since_day) & (first.first_day <= params.until_day))
    first = first.select("person", cohort=monday(first.first_day))
    sizes = first.group_by("cohort").agg(denominator=first.count())
    rows = happened(tables, params, ACTIVE_TYPES)
    active = rows.select("person", week=monday(rows.day)).distinct()
    met = first.inner_join(active, "person")
    met = met.mutate(weeks=((met.week - met.cohort) / 7).cast("int32"))
    met = met.filter((met.weeks >= 0) & (met.weeks <= RETENTION_WEEKS))
    came = met.group_by(["cohort", "weeks"]).agg(numerator=met.count())
    spans = tables.days.filter(tables.days.day >= params.since_day - 6).filter(lambda days: days.day <= params.until_day)
    spans = spans.filter((spans.day + 3) % 7 == 0).select(week=spans.day)
    grid = sizes.inner_join(spans, sizes.cohort <= spans.week)
    grid = grid.mutate(weeks=((grid.week - grid.cohort) / 7).cast("int32"))
    grid = grid.filter(grid.weeks <= RETENTION_WEEKS).select("cohort", "weeks", "denominator")
    return with_totals(grid, came, ["cohort", "weeks"], "numerator").select("cohort", "weeks", "numerator", "denominator")


def funnel(tables: Tables, params: Params) -> Expr:
    """Return how many people joined in the period, then spoke, then paid an order, each after the step before."""
    joins = happened(tables, params, (JOINED,))
    joins = joins.group_by("person").agg(joined_ms=joins.ts_ms.min())
    spoken = happened(tables, params, (MESSAGE,)).select("person", "ts_ms").inner_join(joins, "person")
    spoken = spoken.filter(spoken.ts_ms >= spoken.joined_ms)
    spoken = spoken.group_by("person").agg(spoke_ms=spoken.ts_ms.min())
    orders = counted_orders(tables, params).select("person", "paid_ms").inner_join(spoken, "person")
    bought = orders.filter(orders.paid_ms >= orders.spoke_ms).select("person").distinct()
    step1 = joins.agg(people=joins.count()).mutate(step=ibis.literal(1, "int8"))
    step2 = spoken.agg(people=spoken.count()).mutate(step=ibis.literal(2, "int8"))
    step3 = bought.agg(people=bought.count()).mutate(step=ibis.literal(3, "int8"))
    steps = ibis.union(step1.select("step", "people"), step2.select("step", "people"), step3.select("step", "people"))
    return steps.order_by("step")


def conversion(tables: Tables, params: Params) -> Expr:
    """Return people who paid an order after they first spoke in the period, of the people who spoke in it."""
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    spoke = rows.group_by([*names, "person"]).agg(spoke_ms=rows.ts_ms.min())
    orders = counted_orders(tables, params).group_by("person").agg(paid_ms=ibis._.paid_ms.max())
    bought = spoke.inner_join(orders, "person")
    bought = bought.filter(bought.paid_ms >= bought.spoke_ms)
    buyers = total(bought, names, numerator=bought.count())
    everyone = total(spoke, names, denominator=spoke.count())
    return with_totals(everyone, buyers, names, "numerator").select(*names, "numerator", "denominator")
