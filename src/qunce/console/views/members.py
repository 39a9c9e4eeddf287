"""List members, and show one across all groups."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts import audit
from qunce.accounts.access import can, requires
from qunce.console import asked, downloads, formats, heat, pages
from qunce.console.jinja import say
from qunce.console.labels import label
from qunce.readmodels.selectors import contacts
from qunce.readmodels.selectors import members as selectors
from qunce.readmodels.selectors.days import newest_day
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused, do_flag_member
from qunce.runtime.identity.views import links_of
from qunce.runtime.organisation import currency
from qunce.runtime.profile import views as profiles
from qunce.runtime.tiers import views as tiers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest, HttpResponse

STRIP_WEEKS = 26
MOST_EXPORTED = 20_000
"""Members in one file; more are for the command line, which makes nobody wait."""


@require_GET
@requires("member.view")
def members(request: HttpRequest) -> HttpResponse:
    """List members."""
    visible = asked.visible(request)
    text = asked.text(request)
    kind = asked.choice(request, "kind", selectors.KINDS, "")
    sort = asked.choice(request, "sort", tuple(selectors.SORTS), "recent")
    after = asked.keyset(request, "after")
    known = _known(request)
    page = selectors.list_members(visible, text=text, kind=kind, sort=sort, after=after, known=known)
    may_change = can(asked.staff_of(request), "profile.change")
    context = {
        "page": page, "text": text, "kind": kind, "sort": sort, "currency": currency(), "later": after is not None,
        "next": f"{page.next[0]}.{page.next[1]}" if page.next else "",
        "kinds": (
            ("", _("全部")), ("member", label("kind", "member")), ("staff", label("kind", "staff")),
            ("bot", label("kind", "bot")),            ("house_persona", label("kind", "house_persona")),
        ),
        "sorts": (("recent", _("最近出现")), ("messages", _("消息最多")), ("orders", _("订单最多")), ("spend", _("消费最高"))),
        "known": known, "tag_choices": profiles.tag_choices(), "fields": profiles.coded_attributes(),
        "chips": profiles.chips([row.id for row in page.rows], now_ms()), "may_change": may_change,
        "may_import": can(asked.staff_of(request), "import.run"), "may_export": can(asked.staff_of(request), "member.export"),
    }  # fmt: skip
    return pages.render(request, "members", context, active="members")


@require_GET
@requires("member.export")
def export_members(request: HttpRequest, kind: str) -> HttpResponse:
    """Hand out the list of members, as it is filtered and sorted, as a table."""
    header = [_("成员"), _("身份"), _("平台"), _("在群"), _("消息"), _("订单"), _("累计消费"), _("最近发言"), _("首次出现")]
    header += [_("成员编号"), *(say(title) for _attribute, title in profiles.attribute_titles()), _("标签")]
    rows = [
        (
            row.name, label("kind", row.kind), ", ".join(label("platform", code) for code in row.connectors), row.groups,
            row.message_count, row.order_count, Decimal(row.paid_minor) / 100, formats.moment(row.last_message_ms),
            formats.moment(row.first_ms), str(row.id), *known,
        )
        for row, known in _with_profiles(islice(_all(request), MOST_EXPORTED))
    ]  # fmt: skip
    audit.record(actor=asked.staff_of(request), action="member.exported", after={"rows": len(rows), "format": kind})
    return downloads.table(kind, "members", header, rows)


def _with_profiles(rows: Iterator[selectors.MemberRow]) -> Iterator[tuple[selectors.MemberRow, tuple[str | int, ...]]]:
    """Add to each member the values of its attributes, in the order of the playbook, and its tags."""
    while chunk := list(islice(rows, 1_000)):
        known = profiles.columns_of([row.id for row in chunk], now_ms())
        yield from ((row, known[row.id]) for row in chunk)


def _known(request: HttpRequest) -> selectors.KnownFilter:
    """Return what the list is narrowed to of what is known: a tag, a value of an attribute."""
    attribute, _dot, word = asked.text(request, "field").partition("=")
    return selectors.KnownFilter(now_ms=now_ms(), tag=asked.text(request, "tag"), attribute=attribute, word=word)


def _all(request: HttpRequest) -> Iterator[selectors.MemberRow]:
    kind = asked.choice(request, "kind", selectors.KINDS, "")
    sort = asked.choice(request, "sort", tuple(selectors.SORTS), "recent")
    after = None
    while True:
        page = selectors.list_members(
            asked.visible(request),
            text=asked.text(request),
            kind=kind,
            sort=sort,
            after=after,
            size=1_000,
            known=_known(request),
        )
        yield from page.rows
        after = page.next
        if after is None:
            return


@require_GET
@requires("member.view")
def member(request: HttpRequest, member_id: int) -> HttpResponse:
    """Show a member: facts, groups, accounts, orders, activity, and everything they did in order of time."""
    merged_into = selectors.successor(member_id)
    if merged_into is not None and merged_into != member_id:
        return redirect("member", merged_into)
    visible, shown = asked.visible(request), _shown(request, member_id)
    identities = selectors.identities(member_id)
    ids = [identity.id for identity in identities]
    rows, following = selectors.timeline(ids, visible, asked.keyset(request, "before"))
    rows = _with_titles(_with_tiers(rows))
    context: dict[str, Any] = {
        "member": shown, "rows": rows, "next": f"{following[0]}.{following[1]}" if following else "",
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "member", "timeline", context)
    newest = newest_day(None) or 0
    since = heat.monday(newest) - 7 * (STRIP_WEEKS - 1)
    context |= {
        "identities": identities,
        "links": links_of(ids),
        "may_merge": can(asked.staff_of(request), "member.merge"),
        "contacts": contacts.of_members([member_id]).get(member_id, ()),
        "contacts_known": contacts.known_until() is not None,
        "memberships": selectors.memberships(ids, visible),
        "orders": selectors.orders(ids, 20),
        "strip": heat.strip(selectors.daily_messages(ids, since, visible), since, newest),
        "strip_weeks": STRIP_WEEKS,
        "strip_until": formats.day(newest),
        "currency": currency(),
        "tiers": tiers.of_member(member_id) if can(asked.staff_of(request), "tier.view") else (),
        "traits": tiers.traits_of(member_id) if can(asked.staff_of(request), "tier.view") else None,
        "profile": profiles.of_member(ids, visible, now_ms()),
        "tag_choices": profiles.tag_choices(),
        "may_change": can(asked.staff_of(request), "profile.change"),
        "may_flag": can(asked.staff_of(request), "member.flag"),
        "kinds": [(kind, label("kind", kind)) for kind in ("member", "staff", "bot", "house_persona")],
    }
    return pages.render(request, "member", context, active="members")


def _with_titles(rows: tuple[selectors.TimelineRow, ...]) -> tuple[selectors.TimelineRow, ...]:
    """Name tags and attributes in the page's language, and say their values."""
    known = [row for row in rows if row.what in ("attribute.set", "tag.put", "tag.taken")]
    details = {
        row.seq: {**detail, "title": say(detail["title"]), "shown": formats.value(detail.get("value"), str(detail["type"]))}  # type: ignore[arg-type]  # a pair of texts
        for row, detail in zip(known, profiles.worded(row.detail for row in known), strict=True)
    }
    return tuple(replace(row, detail=details[row.seq]) if row.seq in details else row for row in rows)


def _with_tiers(rows: tuple[selectors.TimelineRow, ...]) -> tuple[selectors.TimelineRow, ...]:
    """Name the levels of moves between tiers in the page's language."""
    moves = [row for row in rows if row.what == "tier.moved"]
    details = {
        row.seq: {**detail, **{f"{side}_title": say(detail[side]) for side in ("scheme", "old", "new")}}
        for row, detail in zip(moves, tiers.worded([row.detail for row in moves]), strict=True)
    }
    return tuple(replace(row, detail=details[row.seq]) if row.seq in details else row for row in rows)


@require_POST
@requires("member.flag")
def flag_member(request: HttpRequest, member_id: int) -> HttpResponse:
    """Say what a member is; metrics follow."""
    _shown(request, member_id)
    kind = request.POST.get("kind", "")
    try:
        do_flag_member(actor=asked.staff_of(request), member_id=member_id, kind=kind)
        messages.success(request, _("已标记为%(kind)s。相关指标会在几秒内重新计算。") % {"kind": label("kind", kind)})
    except CommandRefused as refused:
        messages.error(request, _("没有标记：%(reason)s") % {"reason": refused.reason})
    return redirect("member", member_id)


def _shown(request: HttpRequest, member_id: int) -> selectors.MemberRow:
    """Return the member. Raises Http404, also for one who is in none of the groups the reader may see."""
    visible = asked.visible(request)
    if visible is not None and not selectors.may_see(member_id, visible):
        raise Http404
    found = selectors.member(member_id)
    if found is None:
        raise Http404
    return found
