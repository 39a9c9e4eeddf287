"""Make simulated events, and read the same from JSON lines with the standard library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qunce.domain.events import encode
from qunce.runtime.bench.work.events import simulation
from qunce.runtime.bench.work.stopwatch import Stopwatch


def simulate(groups: int, members: int, days: int, runs: int) -> dict[str, Any]:
    """Run the whole simulation a few times."""
    watch = Stopwatch()
    count = 0
    for _ in range(runs):
        with watch.lap():
            count = sum(1 for _ in simulation(groups, members, days))
    return {**watch.figures(), "events": count}


def read_json(path: str, groups: int, members: int, days: int, runs: int) -> dict[str, Any]:
    """Write the events down once, then read them a few times."""
    with Path(path).open("wb") as out:
        out.writelines(encode(event) + b"\n" for event in simulation(groups, members, days))
    watch = Stopwatch()
    count = 0
    for _ in range(runs):
        with watch.lap(), Path(path).open(encoding="utf-8") as file:
            count = sum(1 for line in file if json.loads(line))
    return {**watch.figures(), "events": count}
