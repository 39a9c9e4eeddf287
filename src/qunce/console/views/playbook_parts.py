"""One part of the rules on a form: fill it in, hear what it does, try it on stored messages, save it into the draft."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from qunce.accounts.access import requires
from qunce.console import asked, pages
from qunce.console.live_labels import refused
from qunce.console.views.playbook import frame, may_publish, seen_of
from qunce.readmodels.models import Group
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import sheets, shipped
from qunce.runtime.replay import trial

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NEWEST: Final = (500, 2_000, 10_000)
"""How many messages can be tried on."""
MOST_GROUPS: Final = 200


@require_http_methods(["GET", "HEAD", "POST"])
@requires("playbook.publish")
def edit_part(request: HttpRequest, section: str, key: str) -> HttpResponse:
    """Show a part on its form; POST saves it into the draft, or changes the form: its rows, or to YAML and back."""
    if not may_publish(request):
        return pages.forbidden(request)
    sheet = _sheet(request, section, key)
    if request.method != "POST":
        return _page(request, sheet, seen_ms=sheet.seen_ms, show_problems=not sheet.new)
    turn = request.POST.get("_tab", "")
    if turn or request.POST.get(sheets.OPERATION):
        as_text = (turn or request.POST.get(sheets.AS, "form")) == "text" or bool(sheet.text_error)
        return _page(request, sheet, seen_ms=seen_of(request), show_problems=bool(sheet.text_error), as_text=as_text)
    if sheet.blocking:
        return _page(request, sheet, seen_ms=seen_of(request), status=422)
    try:
        saved = sheets.do_save(sheet, actor=asked.staff_of(request), seen_ms=seen_of(request))
    except CommandRefused:
        # Nothing is lost: what was typed stays on the page, over the draft as it is by now.
        problem = _("草稿刚被别人改过，还没有保存。下面是您填的内容，其余是最新的草稿；请核对后再保存。")
        return _page(request, sheet, seen_ms=sheet.seen_ms, problem=problem, status=409)
    messages.success(request, _("已存进草稿，发布后才生效。"))
    return redirect("edit-part", section, saved)


@require_POST
@requires("playbook.publish")
def look_part(request: HttpRequest, section: str, key: str) -> HttpResponse:
    """Say what a part does as it is filled in just now, and how much is wrong with it."""
    if not may_publish(request):
        return pages.forbidden(request)
    return pages.render_block(request, "playbook_part", "look", {"sheet": _sheet(request, section, key), "checked": True})


@require_POST
@requires("playbook.publish")
def try_part(request: HttpRequest, section: str, key: str) -> HttpResponse:
    """Show what a part finds among the newest messages, as it is filled in just now; nothing is saved and nobody is touched."""
    if not may_publish(request):
        return pages.forbidden(request)
    sheet = _sheet(request, section, key)
    newest = request.POST.get("_newest", "")
    chosen = [int(one) for one in request.POST.getlist("_groups") if one.isdecimal() and len(one) < 19]
    found = trial.try_part(
        sheet.files, section, sheet.values, group_ids=chosen or None,
        newest=int(newest) if newest in map(str, NEWEST) else NEWEST[1],
    )  # fmt: skip
    return pages.render_block(request, "playbook_part", "trial", {"trial": found, "tried": True})


@require_POST
@requires("playbook.publish")
def remove_part(request: HttpRequest, section: str, key: str) -> HttpResponse:
    """Take a part out of the draft."""
    return _changed(request, section, key, on=None)


@require_POST
@requires("playbook.publish")
def switch_part(request: HttpRequest, section: str, key: str) -> HttpResponse:
    """Switch a part on or off in the draft."""
    return _changed(request, section, key, on=request.POST.get("on") == "yes")


@require_POST
@requires("playbook.publish")
def add_shipped(request: HttpRequest, section: str) -> HttpResponse:
    """Put a section as it ships into the draft."""
    if not may_publish(request):
        return pages.forbidden(request)
    try:
        shipped.do_add_shipped(section, actor=asked.staff_of(request))
        messages.success(request, _("自带的已加进草稿，改好、发布后才生效。"))
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    return redirect(reverse("edit-playbook") + f"#{section}")


def _changed(request: HttpRequest, section: str, key: str, *, on: bool | None) -> HttpResponse:
    if not may_publish(request):
        return pages.forbidden(request)
    actor, seen_ms = asked.staff_of(request), seen_of(request)
    try:
        if on is None:
            sheets.do_remove(section, key, actor=actor, seen_ms=seen_ms)
            messages.success(request, _("已从草稿里删除，发布后才生效。"))
        else:
            sheets.do_switch(section, key, on=on, actor=actor, seen_ms=seen_ms)
            messages.success(request, _("已存进草稿，发布后才生效。"))
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    except sheets.CannotEdit:
        messages.error(request, _("这一项的写法特殊，请到文字里改。"))
    return redirect(reverse("edit-playbook") + f"#{section}")


def _sheet(request: HttpRequest, section: str, key: str) -> sheets.Sheet:
    posted = dict(request.POST.lists()) if request.method == "POST" else None
    copy_of = asked.text(request, "copy", 80)
    found = sheets.sheet(section, key, posted=posted, copy_of=copy_of)
    if found is None:
        raise Http404
    return found


def _page(
    request: HttpRequest, sheet: sheets.Sheet, *, seen_ms: int, show_problems: bool = True, as_text: bool | None = None,
    problem: str = "", status: int = 200,
) -> HttpResponse:  # fmt: skip
    as_text = request.POST.get(sheets.AS) == "text" if as_text is None else as_text
    groups = Group.objects.filter(message_count__gt=0).order_by("-message_count", "name")
    context: dict[str, Any] = {
        "sheet": sheet if show_problems else sheet.without_problems(), "seen_ms": seen_ms, "as_text": as_text,
        "problem": problem, "checked": show_problems, "fresh": _fresh(request, sheet), "newest": NEWEST,
        "groups": groups.values_list("pk", "name")[:MOST_GROUPS] if sheet.section in trial.SECTIONS else (),
        "can_try": sheet.section in trial.SECTIONS, "copy_of": asked.text(request, "copy", 80),
    }  # fmt: skip
    return pages.render(request, "playbook_part", frame(request, "edit") | context, active="playbook", status=status)


def _fresh(request: HttpRequest, sheet: sheets.Sheet) -> str:
    """Return the path of the row that was just added, where typing goes on; empty = none was."""
    verb, _colon, rest = request.POST.get(sheets.OPERATION, "").partition(":")
    path = rest.partition(":")[0]
    return f"{path}.{sheet.keys[path][-1]}" if verb == "add" and sheet.keys.get(path) else ""
