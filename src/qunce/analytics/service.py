"""The results of this installation: what pages, the API and commands ask for numbers."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from django.conf import settings

from qunce.analytics.engine import Engine
from qunce.analytics.results import Results
from qunce.journal.mirror import MirrorStore


@cache
def mirror() -> MirrorStore:
    """Return the mirror in the data folder."""
    return MirrorStore(Path(settings.DATA_DIR) / "mirror")


@cache
def results() -> Results:
    """Return the results of this process; its DuckDB connection and its thread start when they are first needed."""
    return Results(mirror(), Engine(mirror()))
