"""Arrange results as the series and grids that charts and tables draw: holes filled, cells in place, nothing about looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from qunce.analytics.registry import get_metric
from qunce.analytics.result import Result, Value
from qunce.analytics.tables import By

Number = int | float
_STEP_DAYS: Final[Mapping[str, int]] = {"day": 1, "week": 7}


@dataclass(frozen=True, slots=True)
class Series:
    """Values over local days (or Mondays). None = there is nothing to show, as a ratio of nothing; a count is then 0."""

    days: tuple[int, ...]
    values: tuple[Number | None, ...]


@dataclass(frozen=True, slots=True)
class Cohort:
    """People who first appeared in the week of `monday`, and the share of them active in week 0, 1, 2 …

    `partial` tells that the last share belongs to a week the period cuts short.
    """

    monday: int
    people: int
    shares: tuple[Number | None, ...]
    partial: bool


@dataclass(frozen=True, slots=True)
class Share:
    """One slice of a whole."""

    name: str
    value: Number
    share: float


def over_time(result: Result, column: str | None = None) -> Series:
    """Return a result cut by day or week, without holes; `column` None = the metric's value.

    Raises ValueError if the result is cut otherwise.
    """
    if result.by not in (("day",), ("week",)):
        raise ValueError("only results cut by day or week go over time")
    metric = get_metric(result.metric_id)
    cut: By = "day" if result.by == ("day",) else "week"
    column = column or metric.value
    empty = (
        None if metric.unit in ("ratio", "minor", "seconds", "score", "per_day", "per_month") and column == metric.value else 0
    )
    found = {row[cut]: _number(row[column]) for row in result.dicts()}
    first = result.since_day if cut == "day" else monday(result.since_day)
    days = tuple(range(first, result.until_day + 1, _STEP_DAYS[cut]))
    return Series(days, tuple(found.get(day, empty) for day in days))


def week_grid(result: Result) -> tuple[tuple[int, ...], ...]:
    """Return messages of `heat_map` as seven rows, Monday first, of 24 hours."""
    found = {(row["weekday"], row["hour"]): row["messages"] for row in result.dicts()}
    return tuple(tuple(_whole(found.get((weekday, hour), 0)) for hour in range(24)) for weekday in range(7))


def cohorts(result: Result) -> tuple[Cohort, ...]:
    """Return `retention` as one row per week of joining, oldest first."""
    found: dict[int, list[dict[str, Value]]] = {}
    for row in result.dicts():
        found.setdefault(_whole(row["cohort"]), []).append(row)
    return tuple(
        Cohort(
            monday=first,
            people=_whole(rows[0]["denominator"]),
            shares=tuple(_number(row["value"]) for row in rows),
            partial=first + 7 * len(rows) - 1 > result.until_day,
        )
        for first, rows in sorted(found.items())
    )


def shares(result: Result, name: str) -> tuple[Share, ...]:
    """Return the slices of a whole, largest first; `name` is the column that names them."""
    value = get_metric(result.metric_id).value
    rows = [(str(row[name]), _number(row[value]) or 0) for row in result.dicts()]
    whole = sum(number for _, number in rows)
    ordered = sorted(rows, key=lambda row: (-row[1], row[0]))
    return tuple(Share(title, number, number / whole if whole else 0.0) for title, number in ordered)


def monday(day: int) -> int:
    """Return the Monday on or before a local day (day 0 was a Thursday)."""
    return day - (day + 3) % 7


def _number(value: Value) -> Number | None:
    if isinstance(value, str):
        raise ValueError(f"not a number: {value!r}")
    return value


def _whole(value: Value) -> int:
    if not isinstance(value, int):
        raise ValueError(f"not a whole number: {value!r}")
    return value
