"""Fill a data folder with a simulated community, for measuring what works on stored data."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from qunce.accounts.staff import create_first_admin
from qunce.readmodels.models import Group, Member, Message
from qunce.runtime import jobs
from qunce.runtime.bench.work.events import simulation
from qunce.runtime.bench.work.importing import write_export
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.imports import service
from qunce.runtime.imports.reading import Request
from qunce.runtime.ingest import Ingest
from qunce.runtime.mirror import refresh


def prepare(groups: int, members: int, days: int) -> dict[str, Any]:
    """Simulate, take everything in, make the mirror and one administrator; return what is stored."""
    watch = Stopwatch()
    with watch.lap():
        tally = Ingest().take_all(simulation(groups, members, days))
    refresh()
    create_first_admin()
    _try_import()
    stored = {
        "messages": Message.objects.count(), "members": Member.objects.count(),
        "groups": Group.objects.filter(kind="group").count(), "events": tally.added,
    }  # fmt: skip
    return {**watch.figures(), **stored}


def _try_import() -> None:
    """Try the import of a small file as a background job, so that there is one to look at."""
    path = Path(settings.DATA_DIR) / "uploads" / "bench.jsonl"
    write_export(str(path), 100)
    service.start(Request(paths=(path,), zone=ZoneInfo("Asia/Shanghai")), actor=None, dry_run=True)
    jobs.run_next()
