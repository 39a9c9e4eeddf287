"""Import what is known of members from a table: choose what each column is, try it, then take it in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from qunce.accounts.access import requires
from qunce.console import asked, pages, uploads
from qunce.runtime import jobs
from qunce.runtime.commands import CommandRefused
from qunce.runtime.models import JobState
from qunce.runtime.profile import contacts, files, views
from qunce.runtime.profile.files import ImportRefused

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from qunce.runtime.models import Job


@require_http_methods(["GET", "POST"])
@requires("import.run")
def member_import(request: HttpRequest) -> HttpResponse:
    """Take a table in; what its columns are is asked next."""
    if request.method == "POST":
        given = request.FILES.getlist("files")[:1]
        if not given:
            messages.error(request, _("请先选一个文件。"))
            return redirect("member-import")
        (path,) = uploads.keep(given)
        return redirect("member-columns", path.parent.name)
    return pages.render(request, "member_import", {"jobs": jobs.recent(files.JOB_KIND, 10)}, active="members")


@require_http_methods(["GET", "POST"])
@requires("import.run")
def member_columns(request: HttpRequest, folder: str) -> HttpResponse:
    """Ask what each column of an uploaded table is, and start the trial."""
    path = _uploaded(folder)
    try:
        header, rows, guesses = files.look(path)
    except ImportRefused as refused:
        messages.error(request, _("这个文件用不了：%(reason)s") % {"reason": f"{refused.reason} {refused.fix}"})
        uploads.forget([str(path)])
        return redirect("member-import")
    if request.method == "POST":
        guesses = tuple(request.POST.get(f"c{index}", "")[:80] for index in range(len(header)))
        try:
            job_id = files.start(actor=asked.staff_of(request), path=path, targets=guesses, dry_run=True)
            return redirect("member-import-job", job_id)
        except CommandRefused as refused:
            messages.error(request, _("还不能试跑：%(reason)s") % {"reason": refused.reason})
    context: dict[str, Any] = {
        "folder": folder, "name": path.name, "columns": list(zip(header, guesses, strict=True)), "rows": rows, "ids": files.IDS,
        "attributes": views.attribute_titles(), "contact_columns": contacts.TARGETS,
    }  # fmt: skip
    return pages.render(request, "member_columns", context, active="members")


@require_GET
@requires("import.run")
def member_import_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show what a trial found, or what came of an import."""
    job = _job(job_id)
    context = {
        "job": job, "busy": job.state in (JobState.QUEUED, JobState.RUNNING), "still_there": Path(job.params["path"]).is_file(),
    }  # fmt: skip
    return pages.render(request, "member_import_job", context, active="members")


@require_POST
@requires("import.run")
def member_import_confirm(request: HttpRequest, job_id: int) -> HttpResponse:
    """Take in for good what was tried, with the same columns."""
    job = _job(job_id)
    path = Path(job.params["path"])
    if not job.params["dry_run"] or job.state != JobState.DONE or not path.is_file():
        messages.error(request, _("这些文件已经不在了，请重新上传。"))
        return redirect("member-import-job", job_id)
    try:
        new = files.start(actor=asked.staff_of(request), path=path, targets=job.params["targets"], dry_run=False)
    except CommandRefused as refused:
        messages.error(request, _("没有导入：%(reason)s") % {"reason": refused.reason})
        return redirect("member-import-job", job_id)
    return redirect("member-import-job", new)


def _uploaded(folder: str) -> Path:
    """Return the one file of an upload. Raises Http404 when it is gone."""
    found = sorted((Path(settings.DATA_DIR) / "uploads" / folder).glob("*"))
    if not found:
        raise Http404
    return found[0]


def _job(job_id: int) -> Job:
    job = jobs.get(job_id)
    if job is None or job.kind != files.JOB_KIND:
        raise Http404
    return job
