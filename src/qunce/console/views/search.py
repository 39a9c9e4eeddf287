"""Find messages, members and groups by words."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.views.decorators.http import require_GET

from qunce.accounts.access import can, requires
from qunce.console import asked, formats, pages
from qunce.readmodels import search as index
from qunce.readmodels.rows import Database
from qunce.readmodels.selectors import groups, members, transcript
from qunce.readmodels.selectors.days import newest_day

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

PAGE = 40
FEW = 6


@require_GET
@requires("group.view")
def search(request: HttpRequest) -> HttpResponse:
    """Search the messages of all visible groups, with the members and groups of that name beside them."""
    words = asked.text(request)
    context: dict[str, Any] = {
        "words": words, "since": request.GET.get("since", ""), "until": request.GET.get("until", ""),
        "group_id": asked.number(request, "group"), "member_id": asked.number(request, "member"),
    }  # fmt: skip
    context |= _filters(request, context)
    if words:
        context |= _messages(request, words, context)
        if not context["filtered"] and asked.number(request, "before_seq") is None:
            context |= _names(request, words)
    return pages.render(request, "search", context, active="search")


def _filters(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the names of what the search is narrowed to, as far as the reader may see them."""
    visible = asked.visible(request)
    group = groups.name_of(context["group_id"]) if _seen(context["group_id"], visible) else ""
    member = members.member(context["member_id"]) if context["member_id"] is not None else None
    filtered = any((context["group_id"], context["member_id"], context["since"], context["until"]))
    return {"group_name": group, "member_name": member.name if member else "", "filtered": filtered}


def _messages(request: HttpRequest, words: str, context: dict[str, Any]) -> dict[str, Any]:
    visible, group_id = asked.visible(request), context["group_id"]
    group_ids = None if visible is None else sorted(visible)
    if group_id is not None:
        group_ids = [group_id] if _seen(group_id, visible) else []
    member_id = context["member_id"]
    seqs = index.find(
        Database(connection), words, group_ids=group_ids,
        identity_ids=None if member_id is None else [row.id for row in members.identities(member_id)],
        since_ms=_moment(context["since"], 0), until_ms=_moment(context["until"], 1),
        before_seq=asked.number(request, "before_seq"), limit=PAGE + 1,
    )  # fmt: skip
    shown = seqs[:PAGE]
    found = transcript.messages(shown)
    return {
        "hits": [(line, group) for line, group in found],
        "names": groups.names({group for _line, group in found}),
        "next_seq": shown[-1] if len(seqs) > PAGE else None,
    }


def _names(request: HttpRequest, words: str) -> dict[str, Any]:
    visible = asked.visible(request)
    listed = groups.list_groups(
        visible, narrow=groups.GroupFilter(text=words), sort="messages", descending=True, page=1, until=newest_day(visible) or 0
    )
    staff = asked.staff_of(request)
    people = (
        members.list_members(visible, text=words, kind="", sort="messages", after=None).rows
        if can(staff, "member.view")
        else ()
    )
    return {"found_groups": listed.rows[:FEW], "found_members": people[:FEW]}


def _seen(group_id: int | None, visible: frozenset[int] | None) -> bool:
    return group_id is not None and (visible is None or group_id in visible)


def _moment(text: str, days_later: int) -> int | None:
    try:
        return formats.start_of((date.fromisoformat(text) - formats.EPOCH).days + days_later)
    except ValueError:
        return None
