"""Append events once each, in order, durably; read them back in that order.

One appender at a time: SQLite has one writer anyway (`BEGIN IMMEDIATE`), PostgreSQL takes an advisory lock. So positions
have no holes, and a reader that has seen position n has seen everything before it. `append` runs inside the caller's
transaction, so that what is folded from the events and the cursor commit with them.

The raw driver is used, not the ORM: at 1,000 events a batch the ORM is 17 times slower on SQLite (docs/architecture.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import msgspec

from qunce.domain.events import TYPE_CODES, AnyBody, Confidence, Conv, Event, Origin, Party, Record, Source

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

_APPEND_LOCK = 0x71756E63  # "qunc": one appender a database
_LOOKUP_CHUNK = 5_000
_COLUMNS = "seq, received_ms, source_id, dedupe_key, ts_ms, payload"


class Kept(Record, frozen=True):
    """What the payload column holds: the event without what stands in columns of its own. A third smaller than the whole."""

    body: AnyBody
    conv: Conv | None = None
    actor: Party | None = None
    subject: Party | None = None
    origin: Origin = "import"
    confidence: Confidence = "reported"
    raw: str | None = None


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Kept).decode


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event with its position. A struct, since millions are made: it takes a fifth of a dataclass's time."""

    seq: int
    received_ms: int
    event: Event


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did: the events that were new, and how many were there already."""

    events: tuple[Stored, ...]
    duplicates: int


class Journal:
    """The journal in one database. Not shared between threads, as its connection is not."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._db = connection
        self._postgres = connection.vendor == "postgresql"

    def append(self, events: Sequence[Event], received_ms: int) -> Appended:
        """Append those events that are not there yet, in the order given. Call inside a transaction.

        Raises RuntimeError outside a transaction: half an append must not survive.
        """
        if not self._db.in_atomic_block:
            raise RuntimeError("append needs a transaction, so that events and what is folded from them commit together")
        if not events:
            return Appended((), 0)
        if self._postgres:
            self._execute("SELECT pg_advisory_xact_lock(%s)", (_APPEND_LOCK,))
        sources = self._sources_of(events)
        once: dict[tuple[int, str], Event] = {}
        last, source_id = None, 0
        for event in events:
            if event.source is not last:  # neighbours mostly share one record
                last = event.source
                source_id = sources[last.connector, last.account]
            once.setdefault((source_id, event.dedupe_key), event)
        first = self.head() + 1
        insert = self._insert_postgres if self._postgres else self._insert_sqlite
        added = insert(once, first, received_ms)
        stored = tuple(Stored(seq, received_ms, event) for seq, event in enumerate(added, start=first))
        return Appended(stored, len(events) - len(stored))

    def head(self) -> int:
        """Return the newest position; 0 when the journal is empty."""
        rows = self._execute("SELECT max(seq) FROM journal_event")
        return int(rows[0][0] or 0)

    def read(self, after: int, limit: int) -> list[Stored]:
        """Return up to `limit` events after position `after`, in order."""
        sql = f"SELECT {_COLUMNS} FROM journal_event WHERE seq > ? ORDER BY seq LIMIT ?"
        return self._stored(self._execute(self._sql(sql), (after, limit)))

    def read_all(self, after: int = 0, until: int | None = None, batch: int = 5_000) -> Iterator[list[Stored]]:
        """Yield all events after `after` up to and including `until` (None = the head now) in batches."""
        last = self.head() if until is None else until
        while after < last:
            stored = self.read(after, min(batch, last - after))
            if not stored:
                return
            yield stored
            after = stored[-1].seq

    def at(self, seqs: Iterable[int]) -> dict[int, Stored]:
        """Return the events at these positions; positions that hold none are left out."""
        found: dict[int, Stored] = {}
        wanted = sorted(set(seqs))
        for start in range(0, len(wanted), _LOOKUP_CHUNK):
            chunk = wanted[start : start + _LOOKUP_CHUNK]
            test = "seq = ANY(%s)" if self._postgres else "seq IN (SELECT value FROM json_each(?))"
            sql = f"SELECT {_COLUMNS} FROM journal_event WHERE {test} ORDER BY seq"
            rows = self._execute(sql, (chunk if self._postgres else json.dumps(chunk),))
            found.update((stored.seq, stored) for stored in self._stored(rows))
        return found

    def positions(self, source: Source, keys: Iterable[str]) -> dict[str, int]:
        """Return the positions of the events of `source` with these dedupe keys; unknown keys are left out."""
        source_id = self._known_sources().get((source.connector, source.account))
        wanted = list(keys)
        if source_id is None or not wanted:
            return {}
        found: dict[str, int] = {}
        for start in range(0, len(wanted), _LOOKUP_CHUNK):
            chunk = wanted[start : start + _LOOKUP_CHUNK]
            if self._postgres:
                sql = "SELECT dedupe_key, seq FROM journal_event WHERE source_id = %s AND dedupe_key = ANY(%s)"
                rows = self._execute(sql, (source_id, chunk))
            else:
                sql = (
                    "SELECT dedupe_key, seq FROM journal_event WHERE source_id = ? "
                    "AND dedupe_key IN (SELECT value FROM json_each(?))"
                )
                rows = self._execute(sql, (source_id, json.dumps(chunk)))
            found.update(rows)
        return found

    def cursor_position(self, name: str) -> int:
        """Return how far reader `name` has come; 0 when it never read."""
        rows = self._execute(self._sql("SELECT seq FROM journal_cursor WHERE name = ?"), (name,))
        return int(rows[0][0]) if rows else 0

    def move_cursor(self, name: str, seq: int) -> None:
        """Record that reader `name` has finished everything up to `seq`. Call in the transaction that stored the result."""
        sql = "INSERT INTO journal_cursor (name, seq) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq"
        self._execute(self._sql(sql), (name, seq), fetch=False)

    def advance_cursor(self, name: str, before: int, after: int) -> bool:
        """Move reader `name` from `before` to `after`; return False when it stands elsewhere: another one has read meanwhile.

        Holds the cursor until the caller's transaction ends, so call it first.
        """
        sql = "INSERT INTO journal_cursor (name, seq) VALUES (?, 0) ON CONFLICT (name) DO NOTHING"
        self._execute(self._sql(sql), (name,), fetch=False)
        sql = "UPDATE journal_cursor SET seq = ? WHERE name = ? AND seq = ? RETURNING seq"
        return bool(self._execute(self._sql(sql), (after, name, before)))

    def note_gap(
        self, source: Source, *, reason: str, noted_ms: int, conv_id: str = "", from_ms: int | None = None,
        until_ms: int | None = None, lost: int | None = None,
    ) -> None:  # fmt: skip
        """Record that something is known to be missing. Call inside a transaction."""
        source_id = self._source_id(source.connector, source.account)
        columns = "source_id, conv_id, from_ms, until_ms, lost, reason, noted_ms"
        sql = f"INSERT INTO journal_gap ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        self._execute(self._sql(sql), (source_id, conv_id, from_ms, until_ms, lost, reason, noted_ms), fetch=False)

    def holes(self) -> list[tuple[int, int]]:
        """Return the stretches of positions that are missing, as (first, last); empty when the journal is whole."""
        rows = self._execute(
            "SELECT seq, before FROM (SELECT seq, lag(seq, 1, 0) OVER (ORDER BY seq) AS before FROM journal_event) AS pairs "
            "WHERE seq <> before + 1 ORDER BY seq"
        )
        return [(before + 1, seq - 1) for seq, before in rows]

    def _insert_sqlite(self, once: dict[tuple[int, str], Event], first: int, received_ms: int) -> list[Event]:
        sql = (
            "INSERT OR IGNORE INTO journal_event (seq, source_id, dedupe_key, type, ts_ms, received_ms, payload) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        inserted = self._raw().executemany(sql, _rows(once, first, received_ms)).rowcount
        if inserted == len(once):
            return list(once.values())
        if inserted <= 0:
            return []
        # Some were there already, so the new ones got positions with holes between them: take them out and number them again.
        kept = self._execute("SELECT source_id, dedupe_key FROM journal_event WHERE seq >= ? ORDER BY seq", (first,))
        self._execute("DELETE FROM journal_event WHERE seq >= ?", (first,), fetch=False)
        new = {key: once[key] for key in map(tuple, kept)}
        self._raw().executemany(sql, _rows(new, first, received_ms))
        return list(new.values())

    def _insert_postgres(self, once: dict[tuple[int, str], Event], first: int, received_ms: int) -> list[Event]:
        raw = self._raw()
        with raw.cursor() as cursor:
            cursor.execute(
                "CREATE TEMP TABLE IF NOT EXISTS journal_stage (seq bigint, source_id bigint, dedupe_key text, type smallint, "
                "ts_ms bigint, received_ms bigint, payload text) ON COMMIT DELETE ROWS; TRUNCATE journal_stage"
            )
            with cursor.copy(
                "COPY journal_stage (seq, source_id, dedupe_key, type, ts_ms, received_ms, payload) FROM STDIN"
            ) as copy:
                for *row, payload in _rows(once, 1, received_ms):
                    copy.write_row((*row, payload.decode()))
            cursor.execute(
                "SELECT s.seq FROM journal_stage s JOIN journal_event e USING (source_id, dedupe_key) ORDER BY s.seq"
            )
            known = {row[0] for row in cursor.fetchall()}
            if len(known) == len(once):
                return []
            if known:
                cursor.execute("DELETE FROM journal_stage WHERE seq = ANY(%s)", (list(known),))
            cursor.execute(
                "INSERT INTO journal_event (seq, source_id, dedupe_key, type, ts_ms, received_ms, payload) "
                "SELECT %s + row_number() OVER (ORDER BY seq) - 1, source_id, dedupe_key, type, ts_ms, received_ms, payload "
                "FROM journal_stage ORDER BY seq",
                (first,),
            )
        return [event for place, event in enumerate(once.values(), start=1) if place not in known]

    def _sources_of(self, events: Sequence[Event]) -> dict[tuple[str, str], int]:
        known = self._known_sources()
        wanted = {(event.source.connector, event.source.account) for event in events}
        for pair in sorted(wanted - known.keys()):
            known[pair] = self._source_id(*pair)
        return known

    def _source_id(self, connector: str, account: str) -> int:
        sql = "INSERT INTO journal_source (connector, account) VALUES (?, ?) ON CONFLICT (connector, account) DO NOTHING"
        self._execute(self._sql(sql), (connector, account), fetch=False)
        sql = "SELECT id FROM journal_source WHERE connector = ? AND account = ?"
        return int(self._execute(self._sql(sql), (connector, account))[0][0])

    def _known_sources(self) -> dict[tuple[str, str], int]:
        rows = self._execute("SELECT connector, account, id FROM journal_source")
        return {(connector, account): source_id for connector, account, source_id in rows}

    def _stored(self, rows: Sequence[tuple[Any, ...]]) -> list[Stored]:
        """Return the events of rows of _COLUMNS."""
        pairs = {source_id: pair for pair, source_id in self._known_sources().items()}
        sources: dict[tuple[int, str], Source] = {}
        stored = []
        for seq, received_ms, source_id, key, ts_ms, payload in rows:
            kept = _decode(payload)
            source = sources.get((source_id, kept.origin))
            if source is None:
                connector, account = pairs[source_id]
                source = sources[source_id, kept.origin] = Source(connector=connector, account=account, origin=kept.origin)
            event = Event(
                ts_ms=ts_ms, source=source, body=kept.body, dedupe_key=key, conv=kept.conv, actor=kept.actor,
                subject=kept.subject, confidence=kept.confidence, raw=kept.raw,
            )  # fmt: skip
            stored.append(Stored(seq, received_ms, event))
        return stored

    def _raw(self) -> Any:
        self._db.ensure_connection()
        return self._db.connection

    def _sql(self, sql: str) -> str:
        return sql.replace("?", "%s") if self._postgres else sql

    def _execute(self, sql: str, params: Sequence[object] = (), *, fetch: bool = True) -> list[tuple[Any, ...]]:
        cursor = self._raw().cursor()
        try:
            cursor.execute(sql, params)
            return cast("list[tuple[Any, ...]]", cursor.fetchall()) if fetch else []
        finally:
            cursor.close()


def _rows(
    once: dict[tuple[int, str], Event], first: int, received_ms: int
) -> Iterator[tuple[int, int, str, int, int, int, bytes]]:
    """Yield the columns of the new rows. The payload is bytes: SQLite keeps them as they are, which saves two conversions."""
    for seq, ((source_id, key), event) in enumerate(once.items(), start=first):
        body = event.body
        kept = Kept(
            body=body, conv=event.conv, actor=event.actor, subject=event.subject, origin=event.source.origin,
            confidence=event.confidence, raw=event.raw,
        )  # fmt: skip
        yield seq, source_id, key, TYPE_CODES[type(body)], event.ts_ms, received_ms, _encode(kept)
