"""Segments hold exactly the same subjects on PostgreSQL and ClickHouse as by the evaluator of one subject."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from qunce.analytics.segments.plan import Plan
from qunce.analytics.segments.run import draws
from qunce.analytics.segments.tables import SCHEMAS, tables_by_name
from qunce.playbook.segments.tree import Rule
from tests.integration import segments_world as w
from tests.integration.test_segments_parity import by_one

pytestmark = pytest.mark.deep

Query = Callable[[str], Iterable[dict[str, Any]]]
_POSTGRES = {"int8": "smallint", "int32": "integer", "int64": "bigint", "string": "text"}
# A shrunk failure would take minutes on these engines; the same worlds shrink well on DuckDB.
MANY = settings(
    max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


def tables_of(world: w.World, plan: Plan) -> Iterator[tuple[str, pa.Table]]:
    """Yield every table that segments are computed from, by name."""
    drawn = [draws(salt, w.MEMBERS) for salt in {salt for _, salt in plan.draws()}]
    for name in SCHEMAS:
        rows = pa.concat_tables(drawn) if name == "draws" and drawn else w.table(name, world.get(name, []))
        yield name, rows.select(list(SCHEMAS[name]))


def found(plan: Plan, dialect: str, query: Query) -> set[tuple[str, int, int]]:
    """Return who belongs, by one engine."""
    tables = tables_by_name()
    belongs = set()
    for of in plan.subjects:
        names = plan.segments_of(of)
        sql = str(ibis.to_sql(plan.flags(of, tables, plan.cube(tables)), dialect=dialect))
        for row in query(sql):
            belongs |= {
                (name, row["subject_id"], row["group_id"]) for index, name in enumerate(names) if int(row[f"s{index}"]) == 1
            }
    return belongs


class ClickHouse:
    """An embedded ClickHouse."""

    def __init__(self, folder: Path) -> None:
        session = pytest.importorskip("chdb.session", reason="chdb is not installed; `bootstrap.py test --deep` installs it")
        self.session = session.Session()
        self.folder = folder
        self.session.query("create database if not exists segments")
        self.session.query("use segments")

    def load(self, name: str, table: pa.Table) -> None:
        path = self.folder / f"{name}.parquet"
        pq.write_table(table, path)
        self.session.query(f"drop table if exists segments.{name}")
        columns = ", ".join(f"{column} {_CLICKHOUSE[kind]}" for column, kind in SCHEMAS[name].items())
        self.session.query(f"create table segments.{name} ({columns}) engine = Memory")
        self.session.query(f"insert into segments.{name} select * from file('{path}', Parquet)")

    def query(self, sql: str) -> Iterable[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.session.query(sql, "ArrowTable").to_pylist()
        return rows


_CLICKHOUSE = {"int8": "Int8", "int32": "Int32", "int64": "Int64", "string": "String"}


@pytest.fixture(scope="module")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouse]:
    server = ClickHouse(tmp_path_factory.mktemp("clickhouse"))
    yield server
    server.session.close()


@MANY
@given(world=w.worlds(), rules=w.rule_sets())
def test_clickhouse_agrees(clickhouse: ClickHouse, world: w.World, rules: dict[str, Rule]) -> None:
    plan = Plan(rules, tuple(rules), w.NOW, w.CURRENCY)
    for name, table in tables_of(world, plan):
        clickhouse.load(name, table)
    assert found(plan, "clickhouse", clickhouse.query) == by_one(rules, world)


@pytest.mark.postgres
@pytest.mark.django_db
def test_postgresql_agrees() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for name, schema in SCHEMAS.items():
            typed = ", ".join(f'"{column}" {_POSTGRES[kind]}' for column, kind in schema.items())
            cursor.execute(f'create temporary table "{name}" ({typed}) on commit drop')

        def query(sql: str) -> Iterable[dict[str, Any]]:
            cursor.execute(sql.replace("%", "%%"), ())
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

        @MANY
        @given(world=w.worlds(), rules=w.rule_sets())
        def agrees(world: w.World, rules: dict[str, Rule]) -> None:
            plan = Plan(rules, tuple(rules), w.NOW, w.CURRENCY)
            for name, table in tables_of(world, plan):
                cursor.execute(f'truncate "{name}"')
                text = BytesIO()
                pyarrow.csv.write_csv(table, text, pyarrow.csv.WriteOptions(include_header=False))
                with cursor.copy(f'copy "{name}" from stdin (format csv)') as copy:
                    copy.write(text.getvalue())
            assert found(plan, "postgres", query) == by_one(rules, world)

        agrees()
