"""Show who did what."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.views.decorators.http import require_safe

from qunce.accounts.access import requires
from qunce.accounts.audit import details_of
from qunce.accounts.models import AuditEntry
from qunce.console import asked, pages

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE = 50


@require_safe
@requires("audit.view")
def audit(request: HttpRequest) -> HttpResponse:
    """List the audit, newest first, by action or person."""
    action, actor, before = asked.text(request, "action", 64), asked.number(request, "actor"), asked.number(request, "before")
    entries = AuditEntry.objects.select_related("actor").order_by("-id")
    if action:
        entries = entries.filter(action=action)
    if actor is not None:
        entries = entries.filter(actor_id=actor)
    if before is not None:
        entries = entries.filter(id__lt=before)
    found = list(entries[: PAGE + 1])
    shown = found[:PAGE]
    context = {
        "entries": [(entry, *details_of(entry)) for entry in shown],
        "action": action, "actor": actor, "filtered": bool(action) or actor is not None, "later": before is not None,
        "next": shown[-1].pk if len(found) > PAGE else None,
        "actions": list(AuditEntry.objects.order_by("action").values_list("action", flat=True).distinct()),
    }  # fmt: skip
    return pages.render(request, "audit", context, active="audit")
