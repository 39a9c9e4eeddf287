"""Keep order: list the cases, show one with its evidence, and say what becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, carry, pages
from qunce.readmodels.models import Group
from qunce.readmodels.selectors import members
from qunce.runtime.identity import views as identities
from qunce.runtime.live import marks, playbook_views, views, words

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

STATES: Final = ("open", "done", "noted", "declined", "undone", "all")
SHOWN: Final = ("cases", "appeals", "tasks")
EARLIER: Final = 8
"""Newest messages of the person shown beside a case."""


@require_safe
@requires("case.view")
def cases(request: HttpRequest) -> HttpResponse:
    """List what waits for a person: cases, appeals, and what only people can do."""
    visible = asked.visible(request)
    shown = asked.choice(request, "show", SHOWN, "cases")
    context: dict[str, Any] = {
        "shown": shown, "waiting": views.waiting(visible), "loop": views.loop(),
        "may_decide": can(asked.staff_of(request), "case.decide"), "may_rules": can(asked.staff_of(request), "playbook.view"),
        "may_teach": carry.may_teach(request),
    }  # fmt: skip
    lists = {"cases": _cases, "appeals": _appeals, "tasks": _tasks}
    return pages.render(request, "cases", context | lists[shown](request, visible), active="cases")


@require_safe
@requires("case.view")
def case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show a case: the message, why it was found, what was done, and what can be said to it."""
    visible = asked.visible(request)
    detail = _access(request, case_id)
    subject = detail.row.subject
    said = members.timeline([subject.identity_id], visible, None)[0] if subject else ()
    following = views.case_list(state="open", group_ids=visible, limit=2).rows
    here = detail.message.seq if detail.message else None
    context = {
        "case": detail, "row": detail.row, "titles": playbook_views.rule_titles(),
        "rule": playbook_views.rule_of(detail.row.rule_id),
        "spans": [span for item in detail.evidence for span in views.spans_of(item.evidence)],
        "links": identities.links_named({link for item in detail.evidence for link in item.evidence.links}, visible),
        "said": [row for row in said if row.what == "message" and row.seq != here][:EARLIER],
        "takes_back": [item for item in detail.deliveries if item.purpose == "act" and item.state in ("done", "unknown")],
        "stops": [item for item in detail.deliveries if item.state in ("ready", "retrying", "human", "proposed")],
        "next": next((item for item in following if item.case_id != case_id), None),
        "may_decide": can(asked.staff_of(request), "case.decide"), "may_teach": carry.may_teach(request),
        "models": [(model, dict(detail.marks).get(model)) for model in marks.MODELS],
    }  # fmt: skip
    return pages.render(request, "case", context, active="cases")


@require_POST
@requires("case.decide")
def approve_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Let a suggestion be carried out."""
    _access(request, case_id)
    staff = asked.staff_of(request)
    return _said(request, case_id, _("已批准，正在执行。"), lambda: words.do_approve(actor=staff, case_id=case_id))


@require_POST
@requires("case.decide")
def decline_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Turn a suggestion down."""
    _access(request, case_id)
    staff, reason = asked.staff_of(request), _text(request, "reason")
    return _said(
        request, case_id, _("已否决，什么都没有做。"), lambda: words.do_decline(actor=staff, case_id=case_id, reason=reason)
    )


@require_POST
@requires("case.decide")
def undo_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Take back what a case did."""
    _access(request, case_id)
    staff, reason = asked.staff_of(request), _text(request, "reason")
    return _said(
        request, case_id, _("已撤销，正在恢复原状。"), lambda: words.do_undo(actor=staff, case_id=case_id, reason=reason)
    )


@require_POST
@requires("case.decide")
def appeal_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Write down a member's objection."""
    _access(request, case_id)
    staff, text, by_member = asked.staff_of(request), _text(request, "text"), request.POST.get("by") == "member"
    return _said(
        request, case_id, _("申诉已记下。"),
        lambda: words.do_appeal(actor=staff, case_id=case_id, text=text, by_member=by_member),
    )  # fmt: skip


@require_POST
@requires("case.decide")
def resolve_appeal(request: HttpRequest, case_id: str) -> HttpResponse:
    """Answer an objection; granting it takes the case back."""
    appeal = _access(request, case_id).appeal
    if appeal is None:
        raise Http404
    staff, grant, answer = asked.staff_of(request), request.POST.get("grant") == "yes", _text(request, "answer")
    return _said(
        request, case_id, _("申诉通过，已撤销处理。") if grant else _("申诉已驳回。"),
        lambda: words.do_resolve_appeal(actor=staff, appeal_id=appeal.appeal_id, grant=grant, answer=answer),
    )  # fmt: skip


@require_POST
@requires("case.decide")
def settle_delivery(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Say what became of a delivery only a person can know about, or finish what only a person can do."""
    row = views.delivery(delivery_id, asked.visible(request))
    if row is None:
        raise Http404
    staff, done = asked.staff_of(request), request.POST.get("done") == "yes"
    if row.state == "human":
        return _said(request, row.case_id, _("已记下。"), lambda: words.do_tap(actor=staff, delivery_id=delivery_id, done=done))
    return _said(
        request, row.case_id, _("已记为送达。") if done else _("正在重新发送。"),
        lambda: words.do_settle_unknown(actor=staff, delivery_id=delivery_id, sent=done),
    )  # fmt: skip


def _cases(request: HttpRequest, visible: frozenset[int] | None) -> dict[str, Any]:
    state = asked.choice(request, "state", STATES, "open")
    group_id, rule_id = asked.number(request, "group"), asked.text(request, "rule")
    page = views.case_list(
        state=None if state == "all" else state, group_ids=visible, group_id=group_id, rule_id=rule_id or None,
        before=asked.number(request, "before"),
    )  # fmt: skip
    seen = [group_id] if group_id is not None and (visible is None or group_id in visible) else []
    group = Group.objects.filter(pk__in=seen).values_list("name", flat=True).first()
    return {
        "page": page, "state": state, "states": STATES, "group_id": group_id, "group": group or "", "rule_id": rule_id,
        "later": asked.number(request, "before") is not None, "titles": playbook_views.rule_titles(),
    }  # fmt: skip


def _appeals(_request: HttpRequest, visible: frozenset[int] | None) -> dict[str, Any]:
    return {"appeals": views.appeal_list(group_ids=visible), "titles": playbook_views.rule_titles()}


def _tasks(_request: HttpRequest, visible: frozenset[int] | None) -> dict[str, Any]:
    rows = [row for state in ("unknown", "human") for row in views.delivery_list(state=state, group_ids=visible)]
    groups = Group.objects.filter(pk__in={row.group_id for row in rows}).values_list("pk", "name")
    return {"tasks": rows, "group_names": dict(groups), "people": views.people_of(rows)}


def _access(request: HttpRequest, case_id: str) -> views.CaseDetail:
    detail = views.case_detail(case_id, asked.visible(request))
    if detail is None:
        raise Http404
    return detail


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "").strip()[:2_000]


def _said(request: HttpRequest, case_id: str, done: str, say: Callable[[], object]) -> HttpResponse:
    carry.out(request, say, done)
    back = request.POST.get("back", "")
    if back.startswith("?") or not case_id:
        return redirect(reverse("cases") + (back if back.startswith("?") else ""))
    return redirect("case", case_id)
