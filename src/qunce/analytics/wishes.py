"""Wish for results in one process, and make them in another: one small file a wish, in a folder beside the results."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from qunce.analytics.tables import Params

MOST: Final = 1_000
"""Wishes that may wait; more are not taken. Whoever still looks at the page wishes again."""


class Wish(msgspec.Struct, frozen=True):
    """A question that a page has asked."""

    metric_id: str
    params: Params


class Wishes:
    """The wishes for one mirror, and what could not be made."""

    def __init__(self, results: Path) -> None:
        self._waiting = results / "wished"
        self._failed = results / "failed"

    def add(self, key: str, wish: Wish) -> bool:
        """Wish; return False when the same is wished for already, or too much is."""
        path = self._waiting / key
        if path.exists():
            return False
        self._waiting.mkdir(parents=True, exist_ok=True)
        if sum(1 for _ in self._waiting.iterdir()) >= MOST:
            return False
        _write(path, msgspec.json.encode(wish))
        return True

    def waiting(self) -> Iterator[tuple[str, Wish]]:
        """Yield the wishes with their keys, the oldest first. One that cannot be read is dropped."""
        for path in sorted(self._waiting.glob("*"), key=_age):
            if path.suffix:
                continue  # being written
            try:
                yield path.name, msgspec.json.decode(path.read_bytes(), type=Wish)
            except (FileNotFoundError, msgspec.MsgspecError):
                self.drop(path.name)

    def drop(self, key: str) -> None:
        """Take a wish away: it is fulfilled, or cannot be."""
        (self._waiting / key).unlink(missing_ok=True)

    def note_failed(self, key: str, mirror_version: int | None) -> None:
        """Note over which state of the mirror a result could not be made; None = it was made."""
        if mirror_version is None:
            (self._failed / key).unlink(missing_ok=True)
        else:
            self._failed.mkdir(parents=True, exist_ok=True)
            _write(self._failed / key, str(mirror_version).encode("ascii"))

    def failed(self, key: str) -> int | None:
        """Return over which state of the mirror the newest try broke; None = it did not."""
        try:
            return int((self._failed / key).read_bytes())
        except (FileNotFoundError, ValueError):
            return None

    def forget_failures(self) -> None:
        """Try everything again when it is next wished for."""
        for path in self._failed.glob("*"):
            path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)


def _age(path: Path) -> float:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime
    return 0.0
