"""Ask for metrics without ever waiting: what is known is shown, what is not is being made while the page asks again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from django.utils.translation import gettext_lazy

from qunce.analytics.health import PARTS
from qunce.analytics.registry import Metric, get_metric
from qunce.analytics.service import results
from qunce.analytics.tables import By, Params
from qunce.console.formats import english
from qunce.console.period import Period

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

    from qunce.analytics.registry import Counts
    from qunce.analytics.result import Result

State = Literal["ready", "updating", "pending", "failed"]
HEALTH_DAYS = 28


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What is known about a metric now. `updating` shows an older result while a new one is made."""

    metric: Metric
    result: Result | None
    state: State

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Rows as mappings; empty while there is no result."""
        return [] if self.result is None else self.result.dicts()

    @property
    def row(self) -> dict[str, Any]:
        """The only row of a metric that is not cut; empty while there is none."""
        rows = self.rows
        return rows[0] if rows else {}

    @property
    def value(self) -> float | int | None:
        """The value of a metric that is not cut; None = unknown, or nothing to divide by."""
        found: float | int | None = self.row.get(self.metric.value)
        return found


def ask(metric_id: str, period: Period, group_ids: frozenset[int] | None, by: By | None = None) -> Answer:
    """Return what is known, and have a fresh result made where there is none. Raises MetricError as the registry does."""
    metric = get_metric(metric_id)
    params = Params(since_day=period.since, until_day=period.until, by=(by,) if by else (), group_ids=group_ids)
    fresh = results().ensure(metric_id, params)
    result = results().get(metric_id, params)
    if fresh and result is not None:
        return Answer(metric=metric, result=result, state="ready")
    if results().has_failed(metric_id, params):
        return Answer(metric=metric, result=result, state="failed")
    return Answer(metric=metric, result=result, state="updating" if result else "pending")


def worst(*answers: Answer) -> State:
    """Return the state of a card made from several answers."""
    states = {answer.state for answer in answers}
    order: tuple[State, ...] = ("failed", "pending", "updating", "ready")
    return next(state for state in order if state in states)


def name(metric: Metric) -> str:
    """Return a metric's name in the page's language."""
    return metric.name_en if english() else metric.name_zh


def definition(metric: Metric) -> str:
    """Return a metric's definition in the page's language."""
    return metric.definition_en if english() else metric.definition_zh


COUNTS: Final[dict[Counts, _StrPromise | str]] = {
    "person": gettext_lazy("按人：同一个人的几个账号只计一次"),
    "membership": gettext_lazy("按“人 × 群”：同一个人在两个群里计两次，同群的几个账号只计一次"),
    "group": gettext_lazy("按群：群里的人按人计，几个账号只计一次"),
    "event": gettext_lazy("按条（消息、提问、订单）：不数人，哪个账号的都算"),
}


def counted(metric: Metric) -> str:
    """Return what a metric counts once, in words."""
    return str(COUNTS[metric.counts])


def exclusions(metric: Metric) -> str:
    """Return whom a metric leaves out, in the page's language."""
    return metric.exclusions_en if english() else metric.exclusions_zh


def denominator(metric: Metric) -> str:
    """Return what a metric divides by, in the page's language; empty = it is a count."""
    chinese, _bar, other = metric.denominator.partition(" | ")
    return other if english() and other else chinese


def health(until: int) -> tuple[dict[int, float], list[dict[str, Any]], State]:
    """Return every group's health score over the 28 days up to `until`: scores by group, whole rows, and the state.

    Always asked for all groups, so that all readers share one result; pages show their own groups of it.
    """
    answer = ask("group_health", Period(days=HEALTH_DAYS, until=until), None)
    scores = {row["group_id"]: row["value"] for row in answer.rows if row["value"] is not None}
    return scores, answer.rows, answer.state


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthPart:
    """One part of a group's health: points earned of its weight; None = left out, there is no data for it."""

    name: str
    formula: str
    points: float | None
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupHealth:
    """A group's score with its parts, or the reason it has none (`too_small`, `too_new`)."""

    score: float | None
    reason: str
    parts: tuple[HealthPart, ...]


def group_health(group_id: int, until: int) -> tuple[GroupHealth | None, State]:
    """Return the health of one group over the 28 days up to `until`; None = not known (yet)."""
    _scores, rows, state = health(until)
    row = next((row for row in rows if row["group_id"] == group_id), None)
    if row is None:
        return None, state
    parts = tuple(
        HealthPart(
            name=part.name_en if english() else part.name_zh, formula=part.formula_en if english() else part.formula_zh,
            points=row[f"points_{part.id}"], weight=part.weight,
        )
        for part in PARTS
    )  # fmt: skip
    return GroupHealth(score=row["value"], reason=row["reason"], parts=parts), state
