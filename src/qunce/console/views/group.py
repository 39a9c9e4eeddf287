"""Show one group from every side: figures, conversation, people, questions, settings."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.db import connection
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts.access import can, requires
from qunce.accounts.staff import names_of as staff_names
from qunce.console import asked, charts, figures, formats, pages
from qunce.console.asked import staff_of
from qunce.console.period import LENGTHS, period_of
from qunce.readmodels import search
from qunce.readmodels.rows import Database
from qunce.readmodels.selectors import group as selectors
from qunce.readmodels.selectors import transcript
from qunce.readmodels.selectors.days import daily, newest_counted_day, newest_day
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused, do_set_community
from qunce.runtime.live import marks
from qunce.runtime.profile import views as profiles

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NEW_DAYS = 30
"""Who joined within so many days counts as new in the list of people."""


@require_GET
@requires("group.view", group="group_id")
def group(request: HttpRequest, group_id: int) -> HttpResponse:
    """Show a group's figures: movement, people, who speaks most, what waits."""
    head = _head(group_id)
    newest = newest_day(frozenset((group_id,)))
    context: dict[str, Any] = {"head": head, "tab": "overview", "newest": newest, "lengths": LENGTHS}
    if newest is not None:
        period = period_of(request, newest)
        health, health_state = figures.group_health(group_id, newest_counted_day() or newest)
        days, before = (daily(span.since, span.until, (group_id,)) for span in (period, period.before()))
        context |= {
            "period": period,
            "now": {name: sum(getattr(day, name) for day in days) for name in ("messages", "joined", "left")},
            "before": {name: sum(getattr(day, name) for day in before) for name in ("messages", "joined", "left")},
            "chart": charts.group_trend(days),
            "crowd": selectors.crowd(group_id),
            "group_tags": profiles.of_group(group_id, asked.visible(request), now_ms()),
            "may_tag": can(staff_of(request), "profile.change"),
            "tag_choices": profiles.tag_choices("group"),
            "health": health,
            "health_state": health_state,
            "speakers": selectors.speakers(group_id, 8),
            "open_questions": selectors.needs_me(frozenset((group_id,)), until=newest, limit=5),
            "now_ref": formats.start_of(newest + 1),
        }
    return _page(request, "group_overview", context)


@require_GET
@requires("group.view", group="group_id")
def group_messages(request: HttpRequest, group_id: int) -> HttpResponse:
    """Show the conversation: the newest lines, from a day or a message on, further up or down, or what a search found."""
    head = _head(group_id)
    words = asked.text(request)
    context: dict[str, Any] = {"head": head, "tab": "messages", "words": words, "target": asked.number(request, "around")}
    if words:
        context |= _search(request, group_id, words)
        return _page(request, "group_messages", context)
    older, newer = asked.keyset(request, "before"), asked.keyset(request, "after")
    if older:
        context["transcript"] = transcript.before(group_id, older)
    elif newer:
        context["transcript"] = transcript.after(group_id, newer)
    else:
        context["transcript"] = _from(request, group_id)
    context["direction"] = "before" if older else "after" if newer else ""
    context["day"] = request.GET.get("day", "")
    context["may_teach"] = can(staff_of(request), "case.teach") and asked.visible(request) is None
    context["own"] = marks.own_titles()
    context["models"] = (*marks.MODELS, *context["own"])
    context["lessons"] = marks.marked([line.seq for line in context["transcript"].lines]) if context["may_teach"] else {}
    if request.headers.get("HX-Request") and context["direction"]:
        return pages.render_block(request, "group_messages", "lines", context)
    return _page(request, "group_messages", context)


@require_GET
@requires("group.view", group="group_id")
def group_people(request: HttpRequest, group_id: int) -> HttpResponse:
    """List a group's people."""
    head = _head(group_id)
    show = asked.choice(request, "show", selectors.PEOPLE_FILTERS, "")
    sort = asked.choice(request, "sort", selectors.PEOPLE_SORTS, "messages")
    descending = asked.choice(request, "dir", ("asc", "desc"), "asc" if sort == "name" else "desc") == "desc"
    newest = newest_day(frozenset((group_id,)))
    since_ms = formats.start_of(newest - NEW_DAYS + 1) if newest is not None else 0
    scene = asked.choice(request, "way", selectors.WAYS, "")
    page = selectors.people(
        group_id, show=show, sort=sort, descending=descending, text=asked.text(request), since_ms=since_ms,
        page=asked.number(request, "page") or 1, scene=scene,
    )  # fmt: skip
    staff, moment = staff_of(request), now_ms()
    context = {
        "head": head, "tab": "people", "page": page, "show": show, "sort": sort, "descending": descending,
        "crowd": selectors.crowd(group_id), "text": asked.text(request), "new_days": NEW_DAYS,
        "ways": selectors.ways(group_id, show=show, since_ms=since_ms), "way": scene,
        "may_tag": can(staff, "profile.change"), "tag_choices": profiles.tag_choices("membership"),
        "held": profiles.of_places(group_id, [row.person.identity_id for row in page.rows], moment),
        "filters": (
            ("", _("在群")), ("new", _("新进群")), ("lurking", _("潜水")),
            ("staff", _("员工与机器人")), ("left", _("已退群")),
        ),
    }  # fmt: skip
    return _page(request, "group_people", context)


@require_GET
@requires("group.view", group="group_id")
def group_questions(request: HttpRequest, group_id: int) -> HttpResponse:
    """List members' questions with their first answers."""
    head = _head(group_id)
    show = asked.choice(request, "show", selectors.QUESTION_FILTERS, "open")
    rows = selectors.questions(group_id, show=show, before_seq=asked.keyset(request, "before"))
    more, rows = len(rows) > selectors.PAGE, rows[: selectors.PAGE]
    newest = newest_day(frozenset((group_id,)))
    context = {
        "head": head, "tab": "questions", "rows": rows, "show": show, "now_ref": formats.start_of((newest or 0) + 1),
        "colleagues": staff_names({row.staff for row in rows}),
        "next": f"{rows[-1].ts_ms}.{rows[-1].seq}" if more else "", "later": bool(asked.keyset(request, "before")),
        "filters": (("open", _("待回应")), ("answered", _("已回应")), ("all", _("全部"))),
    }  # fmt: skip
    return _page(request, "group_questions", context)


@require_GET
@requires("group.change", group="group_id")
def group_settings(request: HttpRequest, group_id: int) -> HttpResponse:
    """Show what can be changed about a group."""
    context = {"head": _head(group_id), "tab": "settings", "communities": selectors.communities()}
    return _page(request, "group_settings", context)


@require_POST
@requires("group.change", group="group_id")
def group_set_community(request: HttpRequest, group_id: int) -> HttpResponse:
    """Put a group into a community."""
    try:
        do_set_community(
            actor=asked.staff_of(request), group_ids=[group_id], community=request.POST.get("community", "").strip()[:100]
        )
        messages.success(request, _("所属社群已保存。"))
    except CommandRefused as refused:
        messages.error(request, _("没有保存：%(reason)s") % {"reason": refused.reason})
    return redirect("group-settings", group_id)


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    context["may_measure"] = can(staff_of(request), "metric.view")
    context["may_change_group"] = can(staff_of(request), "group.change", group_id=context["head"].id)
    return pages.render(request, template, context, active="groups")


def _head(group_id: int) -> selectors.GroupHead:
    head = selectors.head(group_id)
    if head is None:
        raise Http404
    return head


def _from(request: HttpRequest, group_id: int) -> transcript.Transcript:
    """Return the stretch an address asks for: round a message, from a day on, or the newest."""
    around = asked.number(request, "around")
    ts_ms = transcript.moment_of(group_id, around) if around is not None else None
    if ts_ms is None:
        try:
            asked_day = date.fromisoformat(request.GET.get("day", ""))
        except ValueError:
            return transcript.newest(group_id)
        ts_ms = formats.start_of((asked_day - formats.EPOCH).days)
    return transcript.around(group_id, ts_ms)


def _search(request: HttpRequest, group_id: int, words: str) -> dict[str, Any]:
    limit = transcript.PAGE
    seqs = search.find(
        Database(connection), words, group_ids=[group_id], before_seq=asked.number(request, "before_seq"), limit=limit + 1
    )
    shown = seqs[:limit]
    return {"hits": [line for line, _group in transcript.messages(shown)], "next_seq": shown[-1] if len(seqs) > limit else None}
