"""Every metric gives exactly the same rows on DuckDB, PostgreSQL and ClickHouse."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import ibis
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from qunce.analytics.tables import FACT_COLUMNS, MESSAGE, TABLE_SCHEMAS
from qunce.journal.mirror import MirrorStore
from tests.deep import analytics_data as data

pytestmark = pytest.mark.deep

_POSTGRES = {"int8": "smallint", "int32": "integer", "int64": "bigint", "string": "text"}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> MirrorStore:
    return data.fill(tmp_path_factory.mktemp("mirror"))


@pytest.fixture(scope="module")
def expected(store: MirrorStore) -> dict[tuple[str, str | None], str]:
    return data.reference(store)


def test_the_data_are_large_enough_to_show_approximate_counts(store: MirrorStore) -> None:
    facts = data.table_of(store, "facts").to_pandas()
    messages = facts[facts["type"] == MESSAGE]
    assert messages.groupby("day")["actor"].nunique().max() > 70_000


class ClickHouse:
    """An embedded ClickHouse with the tables of a mirror."""

    def __init__(self, store: MirrorStore, folder: Path) -> None:
        session = pytest.importorskip("chdb.session", reason="chdb is not installed; `bootstrap.py test --deep` installs it")
        self.session = session.Session()
        self.session.query("create database if not exists mirror")
        self.session.query("use mirror")
        for name in data.NAMES:
            path = folder / f"{name}.parquet"
            pq.write_table(data.table_of(store, name), path)
            self.session.query(
                f"create table mirror.{name} engine = MergeTree order by tuple() as select * from file('{path}', Parquet)"
            )

    def rows(self, expression: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.session.query(
            str(ibis.to_sql(expression, dialect="clickhouse")), "ArrowTable"
        ).to_pylist()
        return found


@pytest.fixture(scope="module")
def clickhouse(store: MirrorStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    server = ClickHouse(store, tmp_path_factory.mktemp("clickhouse"))
    yield server
    server.session.close()


def test_clickhouse_gives_the_same_rows(expected: dict[tuple[str, str | None], str], clickhouse: ClickHouse) -> None:
    differing = [
        (metric, cut)
        for metric, cut, expression in data.expressions()
        if data.digest(clickhouse.rows(expression)) != expected[metric, cut]
    ]
    assert differing == []


@pytest.mark.postgres
@pytest.mark.django_db
def test_postgresql_gives_the_same_rows(store: MirrorStore, expected: dict[tuple[str, str | None], str]) -> None:
    from django.db import connection

    columns = {"facts": FACT_COLUMNS, **TABLE_SCHEMAS, "days": {"day": "int32"}}
    differing = []
    with connection.cursor() as cursor:
        for name, schema in columns.items():
            typed = ", ".join(f'"{column}" {_POSTGRES[kind]}' for column, kind in schema.items())
            cursor.execute(f'create temporary table "{name}" ({typed}) on commit drop')
            text = BytesIO()
            table = data.table_of(store, name).select(list(schema))
            pyarrow.csv.write_csv(table, text, pyarrow.csv.WriteOptions(include_header=False))
            with cursor.copy(f'copy "{name}" from stdin (format csv)') as copy:
                copy.write(text.getvalue())
            cursor.execute(f'analyze "{name}"')
        cursor.execute("set local work_mem = '256MB'")
        for metric, cut, expression in data.expressions():
            cursor.execute(str(ibis.to_sql(expression, dialect="postgres")).replace("%", "%%"), ())
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if data.digest(rows) != expected[metric, cut]:
                differing.append((metric, cut))
    assert differing == []
