"""Announce the group rules: choose groups, send, and see where they were said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from qunce.accounts.access import can, requires
from qunce.console import asked, carry, pages
from qunce.console.live_labels import refused
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import views, words
from qunce.runtime.live.desk import announcing
from qunce.runtime.live.playbooks import newest

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.announce")
def announce_rules(request: HttpRequest) -> HttpResponse:
    """Show the rules as members read them, and the groups; POST sends them to the chosen ones."""
    visible, staff = asked.visible(request), asked.staff_of(request)
    if request.method == "POST":
        chosen = {int(text) for text in request.POST.getlist("group") if text.isdecimal() and len(text) < 19}
        if visible is not None and not chosen <= visible:
            raise Http404
        try:
            sent, by_hand = announcing.do_announce(actor=staff, group_ids=sorted(chosen))
        except CommandRefused as error:
            messages.error(request, refused(error.reason))
        else:
            messages.success(request, _("正在发到 %(sent)s 个群；%(hand)s 个群要人发。") % {"sent": sent, "hand": by_hand})
        return redirect("announce-rules")
    try:
        text, why = announcing.text_in_force(), ""
    except CommandRefused as error:
        text, why = "", refused(error.reason)
    found = asked.text(request)
    context = {
        "text": text, "why": why, "rows": announcing.group_list(visible, found), "words": found, "most": announcing.MOST,
        "version": newest(), "may_rules": can(staff, "playbook.view"),
    }  # fmt: skip
    return pages.render(request, "announce", context, active="playbook")


@require_POST
@requires("playbook.announce")
def finish_announcement(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Say that the rules were said by hand, or that they will not be."""
    row = views.delivery(delivery_id, asked.visible(request))
    if row is None or not announcing.is_announcement(delivery_id):
        raise Http404
    staff, done = asked.staff_of(request), request.POST.get("done") == "yes"

    def note() -> None:
        if row.state == "unknown":
            words.do_settle_unknown(actor=staff, delivery_id=delivery_id, sent=done)
        else:
            words.do_tap(actor=staff, delivery_id=delivery_id, done=done)

    carry.out(request, note, _("已记下。"))
    return redirect("announce-rules")
