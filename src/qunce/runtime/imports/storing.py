"""Take what was read into the journal, then say where it belongs and who is staff."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from qunce.domain.events import Conv, Event, GroupUpdated, MemberUpdated, Party, Source
from qunce.domain.keys import native_key
from qunce.runtime.imports.reading import ReadFile, Request
from qunce.runtime.imports.report import Report
from qunce.runtime.imports.spool import read_spool
from qunce.runtime.ingest import Ingest

Progress = Callable[[str, int, int], None]
"""Called with file name, events done, events in all."""


def store(request: Request, read: Sequence[ReadFile], ingest: Ingest, progress: Progress, now_ms: int) -> Report:
    """Store what was read; the spools are removed. Interrupted, a second import goes on where this one stopped."""
    started = time.monotonic()
    report = Report([file.report for file in read], community=request.community)
    for file in read:
        if file.report.refused:
            continue
        _store_file(file, ingest, progress)
        file.spool.unlink(missing_ok=True)
    _note_losses(read, ingest, now_ms)
    if request.community:
        ingest.take_all(_community_events(read, request.community))
    _flag_staff(request, read, ingest, report, now_ms)
    ingest.settle()
    report.seconds = round(time.monotonic() - started, 3)
    return report


def _store_file(file: ReadFile, ingest: Ingest, progress: Progress) -> None:
    report = file.report
    waiting: list[Event] = []
    done = 0
    for events in read_spool(file.spool):
        waiting += events
        while len(waiting) >= ingest.batch:
            chunk, waiting = waiting[: ingest.batch], waiting[ingest.batch :]
            report.added += len(ingest.take(chunk).events)
            ingest.give_way()
            done += len(chunk)
            progress(report.name, done, report.read)
    if waiting:
        report.added += len(ingest.take(waiting).events)
        progress(report.name, done + len(waiting), report.read)
    report.already_there = report.read - report.added


def _note_losses(read: Sequence[ReadFile], ingest: Ingest, now_ms: int) -> None:
    """Make rejected rows visible as a gap of their source."""
    for file in read:
        report = file.report
        if report.rejected and file.places and report.added:
            source = next(iter(file.places.values())).source
            ingest.note_gap(source, f"{report.name}: rows rejected", report.rejected, report.first_ms, report.last_ms, now_ms)


def _community_events(read: Sequence[ReadFile], community: str) -> Iterable[Event]:
    for file in read:
        for place in file.places.values():
            yield Event(
                ts_ms=place.first_ms,
                source=Source(connector=place.source.connector, account=place.source.account, origin="self"),
                conv=Conv(platform_id=place.conv_id),
                body=GroupUpdated(field="community", new=community),
                dedupe_key=native_key("community", place.conv_id, community),
            )


def _flag_staff(request: Request, read: Sequence[ReadFile], ingest: Ingest, report: Report, now_ms: int) -> None:
    events: list[Event] = []
    for name in request.staff:
        found = {identity for file in read for identity in file.names.get(name, ())}
        if not found:
            near = sorted({other for file in read for other in file.near.get(name, ())})
            report.staff_missing[name] = near[:5]
            continue
        report.staff_found.append(name)
        events += [
            Event(
                ts_ms=now_ms,
                source=Source(connector=connector, account=account, origin="self"),
                subject=Party(platform_id=platform_id),
                body=MemberUpdated(field="kind", new="staff"),
                dedupe_key=native_key("kind", platform_id, "staff", "import"),
            )
            for connector, account, platform_id in sorted(found)
        ]
    ingest.take_all(events)
