"""Fold the whole journal again and compare: what is rebuilt must equal what was folded while events came in.

Everything happens in one transaction. A check rolls it back, so the living tables are untouched; a rebuild keeps it. Others can
read meanwhile, and write again when it is over.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Any

from django.db import connection, transaction
from django.db.models import Model

from qunce.domain.localtime import LocalClock
from qunce.journal.store import Journal
from qunce.readmodels.models import (
    AccountTotal,
    AttributeValue,
    Community,
    ContactMove,
    Group,
    GroupChart,
    GroupDay,
    Happening,
    Identity,
    IdentityKey,
    IdentityLink,
    Member,
    Membership,
    Message,
    Order,
    Question,
    Reaction,
    TagHolding,
    TierHolding,
    TierMove,
    Unsettled,
)  # fmt: skip
from qunce.readmodels.projector import Projector, settle
from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.clock import now_ms
from qunce.runtime.garbage import fewer_collections
from qunce.runtime.ingest import READMODELS

_CHILDREN_FIRST = (
    Question, Reaction, Happening, ContactMove, GroupChart, GroupDay, Message, Membership, Order, TierHolding, TierMove,
    TagHolding, AttributeValue,
    IdentityLink, IdentityKey, AccountTotal, Identity, Member, Group, Community, Unsettled,
)  # fmt: skip
_BATCH = 5_000
Progress = Callable[[int, int], None]
"""Called with events folded so far and in all."""


@dataclass(frozen=True, slots=True)
class TableCheck:
    """One table before and after."""

    table: str
    rows: int
    rebuilt_rows: int
    same: bool


@dataclass(frozen=True, slots=True)
class RebuildReport:
    """What a rebuild found. `holes` are missing journal positions, which would be damage."""

    events: int
    seconds: float
    kept: bool
    tables: tuple[TableCheck, ...]
    holes: tuple[tuple[int, int], ...]

    @property
    def same(self) -> bool:
        """True when every table came out as it was, and the journal is whole."""
        return not self.holes and all(table.same for table in self.tables)


class _Undo(Exception):
    """Carries the report out of the transaction that is rolled back."""


def rebuild(*, keep: bool, progress: Progress = lambda done, total: None) -> RebuildReport:
    """Fold everything again and compare; `keep` replaces the living tables by the rebuilt ones."""
    started = time.monotonic()
    database = Database(connection)
    journal = Journal(connection)
    checks: list[TableCheck] = []
    try:
        with transaction.atomic():
            settle(database, journal.positions)
            before = _digests(database)
            _empty(database)
            events = _fold(database, journal, progress)
            after = _digests(database)
            checks = [TableCheck(name, before[name][0], after[name][0], before[name] == after[name]) for name in before]
            if not keep:
                raise _Undo
    except _Undo:
        pass
    report = RebuildReport(events, round(time.monotonic() - started, 3), keep, tuple(checks), tuple(journal.holes()))
    said = {"at_ms": now_ms(), "same": report.same, "events": report.events}
    organisation.decide("last_rebuild", json.dumps(said))
    return report


def perform(params: dict[str, Any], beat: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Do a rebuild job."""
    report = rebuild(keep=bool(params.get("keep")), progress=lambda done, total: beat({"done": done, "total": total}))
    return {**asdict(report), "same": report.same}


def _fold(database: Database, journal: Journal, progress: Progress) -> int:
    projector = Projector(database, LocalClock(organisation.zone()), journal.positions, organisation.currency())
    head = journal.head()
    database.prefer_indexes()
    with fewer_collections():
        for batch in journal.read_all(batch=_BATCH):
            projector.apply(batch)
            progress(batch[-1].seq, head)
        settle(database, journal.positions)
    journal.move_cursor(READMODELS, head)
    return head


def _empty(database: Database) -> None:
    if database.postgres:
        database.execute("TRUNCATE message_search, " + ", ".join(model._meta.db_table for model in _CHILDREN_FIRST))
        return
    database.execute("INSERT INTO message_search (message_search) VALUES ('delete-all')")
    for model in _CHILDREN_FIRST:
        database.execute(f"DELETE FROM {model._meta.db_table}")


def _digests(database: Database) -> dict[str, tuple[int, str]]:
    """Return each table's number of rows and a hash over its rows in key order. Row numbers without meaning are left out."""
    digests = {}
    for model in _CHILDREN_FIRST:
        meta = model._meta
        fields = [field for field in meta.concrete_fields if field.get_internal_type() != "BigAutoField"]
        columns = ", ".join(f'"{field.column}"' for field in fields)
        key = ", ".join(_key_columns(model))
        digest = blake2b(digest_size=16)
        count = 0
        for row in database.stream(f"SELECT {columns} FROM {meta.db_table} ORDER BY {key}"):
            digest.update(repr(row).encode("utf-8", "surrogatepass"))
            count += 1
        digests[meta.db_table] = (count, digest.hexdigest())
    return digests


def _key_columns(model: type[Model]) -> list[str]:
    meta: Any = model._meta
    if meta.pk.get_internal_type() != "BigAutoField":
        return [meta.pk.column]
    fields = meta.constraints[0].fields
    return [meta.get_field(name).column for name in fields]
