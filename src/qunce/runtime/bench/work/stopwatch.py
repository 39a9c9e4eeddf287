"""Time stretches of work: wall and CPU seconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """The stretches timed so far."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu: list[float] = []

    @contextmanager
    def lap(self) -> Iterator[None]:
        """Time one stretch; CPU of all threads of this process."""
        cpu, wall = time.process_time(), time.perf_counter()
        yield
        self.seconds.append(time.perf_counter() - wall)
        self.cpu.append(time.process_time() - cpu)

    def figures(self) -> dict[str, object]:
        """Return all stretches, as a child hands them back."""
        return {"seconds": self.seconds, "cpu": self.cpu}
