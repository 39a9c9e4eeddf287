"""Name the columns that leaves need, each once, so that all segments share one aggregation of the events."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import ibis

from qunce.analytics.rolling import BITS
from qunce.analytics.segments.tables import CREATED, PAID, REFUNDED
from qunce.analytics.tables import CLICKED, CONTACT_ADDED, CONTACT_REMOVED, JOINED, LEFT, MESSAGE, REACTION, Expr, whole_sum
from qunce.engine.segments.moment import Moment
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import EVENTS, Source
from qunce.playbook.segments.tree import Did, OneOf, OneOfIds, Since, Test
from qunce.readmodels.contents import CONTENT_CODES

Op = Literal["count", "sum", "mask", "first", "last"]
TYPES: Final = {
    "message": MESSAGE, "question": MESSAGE, "reaction": REACTION, "group_join": JOINED, "group_leave": LEFT,
    "link_click": CLICKED, "contact_added": CONTACT_ADDED, "contact_removed": CONTACT_REMOVED,
    "got_reply": MESSAGE, "invite": JOINED,
    "order_created": CREATED, "order_paid": PAID, "order_refunded": REFUNDED,
}  # fmt: skip
"""Codes of events in the column `type` of facts or `kind` of order events."""
KEYS: Final[dict[Subject, tuple[str, ...]]] = {
    "member": ("person",), "membership": ("person", "group_id"), "group": ("group_id",),
}  # fmt: skip
_OPS: Final[dict[str, Op]] = {"times": "count", "days": "mask", "sum": "sum", "first": "first", "last": "last"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a window begins: at a moment and its local day, at an attribute of a subject, or at the later of both.

    All None = at the beginning.
    """

    ts_ms: int | None = None
    day: int | None = None
    since: tuple[Subject, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """Which events of one source count: their names, from when, with which fields."""

    source: Source
    events: tuple[str, ...]
    start: Start
    where: tuple[tuple[str, Test], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One aggregated number per subject."""

    pick: Pick
    op: Op
    field: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Distinct:
    """How many different values of a field there are per subject."""

    of: Subject
    picks: tuple[Pick, ...]
    field: str


def picks_of(leaf: Did, of: Subject, now: Moment, not_before_ms: int | None = None) -> tuple[Pick, ...]:
    """Return what a leaf counts, by source. `not_before_ms`: where older events cannot matter; None = they may."""
    start = _start(leaf, of, now, not_before_ms)
    by_source: dict[Source, list[str]] = {}
    for name in leaf.events:
        by_source.setdefault(EVENTS[name].source, []).append(name)
    return tuple(
        Pick(source=source, events=tuple(sorted(names)), start=start, where=leaf.where) for source, names in by_source.items()
    )


def needs_of(leaf: Did, of: Subject, now: Moment, not_before_ms: int | None = None) -> tuple[Column, ...] | Distinct:
    """Return what must be aggregated for a leaf: columns that combine, or a count of different values."""
    picks = picks_of(leaf, of, now, not_before_ms)
    if leaf.measure == "distinct":
        return Distinct(of=of, picks=picks, field=leaf.field)
    if leaf.measure == "days" and not _fits(picks[0].start, now):
        return Distinct(of=of, picks=picks, field="day")
    return tuple(Column(pick=pick, op=_OPS[leaf.measure], field=leaf.field) for pick in picks)


def _start(leaf: Did, of: Subject, now: Moment, not_before_ms: int | None) -> Start:
    if leaf.window is None:
        return Start()
    if isinstance(leaf.window, Since):
        day = None if not_before_ms is None else now.clock.day(not_before_ms)
        return Start(ts_ms=not_before_ms, day=day, since=(of, leaf.window.attribute))
    start_ms = now.window_start_ms(leaf.window)
    return Start(ts_ms=start_ms, day=now.clock.day(start_ms))


def _fits(start: Start, now: Moment) -> bool:
    return start.day is not None and now.day - start.day < BITS


def condition(pick: Pick, rows: Expr, now: Moment) -> Expr:
    """Return which rows of the pick's source count. Rows are of facts or order events, up to now."""
    kind = rows.kind if pick.source == "order" else rows.type
    plain = [name for name in pick.events if name != "question" or "message" in pick.events]
    found = kind.isin(sorted({TYPES[name] for name in plain})) if plain else ibis.literal(False)
    if len(plain) < len(pick.events):
        found = (
            ((rows.type == MESSAGE) & (rows.is_question == 1)) | found
            if plain
            else ((rows.type == MESSAGE) & (rows.is_question == 1))
        )
    if pick.start.ts_ms is not None:
        found = found & (rows.ts_ms >= pick.start.ts_ms)
    if pick.start.since is not None:
        since = ibis.coalesce(rows[since_name(pick.start.since)], 0)
        found = found & (since > 0) & (rows.ts_ms >= since)
    for field, test in pick.where:
        found = found & _where(rows, field, test)
    return found


def _where(rows: Expr, field: str, test: Test) -> Expr:
    if isinstance(test, OneOfIds):
        return rows[field].isin(list(test.ids))
    if isinstance(test, OneOf) and field == "content":
        return rows[field].isin([CONTENT_CODES[word] for word in test.words])
    # Kinds of content are never missing in messages, so `set` and `missing` are decided by there being any.
    return rows[field] != 0 if type(test).__name__ == "IsSet" else rows[field] == 0


def since_name(since: tuple[Subject, str]) -> str:
    """Return the name of the column that holds the moment a window starts at."""
    return f"since_{since[0]}_{since[1]}"


def aggregate(column: Column, rows: Expr, now: Moment) -> Expr:
    """Return the column over rows of events. 0 = nothing for moments."""
    found = condition(column.pick, rows, now)
    match column.op:
        case "count":
            return rows.count(where=found).cast("int64")
        case "sum":
            return whole_sum(ibis.ifelse(found, rows[column.field].cast("int64"), 0))
        case "mask":
            offset = ibis.ifelse(found, rows.day - column.pick.start.day, 0)
            bit = ibis.literal(1).cast("int64") << offset.cast("int32")
            return ibis.ifelse(found, bit, ibis.literal(0).cast("int64")).bit_or()
        case "first":
            return ibis.coalesce(rows.ts_ms.min(where=found), 0)
        case "last":
            return ibis.coalesce(rows.ts_ms.max(where=found), 0)


def again(column: Column, values: Expr) -> Expr:
    """Return the column over rows that hold it already, for larger subjects."""
    match column.op:
        case "count" | "sum":
            return whole_sum(values)
        case "mask":
            return values.bit_or()
        case "first":
            return ibis.coalesce(values.nullif(0).min(), 0)
        case "last":
            return values.max()


def combine(op: Op, values: list[Expr], days: int) -> Expr:
    """Return one number from the columns of several sources; `days` bounds the days of a mask."""
    total = values[0]
    for value in values[1:]:
        if op in ("count", "sum"):
            total = total + value
        elif op == "mask":
            total = total | value
        elif op == "first":
            total = ibis.coalesce(ibis.least(_late(total), _late(value)), 0)
        else:
            total = ibis.greatest(total, value)
    if op == "first":
        return ibis.ifelse(total == _NEVER, 0, total)
    if op != "mask":
        return total
    bits = [(total >> ibis.literal(place).cast("int32")) & 1 for place in range(days)]
    count = bits[0]
    for bit in bits[1:]:
        count = count + bit
    return count


_NEVER: Final = 1 << 62


def _late(value: Expr) -> Expr:
    return ibis.ifelse(value == 0, _NEVER, value)
