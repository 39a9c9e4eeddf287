"""List who is no contact (好友) of any employee: of all groups or one, as a page and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from qunce.accounts import audit
from qunce.accounts.access import can, requires
from qunce.console import asked, downloads, formats, pages
from qunce.console.labels import label
from qunce.readmodels.selectors import contacts as selectors
from qunce.readmodels.selectors import groups as groups_selector
from qunce.runtime.organisation import currency

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_EXPORTED = 20_000


@require_GET
@requires("member.view")
def contacts(request: HttpRequest) -> HttpResponse:
    """Show how many people are contacts, who is not, and which groups would lose most."""
    visible, group_id = asked.visible(request), _group(request)
    state = asked.choice(request, "state", selectors.STATES, selectors.STATES[0])
    until = selectors.known_until()
    context: dict[str, Any] = {
        "until": until, "state": state, "group_id": group_id, "currency": currency(),
        "may_import": can(asked.staff_of(request), "import.run"), "may_export": can(asked.staff_of(request), "member.export"),
    }  # fmt: skip
    if until is not None:
        context |= {
            "sums": selectors.sums(visible, group_id),
            "page": selectors.listed(visible, state=state, group_id=group_id, page=asked.number(request, "page") or 1),
            "groups": selectors.by_group(visible), "group_name": groups_selector.name_of(group_id),
        }  # fmt: skip
    return pages.render(request, "contacts", context, active="contacts")


@require_GET
@requires("member.export")
def export_contacts(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out the list, as it is narrowed, as a table."""
    state, group_id = asked.choice(request, "state", selectors.STATES, selectors.STATES[0]), _group(request)
    found = selectors.listed(asked.visible(request), state=state, group_id=group_id, size=MOST_EXPORTED)
    header = [
        _("成员编号"), _("成员"), _("好友状态"), _("员工"), _("来源"), _("时间"), _("所在群"), _("消息"), _("累计消费"),
        _("最近发言"),
    ]  # fmt: skip
    rows = []
    for row in found.rows:
        newest = row.contacts[0] if row.contacts else None
        rows.append(
            (
                row.member_id, row.name, label("contact", newest.state if newest else "no"), newest.staff if newest else "",
                label("contact_origin", newest.origin) if newest else "", formats.moment(newest.ts_ms if newest else None),
                "; ".join(name for _pk, name in row.groups), row.message_count, row.paid_minor / 100,
                formats.moment(row.last_message_ms),
            )
        )  # fmt: skip
    audit.record(
        actor=asked.staff_of(request), action="member.contacts_exported",
        after={"rows": len(rows), "format": kind, "state": state, "group": group_id},
    )  # fmt: skip
    return downloads.table(kind, "contacts", header, rows)


def _group(request: HttpRequest) -> int | None:
    """Return the group the list is narrowed to; None = all. Raises Http404 for one that may not be seen."""
    group_id, visible = asked.number(request, "group"), asked.visible(request)
    if group_id is not None and visible is not None and group_id not in visible:
        raise Http404
    return group_id
