"""Say how the installation's data stand: how long the journal is, what is known to be missing, when it was last proved."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from qunce.journal.models import JournalGap
from qunce.journal.store import Journal
from qunce.runtime import organisation
from qunce.runtime.background.seat import Seat
from qunce.runtime.ingest import READMODELS

MOST_GAPS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A stretch of a source that is known to be missing; times in milliseconds UTC, None = unknown."""

    connector: str
    account: str
    conv_id: str
    from_ms: int | None
    until_ms: int | None
    lost: int | None
    reason: str
    noted_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The state of the data. `behind` counts events not yet in the tables of the screens."""

    events: int
    behind: int
    gaps: tuple[Gap, ...]
    """The newest, `MOST_GAPS` at most."""
    checked_ms: int | None
    """When a rebuild was last compared; None = never."""
    checked_same: bool
    checked_events: int
    database: str
    background_ms: int | None
    """Since when the process works that does jobs and figures; None = none does."""


def standing() -> Standing:
    """Return how the data stand. Costs four small queries."""
    journal = Journal(connection)
    head = journal.head()
    last = json.loads(organisation.value("last_rebuild", "{}"))
    worker = Seat(Path(settings.DATA_DIR)).holder()
    return Standing(
        events=head,
        behind=max(0, head - journal.cursor_position(READMODELS)),
        gaps=_gaps(),
        checked_ms=last.get("at_ms"),
        checked_same=bool(last.get("same")),
        checked_events=int(last.get("events", 0)),
        database={"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor),
        background_ms=worker.since_ms if worker else None,
    )


def _gaps() -> tuple[Gap, ...]:
    rows = JournalGap.objects.order_by("-noted_ms", "-pk").values_list(
        "source__connector", "source__account", "conv_id", "from_ms", "until_ms", "lost", "reason", "noted_ms"
    )[:MOST_GAPS]
    return tuple(
        Gap(
            connector=connector, account=account, conv_id=conv_id, from_ms=from_ms, until_ms=until_ms, lost=lost, reason=reason,
            noted_ms=noted_ms,
        )
        for connector, account, conv_id, from_ms, until_ms, lost, reason, noted_ms in rows
    )  # fmt: skip
