"""List groups, and show one from every side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from qunce.accounts import audit
from qunce.accounts.access import can, requires
from qunce.console import asked, downloads, figures, formats, pages
from qunce.console.grouping import TYPES
from qunce.console.labels import common_start, label
from qunce.readmodels.selectors import groups as selectors
from qunce.readmodels.selectors.days import newest_counted_day

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_EXPORTED: Final = 100_000


@require_GET
@requires("group.view")
def groups(request: HttpRequest) -> HttpResponse:
    """List the visible groups."""
    visible = asked.visible(request)
    until = newest_counted_day(visible)
    wish = _wish(request)
    page = _listed(request, wish, until, selectors.PAGE)
    staff = asked.staff_of(request)
    context = {
        "page": page, "narrow": wish.narrow, "filtered": wish.narrow != selectors.GroupFilter(), "sort": wish.sort,
        "descending": wish.descending, "sorts": _sorts(), "until": until, "now_ref": formats.start_of((until or 0) + 1),
        "choices": selectors.choices(visible), "any_group": page.total > 0 or selectors.any_group(visible),
        "may_import": can(staff, "import.run"), "may_export": can(staff, "metric.export"),
        "skip": common_start([row.name for row in page.rows]), "types": TYPES,
        "charted": selectors.charted([row.id for row in page.rows], "group_type"),
    }  # fmt: skip
    return pages.render(request, "groups", context, active="groups")


@require_GET
@requires("metric.export")
def export_groups(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out the list of groups, all pages of it, as a table."""
    until = newest_counted_day(asked.visible(request))
    found = _listed(request, _wish(request), until, MOST_EXPORTED).rows
    header = [
        _("群"), _("平台"), _("所属社群"), _("待回应"), _("在群人数"), _("在群账号"), _("7 日消息"), _("进群"), _("退群"),
        _("健康分"), _("最近消息"),
    ]  # fmt: skip
    rows = [
        (
            row.name, label("platform", row.connector), row.community, row.open_questions, row.member_count,
            row.account_count, row.messages, row.joined, row.left, row.health, formats.moment(row.last_message_ms),
        )
        for row in found
    ]  # fmt: skip
    audit.record(
        actor=asked.staff_of(request), action="group.exported", after={"rows": len(rows), "format": kind, "until_day": until}
    )
    return downloads.table(kind, "groups", header, rows)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What an address asks of the list."""

    narrow: selectors.GroupFilter
    sort: str
    descending: bool


def _wish(request: HttpRequest) -> _Wish:
    sort = asked.choice(request, "sort", selectors.SORTS, "needs")
    return _Wish(
        narrow=selectors.GroupFilter(
            text=asked.text(request), community_id=asked.number(request, "community"),
            connector=asked.text(request, "platform", 40), group_type=asked.choice(request, "type", tuple(TYPES), ""),
        ),
        sort=sort,
        descending=asked.choice(request, "dir", ("asc", "desc"), "asc" if sort == "name" else "desc") == "desc",
    )  # fmt: skip


def _listed(request: HttpRequest, wish: _Wish, until: int | None, size: int) -> selectors.GroupPage:
    return selectors.list_groups(
        asked.visible(request), narrow=wish.narrow, sort=wish.sort, descending=wish.descending,
        page=asked.number(request, "page") or 1 if size == selectors.PAGE else 1, until=until or 0, size=size,
        health=figures.health(until)[0] if until is not None else {},
    )  # fmt: skip


def _sorts() -> tuple[tuple[str, str], ...]:
    return (
        ("needs", _("按待回应")), ("health", _("按健康分")), ("members", _("按成员数")), ("messages", _("按 7 日消息")),
        ("joined", _("按进群")), ("left", _("按退群")), ("last", _("按最近消息")), ("name", _("按群名")),
    )  # fmt: skip
