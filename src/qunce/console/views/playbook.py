"""Rules: read the ones in force in words, see the draft and what publishing it would change, publish, look back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.console.findings import mistake_line
from qunce.console.live_labels import refused
from qunce.readmodels.models import Group
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import drafts, playbook_views, playbooks, sheet_list, sheets, shipped
from qunce.runtime.live.playbook_views import PlaybookInvalid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

MODES: Final = ("observe", "suggest", "act")
MOST_FILES: Final = 40
MOST_GROUPS: Final = 300
"""Groups offered by name; others can be typed."""
MOST_CHANGES: Final = 300
_FILE_NAME: Final = re.compile(r"[\w.-]{1,60}(/[\w.-]{1,60}){0,3}\.ya?ml")


@require_safe
@requires("playbook.view")
def playbook(request: HttpRequest) -> HttpResponse:
    """Show the rules in force in words, or where to begin when there are none."""
    try:
        current, invalid = playbook_views.in_force(), ""
    except PlaybookInvalid as error:
        current, invalid = None, mistake_line(error.problems[0])
    versions = playbook_views.version_list()
    may_change = may_publish(request)
    context = {
        "current": current, "invalid": invalid, "version": versions[0] if versions else None, "may_publish": may_change,
        "draft": drafts.draft(), "gallery": playbook_views.gallery_list(), "modes": MODES,
        "groups": Group.objects.order_by("name").values_list("name", flat=True)[:MOST_GROUPS] if may_change else (),
        "group_names": _group_names(current), "may_announce": can(asked.staff_of(request), "playbook.announce"),
    }  # fmt: skip
    return pages.render(request, "playbook", frame(request, "rules") | context, active="playbook")


@require_safe
@requires("playbook.view")
def playbook_versions(request: HttpRequest) -> HttpResponse:
    """List the published versions."""
    context = {"versions": playbook_views.version_list(), "may_publish": may_publish(request), "draft": drafts.draft()}
    return pages.render(request, "playbook_versions", frame(request, "versions") | context, active="playbook")


@require_safe
@requires("playbook.publish")
def edit_playbook(request: HttpRequest) -> HttpResponse:
    """Show the draft part by part, what is wrong with it, and what publishing would change."""
    if not may_publish(request):
        return pages.forbidden(request)
    known = drafts.draft()
    files, seen_ms = sheets.draft_files()
    checked = playbook_views.check_files(files) if files else None
    problems = checked.problems if checked else ()
    context = {
        "files": files, "draft": known, "checked": checked, "seen_ms": seen_ms, "most_changes": MOST_CHANGES,
        "sections": sheet_list.overview(files, problems), "broken": sheet_list.broken_files(files),
        "shipped": shipped.lacking(files),
        "places": [(one, sheet_list.part_of(files, one)) for one in problems], "gallery": playbook_views.gallery_list(),
    }  # fmt: skip
    return pages.render(request, "playbook_draft", frame(request, "edit") | context, active="playbook")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.publish")
def edit_playbook_text(request: HttpRequest) -> HttpResponse:
    """Edit the draft as text: every mistake is shown at its line."""
    if not may_publish(request):
        return pages.forbidden(request)
    known = drafts.draft()
    if request.method != "POST":
        return _text_page(request, dict(sheets.draft_files()[0]), known)
    files, bad_name = _posted_files(request)
    if bad_name:
        return _text_page(request, files, known, problem=_("文件名要像 rules.yaml：%(name)s") % {"name": bad_name})
    try:
        drafts.do_save_draft(actor=asked.staff_of(request), files=files, seen_ms=seen_of(request))
    except CommandRefused as error:
        return _text_page(request, files, known, problem=refused(error.reason))
    return redirect("edit-playbook-text")


@require_POST
@requires("playbook.publish")
def start_draft(request: HttpRequest) -> HttpResponse:
    """Begin a draft from the gallery or from a version."""
    if not may_publish(request):
        return pages.forbidden(request)
    source = request.POST.get("source", "")
    files = files_of(source)
    if files is None:
        raise Http404
    known = drafts.draft()
    if known is not None and request.POST.get("replace") != "yes":
        messages.error(request, _("已有一份草稿，请先发布或放弃它。"))
        return redirect("edit-playbook")
    drafts.do_save_draft(actor=asked.staff_of(request), files=files, origin=source, seen_ms=known.saved_ms if known else 0)
    return redirect("edit-playbook")


@require_POST
@requires("playbook.publish")
def discard_draft(request: HttpRequest) -> HttpResponse:
    """Throw the draft away."""
    if not may_publish(request):
        return pages.forbidden(request)
    try:
        drafts.do_discard_draft(actor=asked.staff_of(request), seen_ms=seen_of(request))
        messages.success(request, _("草稿已放弃。"))
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    return redirect("playbook")


@require_POST
@requires("playbook.publish")
def publish_playbook(request: HttpRequest) -> HttpResponse:
    """Put the draft in force as a version of its own."""
    if not may_publish(request):
        return pages.forbidden(request)
    reason = request.POST.get("reason", "").replace("\x00", "")[:500]
    try:
        number = drafts.do_publish_draft(actor=asked.staff_of(request), reason=reason, seen_ms=seen_of(request))
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        return redirect("edit-playbook")
    except PlaybookInvalid:
        messages.error(request, _("草稿还有错，没有发布。"))
        return redirect("edit-playbook")
    messages.success(request, _("第 %(n)s 版已发布，之后的新消息按它判断。") % {"n": number})
    return redirect("playbook")


@require_POST
@requires("playbook.publish")
def set_rule_mode(request: HttpRequest) -> HttpResponse:
    """Publish a version in which a rule has another mode, everywhere or in one group."""
    if not may_publish(request):
        return pages.forbidden(request)
    posted = request.POST
    name = posted.get("group", "").strip()
    found = list(Group.objects.filter(name=name).values_list("pk", flat=True)[:2]) if name else []
    if name and len(found) != 1:
        messages.error(request, _("没有叫这个名字的群，或者不止一个。"))
        return redirect("playbook")
    try:
        number = playbooks.do_set_mode(
            actor=asked.staff_of(request), rule_id=posted.get("rule", ""), mode=posted.get("mode", ""),  # type: ignore[arg-type]  # checked there
            group_id=found[0] if found else None, reason=posted.get("reason", "").replace("\x00", "")[:500],
        )  # fmt: skip
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    except PlaybookInvalid as error:
        messages.error(request, mistake_line(error.problems[0]))
    else:
        messages.success(request, _("第 %(n)s 版已发布，之后的新消息按它判断。") % {"n": number})
    return redirect("playbook")


def files_of(source: str) -> Mapping[str, str] | None:
    """Return the files that `draft`, `gallery:NAME` or the number of a version names; None = there are none."""
    if source == "draft":
        known = drafts.draft()
        return known.files if known else None
    if source.startswith("gallery:"):
        return playbook_views.gallery_files(source.removeprefix("gallery:"))
    found = playbook_views.of_version(int(source)) if source.isdecimal() and len(source) < 10 else None
    return found[1] if found else None


def _text_page(request: HttpRequest, files: dict[str, str], known: drafts.Draft | None, *, problem: str = "") -> HttpResponse:
    checked = playbook_views.check_files(files) if files else None
    context: dict[str, Any] = {
        "files": sorted(files.items()), "draft": known, "checked": checked, "problem": problem,
        "seen_ms": seen_of(request) if request.method == "POST" else known.saved_ms if known else 0,
        "excerpts": _excerpts(files, checked.problems) if checked else (),
    }  # fmt: skip
    return pages.render(
        request, "playbook_text", frame(request, "edit") | context, active="playbook", status=422 if problem else 200
    )


def _excerpts(files: Mapping[str, str], problems: tuple[Any, ...]) -> list[tuple[Any, list[tuple[int, str]]]]:
    """Return each problem with the lines round it: (number, text)."""
    found = []
    for one in problems:
        lines = files.get(one.file, "").splitlines()
        first = max(1, one.line - 1)
        found.append((one, [(n, lines[n - 1]) for n in range(first, min(len(lines), one.line + 1) + 1)] if one.line else []))
    return found


def _posted_files(request: HttpRequest) -> tuple[dict[str, str], str]:
    """Return the files of a form, and the first name that cannot be one; files without a text are left out."""
    files: dict[str, str] = {}
    bad = ""
    for number in range(MOST_FILES):
        name = request.POST.get(f"name_{number}", "").strip()
        text = request.POST.get(f"text_{number}", "").replace("\r\n", "\n")
        if not name or not text.strip():
            continue
        if not _FILE_NAME.fullmatch(name) or ".." in name:
            bad = bad or name
        files[name] = text
    return files, bad


def seen_of(request: HttpRequest) -> int:
    """Return the token of the draft that a form was made of; 0 = there was none."""
    text = request.POST.get("seen", "")
    return int(text) if text.isdecimal() and len(text) < 16 else 0


def may_publish(request: HttpRequest) -> bool:
    """Tell whether somebody may change rules."""
    # A version decides in every group, so only those who see every group may make one.
    return can(asked.staff_of(request), "playbook.publish") and asked.visible(request) is None


def frame(request: HttpRequest, tab: str) -> dict[str, Any]:
    """Return what the tabs of the rules need; `tab` is the one that is open."""
    staff = asked.staff_of(request)
    return {"tab": tab, "may_edit": may_publish(request), "may_replay": can(staff, "playbook.replay")}


def _group_names(current: playbook_views.PlaybookView | None) -> dict[str, str]:
    keys = {key for rule in current.rules for key in rule.modes} if current else set()
    return playbook_views.group_names(keys) if keys else {}
