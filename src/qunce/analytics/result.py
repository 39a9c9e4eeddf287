"""Hold a metric's values with everything needed to show them honestly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from qunce.analytics.tables import Params

if TYPE_CHECKING:
    import pyarrow as pa

    from qunce.analytics.registry import Metric

Value = int | float | str | None
Row = Mapping[str, Value]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of one metric. Day and week columns are local day numbers since 1970-01-01; `unit` is that of the value column."""

    metric_id: str
    version: int
    since_day: int
    until_day: int
    by: tuple[str, ...]
    unit: str
    denominator: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    mirror_version: int
    """State of the mirror it was computed from."""

    def dicts(self) -> list[dict[str, Value]]:
        """Return the rows as mappings from column to value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def one(self) -> dict[str, Value]:
        """Return the only row. Raises ValueError if there is another number of rows."""
        if len(self.rows) != 1:
            raise ValueError(f"{self.metric_id} has {len(self.rows)} rows, not one")
        return self.dicts()[0]


def result_of(metric: Metric, params: Params, table: pa.Table, mirror_version: int) -> Result:
    """Finish what an engine computed: ratios, medians and scores are made here, from its integers."""
    rows = metric.finish(table.to_pylist(), params) if metric.finish else table.to_pylist()
    columns = tuple(rows[0]) if rows else tuple(table.column_names)
    return Result(
        metric_id=metric.id,
        version=metric.version,
        since_day=params.since_day,
        until_day=params.until_day,
        by=params.by,
        unit=metric.unit,
        denominator=metric.denominator,
        columns=columns,
        rows=tuple(tuple(row.values()) for row in rows),
        mirror_version=mirror_version,
    )
