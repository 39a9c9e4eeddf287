"""Find the members a community lives from, with the counts that say why. The score is arithmetic anybody can check."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Final

import ibis

from qunce.analytics.metrics.orders import counted_orders
from qunce.analytics.tables import JOINED, MESSAGE, REACTION, Expr, Params, Tables, acted, cells, happened, people, with_totals

WINDOW_DAYS: Final = 90
MOST: Final = 100
"""People shown; of each group a quarter of them when cut by group."""
PARTS: Final = (
    ("answers", 10, 300), ("repliers", 8, 250), ("invited", 3, 500), ("orders", 3, 500), ("reactions", 20, 50),
    ("days", 20, 50),
)  # fmt: skip
"""Count, the number that earns everything, and hundredths of a point for each; together 100 points."""


def ranked(tables: Tables, params: Params) -> Expr:
    """Return the members with the most points over the last days of the period, and each count, highest first."""
    params = params.last(WINDOW_DAYS)
    spoken, names = cells(tables, params, happened(tables, params, (MESSAGE,)))
    keys = [*names, "person"]
    met = _met(tables, params)
    invited = met.filter(met.type == JOINED)
    rows = ibis.union(spoken.select(*keys), invited.select(*keys), distinct=True)
    counts = {
        "messages": spoken.group_by(keys).agg(n=spoken.count()),
        "days": _different(spoken, keys, "day"),
        "answers": _answers(tables, params, keys),
        "repliers": _different(met.filter(met.type == MESSAGE), keys, "other"),
        "reactions": met.filter(met.type == REACTION).group_by(keys).agg(n=lambda found: found.count()),
        "invited": _different(invited, keys, "other"),
    }
    for name, found in counts.items():
        rows = with_totals(rows, found.rename(**{name: "n"}), keys, name)
    bought = counted_orders(tables, params).group_by("person").agg(orders=lambda found: found.count())
    rows = with_totals(rows, bought, ["person"], "orders")
    return _best(rows, names)


def _met(tables: Tables, params: Params) -> Expr:
    """Return what members did to members: `person` met it, `other` did it."""
    rows = acted(tables, params, (MESSAGE, REACTION, JOINED))
    peers = tables.facts.select("seq", "peer").filter(tables.facts.peer != 0)
    rows = people(tables, rows.inner_join(peers, "seq"), "actor").rename(other="person")
    rows = people(tables, rows, "peer")
    return rows.filter(rows.person != rows.other)


def _answers(tables: Tables, params: Params, keys: Sequence[str]) -> Expr:
    """Count the messages that reply to a question of another member."""
    replies = happened(tables, params, (MESSAGE,))
    asked = people(tables, tables.questions, "identity_id").select(asked_seq="seq", asker="person")
    found = replies.filter(replies.reply_to != 0).inner_join(asked, replies.reply_to == asked.asked_seq)
    found = found.filter(found.asker != found.person)
    return found.group_by(list(keys)).agg(n=found.count())


def _different(rows: Expr, keys: Sequence[str], column: str) -> Expr:
    once = rows.select(*keys, column).distinct()
    return once.group_by(list(keys)).agg(n=once.count())


def _best(rows: Expr, names: Sequence[str]) -> Expr:
    points = reduce(add, [ibis.least(rows[name], ibis.literal(most)) * unit for name, most, unit in PARTS])
    rows = rows.mutate(points=points.cast("int64"))
    order = ibis.window(group_by=list(names) or None, order_by=[ibis.desc("points"), "person"])
    best = rows.mutate(place=ibis.row_number().over(order))
    best = best.filter(best.place < (MOST // 4 if names else MOST))
    columns = [*names, "person", "points", *[name for name, _most, _unit in PARTS], "messages"]
    return best.select(*columns).order_by([*names, ibis.desc("points"), "person"])
