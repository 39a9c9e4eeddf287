"""Hand out the engine of segments over this installation's mirror."""

from __future__ import annotations

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


def engine() -> SegmentEngine:
    """Return an engine over the mirror as it is now."""
    return SegmentEngine(mirror.store(), clock(), currency=organisation.currency())
