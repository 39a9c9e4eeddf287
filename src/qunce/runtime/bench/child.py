"""Do one piece of work: `python -m qunce.runtime.bench.child MODULE:FUNCTION PARAMS RESULT [database]`."""

from __future__ import annotations

import json
import resource
import sys
from importlib import import_module
from pathlib import Path


def main(target: str, params: str, result: str, *more: str) -> None:
    """Call the function with the parameters (JSON) and write what it returns, and the peak of memory, to the file `result`."""
    if "database" in more:
        from qunce.runtime.cli.main import make_ready

        make_ready()
    module, _, name = target.partition(":")
    figures = getattr(import_module(f"qunce.runtime.bench.work.{module}"), name)(**json.loads(params))
    figures.setdefault("peak_mb", peak_mb())
    Path(result).write_text(json.dumps(figures), encoding="utf-8")


def peak_mb() -> float:
    """Return the most memory this process held, in MiB.

    Linux counts the parent's memory at the fork into `ru_maxrss`, but starts VmHWM anew with the program.
    """
    known = _status_mb("VmHWM:")
    if known is not None:
        return known
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return largest / 1024 if sys.platform == "linux" else largest / 1024 / 1024


def resident_mb() -> float:
    """Return the memory this process holds now, in MiB; where the system does not say, the most it held."""
    known = _status_mb("VmRSS:")
    return peak_mb() if known is None else known


def _status_mb(name: str) -> float | None:
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text("ascii").splitlines():
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
