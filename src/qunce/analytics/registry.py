"""Say what each metric means, once: every number on screen, in exports and in the API comes from an entry here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from qunce.analytics.result import Row
from qunce.analytics.tables import By, Expr, Params, Tables

Counts = Literal["person", "membership", "group", "event"]
"""What is counted once: a person with all linked accounts, a person in a group, a group, or each message, question or order."""
Finish = Callable[[Sequence[dict[str, Any]], Params], list[dict[str, Any]]]
EXCLUSIONS_ZH = "员工、机器人、群马甲与系统账号；私聊与频道"
EXCLUSIONS_EN = "Staff, bots, house personas and system accounts; direct chats and channels"


class MetricError(Exception):
    """A metric cannot be had as asked. `code` is stable: `metric.unknown`, `metric.by`."""

    def __init__(self, code: str, **data: object) -> None:
        super().__init__(code, data)
        self.code = code
        self.data = data


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A worked example over `analytics.example`: the question, the rows that must come out, and the reckoning in words."""

    params: Params
    rows: tuple[Row, ...]
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric. `version` grows whenever the same data would give another number."""

    id: str
    name_zh: str
    name_en: str
    definition_zh: str
    definition_en: str
    unit: str
    """Of the value: `people`, `messages`, `memberships`, `ratio`, `orders`, `minor` (money), `seconds`, `score`,
    `per_day` (times a person and day), `per_month` (times a person and 30 days)."""
    value: str
    """Column that holds the value."""
    denominator: str = ""
    """What is divided by, in Chinese and English separated by ` | `; empty = a plain count."""
    exclusions_zh: str = EXCLUSIONS_ZH
    exclusions_en: str = EXCLUSIONS_EN
    version: int = 1
    by: tuple[By, ...] = ()
    """Ways it may be cut, one at a time."""
    counts: Counts
    algorithm: str
    """Page of docs/algorithms that works it through."""
    compute: Callable[[Tables, Params], Expr]
    finish: Finish | None = None
    example: Example

    def check(self, params: Params) -> None:
        """Raise MetricError if the metric cannot be cut as asked."""
        if len(params.by) > 1 or not set(params.by) <= set(self.by):
            raise MetricError("metric.by", metric=self.id, asked=params.by, allowed=self.by)


def all_metrics() -> tuple[Metric, ...]:
    """Return every metric, in the order in which people read them."""
    from qunce.analytics.catalogue import CATALOGUE

    return CATALOGUE


def get_metric(metric_id: str) -> Metric:
    """Return a metric. Raises MetricError `metric.unknown`."""
    for metric in all_metrics():
        if metric.id == metric_id:
            return metric
    raise MetricError("metric.unknown", metric=metric_id, known=tuple(metric.id for metric in all_metrics()))
