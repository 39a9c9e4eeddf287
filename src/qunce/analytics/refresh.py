"""Bring the columnar mirror up to the read models.

Facts come from the tables message, happening and reaction, each with a cursor of its own; dimensions are read whole and
written again where their content changed. Running it twice changes nothing. A fact stays as it was first read: a message
retracted later was still said. Reactions taken back, and a journal that was made anew, are noticed by counting, and the source
is then read again from the start.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from django.db.backends.base.base import BaseDatabaseWrapper

from qunce.analytics.columns import Ints, read_batches, read_columns, restrict, statements
from qunce.analytics.localtime import local_days, local_hours
from qunce.analytics.segments.profiles import letters, read_profiles
from qunce.analytics.tables import MESSAGE, REACTION
from qunce.analytics.traits import with_traits
from qunce.journal.mirror import FACT_SCHEMA, MirrorChange, MirrorStore
from qunce.readmodels.models import IdentityKind

logger = logging.getLogger(__name__)

SOURCES: Final = ("message", "happening", "reaction")
STRIDE: Final = 250_000
"""Positions read at a time; bounds memory."""
FACTS_PER_CHANGE: Final = 1_000_000
"""Facts after which the mirror is committed, so that a long first refresh can be broken off."""
NOT_MEMBERS: Final = (IdentityKind.STAFF, IdentityKind.BOT, IdentityKind.HOUSE_PERSONA, IdentityKind.SYSTEM)
_READ: Final = tuple(name for name in FACT_SCHEMA.names if name != "hour")
CURRENCY: Final = {
    "sqlite": "unicode(o.currency) * 65536 + unicode(substr(o.currency, 2)) * 256 + unicode(substr(o.currency, 3))",
    "postgresql": "ascii(o.currency) * 65536 + ascii(substr(o.currency, 2)) * 256 + ascii(substr(o.currency, 3))",
}
"""The three letters of a currency packed into one integer, as SQL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did. `version` is the mirror's after it."""

    version: int
    facts: int
    dimensions: tuple[str, ...]


def refresh(*, connection: BaseDatabaseWrapper, store: MirrorStore, zone: ZoneInfo) -> Refreshed:
    """Add what is new in the read models to the mirror. `zone` is the organisation's, the one `day` was made with."""
    added = sum(_refresh_source(connection, store, zone, source) for source in SOURCES)
    changed = []
    with store.change() as change:
        for name, table in _dimensions(connection, zone).items():
            if change.set_dimension(name, table):
                changed.append(name)
    version = store.manifest().version
    level = logging.INFO if added or changed else logging.DEBUG
    logger.log(level, "refreshed mirror", extra={"action": "mirror.refresh", "facts": added, "version": version})
    return Refreshed(version=version, facts=added, dimensions=tuple(changed))


def refresh_profiles(*, connection: BaseDatabaseWrapper, store: MirrorStore, zone: ZoneInfo) -> None:
    """Bring what segments know of members, memberships, groups and orders up to the read models.

    Apart from `refresh`, since nearly every profile changes with each message, and no metric reads one.
    """
    profiles = read_profiles(connection, zone, kinds_left_out(), CURRENCY[connection.vendor])
    profiles["member_profiles"] = with_traits(profiles["member_profiles"], store)
    with store.change() as change:
        for name, table in profiles.items():
            change.set_dimension(name, table)


def _refresh_source(connection: BaseDatabaseWrapper, store: MirrorStore, zone: ZoneInfo, source: str) -> int:
    """Return how many facts were added. Somebody else who refreshes meanwhile has added them: then nothing is, here."""
    last, after, added = _last(connection, source), _start(connection, store, source), 0
    if after is None:
        with store.change() as change:
            change.drop_facts(source)
        after = 0
    sql = fact_sql(source)
    pending: list[pa.Table] = []
    for upto, columns in read_batches(connection, sql, _READ, after, last, STRIDE):
        pending.append(_facts(columns, zone))
        rows = sum(table.num_rows for table in pending)
        if rows >= FACTS_PER_CHANGE or upto == last:
            with store.change() as change:
                if change.manifest.cursors.get(source, 0) != after:
                    return added
                _append(change, source, pending, upto)
            added += rows
            pending, after = [], upto
    return added


def _append(change: MirrorChange, source: str, pending: list[pa.Table], upto: int) -> None:
    change.add_facts(source, pa.concat_tables(pending))
    change.set_cursor(source, upto)


def _start(connection: BaseDatabaseWrapper, store: MirrorStore, source: str) -> int | None:
    """Return the position to go on from; None = what is mirrored no longer matches and must be read again."""
    manifest = store.manifest()
    cursor = manifest.cursors.get(source, 0)
    if cursor > _last(connection, source):
        return None
    if source == "reaction" and cursor:
        standing = _scalar(connection, f"select count(*) from reaction where seq <= {cursor}")
        if standing != manifest.source_rows(source):
            return None
    return cursor


def _last(connection: BaseDatabaseWrapper, source: str) -> int:
    return _scalar(connection, f"select coalesce(max(seq), 0) from {source}")


def _scalar(connection: BaseDatabaseWrapper, sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
    return int(row[0])


def fact_sql(source: str) -> str:
    """Return the statement that reads the facts of a source, `{after}` and `{upto}` open."""
    return statements("facts")[source].replace("{message}", str(MESSAGE)).replace("{reaction}", str(REACTION))


def _facts(columns: dict[str, Ints], zone: ZoneInfo) -> pa.Table:
    hours = local_hours(columns["ts_ms"], zone)
    return pa.table({**columns, "hour": hours}).select(FACT_SCHEMA.names).cast(FACT_SCHEMA)


def _dimensions(connection: BaseDatabaseWrapper, zone: ZoneInfo) -> dict[str, pa.Table]:
    queries = statements("dimensions")
    kinds = kinds_left_out()

    def read(name: str, *columns: str) -> dict[str, Ints]:
        sql = queries[name].replace("{not_members}", kinds).replace("{currency}", CURRENCY[connection.vendor])
        return read_columns(connection, restrict(sql), columns)

    exceptions = read("exceptions", "identity_id", "member_id", "excluded")
    groups = read("groups", "group_id", "community_id", "kind")
    memberships = read("memberships", "group_id", "identity_id", "first_ms", "joined_ms", "left_ms")
    purchases = read(
        "purchases", "order_id", "identity_id", "day", "paid_ms", "amount_minor", "refunded_minor", "currency", "is_paid"
    )
    questions = read("questions", "seq", "group_id", "identity_id", "day", "response_s", "responder")
    return {
        "exceptions": _table(exceptions, excluded=pa.int8()),
        "groups": _table(groups, kind=pa.array(np.where(groups["kind"] == 1, "group", "other"), pa.string())),
        "memberships": _table(
            {
                "group_id": memberships["group_id"],
                "identity_id": memberships["identity_id"],
                **{f"{name}_day": local_days(memberships[f"{name}_ms"], zone) for name in ("first", "joined", "left")},
            },
            first_day=pa.int32(),
            joined_day=pa.int32(),
            left_day=pa.int32(),
        ),
        "purchases": _table(purchases, day=pa.int32(), is_paid=pa.int8(), currency=letters(purchases["currency"])),
        "questions": _table(questions, day=pa.int32()),
    }


def kinds_left_out() -> str:
    """Return the kinds of `NOT_MEMBERS` for SQL."""
    return ", ".join(f"'{kind.value}'" for kind in NOT_MEMBERS)


def _table(columns: dict[str, Ints], **special: pa.DataType | pa.Array) -> pa.Table:
    """Make a table; `special` names the type of a column, or its finished values."""
    made = {}
    for name, values in columns.items():
        given = special.get(name)
        made[name] = given if isinstance(given, pa.Array) else pa.array(values, given or pa.int64())
    return pa.table(made)
