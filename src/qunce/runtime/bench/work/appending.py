"""Append the same simulated events to a journal in several ways, in batches of one size, each batch durable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.db import connection, transaction

from qunce.domain.events import TYPE_CODES, Event, encode
from qunce.journal.models import JournalEvent, JournalSource
from qunce.journal.store import Journal
from qunce.runtime.bench.work.events import END_MS, simulated
from qunce.runtime.bench.work.stopwatch import Stopwatch
from qunce.runtime.ingest import batches


def journal(events: int, batch: int) -> dict[str, Any]:
    """Append as the product does."""
    store = Journal(connection)
    return _timed(events, batch, lambda chunk, _first: store.append(chunk, END_MS))


def orm(events: int, batch: int) -> dict[str, Any]:
    """Append with Django's `bulk_create(ignore_conflicts=True)`."""
    source = JournalSource.objects.create(connector="bench", account="")

    def append(chunk: Sequence[Event], first: int) -> None:
        JournalEvent.objects.bulk_create(
            [JournalEvent(**dict(zip(_COLUMNS, row, strict=True))) for row in _rows(chunk, first, source.pk)],
            ignore_conflicts=True,
        )

    return _timed(events, batch, append)


def executemany(events: int, batch: int) -> dict[str, Any]:
    """Append with psycopg's `executemany` and ON CONFLICT."""
    source = JournalSource.objects.create(connector="bench", account="")
    sql = (
        f"INSERT INTO journal_event ({', '.join(_COLUMNS)}) VALUES (%s, %s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (source_id, dedupe_key) DO NOTHING"
    )

    def append(chunk: Sequence[Event], first: int) -> None:
        connection.connection.cursor().executemany(sql, list(_rows(chunk, first, source.pk)))

    return _timed(events, batch, append)


def _timed(events: int, batch: int, append: Callable[[Sequence[Event], int], object]) -> dict[str, Any]:
    connection.ensure_connection()
    watch = Stopwatch()
    counts = []
    first = 1
    for chunk in batches(simulated(events), batch):
        with watch.lap(), transaction.atomic():
            append(chunk, first)
        counts.append(len(chunk))
        first += len(chunk)
    return {**watch.figures(), "counts": counts, "stored": JournalEvent.objects.count()}


_COLUMNS = ("seq", "source_id", "dedupe_key", "type", "ts_ms", "received_ms", "payload")


def _rows(chunk: Sequence[Event], first: int, source: int) -> Iterator[tuple[object, ...]]:
    """Yield the rows; the connector goes into the key, since one source stands for all."""
    for seq, event in enumerate(chunk, start=first):
        key = f"{event.source.connector}:{event.source.account}:{event.dedupe_key}"
        yield seq, source, key, TYPE_CODES[type(event.body)], event.ts_ms, END_MS, encode(event).decode()
