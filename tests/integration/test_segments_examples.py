"""The shipped example segments and the worked example of the docs, reckoned by hand and by both evaluators."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from qunce.analytics.segments.one import read_subjects
from qunce.analytics.segments.run import SegmentEngine
from qunce.analytics.segments.tables import CREATED, PAID
from qunce.analytics.tables import CLICKED, JOINED, MESSAGE
from qunce.domain.sampling import bucket
from qunce.engine.segments.evaluate import explain
from qunce.journal.mirror import MirrorStore
from qunce.playbook import gallery
from qunce.playbook.load import parse
from qunce.playbook.schema.segments import Node, Segment
from qunce.playbook.segments.catalogue import Attribute
from qunce.playbook.segments.check import rules_of
from tests.integration import segments_world as w
from tests.integration.test_segments_parity import by_all, by_one

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\n"
EXAMPLES = rules_of(parse({"playbook.yaml": HEAD, **gallery.segments()}).playbook.segments)
LONG_AGO = "2024-01-01T00:00"


def ms(moment: str) -> int:
    return int(datetime.fromisoformat(moment).replace(tzinfo=w.CLOCK.zone).timestamp() * 1000) if moment else 0


def fact(moment: str, kind: int, actor: int, group: int = 1, peer: int = 0, question: int = 0) -> dict[str, Any]:
    ts_ms = ms(moment)
    message = int(kind == MESSAGE)
    return {
        "seq": 0, "ts_ms": ts_ms, "day": w.CLOCK.day(ts_ms), "hour": w.CLOCK.hour(ts_ms), "type": kind, "group_id": group,
        "actor": actor, "peer": peer, "content": message, "length": message, "is_question": question, "reply_to": 0,
    }  # fmt: skip


def order(moment: str, identity: int, yuan: int, kind: int = PAID) -> dict[str, Any]:
    ts_ms = ms(moment)
    return {
        "order_id": 0, "identity_id": identity, "kind": kind, "ts_ms": ts_ms, "day": w.CLOCK.day(ts_ms), "amount": yuan * 100,
        "currency": w.CURRENCY,
    }  # fmt: skip


def world(facts: list[dict[str, Any]], orders: list[dict[str, Any]], **memberships: tuple[str, str, str]) -> w.World:
    """Make a community; `m<member>g<group>` = joined, left, role."""
    for seq, row in enumerate(facts, start=1):
        row["seq"] = seq
    for seq, row in enumerate(orders, start=100):
        row["order_id"] = seq
    blank = {"last_seen_at": 0, "last_message_at": 0, "messages": 0}
    first = ms(LONG_AGO)
    return {
        "facts": facts, "order_events": orders, "exceptions": [dict(row) for row in w.EXCEPTIONS], "tags": [], "fields": [],
        "groups": [{"group_id": g, "community_id": 1, "kind": "other" if g == 3 else "group"} for g in w.GROUPS],
        "member_profiles": [
            {"member_id": number, "kind": "member", "connector": "wecom", "first_seen_at": first, **blank,
             "orders": 0, "spend": 0, "groups": 0}
            for number in w.MEMBERS
        ],
        "group_profiles": [
            {"group_id": g, "created_at": 0, "first_seen_at": first, **blank, "members": 0, "connector": "wecom",
             "community": ""}
            for g in (1, 2)
        ],
        "membership_profiles": [
            {"group_id": int(name[3]), "member_id": int(name[1]), "joined_at": ms(joined), "left_at": ms(left), "scene": 0,
             "role": ("member", "admin", "owner").index(role) + 1, "first_seen_at": first, "last_message_at": 0, "messages": 0}
            for name, (joined, left, role) in memberships.items()
        ],
    }  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> SegmentEngine:
    return SegmentEngine(MirrorStore(tmp_path), w.CLOCK, currency=w.CURRENCY, threads=1)


def test_the_shipped_examples_hold_whom_they_should(engine: SegmentEngine) -> None:
    talk = [fact(f"2024-10-{day:02}T09:00", MESSAGE, 1) for day in range(1, 9)]  # member 1 speaks on eight days
    replies = [fact(f"2024-10-10T{hour:02}:00", MESSAGE, 2 + hour % 2, peer=1) for hour in range(10)]
    invites = [fact("2024-09-01T09:00", JOINED, 2, peer=1), fact("2024-09-01T09:01", JOINED, 3, peer=1)]
    staff = [fact("2024-10-25T09:00", MESSAGE, who, group=2) for who in (7, 8)]  # staff and a bot keep no group awake
    asks = [fact("2024-10-24T09:00", MESSAGE, 2, question=1), fact("2024-10-24T09:05", CLICKED, 2, group=0)]
    busy = [fact("2024-10-25T10:00", MESSAGE, who, group=1) for who in (1, 2, 3, 4, 6)]  # five people: 6 is member 5
    community = world(
        talk + replies + invites + staff + asks + busy,
        [
            order("2024-06-01T09:00", 1, 600), order("2024-08-20T09:00", 1, 20), order("2024-08-21T09:00", 1, 20),
            order("2024-08-22T09:00", 1, 20), order("2024-10-22T09:00", 3, 499), order("2024-06-01T09:00", 4, 100),
            order("2024-06-02T09:00", 4, 100), order("2024-10-20T09:00", 2, 1, CREATED),
        ],
        m1g1=("2024-01-01T00:00", "", "member"),
        m2g2=("2024-10-20T00:00", "", "member"),  # 6 days ago, silent in group 2 although not in group 1
        m3g2=("2024-10-20T00:00", "", "admin"),
        m4g2=("2024-10-20T00:00", "2024-10-25T00:00", "member"),
        m5g2=("2024-10-25T00:00", "", "member"),  # only yesterday
        m1g2=("2024-09-01T00:00", "", "member"),
    )  # fmt: skip
    held_out = bucket("holdout_2026q4", 2) < 1_000
    wanted = {
        "able_to_buy": {1}, "wants_to_buy": {2}, "abcd.a": set(), "abcd.b": {2}, "abcd.c": {1}, "abcd.d": {3, 4, 5},
        "valuable_silent": set(), "ice_unbroken": {(2, 2)}, "lurking": {(1, 2)}, "koc_candidate": {1}, "loyal": {1},
        "leaving": set(), "first_purchase": {3}, "quiet_group": {2}, "warm_not_bought": set(),
    }  # fmt: skip
    expected = {(name, *(who if isinstance(who, tuple) else (who, 0))) for name, found in wanted.items() for who in found}
    assert not held_out
    assert by_one(EXAMPLES, community) == expected
    assert by_all(engine, EXAMPLES, community) == expected
    assert engine.count(EXAMPLES, w.NOW.now_ms) == {name: len(found) for name, found in wanted.items()}
    assert engine.members_of(EXAMPLES, "loyal", w.NOW.now_ms).to_pylist() == [
        {"segment_id": "loyal", "subject_id": 1, "group_id": 0}
    ]


WORKED = {
    "the sum of ninety days": ('{did: order_paid, within: 90d, sum: {amount: ">=390"}}', True),
    "the sum of a week": ('{did: order_paid, within: 7d, sum: {amount: ">=300"}}', False),
    "a window begins with its first moment": ('{did: message, within: 7d, times: "=0"}', False),
    "an age of exactly seven days": ('{did: message, last: ">=7d"}', True),
    "an age of less than seven days": ('{did: message, last: "<7d"}', False),
    "this week begins on Monday": ('{did: message, within: this_week, times: "=0"}', True),
    "a bot's reply is none": ("{did: got_reply}", False),
    "not of what fails": ('{not: {attr: last_message_at, is: "<7d"}}', True),
    "not of what is missing": ('{not: {attr: first_seen_at, is: "<=7d"}}', True),
    "what is missing": ("{attr: first_seen_at, is: missing}", True),
    "since an unknown moment": ('{did: message, since: first_seen_at, times: "=0"}', False),
    "never": ('{did: reaction, times: "=0"}', True),
    "a question is a message, once": ('{did: [message, question], times: "=1"}', True),
    "an order after now has not happened": ('{did: order_created, times: "=0"}', True),
}


@pytest.mark.parametrize(("condition", "holds"), WORKED.values(), ids=WORKED)
def test_the_worked_example(engine: SegmentEngine, condition: str, holds: bool) -> None:
    community = world(
        [fact("2024-10-19T15:30", MESSAGE, 1, question=1), fact("2024-10-20T15:30", MESSAGE, 8, peer=1)],
        [order("2024-10-01T12:00", 1, 270), order("2024-10-24T12:00", 1, 120), order("2024-10-26T15:31", 1, 9, CREATED)],
    )
    community["member_profiles"][0] |= {"first_seen_at": 0, "last_message_at": ms("2024-10-19T15:30")}
    text = f"{HEAD}segments:\n  - segment_id: it\n    title: 它\n    where:\n      - {condition}\n"
    rules = rules_of(parse({"p.yaml": text}).playbook.segments)
    assert (("it", 1, 0) in by_one(rules, community)) is holds
    assert (("it", 1, 0) in by_all(engine, rules, community)) is holds


def test_an_explanation_names_values_and_events(engine: SegmentEngine) -> None:
    community = world([fact("2024-10-24T09:00", MESSAGE, 1, question=1)], [order("2024-10-22T09:00", 1, 700)])
    w.fill(engine._store, community)
    known = engine.known("member", 1)
    everybody = read_subjects("member", community, w.CURRENCY)
    assert known.subjects[1, 0] == everybody.subjects[1, 0]
    found = explain(EXAMPLES["abcd.a"], known.subjects[1, 0], known.history((1, 0)), w.NOW, EXAMPLES)
    assert not found.holds
    able, wants = found.parts
    assert able.holds
    bought, tagged = able.parts[0].parts
    assert (bought.value, bought.event_ids, bought.holds) == (70_000, (100,), True)
    assert (tagged.tags, tagged.holds) == ((), False)
    asked = wants.parts[0].parts[0]
    assert (asked.value, asked.event_ids, asked.holds) == (1, (1,), False)


def test_a_member_with_a_tag_belongs_by_the_tag(engine: SegmentEngine) -> None:
    community = world([], [])
    high = {"of": "member", "group_id": 0, "tag": "购买力/高"}
    hour = w.HOUR
    community["tags"] = [
        {**high, "subject_id": 4, "from_ms": w.NOW.now_ms, "to_ms": 0},
        {**high, "subject_id": 3, "from_ms": w.NOW.now_ms - hour, "to_ms": w.NOW.now_ms},  # has just ended
        {**high, "subject_id": 2, "from_ms": w.NOW.now_ms + hour, "to_ms": 0},  # not yet
    ]
    rules = {name: EXAMPLES[name] for name in ("able_to_buy",)}
    assert by_one(rules, community) == by_all(engine, rules, community) == {("able_to_buy", 4, 0)}
    assert engine.known("member", 4).subjects[4, 0].tags_at(w.NOW.now_ms) == {"购买力/高"}


def test_what_the_playbook_declares_of_members_can_be_asked(engine: SegmentEngine) -> None:
    community = world([], [], m1g1=(LONG_AGO, "", "member"), m2g1=(LONG_AGO, "", "member"))
    community["fields"] = [
        {"member_id": 1, "attribute": "city", "number": 0, "word": "杭州", "is_number": 0},
        {"member_id": 1, "attribute": "babies", "number": 0, "word": "", "is_number": 1},
        {"member_id": 2, "attribute": "babies", "number": 2, "word": "", "is_number": 1},
    ]
    fields = {
        "city": Attribute(kind="word", zh="城市", en="City", choices=("杭州", "成都")),
        "babies": Attribute(kind="number", zh="孩子", en="Children"),
    }
    asked = (
        ("here", "membership", "city", "杭州"), ("none", "member", "babies", "=0"), ("some", "member", "babies", ">=1"),
        ("asked", "member", "babies", "set"), ("unknown", "member", "city", "missing"),
    )  # fmt: skip
    segments = tuple(
        Segment(segment_id=name, title="它", of=of, where=(Node(attr=attr, is_=test),))  # type: ignore[arg-type]
        for name, of, attr, test in asked
    )
    rules = rules_of(segments, fields)
    found = by_one(rules, community)
    assert by_all(engine, rules, community) == found
    assert found == {
        ("here", 1, 1), ("none", 1, 0), ("some", 2, 0), ("asked", 1, 0), ("asked", 2, 0),
        *(("unknown", number, 0) for number in w.MEMBERS if number != 1),
    }  # fmt: skip


def test_an_empty_mirror_holds_nobody(engine: SegmentEngine) -> None:
    assert engine.evaluate_all(EXAMPLES, w.NOW.now_ms).num_rows == 0
    assert set(engine.count(EXAMPLES, w.NOW.now_ms).values()) == {0}


def test_an_order_in_another_currency_is_an_order_without_an_amount(engine: SegmentEngine) -> None:
    community = world([], [order("2024-10-22T09:00", 1, 700) | {"currency": "EUR"}])
    rules = {name: EXAMPLES[name] for name in ("able_to_buy", "first_purchase")}
    assert by_one(rules, community) == by_all(engine, rules, community) == {("first_purchase", 1, 0)}
