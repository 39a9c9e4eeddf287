"""Say how much is measured: by default a tenth of what the targets are set for, in full with `--full`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LEAST_TELLING: Final = 0.01
"""Scale below which a run shows that it works, not how fast, so that nothing is repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """All sizes of a run."""

    append_events: int
    imports: tuple[int, int]
    """Messages of the smaller and the larger import; their memory is compared."""
    naive_messages: int
    groups: int
    members: int
    days: int
    """Of the simulated community behind the pages; about 500 messages a group come of 48 days."""
    facts: tuple[tuple[int, float], ...]
    """Facts of each mirror, and the seconds a metric may take over them."""
    fact_members: int
    simulated_days: int
    decisions: int
    """Messages decided on in memory."""
    state_groups: int
    state_members: int
    """Groups and members in the engine's state."""
    live_seconds: float
    """How long a server is loaded, each time."""
    naive_decisions: int
    """Messages the rivals of the decision core are given."""
    runs: int
    """Repetitions of what takes milliseconds."""
    few_runs: int
    """Repetitions of what takes seconds."""


def sizes(*, full: bool, scale: float) -> Sizes:
    """Return the sizes of a run; `scale` multiplies what can be multiplied."""

    def of(default: int, whole: int, least: int) -> int:
        return max(least, round((whole if full else default) * scale))

    facts = [(of(2_000_000, 20_000_000, 1_200), 2.0)]
    if full:
        facts.append((of(0, 100_000_000, 1_200), 8.0))
    return Sizes(
        append_events=of(200_000, 500_000, 2_000),
        imports=(of(100_000, 100_000, 200), of(400_000, 2_000_000, 800)),
        naive_messages=of(2_000, 2_000, 50),
        groups=of(200, 2_000, 3),
        members=of(10_000, 100_000, 60),
        days=48,
        facts=tuple(facts),
        fact_members=of(100_000, 1_000_000, 100),
        simulated_days=30,
        decisions=of(20_000, 200_000, 200),
        state_groups=of(1_000, 10_000, 2),
        state_members=of(100_000, 1_000_000, 200),
        live_seconds=min(60.0, max(0.3, (20.0 if full else 5.0) * scale)),
        naive_decisions=of(1_000, 5_000, 50),
        runs=10 if scale >= LEAST_TELLING else 1,
        few_runs=3 if scale >= LEAST_TELLING else 1,
    )
