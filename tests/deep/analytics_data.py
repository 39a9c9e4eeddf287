"""A mirror with well over 70,000 members on one day: where approximate counting shows, which smaller data hides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from qunce.analytics.bench_data import FIRST_DAY, Shape, make
from qunce.analytics.engine import Engine
from qunce.analytics.registry import all_metrics
from qunce.analytics.tables import TABLE_SCHEMAS, Params, tables_by_name
from qunce.journal.mirror import MirrorStore

SHAPE: Final = Shape(facts=1_600_000, days=8, members=600_000, groups=300)
CASES: Final = tuple((metric, cut) for metric in all_metrics() for cut in (None, *metric.by))


def params(cut: Any) -> Params:
    """Return the question: the last five of the eight days, cut as asked."""
    return Params(since_day=FIRST_DAY + 3, until_day=FIRST_DAY + SHAPE.days - 1, by=(cut,) if cut else ())


def fill(folder: Path) -> MirrorStore:
    """Make the mirror, with some members of two accounts and a direct chat besides."""
    store = MirrorStore(folder)
    make(store, SHAPE)
    with store.change() as change:
        odd = table_of(store, "exceptions").to_pylist()
        taken = {row["identity_id"] for row in odd}
        odd += [{"identity_id": n, "member_id": n + 1, "excluded": 0} for n in range(5, 50_000, 10) if n not in taken]
        change.set_dimension("exceptions", pa.Table.from_pylist(odd, schema=table_of(store, "exceptions").schema))
        groups = table_of(store, "groups").to_pylist()
        groups[6]["kind"] = "other"
        change.set_dimension("groups", pa.Table.from_pylist(groups, schema=table_of(store, "groups").schema))
    return store


def table_of(store: MirrorStore, name: str) -> pa.Table:
    """Return a table of the mirror, by the name the expressions use."""
    manifest = store.manifest()
    if name == "facts":
        return pa.concat_tables([pq.read_table(path) for path in store.segment_paths(manifest, 0, 10**6)])
    if name == "days":
        return pa.table({"day": pa.array(range(FIRST_DAY - 100, FIRST_DAY + SHAPE.days), pa.int32())})
    path = store.dimension_path(manifest, name)
    assert path
    return pq.read_table(path)


NAMES: Final = ("facts", *TABLE_SCHEMAS, "days")


def reference(store: MirrorStore) -> dict[tuple[str, str | None], str]:
    """Return the hash of every metric and cut on DuckDB."""
    engine = Engine(store)
    manifest = store.manifest()
    return {(metric.id, cut): digest(engine._rows(metric, params(cut), manifest).to_pylist()) for metric, cut in CASES}


def expressions() -> Iterable[tuple[str, str | None, Any]]:
    """Return every metric and cut with its expression."""
    for metric, cut in CASES:
        yield metric.id, cut, metric.compute(tables_by_name(), params(cut))


def digest(rows: Iterable[Mapping[str, Any]]) -> str:
    """Hash rows by names and exact values. PostgreSQL's sums are decimals of whole numbers; any fraction would show."""
    text = "\n".join(repr([(name, _plain(value)) for name, value in row.items()]) for row in rows)
    return blake2b(text.encode(), digest_size=8).hexdigest()


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Decimal) and value == int(value) else value
