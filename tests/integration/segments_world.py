"""Small random communities, and random segments about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
from hypothesis import strategies as st

from qunce.analytics.segments.tables import CREATED, PAID, PROFILE_SCHEMAS, REFUNDED, SCHEMAS
from qunce.analytics.tables import CLICKED, CONTACT_ADDED, JOINED, LEFT, MESSAGE, REACTION, TABLE_SCHEMAS
from qunce.domain.localtime import LocalClock
from qunce.engine.segments.moment import Moment
from qunce.journal.mirror import FACT_SCHEMA, MirrorStore
from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments import tree as t
from qunce.playbook.segments.catalogue import ATTRIBUTES, EVENTS

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
CLOCK: Final = LocalClock(ZoneInfo("Asia/Shanghai"))
NOW: Final = Moment(20_022 * DAY + 7 * HOUR + HOUR // 2, CLOCK)  # Saturday 2024-10-26 15:30 in Shanghai
MEMBERS: Final = (1, 2, 3, 4, 5)
"""Account 6 is a second one of member 5, 7 is staff, 8 a bot."""
GROUPS: Final = (1, 2, 3)
"""Group 3 is a direct chat."""
EXCEPTIONS: Final = (
    {"identity_id": 6, "member_id": 5, "excluded": 0},
    {"identity_id": 7, "member_id": 7, "excluded": 1},
    {"identity_id": 8, "member_id": 8, "excluded": 1},
)
CURRENCY: Final = "CNY"
World = dict[str, list[dict[str, Any]]]
"""Rows by table of `analytics.segments.tables.SCHEMAS`, without `draws`."""

# Half hours meet the edges of windows exactly, since now is one.
MOMENTS: Final = st.one_of(
    st.integers(-40 * 24, 24).map(lambda hours: NOW.now_ms + hours * HOUR),
    st.sampled_from([NOW.now_ms - days * DAY for days in (0, 1, 3, 7, 10, 30)]),
    st.sampled_from([CLOCK.start_ms(NOW.start_day(word)) + shift for word in ("today", "this_week", "this_month")
                     for shift in (-1, 0)]),
)  # fmt: skip
MAYBE: Final = st.one_of(st.just(0), MOMENTS)
_COUNT: Final = st.integers(0, 4)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Draw a community."""
    facts = draw(st.lists(_fact(), max_size=30))
    orders = draw(st.lists(_order(), max_size=8))
    for seq, row in enumerate(facts, start=1):
        row["seq"] = seq
    for number, row in enumerate(orders, start=100):
        row["order_id"] = number
    return {
        "facts": facts,
        "order_events": orders,
        "exceptions": [dict(row) for row in EXCEPTIONS],
        "groups": [{"group_id": g, "community_id": 1, "kind": "other" if g == 3 else "group"} for g in GROUPS],
        "member_profiles": [draw(_profile("member", member_id=number)) for number in MEMBERS],
        "membership_profiles": [
            draw(_profile("membership", group_id=g, member_id=number))
            for g in (1, 2) for number in MEMBERS if draw(st.integers(0, 3))
        ],
        "group_profiles": [draw(_profile("group", group_id=g)) for g in (1, 2)],
        "tags": draw(st.lists(_tag(), max_size=6, unique_by=lambda row: tuple(row.values()))),
        "fields": draw(st.lists(_field(), max_size=6, unique_by=lambda row: (row["member_id"], row["attribute"]))),
    }  # fmt: skip


@st.composite
def _fact(draw: st.DrawFn) -> dict[str, Any]:
    ts_ms = draw(MOMENTS)
    kind = draw(st.sampled_from([MESSAGE, MESSAGE, MESSAGE, REACTION, JOINED, LEFT, CLICKED, CONTACT_ADDED]))
    message = kind == MESSAGE
    return {
        "seq": 0, "ts_ms": ts_ms, "day": CLOCK.day(ts_ms), "hour": CLOCK.hour(ts_ms), "type": kind,
        "group_id": draw(st.sampled_from(GROUPS if kind != CLICKED else (0, *GROUPS))),
        "actor": draw(st.integers(0, 8)), "peer": draw(st.integers(0, 8)),
        "content": draw(st.sampled_from([1, 1, 2])) if message else 0, "length": draw(_COUNT) if message else 0,
        "is_question": draw(st.integers(0, 1)) if message else 0, "reply_to": 0,
    }  # fmt: skip


@st.composite
def _order(draw: st.DrawFn) -> dict[str, Any]:
    ts_ms = draw(MOMENTS)
    return {
        "order_id": 0, "identity_id": draw(st.integers(0, 8)), "kind": draw(st.sampled_from([CREATED, PAID, PAID, REFUNDED])),
        "ts_ms": ts_ms, "day": CLOCK.day(ts_ms), "amount": draw(st.sampled_from([1, 100, 300, 500])),
        "currency": draw(st.sampled_from([CURRENCY, CURRENCY, "EUR"])),
    }  # fmt: skip


@st.composite
def _profile(draw: st.DrawFn, of: Subject, **keys: int) -> dict[str, Any]:
    row: dict[str, Any] = dict(keys)
    for name in PROFILE_SCHEMAS[f"{of}_profiles"]:
        if name in row:
            continue
        if name == "role":
            row[name] = draw(st.integers(1, 3))
        elif name == "scene":
            row[name] = draw(st.integers(0, 6))
        else:
            row[name] = draw(_VALUES[ATTRIBUTES[of][name].kind])
    return row


_VALUES: Final = {
    "moment": MAYBE, "number": _COUNT, "money": st.integers(-1, 4), "word": st.sampled_from(["", "member", "unknown", "wecom"]),
}  # fmt: skip


@st.composite
def _tag(draw: st.DrawFn) -> dict[str, Any]:
    of = draw(st.sampled_from(["member", "membership", "group"]))
    subject = draw(st.sampled_from((1, 2) if of == "group" else MEMBERS))
    group = draw(st.sampled_from([1, 2])) if of == "membership" else 0
    return {
        "of": of, "subject_id": subject, "group_id": group, "tag": draw(st.sampled_from(["强", "弱"])),
        "from_ms": draw(MOMENTS), "to_ms": draw(MAYBE),
    }  # fmt: skip


FIELDS: Final = {"city": "word", "babies": "number", "born": "moment"}


@st.composite
def _field(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(FIELDS)))
    word = draw(st.sampled_from(["杭州", "成都"])) if FIELDS[name] == "word" else ""
    number = draw(st.integers(-1, 3) if FIELDS[name] == "number" else MOMENTS)
    return {
        "member_id": draw(st.sampled_from(MEMBERS)), "attribute": name, "number": 0 if word else number, "word": word,
        "is_number": int(not word),
    }  # fmt: skip


SPANS: Final = st.sampled_from([DAY, 3 * DAY, 7 * DAY, 10 * DAY, 30 * DAY, 100 * DAY])
NUMBERS: Final = st.one_of(
    st.builds(t.Compare, st.sampled_from(["=", "!=", ">=", "<=", ">", "<"]), st.integers(0, 3)),
    st.builds(t.Between, st.integers(0, 1), st.integers(1, 3)),
)
AGES: Final = st.one_of(
    st.builds(t.Age, st.sampled_from([">=", "<=", ">", "<"]), SPANS),
    st.builds(t.AgeBetween, st.just(DAY), SPANS),
    st.builds(t.InPeriod, st.sampled_from(["today", "this_week", "this_month"])),
    st.builds(t.IsSet),
    st.builds(t.IsMissing),
)
TESTS: Final = {"moment": AGES, "number": NUMBERS, "money": NUMBERS}


def _words(choices: tuple[str, ...]) -> st.SearchStrategy[t.Test]:
    """Draw a test on a word; the language refuses words that are no choices."""
    lists = st.lists(st.sampled_from(choices or ("wecom", "member")), min_size=1, max_size=2, unique=True)
    return st.one_of(lists.map(lambda words: t.OneOf(tuple(words))), st.builds(t.IsSet), st.builds(t.IsMissing))


@st.composite
def leaves(draw: st.DrawFn, of: Subject) -> t.Node:
    """Draw a leaf about one kind of subject."""
    kind = draw(
        st.sampled_from(["did", "did", "did", "did", "attr", "attr", "tag", "sample", "since", *["field"] * (of != "group")])
    )
    if kind == "since":
        # An age beside `since` the same moment: the plan leaves older events out.
        name = draw(st.sampled_from([name for name, item in ATTRIBUTES[of].items() if item.kind == "moment"]))
        leaf = draw(dids(of).filter(lambda did: did.measure != "distinct"))
        return t.AllOf((msgspec.structs.replace(leaf, window=t.Since(name)), t.Attr(name, draw(AGES))))
    if kind == "field":
        field = draw(st.sampled_from(sorted(FIELDS)))
        test = _words(("杭州", "北京")) if FIELDS[field] == "word" else TESTS[FIELDS[field]]
        return t.Field(field, FIELDS[field], field, draw(st.one_of(test, st.builds(t.IsSet), st.builds(t.IsMissing))))  # type: ignore[arg-type]
    if kind == "tag":
        return t.Tagged(tuple(draw(st.lists(st.sampled_from(["强", "弱", "无"]), min_size=1, max_size=2, unique=True))))
    if kind == "sample":
        return t.Sample(draw(st.sampled_from([1_000, 5_000, 9_000])), draw(st.sampled_from(["a", "b"])))
    if kind == "attr":
        name = draw(st.sampled_from(sorted(ATTRIBUTES[of])))
        attribute = ATTRIBUTES[of][name]
        return t.Attr(name, draw(_words(attribute.choices) if attribute.kind == "word" else TESTS[attribute.kind]))
    return draw(dids(of))


@st.composite
def dids(draw: st.DrawFn, of: Subject) -> t.Did:
    """Draw a measure of events."""
    known = [name for name, event in EVENTS.items() if of in event.subjects]
    names = tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)))
    events = [EVENTS[name] for name in names]
    moments = [name for name, attribute in ATTRIBUTES[of].items() if attribute.kind == "moment"]
    window = draw(st.one_of(
        st.none(), st.builds(t.Within, SPANS), st.builds(t.Period, st.sampled_from(["today", "this_week", "this_month"])),
        st.builds(t.Since, st.sampled_from(moments)),
    ))  # fmt: skip
    where: list[tuple[str, t.Test]] = []
    if all("content" in event.wheres for event in events) and draw(st.booleans()):
        where.append(("content", t.OneOf(("image",))))
    if all("group_id" in event.wheres for event in events) and draw(st.booleans()):
        where.append(("group_id", t.OneOfIds(tuple(draw(st.sampled_from([(1,), (1, 2), (2,)]))))))
    sides = {"member": ("peer", "group_id"), "membership": ("peer",), "group": ("member_id",)}[of]
    fields = {
        "sum": [name for name in events[0].sums if all(name in event.sums for event in events)],
        "distinct": [name for name in sides if all(name in event.distinct for event in events)],
    }
    measures = ["times", "days", "first", "last", *(name for name, found in fields.items() if found)]
    measure = draw(st.sampled_from(measures))
    field = draw(st.sampled_from(fields[measure])) if measure in fields else ""
    test = draw(AGES if measure in ("first", "last") else NUMBERS)
    return t.Did(events=names, window=window, where=tuple(where), measure=measure, field=field, test=test)  # type: ignore[arg-type]


def nodes(of: Subject) -> st.SearchStrategy[t.Node]:
    """Draw a tree."""
    return st.recursive(
        leaves(of),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: t.AllOf(tuple(parts))),
            st.lists(inner, min_size=1, max_size=3).map(lambda parts: t.AnyOf(tuple(parts))),
            inner.map(t.Not),
        ),
        max_leaves=5,
    )


@st.composite
def rule_sets(draw: st.DrawFn) -> dict[str, t.Rule]:
    """Draw a few segments about all kinds of subjects; some refer to the one before."""
    rules: dict[str, t.Rule] = {}
    for of in ("member", "membership", "group"):
        for number in range(draw(st.integers(0, 2))):
            body = draw(nodes(of))  # type: ignore[arg-type]
            if number and draw(st.booleans()):
                body = t.AllOf((t.Not(t.Ref(f"{of}{number - 1}")), body))
            name = f"{of}{number}"
            rules[name] = t.Rule(segment_id=name, title=name, of=of, body=body)  # type: ignore[arg-type]
    return rules


_ARROW: Final = {"int8": pa.int8(), "int32": pa.int32(), "int64": pa.int64(), "string": pa.string()}


def table(name: str, rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Return rows as a table of the mirror."""
    schema = FACT_SCHEMA if name == "facts" else pa.schema([(column, _ARROW[kind]) for column, kind in SCHEMAS[name].items()])
    return pa.Table.from_pylist(list(rows), schema=schema)


def fill(store: MirrorStore, world: World) -> None:
    """Put a community into a mirror."""
    with store.change() as change:
        change.drop_facts("message")
        if world["facts"]:
            change.add_facts("message", table("facts", world["facts"]))
        for name in (*PROFILE_SCHEMAS, *TABLE_SCHEMAS):
            if name in world:
                change.set_dimension(name, table(name, world[name]))
