"""Read the events once and aggregate them per subject.

What subjects did themselves is aggregated per account and group first and per person after, so that the few exceptions meet one
row per account and not one per event. What others did to them needs both people of each event, and is read apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import ibis

from qunce.analytics.segments.measures import (
    KEYS,
    TYPES,
    Column,
    Distinct,
    Pick,
    again,
    aggregate,
    condition,
    since_name,
)  # fmt: skip
from qunce.analytics.segments.tables import SegmentTables
from qunce.analytics.tables import Expr, people
from qunce.engine.segments.moment import Moment
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import Source

Since = tuple[Subject, str]
_WANTED: Final = ("ts_ms", "day", "type", "group_id", "actor", "peer", "content", "length", "is_question")


def subjects(tables: SegmentTables, of: Subject) -> Expr:
    """Return one row per subject: its keys as in `KEYS`, and its attributes."""
    if of == "member":
        return tables.member_profiles.rename(person="member_id")
    if of == "group":
        return tables.group_profiles
    return tables.membership_profiles.rename(person="member_id")


def without_direct(tables: SegmentTables, rows: Expr) -> Expr:
    """Leave out direct chats and channels; what belongs to no group stays."""
    others = tables.groups.filter(tables.groups.kind != "group")
    return rows.anti_join(others.select("group_id"), "group_id")


def facts_for(tables: SegmentTables, picks: Iterable[Pick], now: Moment) -> Expr:
    """Return the facts that any of the picks could count."""
    picks = tuple(picks)
    kinds = sorted({TYPES[name] for pick in picks for name in pick.events})
    rows = tables.facts.filter((tables.facts.ts_ms <= now.heard_ms) & tables.facts.type.isin(kinds))
    starts = [pick.start for pick in picks]
    first_ms = [start.ts_ms for start in starts if start.ts_ms is not None]
    if len(first_ms) == len(starts):
        # The day says the same as the moment, and lets whole blocks of a file be skipped.
        days = [start.day for start in starts if start.day is not None]
        rows = rows.filter((rows.ts_ms >= min(first_ms)) & (rows.day >= min(days)))
    return rows.select(*_WANTED)


def with_since(tables: SegmentTables, rows: Expr, sinces: Iterable[Since], person: str | None) -> Expr:
    """Add to each event the moments of its subjects at which windows start.

    `person` names the column of the member; None = rows still hold accounts, in `actor`.
    """
    for number, since in enumerate(sorted(set(sinces))):
        of, attribute = since
        source = subjects(tables, of)
        keys = KEYS[of]
        marks = source.select(*keys, **{since_name(since): source[attribute]})
        column = person or "actor"
        if of != "group" and person is None:
            marks = _per_account(tables, marks)
        marks = marks.rename(**{f"k{number}_{key}": key for key in keys})
        pairs = [(column if key == "person" else key, f"k{number}_{key}") for key in keys]
        rows = rows.left_join(marks, pairs).drop(*[f"k{number}_{key}" for key in keys])
    return rows


def _per_account(tables: SegmentTables, marks: Expr) -> Expr:
    """Return rows per member as rows per account of that member; the column keeps its name."""
    odd = tables.exceptions
    own = marks.anti_join(odd.select(person="identity_id"), "person")
    moved = odd.filter(odd.excluded == 0).select(account="identity_id", person="member_id")
    others = marks.inner_join(moved, "person").drop("person").rename(person="account")
    return ibis.union(own, others.select(*own.columns), distinct=False)


def cube(tables: SegmentTables, columns: Mapping[Column, str], per_group: bool, now: Moment) -> Expr:
    """Return what accounts did, one row per account and group, or per account when no subject asks for groups."""
    picks = [column.pick for column in columns]
    rows = facts_for(tables, picks, now)
    rows = rows.filter(rows.actor != 0)
    keys = ["actor", "group_id"] if per_group else ["actor"]
    if not per_group:
        rows = without_direct(tables, rows)
    rows = with_since(tables, rows, _sinces(picks), None)
    measured = rows.group_by(keys).agg(**{name: aggregate(column, rows, now) for column, name in columns.items()})
    return without_direct(tables, measured) if per_group else measured


def acted(
    tables: SegmentTables, cube_rows: Expr, of: Subject, columns: Mapping[Column, str], people_of: Mapping[str, str]
) -> Expr:
    """Return what subjects did, from the cube. `people_of` names counts of members whose column is not 0, for groups."""
    rows = people(tables, cube_rows, "actor")
    if of == "group":
        rows = _regroup(rows, ["person", "group_id"], columns)
    measures = {name: again(column, rows[name]) for column, name in columns.items()}
    measures |= {count: rows.count(where=rows[name] > 0).cast("int64") for name, count in people_of.items()}
    return rows.group_by(list(KEYS[of])).agg(**measures)


def _regroup(rows: Expr, keys: Sequence[str], columns: Mapping[Column, str]) -> Expr:
    return rows.group_by(list(keys)).agg(**{name: again(column, rows[name]) for column, name in columns.items()})


def met_rows(tables: SegmentTables, picks: Iterable[Pick], now: Moment) -> Expr:
    """Return what members did to members: `person` met it, `other` did it. Staff, bots and oneself do not count."""
    rows = facts_for(tables, picks, now)
    rows = without_direct(tables, rows.filter((rows.peer != 0) & (rows.actor != 0)))
    rows = people(tables, rows, "actor").rename(other="person")
    rows = people(tables, rows, "peer")
    return rows.filter(rows.person != rows.other)


def order_rows(tables: SegmentTables, currency: str, now: Moment) -> Expr:
    """Return what happened to orders of members. Amounts in other currencies are 0: they cannot be added up."""
    rows = tables.order_events
    rows = rows.filter(rows.ts_ms <= now.heard_ms)
    rows = rows.mutate(amount=ibis.ifelse(rows.currency == currency, rows.amount, 0))
    return people(tables, rows, "identity_id")


def measured(tables: SegmentTables, rows: Expr, of: Subject, columns: Mapping[Column, str], now: Moment) -> Expr:
    """Aggregate rows that know their person to one row per subject."""
    rows = with_since(tables, rows, _sinces(column.pick for column in columns), "person")
    return rows.group_by(list(KEYS[of])).agg(**{name: aggregate(column, rows, now) for column, name in columns.items()})


def distinct(tables: SegmentTables, wanted: Distinct, name: str, currency: str, now: Moment) -> Expr:
    """Return how many different values each subject has, as `name`; exact, by listing each value once."""
    parts = [_values(tables, wanted, pick, currency, now) for pick in wanted.picks]
    values = ibis.union(*parts, distinct=True) if len(parts) > 1 else parts[0].distinct()
    return values.group_by(list(KEYS[wanted.of])).agg(**{name: values.count().cast("int64")})


def _values(tables: SegmentTables, wanted: Distinct, pick: Pick, currency: str, now: Moment) -> Expr:
    rows = _rows_of(tables, wanted, pick, currency, now)
    rows = with_since(tables, rows, _sinces([pick]), "person")
    rows = rows.filter(condition(pick, rows, now))
    column = {"peer": "other", "member_id": "person"}.get(wanted.field, wanted.field)
    rows = rows.select(*KEYS[wanted.of], value=rows[column].cast("int64"))
    return rows if wanted.field == "day" else rows.filter(rows.value != 0)


def _rows_of(tables: SegmentTables, wanted: Distinct, pick: Pick, currency: str, now: Moment) -> Expr:
    source: Source = pick.source
    if source == "order":
        return order_rows(tables, currency, now)
    if source == "met":
        return met_rows(tables, [pick], now)
    if wanted.field != "peer":
        return people(tables, without_direct(tables, facts_for(tables, [pick], now)), "actor")
    # Whom somebody replied to, reacted to or was brought by: the same rows, seen from the other side.
    turned = met_rows(tables, [pick], now)
    return turned.rename(person="other", other="person")


def ahead(tables: SegmentTables, now_ms: int) -> list[Expr]:
    """Return whom events after now are about, with the first of them: members, memberships and groups."""
    facts = tables.facts.filter(tables.facts.ts_ms > now_ms)
    both = ibis.union(
        facts.select("group_id", "ts_ms", account=facts.actor), facts.select("group_id", "ts_ms", account=facts.peer),
        distinct=False,
    )  # fmt: skip
    orders = tables.order_events.filter(tables.order_events.ts_ms > now_ms)
    persons = people(tables, both.filter(both.account != 0), "account")
    buyers = people(tables, orders.select("ts_ms", account=orders.identity_id), "account")
    zero = ibis.literal(0).cast("int64")
    return [
        _first(persons, "member", persons.person, zero),
        _first(buyers, "member", buyers.person, zero),
        _first(persons, "membership", persons.person, persons.group_id.cast("int64")),
        _first(facts, "group", facts.group_id.cast("int64"), zero),
    ]


def _first(rows: Expr, of: str, subject: Expr, group: Expr) -> Expr:
    keyed = rows.select(of=ibis.literal(of), subject_id=subject.cast("int64"), group_id=group, ts_ms=rows.ts_ms)
    return keyed.group_by(["of", "subject_id", "group_id"]).agg(until_ms=keyed.ts_ms.min())


def _sinces(picks: Iterable[Pick]) -> list[Since]:
    return [pick.start.since for pick in picks if pick.start.since is not None]
