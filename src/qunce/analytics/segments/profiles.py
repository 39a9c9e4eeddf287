"""Read the profiles of members, memberships and groups, and the events of orders, from the read models."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from django.db.backends.base.base import BaseDatabaseWrapper

from qunce.analytics.columns import Ints, read_columns, restrict, statements
from qunce.analytics.localtime import local_days
from qunce.analytics.segments.tables import CREATED, PAID, PROFILE_SCHEMAS, REFUNDED
from qunce.playbook.segments.catalogue import TRAITS

_ARROW: Final[dict[str, Any]] = {"int8": pa.int8(), "int32": pa.int32(), "int64": pa.int64(), "string": pa.string()}
_TARGETS: Final = {0: "member", 1: "membership", 2: "group"}
_CONNECTORS: Final = (
    "select connector from identity where id > 0 {only members id} "
    "union select connector from chat_group where id > 0 {only groups id} order by 1"
)
_ORDER: Final = (
    "order_id", "identity_id", "created_ms", "paid_ms", "refunded_ms", "amount_minor", "refunded_minor", "currency",
)  # fmt: skip


def schema_of(name: str) -> pa.Schema:
    """Return the columns of a table of profiles."""
    return pa.schema([(column, _ARROW[kind]) for column, kind in PROFILE_SCHEMAS[name].items()])


def read_profiles(
    connection: BaseDatabaseWrapper, zone: ZoneInfo, not_members: str, currency: str, **only: Collection[int]
) -> dict[str, pa.Table]:
    """Return the tables of `PROFILE_SCHEMAS`. `not_members` and `currency` are SQL: kinds, and the packed letters of one.

    `only`: ids of `members`, their `accounts`, and `groups`; rows of these only. Nothing given = everybody.
    """
    connectors, connector = _connectors(connection, **only)
    communities = _names(connection, "select id, name from community")
    queries = statements("profiles")

    def read(name: str, *columns: str) -> dict[str, Ints]:
        sql = queries[name].replace("{not_members}", not_members).replace("{currency}", currency)
        return read_columns(connection, restrict(sql.replace("{connector}", connector), **only), columns)

    members = read("member_profiles", *(name for name in PROFILE_SCHEMAS["member_profiles"] if name not in TRAITS))
    members |= {name: np.zeros(len(members["member_id"]), np.int64) for name in TRAITS}
    memberships = read("membership_profiles", *PROFILE_SCHEMAS["membership_profiles"])
    groups = read("group_profiles", *PROFILE_SCHEMAS["group_profiles"])
    kinds = {0: "unknown", 1: "member"}
    tags = read("tags", "of", "subject_id", "group_id", "tag", "from_ms", "to_ms")
    fields = read("fields", "member_id", "attribute", "number", "word", "is_number")
    return {
        "tags": _table("tags", tags, of=_TARGETS, tag=_ranked(connection, "tag", "tag_holding")),
        "fields": _table(
            "fields",
            fields,
            attribute=_ranked(connection, "attribute", "attribute_value"),
            word=_ranked(connection, "word", "attribute_value"),
        ),
        "member_profiles": _table("member_profiles", members, kind=kinds, connector=connectors),
        "membership_profiles": _table("membership_profiles", memberships),
        "group_profiles": _table("group_profiles", groups, connector=connectors, community=communities),
        "order_events": order_events(read("orders", *_ORDER), zone),
    }


def order_events(orders: Mapping[str, Ints], zone: ZoneInfo) -> pa.Table:
    """Return one row per thing that happened to an order. Paid means: paid, and not wholly refunded."""
    paid, refunded, amount = orders["paid_ms"], orders["refunded_minor"], orders["amount_minor"]
    counts = (paid > 0) & ((refunded == 0) | (refunded < amount))
    parts = [
        _happened(orders, zone, CREATED, orders["created_ms"], amount, orders["created_ms"] > 0),
        _happened(orders, zone, PAID, paid, amount - refunded, counts),
        _happened(orders, zone, REFUNDED, orders["refunded_ms"], refunded, orders["refunded_ms"] > 0),
    ]
    return pa.concat_tables(parts).sort_by([("order_id", "ascending"), ("kind", "ascending")])


def _happened(
    orders: Mapping[str, Ints], zone: ZoneInfo, kind: int, ts_ms: Ints, amount: Ints, there: np.ndarray[Any, np.dtype[np.bool_]]
) -> pa.Table:
    columns = {
        "order_id": orders["order_id"][there],
        "identity_id": orders["identity_id"][there],
        "kind": np.full(int(there.sum()), kind),
        "ts_ms": ts_ms[there],
        "day": local_days(ts_ms[there], zone),
        "amount": amount[there],
        "currency": letters(orders["currency"][there]),
    }
    return pa.table(columns).cast(schema_of("order_events"))


def letters(packed: Ints) -> pa.Array:
    """Return the codes of currencies; their three letters are packed into one integer."""
    codes, place = np.unique(packed, return_inverse=True)
    names = pa.array(["".join(chr(int(code) >> shift & 255) for shift in (16, 8, 0)) for code in codes], pa.string())
    return names.take(pa.array(place, pa.int64()))


def _connectors(connection: BaseDatabaseWrapper, **only: Collection[int]) -> tuple[dict[int, str], str]:
    """Return platforms by number, and the SQL that gives the number of `i.connector`."""
    with connection.cursor() as cursor:
        cursor.execute(restrict(_CONNECTORS, **only))
        names = [str(row[0]) for row in cursor.fetchall()]
    quoted = {number: name.replace("'", "''") for number, name in enumerate(names, start=1)}
    cases = " ".join(f"when '{name}' then {number}" for number, name in quoted.items())
    sql = f"case i.connector {cases} else 0 end" if cases else "0"
    return dict(enumerate(names, start=1)), sql


def _ranked(connection: BaseDatabaseWrapper, column: str, table: str) -> dict[int, str]:
    """Return the words of a column by their place in the database's own order, from 1; the empty word has none."""
    words = f"select distinct {column} from {table} where {column} <> ''"
    return _names(connection, f"select row_number() over (order by {column}), {column} from ({words}) t")


def _names(connection: BaseDatabaseWrapper, sql: str) -> dict[int, str]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {int(row[0]): str(row[1]) for row in cursor.fetchall()}


def _table(name: str, columns: Mapping[str, Ints], **words: Mapping[int, str]) -> pa.Table:
    made: dict[str, Any] = dict(columns)
    for column, meanings in words.items():
        codes, place = np.unique(columns[column], return_inverse=True)
        spelled = pa.array([meanings.get(int(code), "") for code in codes], pa.string())
        made[column] = spelled.take(pa.array(place, pa.int64()))
    return pa.table(made).cast(schema_of(name))
