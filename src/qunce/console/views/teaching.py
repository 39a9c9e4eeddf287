"""Teach the models with single messages: show what a mark would change, set it, take it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from qunce.accounts.access import requires
from qunce.console import asked, pages
from qunce.console.labels import label
from qunce.console.live_labels import refused
from qunce.runtime.commands import CommandRefused
from qunce.runtime.live import marks, views

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

MOST_SHOWN = 10


@require_http_methods(["GET", "HEAD", "POST"])
@requires("case.teach")
def teach_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show what marking a case's message would change among the newest messages; POST marks it."""
    detail = _access(request, case_id)
    asking = request.POST if request.method == "POST" else request.GET
    model = next((name for name in marks.MODELS if name == asking.get("model")), marks.MODELS[0])
    positive = asking.get("label") == "yes"
    try:
        if request.method == "POST":
            needed = marks.do_teach(actor=asked.staff_of(request), model=model, seq=detail.row.seq, label=positive)
            messages.success(request, _taught(needed))
            return redirect("case", case_id)
        preview = marks.preview_teach(model, detail.row.seq, positive)
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
        return redirect("case", case_id)
    context = {
        "case": detail, "row": detail.row, "model": model, "positive": positive, "preview": preview, "most": MOST_SHOWN,
        "sample": marks.SAMPLE, "missing": preview.after.missing,
    }  # fmt: skip
    return pages.render(request, "teach", context, active="cases")


@require_POST
@requires("case.teach")
def unteach_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Take a mark back."""
    detail = _access(request, case_id)
    model = next((name for name in marks.MODELS if name == request.POST.get("model")), None)
    if model is None:
        raise Http404
    try:
        marks.do_untaught(actor=asked.staff_of(request), model=model, seq=detail.row.seq)
        messages.success(request, _("标注已收回：%(model)s。") % {"model": label("model", model)})
    except CommandRefused as error:
        messages.error(request, refused(error.reason))
    return redirect("case", case_id)


def _access(request: HttpRequest, case_id: str) -> views.CaseDetail:
    # A model judges in every group, so only those who see every group may change it.
    detail = views.case_detail(case_id) if asked.visible(request) is None else None
    if detail is None or not detail.can_teach:
        raise Http404
    return detail


def _taught(needed: tuple[int, int]) -> str:
    if any(needed):
        return _("已标注。再标注 %(yes)s 条“是”和 %(no)s 条“不是”，模型就开始按这里的标注判断。") % {
            "yes": needed[0], "no": needed[1],
        }  # fmt: skip
    return _("已标注，模型马上按新的标注判断。")
