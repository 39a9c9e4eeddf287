"""Compute segments over a mirror with DuckDB, inside this process: who belongs, and how many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunce.analytics.engine import show
from qunce.analytics.segments.one import Known, read_subjects
from qunce.analytics.segments.plan import Plan
from qunce.analytics.segments.tables import GIVEN_SCHEMAS, SCHEMAS, SegmentTables, tables_by_name
from qunce.analytics.tables import Expr
from qunce.domain.localtime import LocalClock
from qunce.domain.sampling import bucket
from qunce.engine.segments.moment import Moment
from qunce.journal.mirror import Manifest, MirrorStore
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.tree import Rule

Rules = Mapping[str, Rule]
BELONGS: Final = pa.schema([("segment_id", pa.string()), ("subject_id", pa.int64()), ("group_id", pa.int64())])
"""Who belongs where. `subject_id`: member, or group; `group_id`: group of a membership, else 0."""
_TYPES: Final[dict[str, Any]] = {"int32": pa.int32(), "int64": pa.int64(), "string": pa.string()}
_DRAWS: Final = pa.schema([(name, _TYPES[kind]) for name, kind in GIVEN_SCHEMAS["draws"].items()])
_LAST_DAY: Final = 1 << 30


class SegmentEngine:
    """One DuckDB connection over one mirror. Computations of several threads wait for each other."""

    def __init__(
        self,
        store: MirrorStore,
        clock: LocalClock,
        *,
        currency: str,
        threads: int = 2,
        memory_limit: str = "4GB",
    ) -> None:
        """`clock` is the organisation's, `currency` the one amounts are in."""
        self._store, self._clock, self._currency = store, clock, currency
        self._lock = Lock()
        self._options = {"threads": threads, "memory_limit": memory_limit, "preserve_insertion_order": False}

    @cached_property
    def _connection(self) -> Any:
        return ibis.duckdb.connect(**self._options)

    def moment(self, now_ms: int) -> Moment:
        """Return a moment in the organisation's zone."""
        return Moment(now_ms, self._clock)

    def evaluate_all(self, rules: Rules, now_ms: int, wanted: Sequence[str] | None = None) -> pa.Table:
        """Return who belongs to the `wanted` segments (None = all) at `now_ms`, as rows of `BELONGS`, in no order."""
        found = [BELONGS.empty_table()]
        for plan, of, rows in self._flags(rules, now_ms, wanted):
            for index, name in enumerate(plan.segments_of(of)):
                inside = rows.filter(pc.equal(rows[f"s{index}"], 1))
                names = pa.array(np.full(inside.num_rows, name), pa.string())
                columns = [names, inside["subject_id"], inside["group_id"]]
                found.append(pa.table(columns, schema=BELONGS))
        return pa.concat_tables(found)

    def members_of(self, rules: Rules, segment_id: str, now_ms: int) -> pa.Table:
        """Return who belongs to one segment, as rows of `BELONGS`. Raises KeyError for an unknown segment."""
        return self.evaluate_all(rules, now_ms, [segment_id])

    def count(self, rules: Rules, now_ms: int, wanted: Sequence[str] | None = None) -> dict[str, int]:
        """Return how many belong to each wanted segment (None = all) at `now_ms`."""
        counts = dict.fromkeys(rules if wanted is None else wanted, 0)
        for plan, of, rows in self._flags(rules, now_ms, wanted):
            for index, name in enumerate(plan.segments_of(of)):
                counts[name] = int(pc.sum(rows[f"s{index}"]).as_py() or 0)
        return counts

    def known(self, of: Subject, member_id: int) -> Known:
        """Return one member, or its memberships, with all events: what `engine.segments.evaluate` reads.

        Raises ValueError for groups.
        """
        if of == "group":
            raise ValueError("a group is not about one member")
        with self._lock:
            connection, tables = self._connection, tables_by_name()
            manifest = self._store.manifest()
            self._show_files(manifest, None)

            def read(rows: Expr) -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = connection.to_pyarrow(rows).to_pylist()
                return found

            odd = read(tables.exceptions)
            accounts = [member_id, *(row["identity_id"] for row in odd if row["member_id"] == member_id)]
            facts, orders = tables.facts, tables.order_events
            rows = {
                "exceptions": odd,
                "facts": read(facts.filter(facts.actor.isin(accounts) | facts.peer.isin(accounts))),
                "order_events": read(orders.filter(orders.identity_id.isin(accounts))),
                "groups": read(tables.groups.filter(tables.groups.kind != "group")),
                "group_profiles": read(tables.group_profiles) if of == "membership" else [],
                "tags": read(tables.tags.filter((tables.tags.subject_id == member_id) & (tables.tags.of != "group"))),
                "fields": read(tables.fields.filter(tables.fields.member_id == member_id)),
            }
            for name in ("member_profiles", "membership_profiles"):
                profiles = getattr(tables, name)
                rows[name] = read(profiles.filter(profiles.member_id == member_id))
        return read_subjects(of, rows, self._currency)

    def _flags(self, rules: Rules, now_ms: int, wanted: Sequence[str] | None) -> list[tuple[Plan, Subject, pa.Table]]:
        plan = Plan(rules, tuple(rules) if wanted is None else wanted, self.moment(now_ms), self._currency)
        with self._lock:
            manifest = self._store.manifest()
            try:
                return self._run(plan, manifest)
            except Exception:
                # A writer may have removed files that two changes ago were named: read the manifest again, once.
                latest = self._store.manifest()
                if latest.version == manifest.version:
                    raise
                return self._run(plan, latest)

    def _run(self, plan: Plan, manifest: Manifest) -> list[tuple[Plan, Subject, pa.Table]]:
        connection, tables = self._connection, tables_by_name()
        self._show(plan, manifest, tables)
        cube = plan.cube(tables)
        if cube is not None and len(plan.subjects) > 1:
            connection.raw_sql(f"create or replace temporary table cube as {ibis.to_sql(cube, dialect='duckdb')}")
            cube = ibis.table(cube.schema(), name="cube")
        found = [(plan, of, connection.to_pyarrow(plan.flags(of, tables, cube))) for of in plan.subjects]
        connection.raw_sql("drop table if exists temp.cube")
        return found

    def _show(self, plan: Plan, manifest: Manifest, tables: SegmentTables) -> None:
        self._show_files(manifest, plan.first_day())
        self._connection.con.register("draws", self._draws(plan, tables))

    def _show_files(self, manifest: Manifest, first: int | None) -> None:
        facts = self._store.segment_paths(manifest, first if first is not None else -_LAST_DAY, _LAST_DAY)
        show(self._connection, "facts", [str(path) for path in facts], SCHEMAS["facts"])
        for name, schema in SCHEMAS.items():
            if name != "facts" and name not in GIVEN_SCHEMAS:
                path = self._store.dimension_path(manifest, name)
                show(self._connection, name, [str(path)] if path else [], schema)

    def _draws(self, plan: Plan, tables: SegmentTables) -> pa.Table:
        units: dict[str, set[int]] = {}
        for of, salt in plan.draws():
            column = tables.group_profiles.group_id if of == "group" else tables.member_profiles.member_id
            units.setdefault(salt, set()).update(self._units(column))
        return pa.concat_tables([_DRAWS.empty_table(), *(draws(salt, sorted(found)) for salt, found in units.items())])

    def _units(self, column: Expr) -> list[int]:
        found: list[int] = self._connection.to_pyarrow(column).to_pylist()
        return found


def draws(salt: str, units: Sequence[int]) -> pa.Table:
    """Return the buckets of these units in one draw."""
    buckets = [bucket(salt, unit) for unit in units]
    columns = [pa.array([salt] * len(units), pa.string()), pa.array(units, pa.int64()), pa.array(buckets, pa.int32())]
    return pa.table(columns, schema=_DRAWS)
