"""Compute segments over a mirror with DuckDB, inside this process: who belongs, and how many."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Any, Final

import ibis
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from qunce.analytics.engine import show
from qunce.analytics.segments import scans
from qunce.analytics.segments.one import Known, read_subjects
from qunce.analytics.segments.plan import Plan
from qunce.analytics.segments.tables import GIVEN_SCHEMAS, PROFILE_SCHEMAS, SCHEMAS, SegmentTables, tables_by_name
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
DUE: Final = pa.schema([("of", pa.string()), ("subject_id", pa.int64()), ("group_id", pa.int64()), ("until_ms", pa.int64())])
"""Whose answers could change by themselves, and when at the earliest."""
_TYPES: Final[dict[str, Any]] = {"int32": pa.int32(), "int64": pa.int64(), "string": pa.string()}
_DRAWS: Final = pa.schema([(name, _TYPES[kind]) for name, kind in GIVEN_SCHEMAS["draws"].items()])
FACTS: Final = (
    "seq", "ts_ms", "day", "type", "group_id", "actor", "peer", "content", "length", "is_question",
)  # fmt: skip
"""Columns of facts that the evaluator of one reads."""
_LAST_DAY: Final = 1 << 30
# Engines merge nested selects themselves; Ibis takes half of the time of compiling for it.
ibis.options.sql.fuse_selects = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a run found: rows of `BELONGS` and `DUE`, and how many facts the mirror held."""

    belongs: pa.Table
    due: pa.Table
    facts: int


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

    @property
    def store(self) -> MirrorStore:
        """The mirror it computes over."""
        return self._store

    def moment(self, now_ms: int) -> Moment:
        """Return a moment in the organisation's zone."""
        return Moment(now_ms, self._clock)

    def evaluate_all(
        self, rules: Rules, now_ms: int, wanted: Sequence[str] | None = None, *, heard_ms: int | None = None
    ) -> pa.Table:
        """Return who belongs to the `wanted` segments (None = all) at `now_ms`, as rows of `BELONGS`, in no order.

        `heard_ms`: as if nothing happened after it; None = everything up to `now_ms` counts.
        """
        found = [BELONGS.empty_table()]
        for plan, of, rows in self._flags(rules, now_ms, wanted, heard_ms=heard_ms):
            found += _belongs(plan, of, rows)
        return pa.concat_tables(found)

    def run(self, rules: Rules, now_ms: int, wanted: Sequence[str], horizon_ms: int) -> Found:
        """Return who belongs to the `wanted` segments, and whose answers could change by themselves until `horizon_ms`."""
        belongs, due = [BELONGS.empty_table()], [DUE.empty_table()]
        for plan, of, rows in self._flags(rules, now_ms, wanted, horizon_ms):
            belongs += _belongs(plan, of, rows)
            soon = rows.filter(pc.less_equal(rows["until_ms"], horizon_ms))
            kinds = pa.array(np.full(soon.num_rows, of), pa.string())
            due.append(pa.table([kinds, soon["subject_id"], soon["group_id"], soon["until_ms"]], schema=DUE))
        return Found(belongs=pa.concat_tables(belongs), due=pa.concat_tables(due), facts=self._store.manifest().rows)

    def ahead(self, now_ms: int) -> pa.Table:
        """Return whom events that have not happened yet are about, as rows of `DUE`: clocks of platforms run ahead of ours."""
        with self._lock:
            connection, tables = self._connection, tables_by_name()
            self._show_files(self._store.manifest(), self._clock.day(now_ms))
            found = []
            for rows in scans.ahead(tables, now_ms):
                columns = connection.to_pyarrow(rows).select(["of", "subject_id", "group_id", "until_ms"])
                found.append(columns.cast(DUE))
        return pa.concat_tables(found)

    def members_of(self, rules: Rules, segment_id: str, now_ms: int, heard_ms: int | None = None) -> pa.Table:
        """Return who belongs to one segment, as `evaluate_all` does. Raises KeyError for an unknown segment."""
        return self.evaluate_all(rules, now_ms, [segment_id], heard_ms=heard_ms)

    def count(self, rules: Rules, now_ms: int, wanted: Sequence[str] | None = None) -> dict[str, int]:
        """Return how many belong to each wanted segment (None = all) at `now_ms`."""
        counts = dict.fromkeys(rules if wanted is None else wanted, 0)
        for plan, of, rows in self._flags(rules, now_ms, wanted):
            for index, name in enumerate(plan.segments_of(of)):
                counts[name] = int(pc.sum(rows[f"s{index}"]).as_py() or 0)
        return counts

    def known(self, of: Subject, subject_id: int, first_day: int | None = None) -> Known:
        """Return one member, its memberships, or one group, with its events: what `engine.segments.evaluate` reads.

        `subject_id`: a member, or a group. `first_day`: local day before which events may be left out; None = none may.
        """
        with self._lock:
            connection, tables = self._connection, tables_by_name()
            manifest = self._store.manifest()
            self._show_files(manifest, first_day)

            def read(rows: Expr) -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = connection.to_pyarrow(rows).to_pylist()
                return found

            rows: dict[str, list[dict[str, Any]]] = {name: [] for name in PROFILE_SCHEMAS}
            rows |= {"exceptions": read(tables.exceptions), "groups": read(tables.groups.filter(tables.groups.kind != "group"))}
            rows |= _about_group(tables, subject_id, read) if of == "group" else _about_member(tables, subject_id, rows, read)
            if first_day is not None:
                rows["facts"] = [row for row in rows["facts"] if row["day"] >= first_day]
        return read_subjects(of, rows, self._currency)

    def facts_about(
        self, accounts: Collection[int], groups: Collection[int], first_day: int | None
    ) -> tuple[list[dict[str, Any]], dict[str, int]]:
        """Return the facts by and towards accounts and in groups, and how far the mirror has read each source.

        `first_day`: local day before which facts may be left out; None = none may.
        """
        with self._lock:
            manifest = self._store.manifest()
            try:
                rows = self._about(manifest, accounts, groups, first_day)
            except Exception:
                latest = self._store.manifest()
                if latest.version == manifest.version:
                    raise
                manifest, rows = latest, self._about(latest, accounts, groups, first_day)
        return rows, dict(manifest.cursors)

    def _about(
        self, manifest: Manifest, accounts: Collection[int], groups: Collection[int], first_day: int | None
    ) -> list[dict[str, Any]]:
        connection, facts = self._connection, tables_by_name().facts
        self._show_files(manifest, first_day)
        for name, ids in (("asked_accounts", accounts), ("asked_groups", groups)):
            connection.con.register(name, pa.table({"id": pa.array(list(ids), pa.int64())}))
        asked = {name: ibis.table({"id": "int64"}, name=name).id for name in ("asked_accounts", "asked_groups")}
        test = facts.actor.isin(asked["asked_accounts"]) | facts.peer.isin(asked["asked_accounts"])
        if groups:
            test = facts.group_id.isin(asked["asked_groups"]) | test if accounts else facts.group_id.isin(asked["asked_groups"])
        if first_day is not None:
            test = test & (facts.day >= first_day)
        found: list[dict[str, Any]] = connection.to_pyarrow(facts.filter(test).select(*FACTS)).to_pylist()
        return found

    def _flags(
        self,
        rules: Rules,
        now_ms: int,
        wanted: Sequence[str] | None,
        horizon_ms: int | None = None,
        heard_ms: int | None = None,
    ) -> list[tuple[Plan, Subject, pa.Table]]:
        names = tuple(rules) if wanted is None else wanted
        plan = Plan(rules, names, Moment(now_ms, self._clock, heard_ms), self._currency, horizon_ms=horizon_ms)
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


_Read = Callable[[Expr], list[dict[str, Any]]]


def _about_member(
    tables: SegmentTables, member_id: int, known: Mapping[str, list[dict[str, Any]]], read: _Read
) -> dict[str, list[dict[str, Any]]]:  # fmt: skip
    accounts = [member_id, *(row["identity_id"] for row in known["exceptions"] if row["member_id"] == member_id)]
    facts, orders, tags = tables.facts, tables.order_events, tables.tags
    members, memberships, fields = tables.member_profiles, tables.membership_profiles, tables.fields
    return {
        "facts": read(facts.filter(facts.actor.isin(accounts) | facts.peer.isin(accounts))),
        "order_events": read(orders.filter(orders.identity_id.isin(accounts))),
        "group_profiles": read(tables.group_profiles),
        "tags": read(tags.filter((tags.subject_id == member_id) & (tags.of != "group"))),
        "fields": read(fields.filter(fields.member_id == member_id)),
        "member_profiles": read(members.filter(members.member_id == member_id)),
        "membership_profiles": read(memberships.filter(memberships.member_id == member_id)),
    }


def _about_group(tables: SegmentTables, group_id: int, read: _Read) -> dict[str, list[dict[str, Any]]]:
    facts, groups, tags = tables.facts, tables.group_profiles, tables.tags
    return {
        "facts": read(facts.filter(facts.group_id == group_id)),
        "group_profiles": read(groups.filter(groups.group_id == group_id)),
        "tags": read(tags.filter((tags.subject_id == group_id) & (tags.of == "group"))),
    }


def _belongs(plan: Plan, of: Subject, rows: pa.Table) -> list[pa.Table]:
    found = []
    for index, name in enumerate(plan.segments_of(of)):
        inside = rows.filter(pc.equal(rows[f"s{index}"], 1))
        names = pa.array(np.full(inside.num_rows, name), pa.string())
        found.append(pa.table([names, inside["subject_id"], inside["group_id"]], schema=BELONGS))
    return found


def draws(salt: str, units: Sequence[int]) -> pa.Table:
    """Return the buckets of these units in one draw."""
    buckets = [bucket(salt, unit) for unit in units]
    columns = [pa.array([salt] * len(units), pa.string()), pa.array(units, pa.int64()), pa.array(buckets, pa.int32())]
    return pa.table(columns, schema=_DRAWS)
