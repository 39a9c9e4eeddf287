"""The response desk: what waits for an answer, one matter with its talk, and what is said to it."""

from __future__ import annotations

from time import time
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.accounts.models import Staff
from qunce.accounts.permissions import ACTIONS
from qunce.console import asked, carry, pages
from qunce.console.live_labels import refused
from qunce.readmodels.selectors import members
from qunce.runtime import organisation
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import words as live_words
from qunce.runtime.live.desk import emptiness, replies, responses, views, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

    from qunce.runtime.live.desk.views import ThreadRow

ORDERS: Final = 3
GROUPS: Final = 5
_TOLD: Final = {"list": ("rows", "counts", "chosen"), "talk": ("talk", "replies")}
"""What makes a column another one; a countdown alone does not."""
_NEXT: Final = ("playbook.view", "playbook.publish", "channel.view", "channel.practise", "playbook.replay")
"""What may be done about an empty desk."""


@require_safe
@requires("desk.view")
def desk(request: HttpRequest, thread: int | None = None) -> HttpResponse:
    """Show what waits, most urgent first, and one matter of it; `part` asks for what has changed of one column."""
    visible, now = asked.visible(request), int(time() * 1_000)
    part = asked.choice(request, "part", ("list", "talk", "found"), "")
    show = asked.choice(request, "show", views.FILTERS, "all")
    context: dict[str, Any] = {"show": show, "chosen": thread, "explicit": thread is not None}
    if part == "talk":
        return _changed(request, "talk", _talk(request, thread, visible, now) | context)
    staff = asked.staff_of(request)
    if part == "found":
        return _found(request, thread, visible, now)
    rows = views.thread_list(show, staff_id=staff.pk, group_ids=visible, now_ms=now)
    context |= {"rows": rows, "counts": views.counts(staff.pk, visible, now), "most": views.MOST}
    if part == "list":
        return _changed(request, "list", context)
    return _page(request, context, thread, visible, now)


@require_safe
@requires("desk.view")
def responses_page(request: HttpRequest) -> HttpResponse:
    """List the canned responses and what goes with them, to be searched and copied."""
    kind = asked.choice(request, "kind", tuple(responses.kinds()), "")
    with_materials = request.GET.get("with") == "materials"
    words, now = asked.text(request), int(time() * 1_000)
    context = {
        "rows": responses.library(words, kind, now, with_materials=with_materials), "total": responses.count(), "kind": kind,
        "kinds": responses.kinds(), "words": words, "with_materials": with_materials,
        "may_write": can(asked.staff_of(request), "playbook.publish"),
    }  # fmt: skip
    return pages.render(request, "responses", context, active="desk")


@require_POST
@requires("desk.answer")
def reply_thread(request: HttpRequest, thread: int) -> HttpResponse:
    """Answer who waits. What cannot be sent as it is stays in the field."""
    row, staff = _access(request, thread), asked.staff_of(request)
    text, response = request.POST.get("text", "").replace("\x00", ""), request.POST.get("response", "")[:64]
    try:
        state = replies.do_reply(actor=staff, thread=thread, text=text, response_id=response)
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        visible, now = asked.visible(request), int(time() * 1_000)
        rows = views.thread_list("all", staff_id=staff.pk, group_ids=visible, now_ms=now)
        context = {
            "show": "all", "chosen": thread, "explicit": True, "draft": text, "rows": rows, "most": views.MOST,
            "counts": views.counts(staff.pk, visible, now),
        }  # fmt: skip
        return _page(request, context, row.seq, visible, now, status=422)
    if state == "human":
        messages.success(request, _("已放进待发：复制到群里发出，再按“已发送”。"))
    return redirect("desk-thread", row.seq)


@require_POST
@requires("desk.answer")
def finish_reply(request: HttpRequest, thread: int, delivery_id: int) -> HttpResponse:
    """Say what became of an answer that only a colleague can send, or of which nobody knows whether it arrived."""
    row, staff = _access(request, thread), asked.staff_of(request)
    found = next((reply for reply in replies.replies_of(thread) if reply.delivery_id == delivery_id), None)
    if found is None:
        raise Http404
    done = request.POST.get("done") == "yes"
    if found.state == "unknown":
        return _said(
            request, row, _("已记为送达。") if done else _("正在重新发送。"),
            lambda: live_words.do_settle_unknown(actor=staff, delivery_id=delivery_id, sent=done),
        )  # fmt: skip
    return _said(
        request, row, _("已记下，计时停止。") if done else _("已放弃这条回复。"),
        lambda: live_words.do_tap(actor=staff, delivery_id=delivery_id, done=done),
    )  # fmt: skip


@require_POST
@requires("desk.answer")
def assign_thread(request: HttpRequest, thread: int) -> HttpResponse:
    """Take a matter over, give it to a colleague, or let it go again."""
    row, staff = _access(request, thread), asked.staff_of(request)
    wanted = request.POST.get("owner", "")
    if wanted == "me":
        owner, done = staff, _("您已接手。")
    elif wanted == "":
        owner, done = None, _("已放回，谁都可以接手。")
    else:
        owner = Staff.objects.filter(username=wanted, is_active=True).first()
        if owner is None:
            raise Http404
        done = _("已转交给%(name)s。") % {"name": owner}
    return _said(request, row, done, lambda: words.do_assign(actor=staff, thread=thread, owner=owner))


@require_POST
@requires("desk.answer")
def snooze_thread(request: HttpRequest, thread: int) -> HttpResponse:
    """Put a matter aside for a while."""
    row, staff = _access(request, thread), asked.staff_of(request)
    text = request.POST.get("minutes", "")
    minutes = int(text) if text.isdecimal() and len(text) < 5 else -1
    done = _("已放到后面，计时不停。") if minutes else _("已放回原处。")
    return _said(request, row, done, lambda: words.do_snooze(actor=staff, thread=thread, minutes=minutes))


@require_POST
@requires("desk.answer")
def settle_thread(request: HttpRequest, thread: int) -> HttpResponse:
    """End a matter that needs no answer."""
    row, staff = _access(request, thread), asked.staff_of(request)
    teach = request.POST.get("teach") == "yes" and carry.may_teach(request)
    return _said(
        request, row, _("已结束，记为“不需要回复”。"), lambda: words.do_settle(actor=staff, thread=thread, teach=teach)
    )


def _page(
    request: HttpRequest, context: dict[str, Any], thread: int | None, visible: frozenset[int] | None, now: int,
    status: int = 200,
) -> HttpResponse:  # fmt: skip
    if thread is None and context["rows"]:
        context["chosen"] = thread = context["rows"][0].seq
    context |= _talk(request, thread, visible, now) if thread is not None else _nobody(request, context["show"], visible)
    context |= {"list_rev": _stamp("list", context), "talk_rev": _stamp("talk", context)}
    return pages.render(request, "desk", context, active="desk", status=status)


def _nobody(request: HttpRequest, show: str, visible: frozenset[int] | None) -> dict[str, Any]:
    """Return why nobody waits, and what somebody may do about it; a filter that finds nothing is its own reason."""
    staff = asked.staff_of(request)
    return {
        "empty": emptiness.why_empty(visible) if show == "all" else None,
        "may_see": {what: can(staff, what) for what in _NEXT},
    }  # fmt: skip


def _talk(request: HttpRequest, thread: int | None, visible: frozenset[int] | None, now: int) -> dict[str, Any]:
    row = views.access_thread(thread or 0, visible, now)
    if row is None:
        raise Http404
    staff = asked.staff_of(request)
    may_answer = can(staff, "desk.answer")
    card = _card(row, visible, now)
    if may_answer and asked.choice(request, "part", ("talk",), "") == "":
        card |= {"suggested": responses.suggested(row, card.get("tags", ()), str(staff), now)}
        card |= {"found": responses.search(row, "", str(staff), now), "responses": responses.count()}
    return {
        "row": row, "talk": views.talk(row), "replies": replies.replies_of(row.seq), "way": _way(row),
        "card": card, "snoozes": words.SNOOZES_M, "me": staff.pk,
        "may_answer": may_answer, "may_teach": carry.may_teach(request), "currency": organisation.currency(),
        "may_member": can(staff, "member.view"),
        "colleagues": views.colleagues(ACTIONS["desk.answer"].roles) if may_answer else (),
    }  # fmt: skip


def _way(row: ThreadRow) -> str | None:
    """Return why words reach the group by hand only; empty = they are sent, None = the group is gone."""
    try:
        return replies.way_into(row.group_id).why
    except CommandRefused:
        return None


def _found(request: HttpRequest, thread: int | None, visible: frozenset[int] | None, now: int) -> HttpResponse:
    """Return the canned responses that a search finds."""
    row = views.access_thread(thread or 0, visible, now)
    if row is None:
        raise Http404
    words = asked.text(request)
    found = responses.search(row, words, str(asked.staff_of(request)), now)
    return pages.render_block(request, "desk", "found", {"card": {"found": found}, "words": words})


def _card(row: ThreadRow, visible: frozenset[int] | None, now: int) -> dict[str, Any]:
    """Return what is known of who waits; empty when they are gone."""
    member = members.member(row.person.member_id) if row.person else None
    if member is None:
        return {}
    identities = [identity.id for identity in members.identities(member.id)]
    return {
        "member": member, "memberships": members.memberships(identities, visible)[: GROUPS + 1],
        "orders": members.orders(identities, ORDERS), "most": GROUPS,
        "tags": views.tags_of(identities, row.group_id, now),
    }  # fmt: skip


def _changed(request: HttpRequest, block: str, context: dict[str, Any]) -> HttpResponse:
    """Return a block of the page, or 204 when it is the one the browser has: what is being read must not flicker."""
    stamp = _stamp(block, context)
    if request.GET.get("rev") == stamp:
        return HttpResponse(status=204)
    return pages.render_block(request, "desk", block, context | {f"{block}_rev": stamp})


def _stamp(block: str, context: dict[str, Any]) -> str:
    told = [context.get(name) for name in _TOLD[block]]
    return f"{crc32(repr(told).encode()):08x}"


def _access(request: HttpRequest, thread: int) -> ThreadRow:
    row = views.access_thread(thread, asked.visible(request), int(time() * 1_000))
    if row is None:
        raise Http404
    return row


def _said(request: HttpRequest, row: ThreadRow, done: str, say: Callable[[], object]) -> HttpResponse:
    carry.out(request, say, done)
    back = request.POST.get("back", "")
    return redirect(reverse("desk") if back == "list" else reverse("desk-thread", args=[row.seq]))
