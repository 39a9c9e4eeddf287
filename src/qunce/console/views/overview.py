"""Show how things stand: what waits, what moved, which groups are well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from qunce.accounts.access import can, requires
from qunce.analytics import charts as arranged
from qunce.console import asked, charts, figures, formats, heat, pages
from qunce.console.period import COOKIE, LENGTHS, Period, period_of
from qunce.readmodels.selectors import group as group_selectors
from qunce.readmodels.selectors import groups
from qunce.readmodels.selectors.days import newest_counted_day
from qunce.runtime import jobs
from qunce.runtime.live.views import waiting
from qunce.runtime.organisation import currency

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

    Card = Callable[[HttpRequest, Period], dict[str, Any]]

OLD_DAYS = 3
"""Data whose newest day is older than this gets a remark: the page shows the past."""
HEALTH_ROWS = 8
RETENTION_SCALE = 0.5
"""Share at which the heat map is darkest; weekly retention above a half is rare."""
YEAR_S = 365 * 24 * 3600


@require_GET
@requires("overview.view")
def overview(request: HttpRequest) -> HttpResponse:
    """Show the dashboard; figures that are not known yet arrive by themselves."""
    visible = asked.visible(request)
    newest = newest_counted_day(visible)
    staff = asked.staff_of(request)
    context: dict[str, Any] = {
        "newest": newest, "lengths": LENGTHS, "may_import": can(staff, "import.run"), "imports": _imports(request),
    }  # fmt: skip
    if newest is None:
        return pages.render(request, "overview", context, active="overview")
    period = period_of(request, newest)
    context |= {
        "period": period, "needs": group_selectors.needs_me(visible, until=newest), "now_ref": formats.start_of(newest + 1),
        "old": newest < formats.today() - OLD_DAYS, "may_measure": can(staff, "metric.view"),
        "waiting": waiting(visible) if can(staff, "case.view") else None,
    }  # fmt: skip
    for card in CARDS.values():
        context |= card(request, period)
    response = pages.render(request, "overview", context, active="overview")
    if request.GET.get("days"):
        response.set_cookie(COOKIE, str(period.days), max_age=YEAR_S, samesite="Lax", httponly=True)
    return response


@require_GET
@requires("overview.view")
def overview_card(request: HttpRequest, card: str) -> HttpResponse:
    """Return one card of the dashboard, for a page that waits for it."""
    newest = newest_counted_day(asked.visible(request))
    if card not in CARDS or newest is None:
        raise Http404
    period = period_of(request, newest)
    context = {"period": period, "lengths": LENGTHS, "may_measure": can(asked.staff_of(request), "metric.view")}
    return pages.render_block(request, "overview", card, context | CARDS[card](request, period))


def _kpis(request: HttpRequest, period: Period) -> dict[str, Any]:
    visible = asked.visible(request)
    tiles = [
        _tile("dau", "users", _("每日平均，%(days)s 天") % {"days": period.days}, period, visible),
        _tile("joined", "user-plus", _("%(days)s 天合计") % {"days": period.days}, period, visible),
        _tile("first_response", "clock-pause", "", period, visible, column="median_s", good_up=False),
        _retention_tile(period, visible),
        _tile("engagement_rate", "activity", "", period, visible),
        _tile("leave_rate", "user-minus", "", period, visible, good_up=False),
        _tile("conversion", "shopping-cart", "", period, visible),
        _tile("revenue_per_buyer", "receipt", "", period, visible),
    ]
    return {"tiles": tiles, "kpis_state": figures.worst(*(tile["answer"] for tile in tiles))}


def _tile(
    metric_id: str,
    icon: str,
    note: str,
    period: Period,
    visible: frozenset[int] | None,
    *,
    column: str = "",
    good_up: bool = True,
) -> dict[str, Any]:
    now = figures.ask(metric_id, period, visible)
    before = figures.ask(metric_id, period.before(), visible)
    row, earlier = _own_currency(now), _own_currency(before)
    name = column or now.metric.value
    return {
        "metric": now.metric, "icon": icon, "answer": now, "value": row.get(name), "before": earlier.get(name),
        "unit": "seconds" if column == "median_s" else now.metric.unit, "good_up": good_up,
        "note": note or _basis(metric_id, row),
        "title": _("首响时长中位") if column == "median_s" else figures.name(now.metric),
    }  # fmt: skip


def _retention_tile(period: Period, visible: frozenset[int] | None) -> dict[str, Any]:
    """Pool the cohorts of the period: those who came again in the week after, of all whose week after has passed."""
    now, before = (figures.ask("retention", span, visible) for span in (period, period.before()))
    kept, of = _second_week(now)
    kept_before, of_before = _second_week(before)
    return {
        "metric": now.metric, "icon": "repeat", "answer": now, "value": kept / of if of else None,
        "before": kept_before / of_before if of_before else None, "unit": "ratio", "good_up": True, "title": _("次周留存"),
        "note": _("%(some)s / %(all)s 位新成员") % {"some": formats.number(kept), "all": formats.number(of)},
    }  # fmt: skip


def _second_week(answer: figures.Answer) -> tuple[int, int]:
    rows = [row for row in answer.rows if row["weeks"] == 1]
    return sum(row["numerator"] for row in rows), sum(row["denominator"] for row in rows)


def _own_currency(answer: figures.Answer) -> dict[str, Any]:
    rows = answer.rows
    if rows and "currency" in rows[0]:
        return next((row for row in rows if row["currency"] == currency()), {})
    return answer.row


def _basis(metric_id: str, row: dict[str, Any]) -> str:
    """Return what a ratio rests on, in numbers."""
    counts = {key: formats.number(value) for key, value in row.items() if isinstance(value, int)}
    if not counts:
        return ""
    match metric_id:
        case "first_response":
            return _("%(answered)s / %(questions)s 个提问有人答") % counts
        case "engagement_rate":
            return _("%(numerator)s / %(denominator)s 位在群成员") % counts
        case "leave_rate":
            return _("%(numerator)s / %(denominator)s 个期初身份") % counts
        case "conversion":
            return _("%(numerator)s / %(denominator)s 位发言成员") % counts
        case _:
            return _("%(denominator)s 位购买成员") % counts


def _trend(request: HttpRequest, period: Period) -> dict[str, Any]:
    visible = asked.visible(request)
    wide = Period(days=period.days + 6, until=period.until)
    daily, speakers = figures.ask("dau", wide, visible, "day"), figures.ask("speakers", period, visible, "day")
    active = {row["day"]: row["value"] for row in daily.rows}
    spoke = {row["day"]: row["speakers"] for row in speakers.rows}
    days = list(range(period.since, period.until + 1))
    mean = charts.moving_mean([active.get(day, 0) for day in range(wide.since, wide.until + 1)])[6:]
    chart = charts.over_days(
        days,
        charts.series(_("日活"), [active.get(day, 0) for day in days], kind="area"),
        charts.series(_("7 日均线"), mean, kind="mean", color=2),
        charts.series(_("发言人数"), [spoke.get(day, 0) for day in days], kind="bar", color=3, soft=True),
    )
    return {"trend": chart, "trend_state": figures.worst(daily, speakers)}


def _funnel(request: HttpRequest, period: Period) -> dict[str, Any]:
    answer = figures.ask("funnel", period, asked.visible(request))
    names = {"joined": _("进群"), "spoke": _("首次发言"), "ordered": _("首次下单")}
    steps = [{**row, "name": names[row["step"]]} for row in answer.rows]
    return {"funnel_steps": steps, "funnel_state": answer.state}


def _retention(request: HttpRequest, period: Period) -> dict[str, Any]:
    answer = figures.ask("retention", Period(days=max(period.days, 63), until=period.until), asked.visible(request))
    found = arranged.cohorts(answer.result)[-10:] if answer.result else ()
    rows = [{"cohort": one, "cells": heat.grid([one.shares], largest=RETENTION_SCALE)[0]} for one in found]
    return {
        "cohorts": rows, "cohort_weeks": max((len(one.shares) for one in found), default=0), "retention_state": answer.state,
    }  # fmt: skip


def _hours(request: HttpRequest, period: Period) -> dict[str, Any]:
    answer = figures.ask("heat_map", period, asked.visible(request))
    counts = arranged.week_grid(answer.result) if answer.result else ()
    busiest = max(((count, day, hour) for day, row in enumerate(counts) for hour, count in enumerate(row)), default=(0, 0, 0))
    return {
        "hours": heat.grid(counts), "hours_total": sum(map(sum, counts)), "weekdays": formats.weekdays(), "busiest": busiest,
        "hours_state": answer.state,
    }  # fmt: skip


def _health(request: HttpRequest, period: Period) -> dict[str, Any]:
    _scores, rows, state = figures.health(period.until)
    visible = asked.visible(request)
    mine = [row for row in rows if visible is None or row["group_id"] in visible]
    scored = sorted((row for row in mine if row["value"] is not None), key=lambda row: (row["value"], row["group_id"]))
    shown = scored[:HEALTH_ROWS]
    names = groups.names([row["group_id"] for row in shown])
    listed = [{**row, "name": names[row["group_id"]]} for row in shown if row["group_id"] in names]
    return {"health_rows": listed, "health_scored": len(scored), "health_all": len(mine), "health_state": state}


def _imports(request: HttpRequest) -> list[Any]:
    if not can(asked.staff_of(request), "import.view"):
        return []
    return [job for job in jobs.recent("import", 15) if not job.params.get("dry_run")][:5]


CARDS: Final[dict[str, Card]] = {
    "kpis": _kpis, "trend": _trend, "funnel": _funnel, "retention": _retention, "hours": _hours, "health": _health,
}  # fmt: skip
