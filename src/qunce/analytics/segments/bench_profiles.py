"""Give a mirror of `analytics.bench_data` the profiles that segments read, made from its other dimensions."""

from __future__ import annotations

from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from qunce.analytics.bench_data import DAY_MS
from qunce.analytics.segments.profiles import order_events, schema_of
from qunce.journal.mirror import MirrorStore

Ints = npt.NDArray[np.int64]
_CNY: Final = (ord("C") * 256 + ord("N")) * 256 + ord("Y")


def add_profiles(store: MirrorStore) -> None:
    """Write the dimensions of `PROFILE_SCHEMAS`; days become their first moment in UTC."""
    memberships, purchases, groups = (_read(store, name) for name in ("memberships", "purchases", "groups"))
    staff = _read(store, "exceptions")["identity_id"]
    memberships = {name: values[~np.isin(memberships["identity_id"], staff)] for name, values in memberships.items()}
    tables = {
        "member_profiles": _members(memberships),
        "membership_profiles": _table("membership_profiles", group_id=memberships["group_id"],
                                      member_id=memberships["identity_id"], joined_at=memberships["joined_day"] * DAY_MS,
                                      left_at=memberships["left_day"] * DAY_MS, first_seen_at=memberships["first_day"] * DAY_MS,
                                      role=np.ones(len(memberships["group_id"]), np.int64)),
        "group_profiles": _table("group_profiles", group_id=groups["group_id"],
                                 first_seen_at=np.full(len(groups["group_id"]), memberships["first_day"].min() * DAY_MS)),
        "order_events": _orders(purchases),
    }  # fmt: skip
    with store.change() as change:
        for name, table in tables.items():
            change.set_dimension(name, table)


def _members(memberships: dict[str, Ints]) -> pa.Table:
    order = np.argsort(memberships["first_day"], kind="stable")
    ids, first = np.unique(memberships["identity_id"][order], return_index=True)
    return _table("member_profiles", member_id=ids, first_seen_at=memberships["first_day"][order][first] * DAY_MS)


def _orders(purchases: dict[str, Ints]) -> pa.Table:
    paid_ms = purchases["paid_ms"]
    count = len(paid_ms)
    return order_events(
        {
            "order_id": purchases["order_id"],
            "identity_id": purchases["identity_id"],
            "created_ms": paid_ms,
            "paid_ms": np.where(purchases["is_paid"] == 1, paid_ms, 0),
            "refunded_ms": np.where(purchases["refunded_minor"] > 0, paid_ms + DAY_MS, 0),
            "amount_minor": purchases["amount_minor"],
            "refunded_minor": purchases["refunded_minor"],
            "currency": np.full(count, _CNY),
        },
        ZoneInfo("UTC"),
    )


def _read(store: MirrorStore, name: str) -> dict[str, Ints]:
    path = store.dimension_path(store.manifest(), name)
    if path is None:
        raise ValueError(f"the mirror has no {name}")
    table = pq.read_table(path)
    return {
        column: table[column].to_numpy().astype(np.int64)
        for column in table.column_names
        if pa.types.is_integer(table[column].type)
    }


def _table(name: str, **columns: Ints) -> pa.Table:
    """Return a table with these columns; the others are 0 or empty."""
    schema = schema_of(name)
    rows = len(next(iter(columns.values())))
    made: dict[str, Any] = {}
    for column in schema:
        blank: Any = "" if pa.types.is_string(column.type) else 0
        made[column.name] = columns.get(column.name, np.full(rows, blank))
    return pa.table(made).cast(schema)
