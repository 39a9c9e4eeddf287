"""Set down what a group is for, measure it by its goals, and decide about groups that fade."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, grouping, pages
from qunce.readmodels.models import GroupChart
from qunce.readmodels.selectors import group as selectors
from qunce.readmodels.selectors.days import newest_counted_day
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.grouping import charter as use_case

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

QUESTIONS: Final = ("goal", "fit", "cost")
FIELDS: Final[tuple[Literal["group_type", "phase", "decision"], ...]] = ("group_type", "phase", "decision")
VALUES: Final = ("for_brand", "for_member", "for_product", "threshold")


@require_safe
@requires("group.view", group="group_id")
def group_charter(request: HttpRequest, group_id: int) -> HttpResponse:
    """Show a group's charter, its phase with reasons, and its goals with what was measured."""
    return pages.render(request, "group_charter", _context(request, group_id), active="groups")


@require_POST
@requires("group.change", group="group_id")
def set_charter(request: HttpRequest, group_id: int) -> HttpResponse:
    """Store the charter; what cannot be stored is shown again with what is wrong."""
    staff = asked.staff_of(request)
    try:
        charter = _charter(request)
        use_case.do_set_charter(actor=staff, group_id=group_id, charter=charter)
    except (ValueError, msgspec.ValidationError, CommandRefused):
        problem = _("没有保存：目标要是不小于 0 的数，占比写 0 到 100，日期写成 2026-12-31。")
        context = _context(request, group_id) | {"posted": request.POST, "problem": problem}
        return pages.render(request, "group_charter", context, active="groups", status=422)
    messages.success(request, _("定位已保存。"))
    return redirect("group-charter", group_id)


@require_POST
@requires("group.change", group="group_id")
def chart_group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Set a group's type or phase, or decide about a proposal."""
    field = next((known for known in FIELDS if known == request.POST.get("field")), None)
    if field is None:
        raise Http404
    reason = request.POST.get("reason", "").replace("\x00", "").strip()[:300]
    try:
        use_case.do_chart(
            actor=asked.staff_of(request), group_ids=[group_id], field=field, value=request.POST.get("value", ""), reason=reason
        )
        messages.success(request, _("已记下。"))
    except CommandRefused:
        messages.error(request, _("没有保存：没有这个选项。"))
    return redirect("group-proposals") if field == "decision" else redirect("group-charter", group_id)


@require_safe
@requires("group.view")
def group_proposals(request: HttpRequest) -> HttpResponse:
    """List the groups that want reviving, merging or retiring, with the reasons."""
    visible = asked.visible(request)
    until = newest_counted_day(visible)
    context: dict[str, Any] = {"until": until, "may_decide": can(asked.staff_of(request), "group.change")}
    if until is not None:
        numbers = grouping.known(until)
        types = dict(GroupChart.objects.filter(field="group_type").values_list("group_id", "value"))
        fresh = now_ms() - grouping.DECIDED_MS
        decided = {
            row.group_id: row for row in GroupChart.objects.filter(field="decision", set_ms__gte=fresh).exclude(value="")
        }
        rows = grouping.proposals(numbers, visible, types, decided)
        context |= {
            "state": numbers.state, "titles": grouping.PROPOSALS,
            "rows": [row for row in rows if row.decided is None], "decided": [row for row in rows if row.decided is not None],
        }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "group_proposals", "listed", context)
    return pages.render(request, "group_proposals", context, active="group-proposals")


def _context(request: HttpRequest, group_id: int) -> dict[str, Any]:
    head = selectors.head(group_id)
    if head is None:
        raise Http404
    staff = asked.staff_of(request)
    set_down = use_case.of_group(group_id)
    charter = use_case.read(set_down["charter"].value if "charter" in set_down else "")
    until = newest_counted_day()
    numbers = grouping.known(until) if until is not None else None
    judged = grouping.phase(numbers, group_id) if numbers else None
    return {
        "head": head, "tab": "charter", "charter": charter, "set_down": set_down, "types": grouping.TYPES,
        "phases": grouping.PHASES, "advice": grouping.PHASE_ADVICE, "goal_titles": grouping.GOALS, "units": use_case.METRICS,
        "judged": judged, "judged_reasons": grouping.reasons(judged) if judged else (),
        "measured": grouping.measured(charter, numbers, group_id) if numbers else [], "until": until,
        "state": numbers.state if numbers else "ready", "most_goals": use_case.MOST_GOALS, "posted": None, "problem": "",
        "may_change_group": can(staff, "group.change", group_id=group_id),
    }  # fmt: skip


def _charter(request: HttpRequest) -> use_case.Charter:
    texts = {
        name: request.POST.get(name, "").replace("\x00", "").strip() for name in ("purpose", *QUESTIONS, *VALUES)
    }  # fmt: skip
    goals = []
    for metric, target, way, until in zip(
        request.POST.getlist("metric"), request.POST.getlist("target"), request.POST.getlist("way"),
        request.POST.getlist("until"), strict=True,
    ):  # fmt: skip
        if not metric or not target.strip():
            continue
        value = float(target) / (100 if use_case.METRICS.get(metric) == "ratio" else 1)
        goals.append({"metric": metric, "target": value, "at_least": way != "most", **({"until": until} if until else {})})
    return msgspec.convert({**texts, "goals": goals}, use_case.Charter)
