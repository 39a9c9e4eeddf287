"""Segments hold exactly the same subjects on SQLite as by the evaluator of one subject."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import ibis
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from qunce.analytics.segments.plan import Plan
from qunce.analytics.segments.run import draws
from qunce.analytics.segments.tables import SCHEMAS, SegmentTables, tables_by_name
from qunce.analytics.tables import Expr
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.tree import Rule
from tests.integration import segments_world as w
from tests.integration.test_segments_examples import EXAMPLES
from tests.integration.test_segments_parity import by_one

TYPES = {"int8": "integer", "int32": "integer", "int64": "integer", "string": "text"}


class _Bits:
    """What SQLite has no aggregate for: the days of a window, a bit each."""

    def __init__(self) -> None:
        self.bits = 0

    def step(self, value: int | None) -> None:
        self.bits |= value or 0

    def finalize(self) -> int:
        return self.bits


def database(world: w.World, plan: Plan) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    # Ibis registers functions of its own on connections it makes; of these segments need this one.
    connection.create_aggregate("_ibis_bit_or", 1, _Bits)
    for name, schema in SCHEMAS.items():
        columns = ", ".join(f'"{column}" {TYPES[kind]}' for column, kind in schema.items())
        connection.execute(f'create table "{name}" ({columns})')
        rows = [dict(row) for row in world.get(name, [])]
        if name == "draws":
            rows = [row for salt in {salt for _, salt in plan.draws()} for row in draws(salt, w.MEMBERS).to_pylist()]
        marks = ", ".join("?" * len(schema))
        connection.executemany(f'insert into "{name}" values ({marks})', [[row[column] for column in schema] for row in rows])
    return connection


TOO_DEEP = "parser stack overflow"
"""SQLite reads statements nested a hundred deep at most. 群策 never asks it for segments."""


class Stored(Plan):
    """A plan whose parts are stored as tables on the way, so that statements stay shallow."""

    def keep(self, connection: sqlite3.Connection) -> Stored:
        self._connection = connection
        return self

    def _parts(self, of: Subject, tables: SegmentTables, cube: Expr | None) -> Iterator[tuple[Expr, tuple[str, ...]]]:
        if cube is not None:
            cube = self._stored("cube", cube)
        for number, (part, keys) in enumerate(super()._parts(of, tables, cube)):
            yield self._stored(f"part{number}", part), keys

    def _stored(self, name: str, rows: Expr) -> Expr:
        self._connection.execute(f"create table {name} as {ibis.to_sql(rows, dialect='sqlite')}")
        return ibis.table(rows.schema(), name=name)


@pytest.fixture(autouse=True, scope="module")
def _fused() -> Iterator[None]:
    """Have selects fused: SQLite nests fewer than DuckDB, for which they stay apart."""
    before, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, True
    yield
    ibis.options.sql.fuse_selects = before


def found_by_sqlite(name: str, rules: dict[str, Rule], world: w.World) -> set[tuple[str, int, int]] | None:
    """Return who belongs to one segment; None = its statement is too deep for SQLite."""
    plan, tables, of = Stored(rules, [name], w.NOW, w.CURRENCY), tables_by_name(), rules[name].of
    connection = database(world, plan)
    plan.keep(connection)
    try:
        cursor = connection.execute(str(ibis.to_sql(plan.flags(of, tables, plan.cube(tables)), dialect="sqlite")))
        columns = [column[0] for column in cursor.description]
        rows = [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]
    except sqlite3.OperationalError as error:
        if str(error) != TOO_DEEP:
            raise
        return None
    finally:
        connection.close()
    return {(name, row["subject_id"], row["group_id"]) for row in rows if row["s0"] == 1}


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(world=w.worlds(), rules=w.rule_sets())
def test_sqlite_agrees(world: w.World, rules: dict[str, Rule]) -> None:
    expected = by_one(rules, world)
    for name in rules:
        found = found_by_sqlite(name, rules, world)
        if found is not None:
            assert found == {one for one in expected if one[0] == name}


def test_the_examples_are_not_too_deep_for_sqlite() -> None:
    blank: w.World = {name: [] for name in SCHEMAS}
    for name in EXAMPLES:
        assert found_by_sqlite(name, EXAMPLES, blank) == set()
