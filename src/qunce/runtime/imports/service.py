"""Run an import, here and now or as a background job."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction

from qunce.accounts import audit
from qunce.accounts.models import Staff
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.garbage import fewer_collections
from qunce.runtime.imports.reading import Request, read_files
from qunce.runtime.imports.report import Report
from qunce.runtime.imports.storing import store
from qunce.runtime.ingest import Ingest, meets_channels

JOB_KIND = "import"
ABANDONED_S = 7 * 86_400
Progress = Callable[[str, str, int, int, int], None]
"""Called with step (`read`, `store`), file name, done, in all (bytes when reading, events when storing), events so far."""


def run_import(request: Request, *, dry_run: bool, progress: Progress) -> Report:
    """Read the files and, unless `dry_run`, store them. Refused files and rejected rows are in the report, not raised."""
    with fewer_collections():
        return _run(request, dry_run=dry_run, progress=progress)


def _run(request: Request, *, dry_run: bool, progress: Progress) -> Report:
    started = time.monotonic()
    folder = Path(settings.DATA_DIR)
    moment = now_ms()
    try:
        read = list(
            read_files(request, folder, moment, lambda name, done, total, events: progress("read", name, done, total, events))
        )
        if dry_run:
            report = Report([file.report for file in read], dry_run=True, community=request.community)
            for name in request.staff:
                if any(name in file.names for file in read):
                    report.staff_found.append(name)
                else:
                    report.staff_missing[name] = _near(read, name)
        else:
            report = store(
                request,
                read,
                Ingest(gives_way=meets_channels()),
                lambda name, done, total: progress("store", name, done, total, done),
                moment,
            )
    finally:
        _clear_spool(folder, moment)
    report.seconds = round(time.monotonic() - started, 3)
    return report


def start(request: Request, *, actor: Staff | None, dry_run: bool) -> int:
    """Queue an import as a background job and return its id; `jobs.get` tells how far it is. Audited unless a dry run."""
    params = {
        "paths": [str(path) for path in request.paths], "names": [path.name for path in request.paths],
        "format": request.format, "zone": request.zone.key, "community": request.community, "staff": list(request.staff),
        "group": request.group, "date_order": request.date_order, "dry_run": dry_run,
    }  # fmt: skip
    with transaction.atomic():
        job_id = jobs.enqueue(JOB_KIND, params, actor_id=actor.pk if actor else None)
        if not dry_run:
            said = {key: params[key] for key in ("names", "format", "zone", "community", "staff")}
            audit.record(actor=actor, action="import.run", target_type="job", target_id=job_id, after=said)
    jobs.wake()
    return job_id


def perform(params: dict[str, Any], beat: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Do an import job. Uploaded files are removed once they are stored."""
    request = Request(
        paths=tuple(Path(path) for path in params["paths"]), format=params["format"], zone=ZoneInfo(params["zone"]),
        community=params["community"], staff=tuple(params["staff"]), group=params["group"], date_order=params["date_order"],
    )  # fmt: skip

    def progress(step: str, name: str, done: int, total: int, events: int) -> None:
        beat({"step": step, "file": name, "done": done, "total": total, "events": events})

    report = run_import(request, dry_run=params["dry_run"], progress=progress)
    if not params["dry_run"]:
        uploads = Path(settings.DATA_DIR) / "uploads"
        for path in request.paths:
            if path.is_relative_to(uploads):
                path.unlink(missing_ok=True)
                if path.parent != uploads and not any(path.parent.iterdir()):
                    path.parent.rmdir()
    return report.as_json()


def clear_abandoned_uploads(moment: int) -> int:
    """Remove uploads tried a week ago and never imported, as chats are not kept idly; return how many."""
    uploads = Path(settings.DATA_DIR) / "uploads"
    old = [path for path in uploads.glob("*") if path.stat().st_mtime < moment / 1000 - ABANDONED_S]
    for path in old:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(old)


def _near(read: list[Any], name: str) -> list[str]:
    return sorted({other for file in read for other in file.near.get(name, ())})[:5]


def _clear_spool(folder: Path, moment: int) -> None:
    """Remove this import's spools, and old ones of imports that were killed."""
    spool = folder / "spool"
    if not spool.is_dir():
        return
    day_ago = moment / 1000 - 86_400
    for path in spool.iterdir():
        if path.stat().st_mtime < day_ago or path.stat().st_mtime >= moment / 1000 - 1:
            path.unlink(missing_ok=True)
    if not any(spool.iterdir()):
        shutil.rmtree(spool, ignore_errors=True)
