"""Count what traits of members are made from; the scores are arithmetic in `analytics.traits`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import ibis

from qunce.analytics.metrics.orders import counted_orders
from qunce.analytics.tables import MESSAGE, REACTION, Expr, Params, Tables, happened, people, scoped, whole_sum, with_totals

ENGAGED_DAYS: Final = 30
LOYAL_DAYS: Final = 84
"""Twelve weeks."""
BOUGHT_DAYS: Final = 365
KEY: Final = ["person"]


def inputs(tables: Tables, params: Params, currency: str) -> Expr:
    """Return one row of integers for each member there ever was in a group, or who bought; days end with `params.until_day`."""
    month, weeks, year = (params.last(days) for days in (ENGAGED_DAYS, LOYAL_DAYS, BOUGHT_DAYS))
    spoken = happened(tables, month, (MESSAGE,))
    asked = people(tables, scoped(tables, month, tables.questions), "identity_id")
    asked = asked.filter((asked.day >= month.since_day) & (asked.day <= month.until_day))
    orders = counted_orders(tables, year)
    rows = people(tables, scoped(tables, params, tables.memberships), "identity_id").select("person")
    rows = ibis.union(rows, orders.select("person"), distinct=True)
    steady = happened(tables, weeks, (MESSAGE, REACTION))
    steady = steady.mutate(week=((params.until_day - steady.day) / 7).cast("int32"))
    counts = {
        "messages": spoken.group_by(KEY).agg(n=spoken.count()),
        "days": _different(spoken, "day"),
        "questions": asked.group_by(KEY).agg(n=asked.count()),
        "replies": _replies(tables, spoken),
        "reactions": _counted(happened(tables, month, (REACTION,))),
        "weeks": _different(steady, "week"),
        "orders_month": _counted(counted_orders(tables, month)),
    }
    for name, found in counts.items():
        rows = with_totals(rows, found.rename(**{name: "n"}), KEY, name)
    return with_totals(rows, bought(orders, currency), KEY, "orders", "last_day", "money").order_by("person")


def bought(orders: Expr, currency: str) -> Expr:
    """Return for each buyer how many orders, the newest local day, and what they come to in one currency."""
    own = ibis.ifelse(orders.currency == currency, orders.net_minor, 0)
    return orders.group_by(KEY).agg(orders=orders.count(), last_day=orders.day.max().cast("int64"), money=whole_sum(own))


def _replies(tables: Tables, spoken: Expr) -> Expr:
    """Count messages that reply to another member."""
    peers = tables.facts.filter(tables.facts.peer != 0).select("seq", "peer")
    answered = people(tables, spoken.rename(author="person").inner_join(peers, "seq"), "peer")
    answered = answered.filter(answered.person != answered.author)
    return answered.drop("person").rename(person="author").group_by(KEY).agg(n=lambda found: found.count())


def _counted(rows: Expr) -> Expr:
    return rows.group_by(KEY).agg(n=rows.count())


def _different(rows: Expr, column: str, keys: Sequence[str] = ("person",)) -> Expr:
    once = rows.select(*keys, column).distinct()
    return once.group_by(list(keys)).agg(n=once.count())
