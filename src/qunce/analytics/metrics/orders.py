"""Count what members buy: orders, revenue, revenue per buyer, order value, repeat purchase."""

from __future__ import annotations

from dataclasses import replace

from qunce.analytics.tables import Expr, Params, Tables, cells, counted, during, people, scoped, total, whole_sum


def counted_orders(tables: Tables, params: Params) -> Expr:
    """Return the orders that count: paid in the period, by members, not wholly refunded; with `person` and `net_minor`.

    Orders belong to people, not to groups: with a choice of groups, orders of people who were ever in one of them.
    """
    rows = people(tables, during(params, tables.purchases), "identity_id")
    rows = rows.filter((rows.is_paid == 1) & ((rows.refunded_minor == 0) | (rows.refunded_minor < rows.amount_minor)))
    if params.group_ids is not None:
        inside = people(tables, scoped(tables, params, tables.memberships), "identity_id")
        rows = rows.semi_join(inside.select("person").distinct(), "person")
    return rows.mutate(net_minor=rows.amount_minor - rows.refunded_minor)


def orders(tables: Tables, params: Params) -> Expr:
    """Return the number of counted orders per cell."""
    rows, names = cells(tables, params, counted_orders(tables, params))
    return total(rows, names, orders=rows.count())


def revenue(tables: Tables, params: Params) -> Expr:
    """Return the net amount of counted orders per cell and currency."""
    rows, names = cells(tables, params, counted_orders(tables, params))
    return total(rows, [*names, "currency"], revenue_minor=whole_sum(rows.net_minor))


def revenue_per_buyer(tables: Tables, params: Params) -> Expr:
    """Return net revenue and the people it came from, per cell and currency."""
    rows, names = cells(tables, params, counted_orders(tables, params))
    names = [*names, "currency"]
    buyers = rows.group_by([*names, "person"]).agg(paid_minor=whole_sum(rows.net_minor))
    return total(buyers, names, numerator=whole_sum(buyers.paid_minor), denominator=buyers.count())


def aov(tables: Tables, params: Params) -> Expr:
    """Return net revenue and the number of orders it came from, per cell and currency."""
    rows, names = cells(tables, params, counted_orders(tables, params))
    return total(rows, [*names, "currency"], numerator=whole_sum(rows.net_minor), denominator=rows.count())


def repeat_purchase(tables: Tables, params: Params) -> Expr:
    """Return people with two or more counted orders in the period, of all buyers of the period."""
    rows = counted_orders(tables, params)
    buyers = rows.group_by("person").agg(bought=rows.count())
    return buyers.agg(numerator=whole_sum(counted(buyers.bought >= 2)), denominator=buyers.count())


def repeat_orders_per_month(tables: Tables, params: Params) -> Expr:
    """Return 30 × the repeat orders of the period, and its buyers × its days.

    Of a buyer's orders all but one are repeat orders if the first ever was paid in the period, else all of them.
    """
    rows = counted_orders(tables, replace(params, since_day=0))
    buyers = rows.group_by("person").agg(first_day=rows.day.min(), bought=whole_sum(counted(rows.day >= params.since_day)))
    buyers = buyers.filter(buyers.bought > 0)
    repeated = buyers.bought - counted(buyers.first_day >= params.since_day)
    return buyers.agg(numerator=whole_sum(repeated) * 30, denominator=buyers.count() * params.days)
