"""Declare what every file format implements and what it may rely on.

    bytes on disk ─▶ source.open_source (zip, gz, zst, limits, encoding) ─▶ Format.read ─▶ Event | Rejected ─▶ runtime.imports

A format never opens files, never decides about encodings and never holds a whole file in memory: it is given a
`FileSource` and yields. A bad row is a value (`Rejected`), not an exception; an exception (`errors.ImportRefused`) means that
the file as a whole cannot be read, and then nothing of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol
from zoneinfo import ZoneInfo

from qunce.domain.events import Event

EARLIEST_MS = 946_684_800_000
"""2000-01-01 UTC. A chat row before it is a broken clock (1970) and is rejected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What the person said about the file."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    """Zone of times that carry none."""
    now_ms: int
    """The moment of the import; rows more than a day later are rejected as future dates."""
    group: str | None = None
    """Name of the group for formats that do not say it (QQ copies, CSV without a group column); None = the file's name."""
    date_order: str | None = None
    """`dmy`, `mdy` or `ymd` where a format's dates are ambiguous; None = infer, refuse if impossible."""
    max_line_bytes: int = 8 * 1024 * 1024
    """A longer line or JSON value is rejected unread."""
    digest: Callable[[str, str], str | None] | None = None
    """Hashes a key of a person (kind, value), so that no phone number is stored; None = keys are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A row that could not be used, with what a person needs to mend it."""

    where: str
    """`line 12`, `messages[34]`, `general/2024-02-01.json #3`."""
    code: str
    """Stable short code: `bad_time`, `future_time`, `too_old`, `no_sender`, `too_long`, `bad_json`, `bad_row` …"""
    reason: str
    """One English sentence."""
    fix: str
    """One English sentence: what to change so that the row is accepted."""
    excerpt: str = ""
    """At most 200 characters of the row, for the rejects file only; never logged."""


@dataclass(frozen=True, slots=True)
class Head:
    """The beginning of a file, for recognition by content."""

    name: str
    """File name without folders; a hint only."""
    data: bytes
    """First 64 kB after decompression."""
    members: tuple[str, ...] = ()
    """Names inside, for a zip; empty otherwise."""


class FileSource(Protocol):
    """A file made safe to read: decompressed, size-limited, decoded, counted."""

    name: str
    path: Path | None
    """The file itself where it lies plain on disk, for formats that need random access (Parquet); None inside archives."""

    def stream(self) -> BinaryIO:
        """Return the decompressed bytes from the beginning; counts what is read towards progress."""

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number from 1, text without newline); encoding found once: UTF-8 with or without BOM, UTF-16, GB18030.

        A line longer than the limit is yielded as an empty string with its number, and rejected; so is a line in another
        encoding.
        """

    def members(self) -> tuple[str, ...]:
        """Return the safe member names of a zip, sorted; empty for other files."""

    def member(self, name: str) -> FileSource:
        """Return one member of a zip as a source of its own."""


class Format(Protocol):
    """One file format."""

    name: str
    """What `--format` takes: `telegram`, `discord`, `whatsapp` …"""
    title: str
    """What people call it: `Telegram Desktop JSON`."""

    def sniff(self, head: Head) -> float:
        """Return how surely this head is of this format: 0 no, 1 certain. Never raises."""

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the file's events in file order. Raises ImportRefused when the file as a whole cannot be used."""
