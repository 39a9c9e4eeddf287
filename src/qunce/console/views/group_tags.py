"""Put and take the tags of a group, and of members in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from qunce.accounts.access import requires
from qunce.console import asked
from qunce.runtime.commands import CommandRefused
from qunce.runtime.profile import placing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_CHOSEN = 500


@require_POST
@requires("profile.change", group="group_id")
def put_group_tag(request: HttpRequest, group_id: int) -> HttpResponse:
    """Put a tag on a group."""
    tag, reason = request.POST.get("tag", ""), request.POST.get("reason", "")
    try:
        batch = placing.do_tag_group(actor=asked.staff_of(request), group_id=group_id, tag=tag, reason=reason)
        messages.success(request, _("标签已打上。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有打上：%(reason)s") % {"reason": refused.reason})
    return redirect("group", group_id)


@require_POST
@requires("profile.change", group="group_id")
def put_place_tags(request: HttpRequest, group_id: int) -> HttpResponse:
    """Put a tag on chosen people of a group, there only."""
    chosen = [
        text for text in request.POST.getlist("a")[:MOST_CHOSEN] if text.isascii() and text.isdecimal() and len(text) < 19
    ]
    try:
        batch = placing.do_tag_places(
            actor=asked.staff_of(request), group_id=group_id, identity_ids=[int(text) for text in chosen],
            tag=request.POST.get("tag", ""), reason=request.POST.get("reason", ""),
        )  # fmt: skip
        messages.success(request, _("标签已打上。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有打上：%(reason)s") % {"reason": refused.reason})
    return redirect("group-people", group_id)


@require_POST
@requires("profile.change", group="group_id")
def take_place_tag(request: HttpRequest, group_id: int, holding_id: int) -> HttpResponse:
    """Take a tag of a group, or of somebody in it, away from one who put it."""
    try:
        batch = placing.do_take_place(actor=asked.staff_of(request), group_id=group_id, holding_id=holding_id)
        messages.success(request, _("标签已取下。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有取下：%(reason)s") % {"reason": refused.reason})
    return redirect("group-people" if request.POST.get("from") == "people" else "group", group_id)
