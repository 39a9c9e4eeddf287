"""Import files: upload, try first, then for good; show how far it is and what came of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from qunce.accounts.access import can, requires
from qunce.console import asked, pages, uploads
from qunce.readmodels.selectors.group import communities
from qunce.runtime import jobs, organisation
from qunce.runtime.imports import service
from qunce.runtime.imports.known import known_formats
from qunce.runtime.imports.reading import Request as ImportRequest
from qunce.runtime.models import Job, JobState

if TYPE_CHECKING:
    from django.http import HttpRequest

    from qunce.accounts.models import Staff

COMMON_ZONES: Final = (
    "Asia/Shanghai", "Asia/Hong_Kong", "Asia/Taipei", "Asia/Singapore", "Asia/Tokyo", "UTC", "Europe/London", "Europe/Berlin",
    "America/New_York", "America/Los_Angeles",
)  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires("import.view")
def imports(request: HttpRequest) -> HttpResponse:
    """List imports and take new files in; a file is always tried first."""
    if request.method == "POST":
        return _upload(request)
    return _page(request, {})


@require_safe
@requires("import.view")
def import_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """Show one import: how far it is, what a trial found, what came of it."""
    job = _job(job_id)
    context = {
        "job": job, "result": job.result, "trial": bool(job.params.get("dry_run")), "fraction": _fraction(job),
        "may_run": can(asked.staff_of(request), "import.run"), "busy": job.state in (JobState.QUEUED, JobState.RUNNING),
        "still_there": all(Path(path).exists() for path in job.params.get("paths", ())),
    }  # fmt: skip
    if request.headers.get("HX-Request"):
        return pages.render_block(request, "import", "state", context)
    return pages.render(request, "import", context, active="imports")


@require_POST
@requires("import.run")
def import_confirm(request: HttpRequest, job_id: int) -> HttpResponse:
    """Import for good what was tried before, with the same choices."""
    job = _job(job_id)
    params = job.params
    if not params.get("dry_run") or job.state != JobState.DONE or not all(Path(path).exists() for path in params["paths"]):
        messages.error(request, _("这些文件已经不在了，请重新上传。"))
        return redirect("import", job_id)
    new = service.start(_request(params), actor=asked.staff_of(request), dry_run=False)
    return redirect("import", new)


@require_POST
@requires("import.run")
def import_discard(request: HttpRequest, job_id: int) -> HttpResponse:
    """Throw away files that were only tried."""
    job = _job(job_id)
    if job.params.get("dry_run"):
        uploads.forget(job.params.get("paths", ()))
        messages.success(request, _("文件已删除，什么都没有导入。"))
    return redirect("imports")


@require_safe
@requires("import.view")
def import_rejects(request: HttpRequest, job_id: int, number: int) -> FileResponse:
    """Hand out the rejected rows of one file of an import."""
    files = _job(job_id).result.get("files", [])
    name = files[number].get("rejects_file", "") if number < len(files) else ""
    folder = Path(settings.DATA_DIR) / "rejects"
    path = folder / Path(name).name
    if not name or not path.is_file():
        raise Http404
    return FileResponse(path.open("rb"), as_attachment=True, filename=path.name, content_type="text/csv; charset=utf-8")


def _upload(request: HttpRequest) -> HttpResponse:
    staff = asked.staff_of(request)
    if not can(staff, "import.run"):
        return pages.forbidden(request)
    files = request.FILES.getlist("files")
    problem = _problem(request, len(files))
    if problem:
        response = _page(request, {"problem": problem}, status=422)
        response.headers["HX-Retarget"] = "body"
        return response
    paths = uploads.keep(files)
    job_id = service.start(_choices(request, paths), actor=staff, dry_run=True)
    target = reverse("import", args=[job_id])
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _problem(request: HttpRequest, count: int) -> str:
    """Return why an upload cannot be used; empty = it can."""
    if count == 0:
        return _("请先选一个文件。")
    if count > uploads.MOST_FILES:
        return _("一次最多 %(most)s 个文件。") % {"most": uploads.MOST_FILES}
    try:
        ZoneInfo(request.POST.get("zone", ""))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return _("没有这个时区。")
    if request.POST.get("format") and request.POST["format"] not in {item.name for item in known_formats()}:
        return _("没有这种格式。")
    return ""


def _choices(request: HttpRequest, paths: tuple[Path, ...]) -> ImportRequest:
    names = (line.strip() for line in request.POST.get("staff", "").replace(",", "\n").replace("，", "\n").splitlines())
    return ImportRequest(
        paths=paths,
        format=request.POST.get("format") or None,
        zone=ZoneInfo(request.POST["zone"]),
        community=request.POST.get("community", "").strip()[:100],
        staff=tuple(name for name in names if name)[:200],
        group=request.POST.get("group", "").strip()[:100] or None,
        date_order=request.POST.get("date_order") or None,
    )


def _request(params: dict[str, Any]) -> ImportRequest:
    return ImportRequest(
        paths=tuple(Path(path) for path in params["paths"]), format=params["format"], zone=ZoneInfo(params["zone"]),
        community=params["community"], staff=tuple(params["staff"]), group=params["group"], date_order=params["date_order"],
    )  # fmt: skip


def _job(job_id: int) -> Job:
    job = jobs.get(job_id)
    if job is None or job.kind != service.JOB_KIND:
        raise Http404
    return job


def _fraction(job: Job) -> float | None:
    total = job.progress.get("total") or 0
    return min(1.0, job.progress.get("done", 0) / total) if total else None


def _page(request: HttpRequest, extra: dict[str, Any], status: int = 200) -> HttpResponse:
    staff: Staff = asked.staff_of(request)
    zone = organisation.zone().key
    context = {
        "jobs": jobs.recent(service.JOB_KIND, 30), "may_run": can(staff, "import.run"), "formats": known_formats(),
        "zone": zone, "zones": [zone, *(item for item in COMMON_ZONES if item != zone)], "all_zones": _zones(),
        "communities": communities(), "posted": request.POST, "most_mb": settings.MAX_UPLOAD_BYTES // 2**20,
    }  # fmt: skip
    return pages.render(request, "imports", context | extra, active="imports", status=status)


@cache
def _zones() -> tuple[str, ...]:
    """Return all time zones; finding them reads hundreds of files."""
    return tuple(sorted(available_timezones()))
