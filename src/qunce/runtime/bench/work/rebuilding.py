"""Fold a stored journal again with all its checks, and merely read it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from qunce.journal.store import Journal
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.rebuild import rebuild


def fold() -> dict[str, Any]:
    """Do what `qunce rebuild` does; the stored tables stay as they were."""
    watch = Stopwatch()
    with watch.lap():
        report = rebuild(keep=False)
    if not report.same:
        raise RuntimeError("the rebuilt tables differ")
    return {**watch.figures(), "events": report.events}


def read() -> dict[str, Any]:
    """Read and decode the whole journal, fold nothing."""
    watch = Stopwatch()
    with watch.lap():
        events = sum(len(batch) for batch in Journal(connection).read_all())
    return {**watch.figures(), "events": events}
