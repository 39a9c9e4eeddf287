"""Say what was measured: figures with their targets and baselines, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One row of the table."""

    case: str
    """What `--only` takes."""
    name: str
    size: str
    value: float
    """Median of the runs."""
    best: float | None = None
    by_cpu: float | None = None
    """The same figure with only the CPU time of the process counted: what a busy machine changes least."""
    runs: int = 1
    unit: str
    target: float | None = None
    """What `value` should reach or stay under; None = no target was set."""
    more_is_better: bool = False
    of_core: bool = False
    """True = what one core does is asked for: `by_cpu` is held against the target and the baseline, which is by CPU too."""
    cpu_s: float | None = None
    """CPU seconds of the process that did the work, all runs together; a database server's own are not in it."""
    peak_mb: float | None = None
    """Most memory that process held, in MiB."""
    baseline: str = ""
    baseline_value: float | None = None
    """The same work done the baseline's way, measured in this run, in the same unit."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the baseline; None = no baseline. Below 1 means worse."""
        if not self.baseline_value or not self.held:
            return None
        return self.held / self.baseline_value if self.more_is_better else self.baseline_value / self.held

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None = there is none."""
        if self.target is None:
            return None
        return self.held >= self.target if self.more_is_better else self.held <= self.target

    @property
    def held(self) -> float:
        """What is held against target and baseline."""
        return self.by_cpu if self.of_core and self.by_cpu is not None else self.value

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


_HEADS = ("row", "size", "figure", "best", "by CPU", "n", "unit", "target", "met", "CPU s", "peak MB", "ratio", "baseline")
_LEFT = frozenset({"row", "size", "unit", "met", "baseline"})


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as aligned plain text."""
    rows = [_HEADS, *(_cells(figure) for figure in figures)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEADS))]
    lines = []
    for row in rows:
        cells = [
            cell.ljust(width) if head in _LEFT else cell.rjust(width)
            for head, cell, width in zip(_HEADS, row, widths, strict=True)
        ]
        lines.append("  ".join(cells).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines) + "\n"


def _cells(figure: Figure) -> tuple[str, ...]:
    sign = "≥ " if figure.more_is_better else "≤ "
    baseline = f"{figure.baseline}: {number(figure.baseline_value)}" if figure.baseline_value is not None else ""
    return (
        figure.name, figure.size, number(figure.value), number(figure.best), number(figure.by_cpu), str(figure.runs),
        figure.unit,
        sign + number(figure.target) if figure.target is not None else "", _met(figure),
        number(figure.cpu_s), number(figure.peak_mb), f"{figure.ratio:.3g} ×" if figure.ratio else "", baseline,
    )  # fmt: skip


def _met(figure: Figure) -> str:
    said = {True: "yes", False: "NO", None: ""}[figure.met]
    return f"{said} CPU" if figure.of_core and said else said


def number(value: float | None) -> str:
    """Return a number with three digits that count; empty for None."""
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
