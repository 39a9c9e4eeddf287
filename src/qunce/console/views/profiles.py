"""Change what is known of members, show tags and who has them, and take changes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from qunce.accounts.access import can, requires
from qunce.console import asked, pages
from qunce.readmodels.selectors import members as selectors
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.commands import CommandRefused
from qunce.runtime.models import JobState
from qunce.runtime.organisation import currency
from qunce.runtime.profile import bulk, changing, rules, views
from qunce.runtime.profile import proposals as offers
from qunce.runtime.segments import views as segments
from qunce.runtime.segments.views import Computing

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_CHOSEN = 500
"""Members one form may name, and one click may change; more are changed by a job."""
SAMPLE = 12
"""Members a look at a bulk change names."""
TERMS = (7, 30, 90, 180, 365)
"""Days a tag can be put for, as a form offers them."""


@require_POST
@requires("profile.change")
def set_attribute(request: HttpRequest, member_id: int) -> HttpResponse:
    """Set an attribute as written; an empty text takes the colleague's own value away."""
    _access_member(request, member_id)
    attribute_id, text = request.POST.get("attribute", ""), request.POST.get("value", "").replace("\x00", "")
    actor = asked.staff_of(request)
    try:
        if text.strip():
            batch = changing.do_set_attribute(actor=actor, member_id=member_id, attribute_id=attribute_id, text=text)
        else:
            kept = request.POST.get("kept", "manual")
            batch = changing.do_clear_attribute(actor=actor, member_id=member_id, attribute_id=attribute_id, kept=kept)
        messages.success(request, _("资料已更新。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有更新：%(reason)s") % {"reason": refused.reason})
    return redirect("member", member_id)


@require_POST
@requires("profile.change")
def put_tag(request: HttpRequest, member_id: int) -> HttpResponse:
    """Put a tag on a member."""
    _access_member(request, member_id)
    tag, until_ms = request.POST.get("tag", ""), bulk.until(request.POST.get("days", ""), now_ms())
    try:
        batch = changing.do_put_tag(
            actor=asked.staff_of(request), member_ids=[member_id], tag=tag, reason=request.POST.get("reason", ""),
            until_ms=until_ms,
        )  # fmt: skip
        messages.success(request, _("标签已打上。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有打上：%(reason)s") % {"reason": refused.reason})
    return redirect("member", member_id)


@require_POST
@requires("profile.change")
def take_tag(request: HttpRequest, member_id: int, holding_id: int) -> HttpResponse:
    """Take one tag away from one who put it."""
    _access_member(request, member_id)
    try:
        batch = changing.do_take_holding(actor=asked.staff_of(request), member_id=member_id, holding_id=holding_id)
        messages.success(request, _("标签已取下。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有取下：%(reason)s") % {"reason": refused.reason})
    return redirect("member", member_id)


@require_POST
@requires("profile.change")
def tag_members(request: HttpRequest) -> HttpResponse:
    """Look at what a bulk change would do, or do it: the second form of the page confirms it.

    It is about the members that are ticked, about all of the list as it is narrowed, or about a segment.
    """
    tag, put = request.POST.get("tag", ""), request.POST.get("verb", "put") != "take"
    whom = _whom(request)
    reason, days = request.POST.get("reason", ""), request.POST.get("days", "")
    try:
        if whom is None:
            members = views.seen_members(_numbers(request, "m"), asked.visible(request))
        else:
            members = bulk.chosen(whom, asked.visible(request), now_ms())
        if not members:
            raise CommandRefused(_("没有选中成员"))
        if request.POST.get("confirmed") == "yes":
            return _do_tag(request, members, whom, tag, put=put)
        preview = changing.preview_tag(members, tag, put=put)
    except CommandRefused as refused:
        messages.error(request, _("没有改动：%(reason)s") % {"reason": refused.reason})
        return _back(whom)
    except Computing:
        messages.error(request, _("别的页面正在计算，请稍后再试。"))
        return _back(whom)
    sample, chips = views.names_of(members[:SAMPLE]), views.chips(members[:SAMPLE], now_ms())
    context = {
        "preview": preview, "members": () if whom else members, "whom": whom, "tag": tag, "put": put, "reason": reason,
        "title": views.title_of_tag, "sample": sample, "chips": chips, "days": days, "terms": TERMS,
        "at": request.POST.get("at", "") if whom is not None and whom.at_ms is not None else "",
    }  # fmt: skip
    return pages.render(request, "tag_members", context, active="members")


def _do_tag(request: HttpRequest, members: list[int], whom: bulk.Whom | None, tag: str, *, put: bool) -> HttpResponse:
    """Do a bulk change: a few at once, more as a job. Raises CommandRefused."""
    actor, reason, days = asked.staff_of(request), request.POST.get("reason", ""), request.POST.get("days", "")
    if whom is not None and len(members) > MOST_CHOSEN:
        return redirect("tag-job", bulk.start(actor=actor, whom=whom, tag=tag, put=put, reason=reason, days=days))
    if put:
        until_ms = bulk.until(days, now_ms())
        batch = changing.do_put_tag(actor=actor, member_ids=members, tag=tag, reason=reason, until_ms=until_ms)
    else:
        batch = changing.do_take_tag(actor=actor, member_ids=members, tag=tag)
    messages.success(request, _("已处理 %(n)s 位成员。") % {"n": len(members)}, extra_tags=f"undo:{batch}")
    return redirect("changes")


def _back(whom: bulk.Whom | None) -> HttpResponse:
    known = whom is not None and whom.segment and segments.get(whom.segment) is not None
    return redirect("segment", whom.segment) if known and whom is not None else redirect("members")


def _whom(request: HttpRequest) -> bulk.Whom | None:
    """Return the segment or the narrowed list a change is about; None = the members that are ticked."""
    segment = request.POST.get("segment", "")
    if segment:
        return bulk.Whom(segment=segment, at_ms=asked.end_of_day(request.POST))
    if request.POST.get("scope") != "all":
        return None
    kind = request.POST.get("f_kind", "")
    attribute, _is, word = request.POST.get("f_field", "").replace("\x00", "").partition("=")
    return bulk.Whom(
        text=request.POST.get("f_q", "").replace("\x00", "")[:100], kind=kind if kind in selectors.KINDS else "",
        tag=request.POST.get("f_tag", "").replace("\x00", ""), attribute=attribute, word=word,
    )  # fmt: skip


@require_GET
@requires("profile.change")
def tag_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show how far a bulk change is, or what came of it."""
    job = jobs.get(job_id)
    own = _own(request)
    if job is None or job.kind != bulk.JOB_KIND or (own is not None and job.actor_id != own):
        raise Http404
    context = {
        "job": job, "busy": job.state in (JobState.QUEUED, JobState.RUNNING), "title": views.title_of_tag(job.params["tag"]),
    }  # fmt: skip
    return pages.render(request, "tag_job", context, active="members")


@require_GET
@requires("member.view")
def tags(request: HttpRequest) -> HttpResponse:
    """List all tags by group, with how many have them and the rules that put them."""
    groups, others = views.all_tags(now_ms())
    context: dict[str, Any] = {
        "groups": groups, "others": others, "may_edit": can(asked.staff_of(request), "playbook.publish"),
    }  # fmt: skip
    return pages.render(request, "tags", context, active="tags")


@require_GET
@requires("member.view")
def tag(request: HttpRequest, tag_id: str) -> HttpResponse:
    """Show a tag: what it means, what puts it, who has it and why."""
    found = views.tag_page(tag_id, asked.visible(request), now_ms())
    if found is None:
        raise Http404
    may_run = asked.visible(request) is None and can(asked.staff_of(request), "profile.change")
    rule_id, at = asked.text(request, "rule"), asked.text(request, "at")
    trial = views.trial(rule_id, at) if may_run and rule_id else None
    may_teach = asked.visible(request) is None and can(asked.staff_of(request), "case.teach")
    context = {
        "found": found, "most": views.MOST_HOLDERS, "may_run": may_run, "trial": trial, "at": at, "may_teach": may_teach,
        "min_each": views.MIN_EACH,
    }  # fmt: skip
    return pages.render(request, "tag", context, active="tags")


@require_POST
@requires("profile.change")
def run_rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Let a rule put and take its tag once, whatever its mode. For those who see every group: a rule knows no scope."""
    if asked.visible(request) is not None:
        raise Http404
    try:
        result = rules.do_run_rule(actor=asked.staff_of(request), rule_id=rule_id)
        text = _("打上 %(puts)s 位，取下 %(takes)s 位。") % {
            "puts": result["puts"][rule_id], "takes": result["takes"][rule_id],
        }  # fmt: skip
        messages.success(request, text, extra_tags=f"undo:{result['batch']}" if result["batch"] else "")
    except CommandRefused as refused:
        messages.error(request, _("没有运行：%(reason)s") % {"reason": refused.reason})
        return redirect("tags")
    return redirect("tag", request.POST.get("tag", "")) if request.POST.get("tag") else redirect("tags")


@require_GET
@requires("profile.change")
def proposals(request: HttpRequest) -> HttpResponse:
    """List what members may have said of themselves, to be accepted or refused."""
    visible, attribute = asked.visible(request), asked.text(request, "attribute")
    context = {
        "kinds": offers.waiting(visible), "rows": offers.page(visible, attribute), "attribute": attribute, "most": offers.PAGE,
        "job": next(iter(jobs.recent(offers.JOB_KIND, 1)), None), "currency": currency(),
    }  # fmt: skip
    return pages.render(request, "proposals", context, active="proposals")


@require_POST
@requires("profile.change")
def decide_proposals(request: HttpRequest) -> HttpResponse:
    """Accept or refuse chosen proposals, accept all of a kind that are sure enough, or look for new ones."""
    actor, visible, verb = asked.staff_of(request), asked.visible(request), request.POST.get("verb", "")
    ids = _numbers(request, "p")
    attribute = request.POST.get("attribute", "")
    try:
        if verb == "look":
            offers.start(actor=actor)
            messages.success(request, _("正在查找，几秒后刷新就能看到。"))
        elif verb == "refuse":
            count = offers.do_refuse(actor=actor, ids=ids, visible=visible)
            messages.success(request, _("已拒绝 %(n)s 条，同样的不会再提示。") % {"n": count})
        elif verb == "all":
            above = _share(request.POST.get("above", ""))
            batch = offers.do_accept_above(actor=actor, attribute=attribute, confidence=above, visible=visible)
            messages.success(request, _("已采纳。"), extra_tags=f"undo:{batch}")
        else:
            batch = offers.do_accept(actor=actor, ids=ids, visible=visible)
            messages.success(request, _("已采纳。"), extra_tags=f"undo:{batch}")
    except CommandRefused as refused:
        messages.error(request, _("没有改动：%(reason)s") % {"reason": refused.reason})
    back = reverse("proposals")
    return redirect(f"{back}?{urlencode({'attribute': attribute})}" if attribute else back)


def _numbers(request: HttpRequest, name: str) -> list[int]:
    texts = request.POST.getlist(name)[:MOST_CHOSEN]
    return [int(text) for text in texts if text.isascii() and text.isdecimal() and len(text) < 19]


def _share(text: str) -> float:
    return int(text) / 100 if text.isascii() and text.isdecimal() and int(text) <= 100 else 1.0


@require_GET
@requires("profile.change")
def changes(request: HttpRequest) -> HttpResponse:
    """List the newest changes of attributes and tags, each of which can be taken back."""
    return pages.render(request, "changes", {"rows": views.recent_batches(_own(request))}, active="changes")


@require_POST
@requires("profile.change")
def undo_change(request: HttpRequest, batch_id: str) -> HttpResponse:
    """Take a change back as a whole. Who does not see every group may take back only what they did themselves."""
    if not views.may_undo(batch_id, _own(request)):
        raise Http404
    try:
        restored, kept = changing.do_undo_batch(actor=asked.staff_of(request), batch_id=batch_id)
        text = _("已恢复 %(n)s 处。") % {"n": restored}
        if kept:
            text += _("另有 %(n)s 处之后又被改过，保持现状。") % {"n": kept}
        messages.success(request, text)
    except CommandRefused as refused:
        messages.error(request, _("没有撤销：%(reason)s") % {"reason": refused.reason})
    back = request.POST.get("member", "")
    return redirect("member", int(back)) if back.isascii() and back.isdecimal() and len(back) < 19 else redirect("changes")


def _own(request: HttpRequest) -> int | None:
    """Return the reader's own id where they see only some groups; None = they see all, and everybody's changes."""
    return None if asked.visible(request) is None else asked.staff_of(request).pk


def _access_member(request: HttpRequest, member_id: int) -> None:
    """Raise Http404 for a member who is unknown, or in none of the groups the reader may see."""
    visible = asked.visible(request)
    if selectors.member(member_id) is None or not selectors.may_see(member_id, visible):
        raise Http404
