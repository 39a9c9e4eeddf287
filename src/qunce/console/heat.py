"""Grade numbers into the eight steps of a heat map. Drawn as plain tables, which can be read, printed and spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

STEPS: Final = 7


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its value (None = there is none) and its step, 0 (nothing) to 7 (most)."""

    value: float | int | None
    step: int


def step(value: float | None, largest: float) -> int:
    """Return the step of a value on a scale that ends at `largest`."""
    if not value or largest <= 0 or value <= 0:
        return 0
    return max(1, min(STEPS, round(value / largest * STEPS)))


def grid(rows: Sequence[Sequence[float | None]], largest: float | None = None) -> list[list[Cell]]:
    """Return the cells of a table; the scale ends at `largest`, else at the largest value there is."""
    top = largest if largest is not None else max((value for row in rows for value in row if value is not None), default=0)
    return [[Cell(value, step(value, top)) for value in row] for row in rows]


def monday(day: int) -> int:
    """Return the Monday of a day's week; day 0 was a Thursday."""
    return day - (day + 3) % 7


def strip(counts: Mapping[int, int], since: int, until: int) -> list[list[tuple[int, Cell] | None]]:
    """Return seven rows, Monday first, of one column a week: (day, cell), None for days after `until`."""
    # One very busy day must not make all others look like nothing.
    ordered = sorted(counts.values())
    top = ordered[int(len(ordered) * 0.9)] if ordered else 0
    weeks = range(monday(since), until + 1, 7)
    return [
        [(first + weekday, _cell(counts, first + weekday, top)) if first + weekday <= until else None for first in weeks]
        for weekday in range(7)
    ]


def _cell(counts: Mapping[int, int], day: int, top: int) -> Cell:
    return Cell(counts.get(day, 0), step(counts.get(day, 0), top))
