"""Gather what the health score of a group is made from. The score itself is arithmetic in `analytics.health`."""

from __future__ import annotations

import ibis

from qunce.analytics.health import WINDOW_DAYS, last_days_of_weeks
from qunce.analytics.metrics.activity import members_between
from qunce.analytics.metrics.members import members_at
from qunce.analytics.metrics.talk import FAST_S, questions
from qunce.analytics.tables import (
    ACTIVE_TYPES,
    JOINED,
    LEFT,
    MESSAGE,
    Expr,
    Params,
    Tables,
    count_people,
    counted,
    happened,
    people,
    scoped,
    total,
    whole_sum,
    with_totals,
)  # fmt: skip

KEY = ["group_id"]


def inputs(tables: Tables, params: Params) -> Expr:
    """Return one row of integers per group that had a member in the period."""
    everybody = people(tables, scoped(tables, params, tables.memberships), "identity_id")
    first = total(everybody, KEY, first_day=everybody.first_day.min().cast("int64"))
    rows = count_people(members_between(tables, params, params.since_day, params.until_day), KEY, "members")
    rows = with_totals(rows, first, KEY, "first_day")
    start = count_people(members_at(tables, params, params.since_day), KEY, "members_start")
    rows = with_totals(rows, start, KEY, "members_start")
    hourly = _hourly(tables, params)
    persons = hourly.group_by(["group_id", "person"]).agg(said=whole_sum(hourly.said))
    rows = with_totals(rows, total(persons, KEY, active=persons.count()), KEY, "active")
    for name, kind in (("joined", JOINED), ("left", LEFT)):
        rows = with_totals(rows, count_people(happened(tables, params, (kind,)), KEY, name), KEY, name)
    rows = with_totals(rows, _talk(hourly), KEY, "messages", "two_way")
    rows = with_totals(rows, _busiest_three(persons), KEY, "busiest_three")
    return with_totals(rows, _answers(tables, params), KEY, "questions", "fast")


def weekly_inputs(tables: Tables, params: Params) -> Expr:
    """Return the integers of each group for the 28 days that end with each week of the period, with `week` (its Monday)."""
    weeks = [
        inputs(tables, params.ending(end).last(WINDOW_DAYS).cut()).mutate(week=ibis.literal(monday).cast("int32"))
        for monday, end in last_days_of_weeks(params.since_day, params.until_day)
    ]
    rows = ibis.union(*weeks, distinct=False) if len(weeks) > 1 else weeks[0]
    return rows.order_by(["week", "group_id"])


def _hourly(tables: Tables, params: Params) -> Expr:
    """Return who was active in which hour, with the messages said; everything about talk is folded from this, in one scan."""
    rows = happened(tables, params, ACTIVE_TYPES)
    return rows.group_by(["group_id", "day", "hour", "person"]).agg(said=whole_sum(counted(rows.type == MESSAGE)))


def _talk(hourly: Expr) -> Expr:
    """Count messages, and those said in an hour in which at least two members spoke in the group."""
    spoken = hourly.filter(hourly.said > 0)
    hours = spoken.group_by(["group_id", "day", "hour"]).agg(said=whole_sum(spoken.said), speakers=spoken.count())
    two_way = ibis.ifelse(hours.speakers >= 2, hours.said, 0).cast("int64")
    return total(hours, KEY, messages=whole_sum(hours.said), two_way=whole_sum(two_way))


def _busiest_three(persons: Expr) -> Expr:
    order = ibis.window(group_by="group_id", order_by=[ibis.desc("said"), "person"])
    ranked = persons.mutate(place=ibis.row_number().over(order))
    best = ranked.filter(ranked.place < 3)
    return total(best, KEY, busiest_three=whole_sum(best.said))


def _answers(tables: Tables, params: Params) -> Expr:
    rows = questions(tables, params)
    fast = counted((rows.response_s >= 0) & (rows.response_s <= FAST_S))
    return total(rows, KEY, questions=rows.count(), fast=whole_sum(fast))
