"""Count people over rolling windows of days in one pass.

Each person's active days become bits of a few integers; a window of days is a mask over them. Counting who was active in any
of 90 overlapping 30-day windows then needs one aggregation of the facts to one row per person, instead of a distinct count
per window. Measured on 20 million facts: 90 values of MAU cost what 90 values of DAU cost.
"""

from __future__ import annotations

from typing import Final

import ibis

from qunce.analytics.tables import Expr, Params, Tables, counted, during

BITS: Final = 60
"""Days per integer; below 63 so that no engine meets the sign bit."""


def people_by_day(tables: Tables, params: Params, rows: Expr, **windows: int) -> Expr:
    """Return (day, one column per window): for each day of the period, persons with a row in the days that end on it.

    `windows` names each column and gives its length in days. `rows` must reach back as far as the longest window does. Days on
    which nobody counts in the longest window are left out.
    """
    longest = max(windows, key=lambda name: windows[name])
    starts = range(params.since_day - windows[longest] + 1, params.until_day + 1, BITS)
    persons = rows.group_by("person").agg(**{f"m{i}": _bits_of(rows.day, start) for i, start in enumerate(starts)})
    days = during(params, tables.days)
    masks = {
        f"{name}_w{i}": _window(days.day, start, length) for name, length in windows.items() for i, start in enumerate(starts)
    }
    days = days.select("day", **masks)

    def hit(left: Expr, right: Expr, name: str) -> Expr:
        return ibis.or_(*[(left[f"m{i}"] & right[f"{name}_w{i}"]) != 0 for i in range(len(starts))])

    pairs = persons.inner_join(days, hit(persons, days, longest))
    counts = {name: pairs.count() if name == longest else counted(hit(pairs, pairs, name)).sum() for name in windows}
    return pairs.group_by("day").agg(**counts).select("day", *windows).order_by("day")


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
