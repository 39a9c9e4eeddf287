"""Say what segments are computed from, beside the facts: profiles of the subjects, events of orders, tags, draws.

Words of `catalogue.CODED` are their places, from 1; moments are milliseconds UTC and 0 stands for missing, also in ids; words
that are missing are empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis

from qunce.analytics.tables import FACT_COLUMNS, TABLE_SCHEMAS, Expr
from qunce.playbook.segments.catalogue import TRAITS

PROFILE_SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "member_profiles": {
        "member_id": "int64", "kind": "string", "connector": "string", "first_seen_at": "int64", "last_seen_at": "int64",
        "last_message_at": "int64", "messages": "int64", "orders": "int64", "spend": "int64", "groups": "int64",
        **dict.fromkeys(TRAITS, "int64"),
    },
    "membership_profiles": {
        "group_id": "int64", "member_id": "int64", "joined_at": "int64", "left_at": "int64", "role": "int8", "scene": "int8",
        "first_seen_at": "int64", "last_message_at": "int64", "messages": "int64",
    },
    "group_profiles": {
        "group_id": "int64", "created_at": "int64", "first_seen_at": "int64", "last_seen_at": "int64",
        "last_message_at": "int64", "messages": "int64", "members": "int64", "connector": "string", "community": "string",
    },
    "order_events": {
        "order_id": "int64", "identity_id": "int64", "kind": "int8", "ts_ms": "int64", "day": "int32", "amount": "int64",
        "currency": "string",
    },
    "tags": {
        "of": "string", "subject_id": "int64", "group_id": "int64", "tag": "string", "from_ms": "int64", "to_ms": "int64",
    },
    "fields": {"member_id": "int64", "attribute": "string", "number": "int64", "word": "string", "is_number": "int8"},
}  # fmt: skip
"""Dimensions of the mirror that only segments read.

`tags`: who has which from when until when (0 = has not ended); `group_id` 0 unless `of` is membership. `fields`: the values of
attributes that playbooks declare, one for each member and attribute; `number` counts where `is_number` is 1.
"""
GIVEN_SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "draws": {"salt": "string", "unit": "int64", "bucket": "int32"},
}
"""Tables that are made for each computation. `draws`: buckets of samples."""
CREATED: Final = 1
PAID: Final = 2
REFUNDED: Final = 3
"""Kinds of `order_events`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentTables:
    """All tables of segments as Ibis tables of one engine. `exceptions`, `groups`: as in `analytics.tables.Tables`."""

    facts: Expr
    exceptions: Expr
    groups: Expr
    member_profiles: Expr
    membership_profiles: Expr
    group_profiles: Expr
    order_events: Expr
    tags: Expr
    fields: Expr
    draws: Expr


SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "facts": FACT_COLUMNS, "exceptions": TABLE_SCHEMAS["exceptions"], "groups": TABLE_SCHEMAS["groups"], **PROFILE_SCHEMAS,
    **GIVEN_SCHEMAS,
}  # fmt: skip


def tables_by_name() -> SegmentTables:
    """Return the tables by name and columns only; whatever engine runs the expression must have tables or views so named."""
    return SegmentTables(**{name: ibis.table(schema, name=name) for name, schema in SCHEMAS.items()})
