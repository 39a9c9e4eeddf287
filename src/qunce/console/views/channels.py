"""Connect channels: which there are and how they stand, what each can do, and change them. Credentials go in only."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from django.conf import settings as django_settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.console.live_labels import refused
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import channel_views, surveys
from qunce.runtime.live.channels import (
    MODES,
    do_add_channel,
    do_change_channel,
    do_pause_channel,
    do_resume_channel,
)
from qunce.runtime.standing import standing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.http import HttpRequest, HttpResponse

    from qunce.runtime.live.wiring import SettingField

LONGEST: Final = 2_000
_TRUE: Final = frozenset({"on", "yes", "true"})


@require_safe
@requires("channel.view")
def channels(request: HttpRequest) -> HttpResponse:
    """List the channels with their state, and the kinds that can be connected."""
    context = {
        "channels": channel_views.channel_list(), "kinds": channel_views.kinds(), "may_manage": _may_manage(request),
        "gaps": _gaps(), "may_practise": can(asked.staff_of(request), "channel.practise"),
    }  # fmt: skip
    return pages.render(request, "channels", context, active="channels")


@require_safe
@requires("channel.view")
def channel(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Show a channel: its state, what is automatic, what a person must do, what is impossible, and its settings."""
    return _detail_page(request, _access(channel_id), {})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("channel.manage")
def add_channel(request: HttpRequest, connector: str) -> HttpResponse:
    """Connect an account of one kind; it begins simulated unless asked otherwise."""
    kind = next((kind for kind in channel_views.kinds() if kind.connector == connector), None)
    if kind is None:
        raise Http404
    problem = ""
    if request.method == "POST":
        try:
            channel_id = do_add_channel(
                actor=asked.staff_of(request), connector=connector, name=request.POST.get("title", "")[:100],
                settings=_settings(kind.fields, request.POST), mode=request.POST.get("mode", MODES[0]),
            )  # fmt: skip
        except CommandRefused as error:
            problem = refused(error.reason)
        else:
            messages.success(request, _("已接入，正在连接。"))
            return redirect("channel", channel_id)
    shown = {one.name: request.POST.get(f"set_{one.name}", "") for one in kind.fields if not one.secret}
    context = {
        "kind": kind, "problem": problem, "shown": shown, "posted": request.POST, "modes": MODES,
        "mode": request.POST.get("mode", MODES[0]),
    }  # fmt: skip
    return pages.render(request, "channel_form", context, active="channels", status=422 if problem else 200)


@require_POST
@requires("channel.manage")
def change_channel(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Change what a channel is called, what it connects with, whether it acts, and whether it runs at all."""
    detail = _access(channel_id)
    posted = request.POST
    what: dict[str, Any] = {}
    if "settings" in posted:
        what = {"settings": _settings(detail.fields, posted), "name": posted.get("title", "")[:100]}
    elif "mode" in posted:
        what = {"mode": posted["mode"]}
    elif "enabled" in posted:
        what = {"enabled": posted["enabled"] == "yes"}
    try:
        do_change_channel(actor=asked.staff_of(request), channel_id=channel_id, **what)
    except CommandRefused as error:
        return _detail_page(request, detail, {"problem": refused(error.reason)}, status=422)
    messages.success(request, _("已保存。"))
    return redirect("channel", channel_id)


@require_POST
@requires("channel.manage")
def pause_channel(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Stop a channel from sending, or let it send again; reading goes on."""
    detail = _access(channel_id)
    staff = asked.staff_of(request)
    if detail.row.paused is None:
        do_pause_channel(actor=staff, channel_id=channel_id, reason=request.POST.get("reason", "").strip()[:200])
        messages.success(request, _("已暂停发送；到时间该发的会留着，恢复后再发。"))
    else:
        do_resume_channel(actor=staff, channel_id=channel_id)
        messages.success(request, _("已恢复发送。"))
    return redirect("channel", channel_id)


@require_safe
@requires("channel.view")
def channel_groups(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Show for each group of a channel what is automatic, a person's, or impossible there, and what mends it."""
    detail = _access(channel_id)
    groups = surveys.standings(channel_id)
    context = {
        "row": detail.row, "groups": groups, "shown": surveys.SHOWN, "asks": surveys.can_be_asked(detail.row.connector),
        "may_manage": _may_manage(request), "waits": any(one.asked_ms is None and not one.code for one in groups),
        "most": surveys.MAX_GROUPS, "quotas": detail.quotas,
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "channel_groups", "table", context)
    return pages.render(request, "channel_groups", context, active="channels")


@require_POST
@requires("channel.manage")
def ask_channel(request: HttpRequest, channel_id: int) -> HttpResponse:
    """Have the platform asked again what the account may do in each group."""
    _access(channel_id)
    surveys.do_ask_again(actor=asked.staff_of(request), channel_id=channel_id)
    return redirect("channel-groups", channel_id)


def _detail_page(
    request: HttpRequest, detail: channel_views.ChannelDetail, extra: dict[str, Any], status: int = 200
) -> HttpResponse:
    shown = {name: _shown(value) for name, value in detail.settings.items()}
    context = {
        "channel": detail, "row": detail.row, "may_manage": _may_manage(request), "modes": MODES, "shown": shown,
        "gaps": [
            gap for gap in standing().gaps if (gap.connector, gap.account) == (detail.row.connector, detail.row.account)
        ],
        "problem": "", "callback": _callback(detail.row), "standings": surveys.standings(detail.row.channel_id),
        "asks": surveys.can_be_asked(detail.row.connector),
    }  # fmt: skip
    return pages.render(request, "channel", context | extra, active="channels", status=status)


def _access(channel_id: int) -> channel_views.ChannelDetail:
    detail = channel_views.channel_detail(channel_id)
    if detail is None:
        raise Http404
    return detail


def _may_manage(request: HttpRequest) -> bool:
    return can(asked.staff_of(request), "channel.manage")


def _gaps() -> Counter[tuple[str, str]]:
    """Return how many of the newest known gaps each channel has."""
    return Counter((gap.connector, gap.account) for gap in standing().gaps)


def _callback(row: channel_views.ChannelRow) -> str:
    """Return the address the other side has to call; empty for channels that we call."""
    base = django_settings.PUBLIC_URL.rstrip("/")
    if row.connector == "webhook_in":
        return f"{base}/in/webhook/{quote(row.account, safe='')}"
    return f"ws{base.removeprefix('http')}/in/onebot11" if row.connector == "onebot11" else ""


def _shown(value: object) -> str:
    return "\n".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _settings(fields: tuple[SettingField, ...], posted: Mapping[str, str]) -> dict[str, Any]:
    """Return what a form gives for the settings; secrets left empty and optional ones left empty are left out."""
    found: dict[str, Any] = {}
    for field in fields:
        text = posted.get(f"set_{field.name}", "").replace("\x00", "").strip()[:LONGEST]
        if isinstance(field.default, bool):
            found[field.name] = text in _TRUE
        elif field.many:
            items = [item.strip() for item in text.replace(",", "\n").splitlines()]
            if text or not field.secret:
                found[field.name] = [item for item in items if item]
        elif isinstance(field.default, int) and text.isdecimal():
            found[field.name] = int(text)
        elif text:
            found[field.name] = text
    return found
