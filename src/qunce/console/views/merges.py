"""Merge accounts into persons, part them again, and list who is in several groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts import audit
from qunce.accounts.access import can, requires
from qunce.console import asked, downloads, formats, pages
from qunce.console.labels import label
from qunce.readmodels.selectors import members as members_selector
from qunce.readmodels.selectors import overlap
from qunce.runtime.commands import CommandRefused
from qunce.runtime.identity import commands, suggest, views
from qunce.runtime.identity.commands import MergeRefused
from qunce.runtime.identity.merging import do_change_merging
from qunce.runtime.identity.settings import LIMITS, MergeSettings, merge_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

PAGE = 20
MOST_EXPORTED = 20_000
AT_LEAST = ("2", "3", "5")
MERGED = gettext_lazy("已合并为同一位成员，统计会在几秒内更新。随时可以拆开。")
PARTED = gettext_lazy("已拆开，各账号的统计已恢复。")
REFUSALS = {
    "unknown_account": gettext_lazy("没有这个账号。账号编号写在成员页的“平台账号”里。"),
    "one_account": gettext_lazy("这是同一个账号。"),
    "same_member": gettext_lazy("这两个账号已经是同一位成员。"),
    "not_members": gettext_lazy("员工、机器人和群马甲不与成员合并。若标错了，先改身份标记。"),
    "unknown_link": gettext_lazy("没有这条合并。"),
    "already_undone": gettext_lazy("这条合并已经拆开了。"),
    "not_open": gettext_lazy("这条建议已经有人处理，或重新查找后不再成立。"),
}


@require_GET
@requires("member.merge")
def merges(request: HttpRequest) -> HttpResponse:
    """Show suggestions side by side, and the newest merges with undo."""
    visible = asked.visible(request)
    page = max(1, asked.number(request, "page") or 1)
    suggestions, more = views.suggestions(visible, offset=(page - 1) * PAGE, limit=PAGE)
    context = {
        "suggestions": suggestions, "more": more, "page": page, "links": views.links(visible, limit=30) if page == 1 else (),
        "job": views.searching(), "at_least": suggest.AT_LEAST, "newest_read": suggest.NEWEST,
        "settings": merge_settings(), "limits": LIMITS, "may_change": can(asked.staff_of(request), "settings.change"),
    }  # fmt: skip
    return pages.render(request, "merges", context, active="merges")


@require_POST
@requires("member.merge")
def suggest_merges(request: HttpRequest) -> HttpResponse:
    """Look for accounts that may be one person's, in the background."""
    suggest.start(actor=asked.staff_of(request))
    messages.success(request, _("正在后台查找，通常不到一分钟。"))
    return redirect("merges")


@require_POST
@requires("member.merge")
def decide_merge(request: HttpRequest, suggestion_id: int, accept: bool) -> HttpResponse:  # by keyword, from the address
    """Merge what was suggested, or say that it is two persons."""
    pair = views.suggestion_members(suggestion_id)
    for member_id in pair or (None,):
        _seen(request, member_id)
    command: Callable[..., object] = commands.do_accept if accept else commands.do_refuse
    done = str(MERGED) if accept else _("记下了：不是同一个人，以后不再建议。")
    _do(request, lambda: command(actor=asked.staff_of(request), suggestion_id=suggestion_id), done)
    return redirect("merges")


@require_POST
@requires("settings.change")
def change_merging(request: HttpRequest) -> HttpResponse:
    """Say whether equal keys merge by themselves, and up to how many accounts."""
    most = request.POST.get("most", "").strip()
    number = int(most) if most.isascii() and most.isdecimal() and len(most) < 4 else 0
    new = MergeSettings(by_keys=request.POST.get("by_keys") == "on", most_accounts=number)
    try:
        changed = do_change_merging(actor=asked.staff_of(request), new=new)
    except CommandRefused:
        bounds = {"least": LIMITS.start, "most": LIMITS.stop - 1}
        messages.error(request, _("没有保存：账号上限要在 %(least)s 到 %(most)s 之间。") % bounds)
        return redirect("merges")
    messages.success(request, _("已保存，从下一批新消息起照此合并。") if changed else _("没有改动。"))
    return redirect("merges")


@require_POST
@requires("member.merge")
def undo_merge(request: HttpRequest) -> HttpResponse:
    """Take one link back, named in the form."""
    link_id = request.POST.get("link", "")[:300]
    member_id = views.link_member(link_id)
    _seen(request, member_id)
    _do(
        request, lambda: commands.do_unlink(actor=asked.staff_of(request), link_id=link_id),
        str(PARTED),
    )  # fmt: skip
    return redirect("merges")


@require_POST
@requires("member.merge")
def merge_member(request: HttpRequest, member_id: int) -> HttpResponse:
    """Merge another account, named by its number or platform id, into this member."""
    _seen(request, member_id)
    own = members_selector.identities(member_id)
    text = request.POST.get("other", "").strip()[:200]
    other = views.find_account(text)
    if not own or other is None or not _may_see(request, other[1]):
        messages.error(request, _("没有合并：%(reason)s") % {"reason": REFUSALS["unknown_account"]})
        return redirect("member", member_id)
    reason = request.POST.get("reason", "")
    _do(
        request,
        lambda: commands.do_link(actor=asked.staff_of(request), first_id=own[0].id, second_id=other[0], reason=reason),
        str(MERGED),
    )
    return redirect("member", min(member_id, other[1]))


@require_POST
@requires("member.merge")
def separate_account(request: HttpRequest, member_id: int, identity_id: int) -> HttpResponse:
    """Take back every link of one of a member's accounts."""
    _seen(request, member_id)
    if identity_id not in {account.id for account in members_selector.identities(member_id)}:
        raise Http404
    _do(
        request, lambda: commands.do_separate(actor=asked.staff_of(request), identity_id=identity_id),
        str(PARTED),
    )  # fmt: skip
    return redirect("member", members_selector.successor(member_id) or member_id)


@require_GET
@requires("member.view")
def several(request: HttpRequest) -> HttpResponse:
    """List the members who are in several groups."""
    at_least = int(asked.choice(request, "at_least", AT_LEAST, AT_LEAST[0]))
    page = overlap.in_several(asked.visible(request), at_least=at_least, page=asked.number(request, "page") or 1)
    context = {
        "page": page, "at_least": at_least, "choices": [int(choice) for choice in AT_LEAST],
        "may_export": can(asked.staff_of(request), "member.export"),
    }  # fmt: skip
    return pages.render(request, "several", context, active="several")


@require_GET
@requires("member.export")
def export_several(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out the members in several groups as a table."""
    at_least = int(asked.choice(request, "at_least", AT_LEAST, AT_LEAST[0]))
    page = overlap.in_several(asked.visible(request), at_least=at_least, size=MOST_EXPORTED)
    rows = [
        (
            row.name, ", ".join(label("platform", code) for code in row.connectors), row.accounts, len(row.groups),
            "; ".join(name for _pk, name in row.groups), formats.moment(row.last_message_ms),
        )
        for row in page.rows
    ]  # fmt: skip
    audit.record(actor=asked.staff_of(request), action="member.several_exported", after={"rows": len(rows), "format": kind})
    header = [_("成员"), _("平台"), _("账号数"), _("在群"), _("社群"), _("最近发言")]
    return downloads.table(kind, "members-in-several-groups", header, rows)


def _do(request: HttpRequest, command: Callable[[], Any], done: str) -> None:
    try:
        command()
        messages.success(request, done)
    except MergeRefused as refused:
        messages.error(request, _("没有合并：%(reason)s") % {"reason": REFUSALS[refused.code]})


def _seen(request: HttpRequest, member_id: int | None) -> None:
    if member_id is None or not _may_see(request, member_id) or members_selector.member(member_id) is None:
        raise Http404


def _may_see(request: HttpRequest, member_id: int) -> bool:
    return members_selector.may_see(member_id, asked.visible(request))
