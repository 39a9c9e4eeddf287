"""Explain every metric, and show its numbers by day, week and group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from qunce.accounts import audit
from qunce.accounts.access import can, requires
from qunce.analytics import charts as arranged
from qunce.analytics.registry import Metric, MetricError, all_metrics, get_metric
from qunce.console import asked, charts, columns, downloads, figures, pages
from qunce.console.period import LENGTHS, Period, period_of
from qunce.readmodels.selectors import groups
from qunce.readmodels.selectors.days import newest_counted_day
from qunce.runtime.organisation import currency

if TYPE_CHECKING:
    from django.http import HttpRequest

    from qunce.analytics.tables import By

CUTS: Final[tuple[By, ...]] = ("day", "week", "group", "community")
SHOWN_ROWS: Final = 200


@require_safe
@requires("metric.view")
def metrics(request: HttpRequest) -> HttpResponse:
    """List all metrics with their definitions and their values of the period."""
    visible = asked.visible(request)
    newest = newest_counted_day(visible)
    period = period_of(request, newest) if newest is not None else None
    listed = [_entry(metric, period, visible) for metric in all_metrics()]
    waiting = any(entry["answer"] and entry["answer"].state in ("pending", "updating") for entry in listed)
    context = {
        "metrics": listed,
        "period": period,
        "lengths": LENGTHS,
        "newest": newest,
        "waiting": waiting,
        "currency": currency(),
    }
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "metrics", "list", context)
    return pages.render(request, "metrics", context, active="metrics")


def _entry(metric: Metric, period: Period | None, visible: frozenset[int] | None) -> dict[str, Any]:
    single = metric.id not in MANY_ROWS
    answer = figures.ask(metric.id, period, visible) if period and single else None
    value = columns.own(answer, currency()).get(metric.value) if answer else None
    return {"metric": metric, "answer": answer, "value": value}


MANY_ROWS: Final = frozenset({"retention", "funnel", "heat_map", "content_kinds", "group_health", "value_members"})
"""Metrics whose answer is a table, not a number."""


@require_safe
@requires("metric.view")
def metric(request: HttpRequest, metric_id: str) -> HttpResponse:
    """Explain one metric and show its numbers."""
    found = _metric(metric_id)
    visible = asked.visible(request)
    newest = newest_counted_day(visible)
    by = _cut(request, found)
    context: dict[str, Any] = {
        "metric": found, "by": by, "cuts": _cuts(found), "lengths": LENGTHS, "newest": newest, "currency": currency(),
        "example": columns.table(found, [dict(row) for row in found.example.rows], {}, currency(), linked=False),
        "may_export": can(asked.staff_of(request), "metric.export"),
    }  # fmt: skip
    if newest is not None:
        context |= _numbers(found, period_of(request, newest), visible, by)
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "metric", "numbers", context)
    return pages.render(request, "metric", context, active="metrics")


@require_safe
@requires("metric.export")
def metric_csv(request: HttpRequest, metric_id: str) -> HttpResponse:
    """Hand out a metric's numbers as CSV; where they are still being made, go back and say so."""
    found = _metric(metric_id)
    visible = asked.visible(request)
    by, newest = _cut(request, found), newest_counted_day(visible)
    if newest is None:
        raise Http404
    period = period_of(request, newest)
    answer = figures.ask(metric_id, period, visible, by)
    if answer.result is None:
        messages.error(request, _("这些数字还在计算，请稍后再导出。"))
        return redirect("metric", metric_id)
    names = groups.names([row["group_id"] for row in answer.rows if "group_id" in row])
    header, rows = columns.plain(answer.rows, names)
    audit.record(
        actor=asked.staff_of(request), action="metric.exported", target_type="metric", target_id=metric_id,
        after={"by": by, "since_day": period.since, "until_day": period.until, "rows": len(rows)},
    )  # fmt: skip
    return downloads.table("csv", f"{metric_id}-{by or 'total'}", header, rows)


def _numbers(found: Metric, period: Period, visible: frozenset[int] | None, by: By | None) -> dict[str, Any]:
    answer = figures.ask(found.id, period, visible, by)
    total = figures.ask(found.id, period, visible) if by and found.id not in MANY_ROWS else answer
    rows = columns.own_rows(answer.rows, currency()) if by in ("day", "week") else answer.rows
    names = groups.names([row["group_id"] for row in rows[:SHOWN_ROWS] if row.get("group_id")])
    names |= groups.community_names() if by == "community" else {}
    return {
        "period": period, "answer": answer, "total": total, "value": columns.own(total, currency()).get(found.value),
        "chart": _chart(found, answer, by), "rows_all": len(rows), "single": found.id not in MANY_ROWS,
        "table": columns.table(found, rows[-SHOWN_ROWS:] if by in ("day", "week") else rows[:SHOWN_ROWS], names, currency()),
    }  # fmt: skip


def _chart(found: Metric, answer: figures.Answer, by: By | None) -> dict[str, object] | None:
    if answer.result is None or by not in ("day", "week") or found.id in MANY_ROWS or not answer.rows:
        return None
    if found.unit == "minor" and len({row.get("currency") for row in answer.rows}) > 1:
        return None
    line = arranged.over_time(answer.result)
    scale = 100 if found.unit == "minor" else 1
    values = [None if value is None else value / scale for value in line.values]
    drawn = [charts.series(figures.name(found), values, kind="area")]
    if by == "day" and len(values) >= 14:
        drawn.append(charts.series(_("7 日均线"), charts.moving_mean(values), kind="mean", color=2))
    return charts.over_days(line.days, *drawn, unit="ratio" if found.unit == "ratio" else "")


def _metric(metric_id: str) -> Metric:
    try:
        return get_metric(metric_id)
    except MetricError as error:
        raise Http404 from error


def _cut(request: HttpRequest, found: Metric) -> By | None:
    allowed = [cut for cut in CUTS if cut in found.by]
    over_time = next((cut for cut in ("day", "week") if cut in allowed), "")
    chosen = request.GET.get("by", over_time if found.id not in MANY_ROWS else "")
    return next((cut for cut in allowed if cut == chosen), None)


def _cuts(found: Metric) -> list[tuple[str, str]]:
    names = {"day": _("按天"), "week": _("按周"), "group": _("按群"), "community": _("按社群")}
    return [("none", _("合计")), *((cut, names[cut]) for cut in CUTS if cut in found.by)]
