"""Read and write rows of one table in batches, on SQLite and PostgreSQL alike, with the raw driver.

A fold loads the rows a batch touches with one query, changes them in memory, and writes the changed ones with one statement.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Row = tuple[Any, ...]


class Database:
    """The raw driver behind a Django connection, with the few differences between the two databases hidden."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self.postgres = connection.vendor == "postgresql"

    def work_in_memory(self, cache_mb: int) -> None:
        """Let this connection keep more pages in memory. PostgreSQL keeps its own."""
        if not self.postgres:
            self.execute(f"PRAGMA cache_size = -{cache_mb * 1024}")
            # Fold the write-ahead log back less often: the same pages change batch after batch (16,000 pages = 64 MB).
            self.execute("PRAGMA wal_autocheckpoint = 16000")

    def prefer_indexes(self) -> None:
        """Until the transaction ends, look rows up by index.

        PostgreSQL knows nothing about the sizes of tables that grow this fast and of fresh stages, and would read the whole
        journal for each batch.
        """
        if self.postgres:
            self.execute("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; SET LOCAL enable_seqscan = off")

    def query(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Return all rows of a query written with `?` placeholders."""
        cursor = self.raw().cursor()
        try:
            cursor.execute(self._sql(sql), params)
            return cast("list[Row]", cursor.fetchall())
        finally:
            cursor.close()

    def stream(self, sql: str, params: Sequence[object] = (), size: int = 5_000) -> Iterable[Row]:
        """Yield the rows of a query without holding them all. The transaction must stay open until the end."""
        cursor = self.raw().cursor(name="qunce_stream") if self.postgres else self.raw().cursor()
        try:
            cursor.execute(self._sql(sql), params)
            while rows := cursor.fetchmany(size):
                yield from rows
        finally:
            cursor.close()

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        cursor = self.raw().cursor()
        try:
            cursor.execute(self._sql(sql), params)
        finally:
            cursor.close()

    def execute_many(self, sql: str, rows: Sequence[Row]) -> None:
        if not rows:
            return
        cursor = self.raw().cursor()
        try:
            cursor.executemany(self._sql(sql), rows)
        finally:
            cursor.close()

    def in_list(self, column: str, values: Sequence[object]) -> tuple[str, list[object]]:
        """Return an SQL test that `column` is one of `values`, and its parameter: one placeholder for any number of values."""
        if self.postgres:
            return f"{column} = ANY(%s)", [list(values)]
        return f"{column} IN (SELECT value FROM json_each(?))", [json.dumps(values)]

    def in_rows(
        self, columns: Sequence[str], keys: Sequence[tuple[object, ...]], types: Sequence[str]
    ) -> tuple[str, list[object]]:
        """Return an SQL test that the columns together are one of `keys`, and its parameters; `types` in PostgreSQL's words."""
        names = ", ".join(columns)
        if self.postgres:
            arrays = ", ".join(f"%s::{name}[]" for name in types)
            return f"({names}) IN (SELECT * FROM unnest({arrays}))", [list(values) for values in zip(*keys, strict=True)]
        fields = ", ".join(f"json_extract(value, '$[{place}]')" for place in range(len(columns)))
        return f"({names}) IN (SELECT {fields} FROM json_each(?))", [json.dumps(keys)]

    def insert(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert new rows: executemany on SQLite, COPY on PostgreSQL."""
        if not rows:
            return
        names = _quoted(columns)
        if not self.postgres:
            marks = ", ".join("?" * len(columns))
            self.raw().executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)
            return
        with self.raw().cursor() as cursor, cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def upsert(
        self, table: str, columns: Sequence[str], key: Sequence[str], rows: Sequence[Row], add: Sequence[str] = ()
    ) -> None:
        """Insert rows or replace those with the same key; columns in `add` are summed instead of replaced."""
        if not rows:
            return
        names = _quoted(columns)
        changes = ", ".join(
            f'"{name}" = {table}."{name}" + excluded."{name}"' if name in add else f'"{name}" = excluded."{name}"'
            for name in columns
            if name not in key
        )
        conflict = f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changes}" if changes else "ON CONFLICT DO NOTHING"
        if not self.postgres:
            marks = ", ".join("?" * len(columns))
            self.raw().executemany(f"INSERT INTO {table} ({names}) VALUES ({marks}) {conflict}", rows)
            return
        stage = f"stage_{table}_{len(columns)}"
        with self.raw().cursor() as cursor:
            cursor.execute(
                f"CREATE TEMP TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS SELECT {names} FROM {table} WITH NO DATA; "
                f"TRUNCATE {stage}"
            )
            with cursor.copy(f"COPY {stage} ({names}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            cursor.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {stage} {conflict}")

    def raw(self) -> Any:
        self._connection.ensure_connection()
        return self._connection.connection

    def _sql(self, sql: str) -> str:
        return sql.replace("?", "%s") if self.postgres else sql


def _quoted(columns: Sequence[str]) -> str:
    """Return the columns for SQL; quoted, since some (`left`) are words of PostgreSQL's."""
    return ", ".join(f'"{name}"' for name in columns)
