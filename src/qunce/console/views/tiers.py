"""Show the tiers of members: how many are on which level, who they are, and who moved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, charts, pages
from qunce.console.jinja import say
from qunce.console.views.playbook import may_publish
from qunce.readmodels.selectors import tiers as selectors
from qunce.runtime.clock import now_ms
from qunce.runtime.live import sheets, shipped
from qunce.runtime.organisation import currency
from qunce.runtime.tiers import sorting, views

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PERIODS: Final = (7, 30, 90, 365)
DAY_MS: Final = 86_400_000


@require_safe
@requires("tier.view")
def tiers(request: HttpRequest) -> HttpResponse:
    """List the schemes with how many members are on which level."""
    may_edit = may_publish(request)
    context = {
        "standing": views.standing(asked.visible(request)), "may_sort": can(asked.staff_of(request), "tier.sort"),
        "may_edit": may_edit, "drafted": may_edit and "tiers" not in shipped.lacking(sheets.draft_files()[0]),
    }  # fmt: skip
    return pages.render(request, "tiers", context, active="tiers")


@require_safe
@requires("tier.view")
def tier(request: HttpRequest, scheme_id: str) -> HttpResponse:
    """Show one scheme: its levels with conditions and advice, the people on one of them, and who moved."""
    visible = asked.visible(request)
    standing = views.standing(visible)
    scheme = next((scheme for scheme in standing.schemes if scheme.scheme_id == scheme_id), None)
    if scheme is None:
        raise Http404
    days = asked.number(request, "days")
    days = days if days in PERIODS else 30
    level = scheme.level(asked.text(request, "level")) or scheme.levels[0]
    rows, following = selectors.on_level(
        scheme_id, level.level_id, visible, lowest=level.lowest, after=asked.number(request, "after") or 0
    )
    flows = selectors.flows(scheme_id, (standing.as_of_ms or now_ms()) - days * DAY_MS, visible)
    titles = {item.level_id: say(item.title) for item in scheme.levels}
    order = [item.level_id for item in scheme.levels]
    context: dict[str, Any] = {
        "standing": standing, "scheme": scheme, "level": level, "rows": rows, "next": following, "days": days,
        "periods": PERIODS, "flows": flows, "titles": titles, "moves": selectors.moves(scheme_id, visible),
        "flow_chart": charts.flow(flows, titles, order) if flows else None, "currency": currency(),
        "rise": {(old, new): _rises(order, old, new) for old, new, _count in flows},
    }  # fmt: skip
    return pages.render(request, "tier", context, active="tiers")


@require_POST
@requires("tier.sort")
def sort_members(request: HttpRequest) -> HttpResponse:
    """Have all members sorted anew, in the background."""
    sorting.start(actor=asked.staff_of(request))
    messages.success(request, _("已开始重新分层，完成后这里会更新。"))
    return redirect("tiers")


def _rises(order: list[str], old: str, new: str) -> bool:
    """Tell whether a move goes up; levels that no longer exist count as the lowest."""
    places = {level: place for place, level in enumerate(order)}
    return places.get(new, len(order)) < places.get(old, len(order))
