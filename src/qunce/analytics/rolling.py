"""Count people over rolling windows of days in one pass.

Each person's active days become bits of a few integers; a window of days is a mask over them. Counting who was active in any
of 90 overlapping 30-day windows then needs one aggregation of the facts to one row per person, instead of a distinct count
per window. Measured on 20 million facts: 90 values of MAU cost what 90 values of DAU cost.
"""

from __future__ import annotations

from typing import Final

import ibis

from qunce.analytics.tables import Expr, Params, Tables, during, people, whole_sum

BITS: Final = 60
"""Days per integer; below 63 so that no engine meets the sign bit."""


def people_by_day(tables: Tables, params: Params, acts: Expr, **windows: int) -> Expr:
    """Return (day, one column per window): for each day of the period, persons who acted in the days that end on it.

    `acts` are rows of `tables.acted`, reaching back as far as the longest window does. `windows` names each column and gives
    its length in days. Days on which nobody counts in the longest window are left out.
    """
    longest = max(windows, key=lambda name: windows[name])
    starts = range(params.since_day - windows[longest] + 1, params.until_day + 1, BITS)
    masks = [f"m{i}" for i in range(len(starts))]
    # Accounts first, persons after: so the few exceptions meet one row per account instead of one per act.
    accounts = acts.group_by("actor").agg(**{m: _bits_of(acts.day, start) for m, start in zip(masks, starts, strict=True)})
    accounts = people(tables, accounts, "actor")
    persons = accounts.group_by("person").agg(**{m: accounts[m].bit_or() for m in masks})
    days = during(params, tables.days)
    spans = ibis.union(*[_windows(days, starts, length) for length in dict.fromkeys(windows.values())], distinct=False)
    hit = ibis.or_(*[(persons[m] & spans[f"w{i}"]) != 0 for i, m in enumerate(masks)])
    pairs = persons.inner_join(spans, hit)
    counts = pairs.group_by(["day", "span"]).agg(n=pairs.count())
    columns = {name: whole_sum(ibis.ifelse(counts.span == length, counts.n, 0)) for name, length in windows.items()}
    return counts.group_by("day").agg(**columns).order_by("day")


def _windows(days: Expr, starts: range, length: int) -> Expr:
    masks = {f"w{i}": _window(days.day, start, length) for i, start in enumerate(starts)}
    return days.select("day", span=ibis.literal(length).cast("int32"), **masks)


def _bits_of(day: Expr, start: int) -> Expr:
    inside = (day >= start) & (day < start + BITS)
    offset = ibis.ifelse(inside, day - start, 0)
    return ibis.ifelse(inside, _power(offset), ibis.literal(0).cast("int64")).bit_or()


def _window(day: Expr, start: int, window_days: int) -> Expr:
    """Return the bits of the days from `day` - `window_days` + 1 to `day` that fall into the integer beginning at `start`."""
    low = ibis.greatest(day - (window_days - 1) - start, 0)
    high = ibis.least(day - start, BITS - 1)
    length = ibis.greatest(high - low + 1, 0)
    return (_power(length) - 1) * _power(ibis.least(low, BITS - 1))


def _power(exponent: Expr) -> Expr:
    return ibis.literal(1).cast("int64") << exponent.cast("int32")
