"""Hand out the engine of segments over this installation's mirror."""

from __future__ import annotations

import time

from django.db import connection

from qunce.analytics.refresh import refresh, refresh_profiles
from qunce.analytics.segments.run import SegmentEngine
from qunce.domain.localtime import LocalClock
from qunce.runtime import mirror, organisation


def clock() -> LocalClock:
    """Return the organisation's days."""
    return LocalClock(organisation.zone())


def bring_up_to_date() -> None:
    """Bring the mirror and the profiles up to the read models."""
    store, zone = mirror.store(), organisation.zone()
    refresh(connection=connection, store=store, zone=zone)
    refresh_profiles(connection=connection, store=store, zone=zone)


_freshened = float("-inf")


def fresh(max_age_s: float = 60.0) -> None:
    """Bring the mirror up to date unless this process did so a short while ago: what a page may ask for again and again."""
    global _freshened
    if time.monotonic() - _freshened > max_age_s:
        bring_up_to_date()
        _freshened = time.monotonic()


def engine() -> SegmentEngine:
    """Return an engine over the mirror as it is now."""
    return SegmentEngine(mirror.store(), clock(), currency=organisation.currency())
