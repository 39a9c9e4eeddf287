"""Describe charts as plain data; charts.js draws them with the colours of the page's theme."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from django.utils.translation import gettext as _

from qunce.console import formats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from qunce.readmodels.selectors.days import DayCounts

Kind = Literal["line", "area", "mean", "bar"]
Value = float | int | None


def series(
    name: str, data: Sequence[Value], *, kind: Kind = "line", color: int = 1, soft: bool = False, stack: str | None = None
) -> dict[str, object]:
    """Return one series. `color` is a token's number, `mean` a dashed smooth line; None leaves a hole."""
    described: dict[str, object] = {"name": name, "data": list(data), "kind": kind, "color": color, "soft": soft}
    return described | {"stack": stack} if stack else described


def over_days(days: Sequence[int], *lines: dict[str, object], unit: str = "") -> dict[str, object]:
    """Return a chart over local days. `unit` is `ratio` for percentages, else empty."""
    return {"x": [formats.short_day(day) for day in days], "series": list(lines), "unit": unit}


def moving_mean(values: Sequence[Value], window: int = 7) -> list[float | None]:
    """Return the mean of each value and the `window` - 1 before it; None until the window is full or has a hole in it."""
    means: list[float | None] = []
    for end in range(1, len(values) + 1):
        part = [value for value in values[max(0, end - window) : end] if value is not None]
        means.append(round(sum(part) / window, 4) if len(part) == window else None)
    return means


def group_trend(days: Sequence[DayCounts]) -> dict[str, object]:
    """Return messages, joins and leaves of each day."""
    return over_days(
        [day.day for day in days],
        series(_("消息"), [day.messages for day in days], kind="area"),
        series(_("7 日均线"), moving_mean([day.messages for day in days]), kind="mean", color=2),
        series(_("进群"), [day.joined for day in days], kind="bar", color=3, soft=True),
        series(_("退群"), [day.left for day in days], kind="bar", color=5, soft=True),
    )


def flow(moves: Sequence[tuple[str, str, int]], titles: Mapping[str, str], order: Sequence[str]) -> dict[str, object]:
    """Return who moved from where (left) to where (right). `titles` names levels, `order` gives them colours, highest first."""
    known = [*order, *sorted({level for old, new, _count in moves for level in (old, new)} - set(order))]
    sides = [("<", {old for old, _new, _count in moves}), (">", {new for _old, new, _count in moves})]
    nodes = [
        {"id": f"{side}{level}", "name": titles.get(level, level), "color": known.index(level) % 6 + 1, "side": side}
        for side, levels in sides
        for level in known
        if level in levels
    ]
    return {"kind": "flow", "nodes": nodes, "links": [[f"<{old}", f">{new}", count] for old, new, count in moves]}
