"""Get simulated events, the same in every child."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from itertools import islice

from qunce.domain.events import Event

END_MS = 1_767_196_800_000
"""End of the simulations: the first moment of 2026 in Shanghai."""


def simulation(groups: int, members: int, days: int) -> Iterator[Event]:
    """Yield the events of a simulated community."""
    stream: Iterator[Event] = import_module("qunce.testing.simulator").simulate(
        groups=groups, members=members, days=days, seed=1, end_ms=END_MS
    )
    return stream


def simulated(events: int) -> Iterator[Event]:
    """Yield that many simulated events; about 250 come of each group."""
    groups = max(2, events // 250)
    return islice(simulation(groups, groups * 50, 60), events)
