"""Practise in a room that exists here only: choose who speaks, say something, see what the rules make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.console.live_labels import refused
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts, playbook_views, practising, views

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NAME_LIMIT: Final = 80


@require_GET
@requires("channel.practise")
def practice_room(request: HttpRequest) -> HttpResponse:
    """Show a practice room: its people, what was said, and what the rules in force said to each line."""
    context = _context(request)
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "practice", "lines", context)
    return pages.render(request, "practice", context, active="channels")


@require_POST
@requires("channel.practise")
def open_practice(request: HttpRequest) -> HttpResponse:
    """Open the practice rooms."""
    practising.do_open_practice(actor=asked.staff_of(request))
    return redirect("practice")


@require_POST
@requires("channel.practise")
def practise(request: HttpRequest) -> HttpResponse:
    """Let somebody say something."""
    room, who = _named(request.POST.get("room", "")), _named(request.POST.get("who", ""))
    try:
        practising.do_practise(
            actor=asked.staff_of(request), group=room, who=who, text=request.POST.get("text", "").replace("\x00", "")
        )
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    more = {"draft": "yes"} if request.POST.get("draft") == "yes" else {}
    return redirect(f"{reverse('practice')}?{urlencode({'room': room, 'who': who} | more)}#say")


def _context(request: HttpRequest) -> dict[str, Any]:
    rooms = practising.rooms()
    name = asked.text(request, "room", NAME_LIMIT) or (rooms[0] if rooms else _("演练 %(n)s") % {"n": 1})
    has_draft = can(asked.staff_of(request), "playbook.publish") and drafts.draft() is not None
    with_draft, broken = has_draft and request.GET.get("draft") == "yes", False
    try:
        room = practising.room(name, with_draft=with_draft)
    except playbook_views.PlaybookInvalid:
        room, with_draft, broken = practising.room(name), False, True
    newcomers = [player for player in room.players if player.newcomer]
    chosen = asked.text(request, "who", NAME_LIMIT)
    return {
        "room": room, "rooms": rooms if name in rooms else (name, *rooms), "open": practising.channel() is not None,
        "who": chosen or room.players[0].name, "next_newcomer": f"{practising.NEWCOMER} {len(newcomers) + 1}",
        "next_room": _("演练 %(n)s") % {"n": len(rooms) + 1}, "titles": playbook_views.rule_titles(), "engine": views.loop(),
        "has_draft": has_draft, "with_draft": with_draft, "broken": broken,
        "sees_cases": asked.visible(request) is None and can(asked.staff_of(request), "case.view"),
    }  # fmt: skip


def _named(text: str) -> str:
    return text.replace("\x00", "").strip()[:NAME_LIMIT]
