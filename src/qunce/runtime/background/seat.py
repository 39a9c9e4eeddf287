"""Let one process at a time do the background work of a data folder, and tell whether one does.

The seat is a file that its holder keeps locked. The system lets go of it whenever the holder dies, so it never has to expire.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """The process that works in the background."""

    pid: int
    since_ms: int


class Seat:
    """The seat in one data folder."""

    def __init__(self, data: Path) -> None:
        self._path = data / "state" / "background.lock"

    @contextmanager
    def taken(self, now_ms: int) -> Iterator[bool]:
        """Sit down for the block; yields False when somebody else sits there."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            if not _locked(file, fcntl.LOCK_EX):
                yield False
                return
            file.truncate(0)
            file.write(msgspec.json.encode(Holder(pid=os.getpid(), since_ms=now_ms)))
            file.flush()
            yield True

    def holder(self) -> Holder | None:
        """Return who works; None = nobody does."""
        try:
            with self._path.open("rb") as file:
                if _locked(file, fcntl.LOCK_SH):
                    return None
                return msgspec.json.decode(file.read(), type=Holder)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None  # nobody ever sat there, or somebody is just sitting down


def _locked(file: IO[bytes], how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
