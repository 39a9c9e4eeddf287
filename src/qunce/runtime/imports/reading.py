"""Read files into spools: recognise, parse, check, count, and write the rejects down."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO
from zoneinfo import ZoneInfo

from qunce.accounts.digests import digest_key
from qunce.connectors.files.base import ImportOptions, Rejected
from qunce.connectors.files.errors import ImportRefused
from qunce.connectors.files.registry import Reading, read_file
from qunce.domain.events import Event, MessageCreated, OrderUpdated, Party, Source
from qunce.runtime.exports import safe_cell
from qunce.runtime.imports.report import FileReport
from qunce.runtime.imports.spool import SpoolWriter
from qunce.runtime.ingest import batches

BATCH = 2_000
MAX_SAMPLES = 20
MAX_REJECT_ROWS = 1_000_000
PEOPLE_LIMIT = 500_000
"""Distinct people are counted exactly up to here, which keeps memory flat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a person asked to import."""

    paths: tuple[Path, ...]
    format: str | None = None
    zone: ZoneInfo
    community: str = ""
    staff: tuple[str, ...] = ()
    group: str | None = None
    date_order: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation seen in a file."""

    source: Source
    conv_id: str
    first_ms: int


@dataclass(slots=True)
class ReadFile:
    """A file that was read: its report, and where its events wait."""

    report: FileReport
    spool: Path
    places: dict[tuple[str, str, str], Place] = field(default_factory=dict)
    names: dict[str, set[tuple[str, str, str]]] = field(default_factory=dict)
    """Identities by the names asked for with --staff."""
    near: dict[str, set[str]] = field(default_factory=dict)


Progress = Callable[[str, int, int, int], None]
"""Called with file name, bytes done, bytes in all, events so far."""


def read_files(request: Request, folder: Path, now_ms: int, progress: Progress) -> Iterator[ReadFile]:
    """Read each file into a spool in `folder`; a refused file yields its report with `refused` set and no spool."""
    options = ImportOptions(
        zone=request.zone, now_ms=now_ms, group=request.group, date_order=request.date_order, digest=digest_key
    )
    stamp = datetime.fromtimestamp(now_ms / 1000, UTC).strftime("%Y%m%d-%H%M%S")
    for number, path in enumerate(_files(request.paths)):
        yield _read(path, request, options, folder, f"{stamp}-{number}", progress)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield the files themselves and those in the folders, in a stable order."""
    for path in paths:
        if path.is_dir():
            yield from sorted(entry for entry in path.rglob("*") if entry.is_file() and not entry.name.startswith("."))
        else:
            yield path


def _read(path: Path, request: Request, options: ImportOptions, folder: Path, stamp: str, progress: Progress) -> ReadFile:
    read = ReadFile(FileReport(path.name), folder / "spool" / f"{stamp}.jsonl.zst")
    rejects = RejectsFile(folder / "rejects" / f"{stamp}-{_plain(path.name)}.csv")
    counts = Counts(read, request.staff)
    try:
        with read_file(path, request.format, options) as reading, SpoolWriter(read.spool) as spool:
            read.report.format, read.report.format_title = reading.format.name, reading.format.title
            for rows in batches(reading, BATCH):
                events = [row for row in rows if isinstance(row, Event)]
                if len(events) < len(rows):
                    counts.reject([row for row in rows if isinstance(row, Rejected)], rejects)
                spool.write(events)
                counts.add(events)
                _show(reading, path, counts, progress)
    except ImportRefused as refused:
        _refuse(read, refused.code, refused.reason, refused.fix)
    except OSError as error:
        _refuse(read, "unreadable", f"{path.name} cannot be read: {error.strerror or error}.", "Check the path and its rights.")
    finally:
        rejects.close()
    if not read.report.refused:
        counts.finish()
        read.report.rejects_file = rejects.name
    return read


def _show(reading: Reading, path: Path, counts: Counts, progress: Progress) -> None:
    progress(path.name, reading.bytes_read, reading.total_bytes, counts.events)


def _refuse(read: ReadFile, code: str, reason: str, fix: str) -> None:
    read.spool.unlink(missing_ok=True)
    name, format_name, title = read.report.name, read.report.format, read.report.format_title
    read.report = FileReport(name, format_name, title, refused=reason, refused_code=code, fix=fix)


def _plain(name: str) -> str:
    kept = "".join(char if char.isalnum() or char in "-_." else "_" for char in name)
    return kept[:80]


class Counts:
    """Count a file's events while they pass."""

    def __init__(self, read: ReadFile, staff: Sequence[str]) -> None:
        self._read = read
        self._staff = frozenset(name.strip() for name in staff)
        self._people: set[int] = set()
        self.events = 0

    def add(self, events: Sequence[Event]) -> None:
        report = self._read.report
        places = self._read.places
        self.events += len(events)
        for event in events:
            ts_ms = event.ts_ms
            if report.first_ms is None or ts_ms < report.first_ms:
                report.first_ms = ts_ms
            if report.last_ms is None or ts_ms > report.last_ms:
                report.last_ms = ts_ms
            if isinstance(event.body, MessageCreated):
                report.messages += 1
            elif isinstance(event.body, OrderUpdated):
                report.orders += 1
            source = event.source
            if event.conv is not None:
                key = (source.connector, source.account, event.conv.platform_id)
                if key not in places:
                    places[key] = Place(source, event.conv.platform_id, ts_ms)
            for party in (event.actor, event.subject):
                if party is not None:
                    self._person(source, party)

    def _person(self, source: Source, party: Party) -> None:
        if len(self._people) < PEOPLE_LIMIT:
            self._people.add(hash((source.connector, source.account, party.platform_id)))
        if not self._staff or not party.name:
            return
        if party.name in self._staff or party.platform_id in self._staff:
            name = party.name if party.name in self._staff else party.platform_id
            self._read.names.setdefault(name, set()).add((source.connector, source.account, party.platform_id))
        for name in self._staff:
            if name != party.name and (name in party.name or party.name in name):
                near = self._read.near.setdefault(name, set())
                if len(near) < 5:
                    near.add(party.name)

    def reject(self, rows: Sequence[Rejected], rejects: RejectsFile) -> None:
        report = self._read.report
        for row in rows:
            report.rejected += 1
            report.rejected_by[row.code] = report.rejected_by.get(row.code, 0) + 1
            if len(report.samples) < MAX_SAMPLES:
                report.samples.append({"where": row.where, "code": row.code, "reason": row.reason, "fix": row.fix})
            rejects.write(row)

    def finish(self) -> None:
        report = self._read.report
        report.read = self.events
        report.groups = len(self._read.places)
        report.people = len(self._people)


class RejectsFile:
    """A table of the rows that could not be used; made when the first one comes. Safe to open in a spreadsheet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = 0
        self._file: TextIO | None = None
        self.name = ""

    def write(self, row: Rejected) -> None:
        if self._rows >= MAX_REJECT_ROWS:
            return
        if self._file is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            self._file = self._path.open("w", encoding="utf-8-sig", newline="")
            self._csv = csv.writer(self._file)
            self._csv.writerow(["where", "code", "reason", "fix", "row"])
            self.name = self._path.name
        self._rows += 1
        self._csv.writerow([safe_cell(cell) for cell in (row.where, row.code, row.reason, row.fix, row.excerpt)])

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
