"""Start the command line, and a bare interpreter."""

from __future__ import annotations

import resource
import subprocess
import sys
from typing import Any

from qunce.runtime.bench.work.stopwatch import Stopwatch


def command(arguments: list[str], runs: int) -> dict[str, Any]:
    """Run `python ARGUMENTS` from start to end, after once to warm the disk. Raises CalledProcessError."""
    call = [sys.executable, *arguments]
    subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    before = _cpu_s()
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            subprocess.run(call, check=True, stdout=subprocess.DEVNULL)
    largest = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    peak = largest / 1024 if sys.platform == "linux" else largest / 1024 / 1024
    return {"seconds": watch.seconds, "cpu": [_cpu_s() - before], "peak_mb": peak}


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
