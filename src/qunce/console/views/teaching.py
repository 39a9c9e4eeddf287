"""Teach the models with single messages: show what a mark would change, set it, take it back, and list what was taught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import requires
from qunce.console import asked, pages
from qunce.console.lessons import model_name
from qunce.console.live_labels import refused
from qunce.readmodels.selectors import transcript
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import marks, views

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_SHOWN: Final = 10


@require_http_methods(["GET", "HEAD", "POST"])
@requires("case.teach")
def teach_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show what marking a case's message would change among the newest messages; POST marks it."""
    detail = _access_case(request, case_id)
    back, taking_back = reverse("case", args=[case_id]), reverse("unteach-case", args=[case_id])
    return _teach(request, detail.row.seq, detail.message.text if detail.message else "", back, taking_back)


@require_POST
@requires("case.teach")
def unteach_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Take a mark back."""
    return _unteach(request, _access_case(request, case_id).row.seq, reverse("case", args=[case_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("case.teach")
def teach_message(request: HttpRequest, seq: int) -> HttpResponse:
    """Show what marking a message would change among the newest messages; POST marks it."""
    text, back = _access_message(request, seq)
    return _teach(request, seq, text, back, reverse("unteach-message", args=[seq]))


@require_POST
@requires("case.teach")
def unteach_message(request: HttpRequest, seq: int) -> HttpResponse:
    """Take a mark back, also one on a message that is gone."""
    if asked.visible(request) is not None:
        raise Http404
    back = reverse("lessons")
    if request.POST.get("back") != "lessons":
        back = _access_message(request, seq)[1]
    return _unteach(request, seq, back)


@require_safe
@requires("case.teach")
def lessons(request: HttpRequest) -> HttpResponse:
    """List what was taught, and how far each model is."""
    if asked.visible(request) is not None:
        return pages.forbidden(request)
    model = asked.choice(request, "model", marks.known(), "")
    rows, older = marks.lesson_list(model=model or None, before=asked.number(request, "before"))
    context = {"rows": rows, "older": older, "model": model, "schooling": marks.schooling(), "own": marks.own_titles()}
    return pages.render(request, "lessons", context, active="cases")


def _teach(request: HttpRequest, seq: int, text: str, back: str, taking_back: str) -> HttpResponse:
    asking = request.POST if request.method == "POST" else request.GET
    models = marks.known()
    model = next((name for name in models if name == asking.get("model")), models[0])
    positive = asking.get("label", "yes") == "yes"
    try:
        if request.method == "POST":
            needed = marks.do_teach(actor=asked.staff_of(request), model=model, seq=seq, label=positive)
            messages.success(request, _taught(needed))
            return redirect(back)
        preview = marks.preview_teach(model, seq, positive)
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        return redirect(back)
    context = {
        "said": text, "back": back, "taking_back": taking_back, "model": model, "positive": positive, "preview": preview,
        "most": MOST_SHOWN, "sample": marks.SAMPLE, "missing": preview.after.missing, "models": models,
        "marked_as": marks.marked([seq]).get(seq, {}).get(model), "own": marks.own_titles(),
    }  # fmt: skip
    return pages.render(request, "teach", context, active="cases")


def _unteach(request: HttpRequest, seq: int, back: str) -> HttpResponse:
    model = request.POST.get("model", "")
    if model not in marks.known() and model not in marks.marked([seq]).get(seq, {}):
        raise Http404
    try:
        marks.do_untaught(actor=asked.staff_of(request), model=model, seq=seq)
        messages.success(request, _("标注已收回：%(model)s。") % {"model": model_name(model, marks.own_titles())})
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    return redirect(back)


def _access_case(request: HttpRequest, case_id: str) -> views.CaseDetail:
    # A model judges in every group, so only those who see every group may change it.
    detail = views.case_detail(case_id) if asked.visible(request) is None else None
    if detail is None or not detail.can_teach:
        raise Http404
    return detail


def _access_message(request: HttpRequest, seq: int) -> tuple[str, str]:
    """Return what a message says, and the page it stands on."""
    found = transcript.messages([seq]) if asked.visible(request) is None and seq < 2**63 else ()
    if not found or not found[0][0].text.strip() or found[0][0].deleted_ms is not None:
        raise Http404
    line, group_id = found[0]
    return line.text, f"{reverse('group-messages', args=[group_id])}?around={seq}"


def _taught(needed: tuple[int, int]) -> str:
    if any(needed):
        return _("已标注。再标注 %(yes)s 条“是”和 %(no)s 条“不是”，模型就开始按这里的标注判断。") % {
            "yes": needed[0], "no": needed[1],
        }  # fmt: skip
    return _("已标注，模型马上按新的标注判断。")
