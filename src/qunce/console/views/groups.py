"""List groups, and show one from every side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from qunce.accounts.access import can, requires
from qunce.console import asked, figures, formats, pages
from qunce.readmodels.selectors import groups as selectors
from qunce.readmodels.selectors.days import newest_day

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_GET
@requires("group.view")
def groups(request: HttpRequest) -> HttpResponse:
    """List the visible groups."""
    visible = asked.visible(request)
    narrow = selectors.GroupFilter(
        text=asked.text(request), community_id=asked.number(request, "community"), connector=asked.text(request, "platform", 40)
    )
    sort = asked.choice(request, "sort", selectors.SORTS, "needs")
    descending = asked.choice(request, "dir", ("asc", "desc"), "asc" if sort == "name" else "desc") == "desc"
    until = newest_day(visible)
    health = figures.health(until)[0] if until is not None else {}
    page = selectors.list_groups(
        visible,
        narrow=narrow,
        sort=sort,
        descending=descending,
        page=asked.number(request, "page") or 1,
        until=until or 0,
        health=health,
    )
    context = {
        "page": page,
        "narrow": narrow,
        "filtered": narrow != selectors.GroupFilter(),
        "sort": sort,
        "descending": descending,
        "sorts": _sorts(),
        "until": until,
        "now_ref": formats.start_of((until or 0) + 1),
        "choices": selectors.choices(visible),
        "any_group": page.total > 0 or selectors.any_group(visible),
        "may_import": can(request.user, "import.run"),
    }
    return pages.render(request, "groups", context, active="groups")


def _sorts() -> tuple[tuple[str, str], ...]:
    return (
        ("needs", _("按待回应")), ("health", _("按健康分")), ("members", _("按成员数")), ("messages", _("按 7 日消息")),
        ("joined", _("按进群")), ("left", _("按退群")), ("last", _("按最近消息")), ("name", _("按群名")),
    )  # fmt: skip
