"""Compute metrics over a mirror with DuckDB, inside this process.

The database is in memory and holds nothing but views of the mirror's Parquet files: a `.duckdb` file would lock out every other
process, a folder of Parquet does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from threading import Lock
from typing import Any, Final

import ibis
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from qunce.analytics.registry import Metric
from qunce.analytics.result import Result, result_of
from qunce.analytics.tables import FACT_COLUMNS, TABLE_SCHEMAS, Expr, Params, Tables, tables_by_name
from qunce.journal.mirror import Manifest, MirrorStore

LOOKBACK_DAYS: Final = 90
"""How far before the period an expression may read facts; only whole files outside are left out."""
_SQL_TYPES: Final[Mapping[str, str]] = {"int8": "tinyint", "int32": "integer", "int64": "bigint", "string": "varchar"}


class Engine:
    """One DuckDB connection over one mirror. Computations of several threads wait for each other."""

    def __init__(self, store: MirrorStore, *, threads: int = 2, memory_limit: str = "2GB") -> None:
        self._store = store
        self._lock = Lock()
        self._options = {"threads": threads, "memory_limit": memory_limit, "preserve_insertion_order": False}

    @cached_property
    def _connection(self) -> Any:
        return ibis.duckdb.connect(**self._options)

    def compute(self, metric: Metric, params: Params) -> Result:
        """Return the metric's values. Raises ValueError if the metric cannot be cut as `params.by` asks."""
        metric.check(params)
        with self._lock:
            manifest = self._store.manifest()
            try:
                rows = self._rows(metric, params, manifest)
            except Exception:
                # A writer may have removed files that two changes ago were named: read the manifest again, once.
                latest = self._store.manifest()
                if latest.version == manifest.version:
                    raise
                manifest, rows = latest, self._rows(metric, params, latest)
        return result_of(metric, params, rows, manifest.version)

    def rows(self, build: Callable[[Tables], Expr], params: Params) -> pa.Table:
        """Return the rows of an expression over the tables, for computations that are no metric; facts as of `params`."""
        with self._lock:
            self._show(params, self._store.manifest())
            return self._connection.to_pyarrow(build(tables_by_name()))

    def newest_day(self) -> int | None:
        """Return the newest local day with a fact or a paid order; None = the mirror is empty."""
        manifest = self._store.manifest()
        days, path = manifest.days(), self._store.dimension_path(manifest, "purchases")
        found = [days[1]] if days else []
        if path:
            paid = pq.read_table(path, columns=["day"], filters=[("is_paid", "=", 1)])
            found += [pc.max(paid["day"]).as_py()] if paid.num_rows else []
        return max(found, default=None)

    def _rows(self, metric: Metric, params: Params, manifest: Manifest) -> pa.Table:
        self._show(params, manifest)
        return self._connection.to_pyarrow(metric.compute(tables_by_name(), params))

    def _show(self, params: Params, manifest: Manifest) -> None:
        """Point the views at the files of `manifest`."""
        since, until = params.since_day - LOOKBACK_DAYS, params.until_day
        segments = [str(path) for path in self._store.segment_paths(manifest, since, until)]
        show(self._connection, "facts", segments, FACT_COLUMNS)
        for name, schema in TABLE_SCHEMAS.items():
            path = self._store.dimension_path(manifest, name)
            show(self._connection, name, [str(path)] if path else [], schema)
        self._connection.raw_sql(
            f"create or replace view days as select cast(range as integer) as day from range({since}, {until + 1})"
        )


def show(connection: Any, name: str, files: list[str], schema: Mapping[str, str]) -> None:
    """Point a view at Parquet files; without files it is empty, with the columns of `schema`."""
    if files:
        listed = ", ".join("'" + file.replace("'", "''") + "'" for file in files)
        rows = f"select * from read_parquet([{listed}])"
    else:
        columns = ", ".join(f"cast(null as {_SQL_TYPES[kind]}) as {column}" for column, kind in schema.items())
        rows = f"select {columns} where false"
    connection.raw_sql(f"create or replace view {name} as {rows}")
