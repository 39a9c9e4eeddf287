"""Segments: who belongs and why, how it went, who is expected; and a builder that needs no text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, charts, formats, pages
from qunce.console.live_labels import refused
from qunce.runtime.as_of import moment_of
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts
from qunce.runtime.live.playbook_views import PlaybookInvalid
from qunce.runtime.organisation import currency
from qunce.runtime.profile.views import tag_choices
from qunce.runtime.segments import building, views

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

DAY_MS: Final = 86_400_000
LISTS: Final = ("event", "content", "group")
"""Fields of a condition that hold several values."""


@require_safe
@requires("segment.view")
def segments(request: HttpRequest) -> HttpResponse:
    """List the segments in force with their sizes."""
    context = {
        "rows": views.listed(), "shipped": views.is_shipped(), "job": views.running_job(), "may_edit": _may_edit(request),
        "may_run": can(asked.staff_of(request), "segment.run"), "draft": drafts.draft(),
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "segments", "list", context)
    return pages.render(request, "segments", context, active="segments")


@require_POST
@requires("segment.run")
def run_segments(request: HttpRequest) -> HttpResponse:
    """Run all segments over everybody."""
    views.do_run(actor=asked.staff_of(request))
    return redirect("segments")


@require_safe
@requires("segment.view")
def segment(request: HttpRequest, segment_id: str) -> HttpResponse:
    """Show one segment: who belongs, since when, how its size went."""
    row = _row(segment_id)
    visible, at_ms = asked.visible(request), asked.end_of_day(request.GET)
    as_of_ms = moment_of(now_ms())
    page = max(1, asked.number(request, "page") or 1)
    others = [other for other in views.listed() if other.of == row.of and other.segment_id != segment_id]
    other = asked.choice(request, "with", {one.segment_id for one in others}, "")
    context: dict[str, Any] = {
        "row": row, "others": others, "other": next((one for one in others if one.segment_id == other), None),
        "overlap": views.overlap(segment_id, other) if other else None, "at_ms": at_ms, "at": request.GET.get("at", ""),
        "ended_ms": as_of_ms if as_of_ms < now_ms() - DAY_MS else None,
        "chart": _chart(segment_id), "runs": views.recent_runs(segment_id), "may_edit": _may_edit(request),
        "moves": views.moves(row, visible), "today": formats.day(formats.today()),
        "tags": tag_choices() if can(asked.staff_of(request), "profile.change") and row.of != "group" else (),
    }  # fmt: skip
    if at_ms is None:
        people, total = views.members(row, visible, page)
        context |= {"people": people, "total": total, "page": page, "pages": max(1, -(-total // views.PAGE))}
    return pages.render(request, "segment", context, active="segments")


@require_safe
@requires("segment.view")
def segment_at(request: HttpRequest, segment_id: str) -> HttpResponse:
    """Show who belonged at a moment, as a part of the segment's page."""
    row, at_ms = _row(segment_id), asked.end_of_day(request.GET)
    if at_ms is None:
        raise Http404
    try:
        found = views.as_of(segment_id, at_ms, asked.visible(request))
    except views.Computing:
        found = None
    return pages.render_block(request, "segment", "moment", {"row": row, "found": found, "at": request.GET.get("at", "")})


@require_safe
@requires("segment.view")
def segment_expected(request: HttpRequest, segment_id: str) -> HttpResponse:
    """Show who enters and leaves within a day if nothing happens, as a part of the segment's page."""
    row, at_ms = _row(segment_id), asked.end_of_day(request.GET)
    try:
        found = views.expected(segment_id, at_ms or moment_of(now_ms()), asked.visible(request))
    except views.Computing:
        found = None
    at = request.GET.get("at", "") if at_ms is not None else ""
    return pages.render_block(request, "segment", "expected", {"row": row, "found": found, "at": at})


@require_safe
@requires("segment.view")
def segment_why(request: HttpRequest, segment_id: str, subject_id: int, group_id: int) -> HttpResponse:
    """Show why somebody belongs or not, condition by condition, as a part of the segment's page."""
    row = _row(segment_id)
    person = views.person(row, (subject_id, group_id), asked.visible(request))
    at_ms = asked.end_of_day(request.GET) or moment_of(now_ms())
    lines = views.why(row, (subject_id, group_id), at_ms) if person else None
    if person is None or lines is None:
        raise Http404
    context = {
        "row": row, "person": person, "lines": lines, "at_ms": at_ms, "at": request.GET.get("at", ""), "currency": currency(),
    }  # fmt: skip
    return pages.render(request, "segment_why", context, active="segments")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.publish")
def new_segment(request: HttpRequest) -> HttpResponse:
    """Build a new segment."""
    return _build(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.publish")
def edit_segment(request: HttpRequest, segment_id: str) -> HttpResponse:
    """Build a segment anew."""
    return _build(request, segment_id)


@require_POST
@requires("playbook.publish")
def preview_segment(request: HttpRequest) -> HttpResponse:
    """Show the builder after a change, or (`part=result`) who would belong."""
    if not _may_edit(request):
        return pages.forbidden(request)
    try:
        built = building.built(request.POST, _lists(request), request.POST.get("do", ""))
    except PlaybookInvalid:
        raise Http404 from None
    if request.GET.get("part") != "result":
        return pages.render_block(request, "segment_edit", "builder", {"built": built})
    context: dict[str, Any] = {"built": built, "found": None, "busy": False}
    if not built.problems:
        try:
            context["found"] = building.trial(built, moment_of(now_ms()), asked.visible(request))
        except views.Computing:
            context["busy"] = True
    return pages.render_block(request, "segment_edit", "result", context)


@require_POST
@requires("playbook.publish")
def remove_segment(request: HttpRequest, segment_id: str) -> HttpResponse:
    """Take a segment out of the draft."""
    if not _may_edit(request):
        return pages.forbidden(request)
    try:
        building.do_remove(actor=asked.staff_of(request), segment_id=segment_id, seen_ms=_seen(request))
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        return redirect("edit-segment", segment_id)
    except PlaybookInvalid as error:
        messages.error(request, str(error.problems[0]))
        return redirect("edit-segment", segment_id)
    messages.success(request, _("已从草稿里删去，发布后生效。"))
    return redirect("edit-playbook")


def _build(request: HttpRequest, segment_id: str | None) -> HttpResponse:
    if not _may_edit(request):
        return pages.forbidden(request)
    try:
        built = building.opened(segment_id)
    except PlaybookInvalid as error:
        messages.error(request, _("草稿还有错，先改好它：%(why)s") % {"why": error.problems[0]})
        return redirect("edit-playbook")
    if built is None:
        raise Http404
    if request.method != "POST":
        return _builder_page(request, built, segment_id)
    built = building.built(request.POST, _lists(request), "")
    if built.problems:
        return _builder_page(request, built, segment_id, status=422)
    staff, publish = asked.staff_of(request), request.POST.get("publish") == "yes"
    try:
        seen = building.do_save(actor=staff, built=built, replaces=segment_id, seen_ms=_seen(request))
        if publish and not _seen(request):
            reason = request.POST.get("reason", "").replace("\x00", "")[:500] or built.form.title
            drafts.do_publish_draft(actor=staff, reason=reason, seen_ms=seen)
    except CommandRefused as error:
        return _builder_page(request, built, segment_id, problem=refused(error.reason), status=422)
    except PlaybookInvalid as error:
        return _builder_page(request, built, segment_id, problem=str(error.problems[0]), status=422)
    if publish and not _seen(request):
        messages.success(request, _("已发布。正在找出属于这个分群的人，很快就好。"))
        return redirect("segments")
    messages.success(request, _("已存入草稿，发布后生效。"))
    return redirect("edit-playbook")


def _builder_page(
    request: HttpRequest, built: building.Built, segment_id: str | None, *, problem: str = "", status: int = 200
) -> HttpResponse:
    context = {"built": built, "segment_id": segment_id, "problem": problem, "seen_ms": built.seen_ms}
    return pages.render(request, "segment_edit", context, active="segments", status=status)


def _chart(segment_id: str) -> dict[str, object] | None:
    rows = views.history(segment_id)
    if not rows:
        return None
    return charts.over_days(
        [row[0] for row in rows],
        charts.series(_("人数"), [row[1] for row in rows], kind="area"),
        charts.series(_("进入"), [row[2] for row in rows], kind="bar", color=3, soft=True),
        charts.series(_("离开"), [row[3] for row in rows], kind="bar", color=5, soft=True),
    )


def _row(segment_id: str) -> views.SegmentRow:
    row = views.get(segment_id)
    if row is None:
        raise Http404
    return row


def _lists(request: HttpRequest) -> dict[str, list[str]]:
    return {name: request.POST.getlist(name) for name in request.POST if name.rpartition(".")[2] in LISTS}


def _seen(request: HttpRequest) -> int:
    text = request.POST.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def _may_edit(request: HttpRequest) -> bool:
    # A segment is of everybody, so only those who see every group may write one.
    return can(asked.staff_of(request), "playbook.publish") and asked.visible(request) is None
