"""The line from the server to the process that works in the background: a pipe, which wakes and which tells who lives.

A byte wakes; the end of the pipe says that the server is gone, however it went. The system closes a pipe even of a process that
was killed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from threading import Lock


class Line:
    """The writing end. Rings from any thread; without anybody at the other end a ring does nothing."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._descriptor: int | None = None

    def connect(self, descriptor: int) -> None:
        """Ring at the pipe `descriptor` from here on; the line owns it."""
        os.set_blocking(descriptor, False)
        with self._lock:
            self._descriptor = descriptor

    def hang_up(self) -> None:
        """Close the pipe, which the other end takes for the end of this process."""
        with self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
            self._descriptor = None

    def ring(self) -> None:
        """Wake the other end."""
        with self._lock:
            if self._descriptor is not None:
                # A full pipe holds rings enough; a broken one is the supervisor's to see.
                with suppress(BlockingIOError, BrokenPipeError):
                    os.write(self._descriptor, b".")


LINE = Line()
"""This process's line."""


def ring() -> None:
    """Wake the process that works in the background, if it is ours."""
    LINE.ring()
