"""Say what a metric is computed from: the tables of the mirror, the parameters, and the few steps all metrics share.

Everything here builds Ibis expressions and names no engine. The same expression gives the same numbers on DuckDB, PostgreSQL,
ClickHouse and Spark; what differs silently between them (approximate `nunique`, casts and sums of booleans, intervals, zone
casts, windows without a total order) is not used, and a test keeps it so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Protocol

import ibis

from qunce.domain.events import (
    TYPE_CODES,
    ContactAdded,
    ContactRemoved,
    LinkClicked,
    MemberJoined,
    MemberLeft,
    MessageCreated,
    ReactionAdded,
)
from qunce.journal.mirror import FACT_SCHEMA

Expr = Any
"""An Ibis table or column; the library is not typed."""
By = Literal["group", "community", "day", "week"]
CELL_COLUMNS: Final[Mapping[By, str]] = {"group": "group_id", "community": "community_id", "day": "day", "week": "week"}

MESSAGE: Final = TYPE_CODES[MessageCreated]
REACTION: Final = TYPE_CODES[ReactionAdded]
JOINED: Final = TYPE_CODES[MemberJoined]
LEFT: Final = TYPE_CODES[MemberLeft]
CLICKED: Final = TYPE_CODES[LinkClicked]
CONTACT_ADDED: Final = TYPE_CODES[ContactAdded]
CONTACT_REMOVED: Final = TYPE_CODES[ContactRemoved]
ACTIVE_TYPES: Final = (MESSAGE, REACTION, CLICKED)
"""What makes a member active: speaking, reacting, clicking a tracked link. Joining alone does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of one mirror as Ibis tables of one engine.

    `facts`: `journal.mirror.FACT_SCHEMA`. `exceptions`: identity_id, member_id, excluded: only the identities
    that are left out (1 = staff, bot, house persona, system) or belong to another member; all others stand for themselves.
    `groups`: group_id, community_id (0 none), kind. `memberships`: group_id, identity_id, first_day, joined_day, left_day
    (0 none). `purchases`: order_id, identity_id, day, paid_ms, amount_minor, refunded_minor, currency, is_paid.
    `questions`: seq, group_id, identity_id, day, response_s (-1 unanswered), responder. `days`: every local day number that
    can be asked for.
    """

    facts: Expr
    exceptions: Expr
    groups: Expr
    memberships: Expr
    purchases: Expr
    questions: Expr
    days: Expr


TABLE_SCHEMAS: Final[dict[str, dict[str, str]]] = {
    "exceptions": {"identity_id": "int64", "member_id": "int64", "excluded": "int8"},
    "groups": {"group_id": "int64", "community_id": "int64", "kind": "string"},
    "memberships": {
        "group_id": "int64", "identity_id": "int64", "first_day": "int32", "joined_day": "int32", "left_day": "int32",
    },
    "purchases": {
        "order_id": "int64", "identity_id": "int64", "day": "int32", "paid_ms": "int64", "amount_minor": "int64",
        "refunded_minor": "int64", "currency": "string", "is_paid": "int8",
    },
    "questions": {
        "seq": "int64", "group_id": "int64", "identity_id": "int64", "day": "int32", "response_s": "int64",
        "responder": "int64",
    },
}  # fmt: skip
"""Columns of the dimension tables; facts are in `journal.mirror.FACT_SCHEMA`."""
FACT_COLUMNS: Final = {column.name: str(column.type) for column in FACT_SCHEMA}


def tables_by_name() -> Tables:
    """Return the tables by name and columns only; whatever engine runs the expression must have tables or views so named."""
    schemas = {"facts": FACT_COLUMNS, **TABLE_SCHEMAS, "days": {"day": "int32"}}
    return Tables(**{name: ibis.table(schema, name=name) for name, schema in schemas.items()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Params:
    """What is asked: local days (both inclusive), how to cut, and which groups (None = all)."""

    since_day: int
    until_day: int
    by: tuple[By, ...] = ()
    group_ids: frozenset[int] | None = None

    def __post_init__(self) -> None:
        if self.since_day > self.until_day:
            raise ValueError("since_day is after until_day")

    @property
    def days(self) -> int:
        """Length of the period in days."""
        return self.until_day - self.since_day + 1

    def last(self, days: int) -> Params:
        """Return the same question for the last `days` days of the period, or before it if it is shorter."""
        return replace(self, since_day=self.until_day - days + 1)

    def ending(self, day: int) -> Params:
        """Return the same question for a period that ends on `day`, or is that day alone if it began later."""
        return replace(self, since_day=min(self.since_day, day), until_day=day)

    def cut(self, *by: By) -> Params:
        """Return the same question cut another way."""
        return replace(self, by=by)


def scoped(tables: Tables, params: Params, rows: Expr) -> Expr:
    """Keep rows of the groups asked for; without a choice, of all groups (direct chats and channels never count)."""
    if params.group_ids is not None:
        return rows.filter(rows.group_id.isin(sorted(params.group_ids) or [0]))
    others = tables.groups.filter(tables.groups.kind != "group")
    return rows.filter(rows.group_id != 0).anti_join(others.select("group_id"), "group_id")


def during(params: Params, rows: Expr) -> Expr:
    """Keep rows of the period."""
    return rows.filter((rows.day >= params.since_day) & (rows.day <= params.until_day))


class HasExceptions(Protocol):
    """Tables with the identities that are left out or belong to another member."""

    @property
    def exceptions(self) -> Expr:
        """See `Tables`."""
        ...


def people(tables: HasExceptions, rows: Expr, identity: str) -> Expr:
    """Keep rows of members, and add `person`: the member behind the identity.

    Only the few exceptions are joined, so this costs next to nothing. The nullif is for ClickHouse, which fills the missing
    side of a join with zeros.
    """
    odd = tables.exceptions
    odd = odd.select(odd_id=odd.identity_id, odd_member=odd.member_id, odd_excluded=odd.excluded)
    joined = rows.left_join(odd, rows[identity] == odd.odd_id)
    kept = joined.filter((ibis.coalesce(joined.odd_excluded, 0) == 0) & (joined[identity] != 0))
    kept = kept.mutate(person=ibis.coalesce(kept.odd_member.nullif(0), kept[identity]))
    return kept.drop("odd_id", "odd_member", "odd_excluded")


def acted(tables: Tables, params: Params, types: Sequence[int]) -> Expr:
    """Return the facts in the groups and days asked for, of whoever did them."""
    rows = during(params, tables.facts)
    rows = rows.filter(rows.type.isin(list(types)))
    rows = rows.select("seq", "ts_ms", "day", "hour", "type", "group_id", "actor", "content", "reply_to")
    return scoped(tables, params, rows)


def happened(tables: Tables, params: Params, types: Sequence[int]) -> Expr:
    """Return the facts of members in the groups and days asked for, with `person`."""
    return people(tables, acted(tables, params, types), "actor")


def cells(tables: Tables, params: Params, rows: Expr) -> tuple[Expr, list[str]]:
    """Add the columns that `params.by` cuts along; return the rows and the names of the columns."""
    if "community" in params.by:
        groups = tables.groups.select("group_id", "community_id")
        rows = rows.inner_join(groups, "group_id")
    if "week" in params.by:
        rows = rows.mutate(week=monday(rows.day))
    return rows, [CELL_COLUMNS[by] for by in params.by]


def monday(day: Expr) -> Expr:
    """Return the day number of the Monday on or before `day` (day 0 was a Thursday)."""
    return (day - (day + 3) % 7).cast("int32")


def total(rows: Expr, names: Sequence[str], **measures: Expr) -> Expr:
    """Aggregate per cell, ordered by cell."""
    if not names:
        return rows.agg(**measures)
    return rows.group_by(list(names)).agg(**measures).order_by(list(names))


def count_people(rows: Expr, names: Sequence[str], name: str) -> Expr:
    """Count persons per cell, each once; exact on every engine."""
    once = rows.select(*names, "person").distinct()
    return total(once, names, **{name: once.count()})


def counted(condition: Expr) -> Expr:
    """Return 1 where the condition holds, else 0, as a large integer that can be summed on every engine."""
    return ibis.ifelse(condition, 1, 0).cast("int64")


def with_totals(left: Expr, right: Expr, names: Sequence[str], *added: str) -> Expr:
    """Join the `added` columns of `right` to each cell of `left`; a cell without a partner gets zeros."""
    if not names:
        joined = left.cross_join(right)
        return joined.mutate(**{name: ibis.coalesce(joined[name], 0) for name in added})
    renamed = right.select(*added, **{f"{name}_right_key": right[name] for name in names})
    matches = [left[name] == renamed[f"{name}_right_key"] for name in names]
    joined = left.left_join(renamed, matches)
    joined = joined.mutate(**{name: ibis.coalesce(joined[name], 0) for name in added})
    return joined.drop(*[f"{name}_right_key" for name in names]).order_by(list(names))


def whole_sum(column: Expr) -> Expr:
    """Return the sum as a 64-bit integer; 0 for no rows."""
    return ibis.coalesce(column.sum(), 0).cast("int64")
