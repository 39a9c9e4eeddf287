"""Count active people: daily, over seven and thirty days, and how often they come."""

from __future__ import annotations

from collections.abc import Sequence

import ibis

from qunce.analytics.rolling import people_by_day
from qunce.analytics.tables import (
    ACTIVE_TYPES,
    CLICKED,
    MESSAGE,
    Expr,
    Params,
    Tables,
    acted,
    cells,
    count_people,
    counted,
    happened,
    monday,
    people,
    scoped,
    total,
    whole_sum,
    with_totals,
)  # fmt: skip


def dau(tables: Tables, params: Params) -> Expr:
    """Return person-days and days per cell; their quotient is the average number of people active a day."""
    if set(params.by) <= {"day", "week"}:
        daily = _by_day(tables, params, numerator=1)
        if "day" in params.by:
            return daily.mutate(denominator=ibis.literal(1, "int64"))
        daily = daily.mutate(week=monday(daily.day))
        names = ["week"] if "week" in params.by else []
        return _per_day(total(daily, names, numerator=whole_sum(daily.numerator)), params)
    rows, names = cells(tables, params, happened(tables, params, ACTIVE_TYPES))
    once = rows.select(*dict.fromkeys([*names, "day"]), "person").distinct()
    return _per_day(total(once, names, numerator=once.count()), params)


def wau(tables: Tables, params: Params) -> Expr:
    """Return people active in the 7 days ending on each day, or at the end of the period."""
    return _rolling(tables, params, 7)


def mau(tables: Tables, params: Params) -> Expr:
    """Return people active in the 30 days ending on each day, or at the end of the period."""
    return _rolling(tables, params, 30)


def stickiness(tables: Tables, params: Params) -> Expr:
    """Return the share of the month's active people who come on a day: average DAU of 30 days ÷ MAU."""
    if params.by == ("day",):
        return _by_day(tables, params, numerator=1, denominator=30)
    month = params.last(30)
    rows, names = cells(tables, month, happened(tables, month, ACTIVE_TYPES))
    once = rows.select(*names, "day", "person").distinct()
    persons = once.group_by([*names, "person"]).agg(came=once.count())
    return total(persons, names, numerator=whole_sum(persons.came), denominator=persons.count() * 30)


def messages(tables: Tables, params: Params) -> Expr:
    """Return the number of messages of members per cell."""
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    return total(rows, names, messages=rows.count())


def speakers(tables: Tables, params: Params) -> Expr:
    """Return the number of people who spoke per cell."""
    if params.by == ("day",):
        return people_by_day(tables, params, acted(tables, params, (MESSAGE,)), speakers=1)
    rows, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    return count_people(rows, names, "speakers")


def engagement_rate(tables: Tables, params: Params) -> Expr:
    """Return people active in the period, of the people who were in the groups at any time of it."""
    return _of_those_there(tables, params, ACTIVE_TYPES)


def click_rate(tables: Tables, params: Params) -> Expr:
    """Return people who clicked a tracked link in the period, of the people who were in the groups at any time of it."""
    return _of_those_there(tables, params, (CLICKED,))


def interactions_per_member(tables: Tables, params: Params) -> Expr:
    """Return messages and reactions per cell, and the active people times the days of the cell."""
    rows, names = cells(tables, params, happened(tables, params, ACTIVE_TYPES))
    persons = rows.group_by([*names, "person"]).agg(done=whole_sum(counted(rows.type != CLICKED)))
    counts = total(persons, names, numerator=whole_sum(persons.done), people=persons.count())
    counts = _per_day(counts, params)
    return counts.mutate(denominator=counts.denominator * counts.people).drop("people")


def _of_those_there(tables: Tables, params: Params, types: Sequence[int]) -> Expr:
    rows, names = cells(tables, params, happened(tables, params, types))
    active = count_people(rows, names, "numerator")
    present, names = cells(tables, params, members_between(tables, params, params.since_day, params.until_day))
    there = count_people(present, names, "denominator")
    return with_totals(there, active, names, "numerator").select(*names, "numerator", "denominator")


def members_between(tables: Tables, params: Params, first_day: int, last_day: int) -> Expr:
    """Return memberships that existed at some time from `first_day` to `last_day`, with `person`."""
    rows = people(tables, scoped(tables, params, tables.memberships), "identity_id")
    return rows.filter((rows.first_day <= last_day) & ((rows.left_day == 0) | (rows.left_day >= first_day)))


def _rolling(tables: Tables, params: Params, window_days: int) -> Expr:
    if params.by == ("day",):
        return _by_day(tables, params, people=window_days)
    window = params.last(window_days)
    rows, names = cells(tables, window, happened(tables, window, ACTIVE_TYPES))
    return count_people(rows, names, "people")


def _by_day(tables: Tables, params: Params, **windows: int) -> Expr:
    reaching_back = params.last(params.days + max(windows.values()) - 1)
    return people_by_day(tables, params, acted(tables, reaching_back, ACTIVE_TYPES), **windows)


def _per_day(rows: Expr, params: Params) -> Expr:
    if "day" in params.by:
        return rows.mutate(denominator=ibis.literal(1, "int64"))
    if "week" not in params.by:
        return rows.mutate(denominator=ibis.literal(params.days, "int64"))
    end = ibis.least(rows.week + 6, params.until_day)
    start = ibis.greatest(rows.week, params.since_day)
    return rows.mutate(denominator=(end - start + 1).cast("int64"))
