"""Keep the columnar mirror close behind the read models, without taking the machine for itself."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from django.conf import settings
from django.db import close_old_connections, connection

from qunce.analytics import refresh as mirror
from qunce.journal.mirror import MirrorStore
from qunce.journal.store import Journal
from qunce.runtime import organisation

logger = logging.getLogger(__name__)

LOOK_S = 2.0
"""Seconds between looks for news."""
SHARE = 10
"""A refresh that took n seconds is followed by n × SHARE seconds without one."""


def store() -> MirrorStore:
    """Return the mirror of this installation."""
    return MirrorStore(Path(settings.DATA_DIR) / "mirror")


def refresh() -> int:
    """Bring the mirror up to the read models now; return its version."""
    return mirror.refresh(connection=connection, store=store(), zone=organisation.zone()).version


async def follow() -> None:
    """Refresh whenever the journal has grown, until cancelled, in a thread."""
    seen = -1
    while True:
        seen, took = await asyncio.to_thread(_refresh_if_new, seen)
        await asyncio.sleep(max(LOOK_S, took * SHARE))


def _refresh_if_new(seen: int) -> tuple[int, float]:
    """Return the journal position that is mirrored, and the seconds it took."""
    close_old_connections()
    head = Journal(connection).head()
    if head == seen:
        return seen, 0.0
    started = time.monotonic()
    refresh()
    return head, time.monotonic() - started
