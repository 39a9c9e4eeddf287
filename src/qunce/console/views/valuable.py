"""Show the members a community lives from, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from qunce.accounts.access import can, requires
from qunce.analytics.metrics.value_members import PARTS, WINDOW_DAYS
from qunce.console import asked, figures, pages
from qunce.console.period import Period
from qunce.readmodels.models import Member
from qunce.readmodels.selectors import groups
from qunce.readmodels.selectors.days import newest_counted_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

UNIT: Final = {name: unit for name, _most, unit in PARTS}
MOST: Final = {name: most for name, most, _unit in PARTS}
TOLD_BY_SOURCE: Final = ("answers", "repliers", "invited", "reactions")
"""Counts that are 0 everywhere where a source does not tell replies, reactions or inviters."""


@require_safe
@requires("tier.view")
def valuable(request: HttpRequest) -> HttpResponse:
    """Rank the members of all groups, or of one."""
    visible = asked.visible(request)
    group_id = asked.number(request, "group")
    if group_id is not None and visible is not None and group_id not in visible:
        raise Http404
    newest = newest_counted_day(visible)
    context: dict[str, Any] = {
        "newest": newest, "group_id": group_id, "group_names": groups.names([group_id]) if group_id is not None else {},
        "window": WINDOW_DAYS, "may_measure": can(asked.staff_of(request), "metric.view"), "parts": PARTS,
    }  # fmt: skip
    if newest is not None:
        scope = frozenset({group_id}) if group_id is not None else visible
        answer = figures.ask("value_members", Period(days=WINDOW_DAYS, until=newest), scope)
        names = dict(Member.objects.filter(pk__in=[row["person"] for row in answer.rows]).values_list("pk", "name"))
        context |= {
            "answer": answer, "names": names, "rows": [(row, _reasons(row)) for row in answer.rows if row["person"] in names],
            "untold": bool(answer.rows) and not any(row[name] for row in answer.rows for name in TOLD_BY_SOURCE),
        }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "valuable", "ranking", context)
    return pages.render(request, "valuable", context, active="valuable")


def _reasons(row: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return why somebody ranks, in words with the points each earned, most first."""
    words = {
        "answers": ngettext("回答了 %(n)s 个提问", "回答了 %(n)s 个提问", row["answers"]),
        "repliers": ngettext("%(n)s 位成员回复过 TA", "%(n)s 位成员回复过 TA", row["repliers"]),
        "invited": ngettext("带来 %(n)s 位新成员", "带来 %(n)s 位新成员", row["invited"]),
        "orders": ngettext("%(n)s 笔订单", "%(n)s 笔订单", row["orders"]),
        "reactions": ngettext("收到 %(n)s 次表态", "收到 %(n)s 次表态", row["reactions"]),
        "days": ngettext("%(n)s 天发言", "%(n)s 天发言", row["days"]),
    }
    earned = [(name, min(row[name], MOST[name]) * UNIT[name] / 100) for name in words if row[name]]
    return [(words[name] % {"n": row[name]}, points) for name, points in sorted(earned, key=lambda one: -one[1])]
