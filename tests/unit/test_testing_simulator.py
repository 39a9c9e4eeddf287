"""The simulator: deterministic, ordered, without contradictions, and like people in its habits."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tracemalloc
from collections import Counter, defaultdict
from datetime import UTC, datetime
from itertools import islice

import pytest

from qunce.domain.events import OURS, TYPE_NAMES, Event, decode, encode
from qunce.testing.simulator import simulate
from qunce.testing.simulator.rhythm import DAY, HOUR, day_of, local_day, local_hour

# 2026-12-21 18:00 in Shanghai: the 80 days before it hold 国庆, 中秋's end and 双十一, and the end of the pop-up group.
END_MS = int(datetime(2026, 12, 21, 10, tzinfo=UTC).timestamp() * 1_000)
WORLD = {"groups": 14, "members": 2_000, "days": 80, "seed": 7, "end_ms": END_MS}


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(simulate(**WORLD))


@pytest.fixture(scope="module")
def messages(events: list[Event]) -> list[Event]:
    return [event for event in events if event.type == "message.created"]


def digest(**arguments: int) -> str:
    total = hashlib.sha256()
    for event in simulate(**arguments):
        total.update(encode(event))
    return total.hexdigest()


SMALL = {"groups": 5, "members": 200, "days": 6, "seed": 3, "end_ms": END_MS}


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert digest(**SMALL) == digest(**SMALL)


@pytest.mark.parametrize("change", [{"seed": 4}, {"members": 201}, {"groups": 6}, {"end_ms": END_MS - DAY}])
def test_other_arguments_give_other_events(change: dict[str, int]) -> None:
    assert digest(**SMALL) != digest(**{**SMALL, **change})


@pytest.mark.parametrize("hash_seed", ["0", "4711"])
def test_the_bytes_do_not_depend_on_the_hash_seed_of_the_process(hash_seed: str) -> None:
    code = (
        "import hashlib\nfrom qunce.testing.simulator import simulate\nfrom qunce.domain.events import encode\n"
        f"h = hashlib.sha256()\nfor e in simulate(**{SMALL!r}): h.update(encode(e))\nprint(h.hexdigest())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert told.stdout.strip() == digest(**SMALL)


def test_time_never_falls_and_stays_inside_the_days_asked_for(events: list[Event]) -> None:
    times = [event.ts_ms for event in events]
    assert times == sorted(times)
    assert times[-1] < END_MS
    assert {local_day(ts) for ts in times} == set(range(local_day(END_MS) - 79, local_day(END_MS) + 1))


def test_a_longer_simulation_needs_hardly_more_memory() -> None:
    def peak(days: int) -> int:
        tracemalloc.start()
        for _ in simulate(groups=3, members=60, days=days, seed=1, end_ms=END_MS, activity=4.0):
            pass
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return used

    assert peak(90) < 2 * peak(15)


def test_it_streams_from_the_first_hour() -> None:
    huge = simulate(groups=50, members=5_000, days=20_000, seed=1, end_ms=END_MS)
    assert len(list(islice(huge, 10))) == 10


@pytest.mark.parametrize("wrong", [{"groups": 0}, {"members": 0}, {"days": -1}, {"days": 30_000}])
def test_impossible_arguments_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"positive|1970"):
        simulate(**{**SMALL, **wrong})


def test_every_event_type_that_happens_to_people_appears(events: list[Event]) -> None:
    """What we come to know or decide is made by the program itself."""
    assert {event.type for event in events} == {name for cls, name in TYPE_NAMES.items() if cls not in OURS}


def test_every_event_survives_the_wire(events: list[Event]) -> None:
    assert all(decode(encode(event)) == event for event in events)


def test_dedupe_keys_are_unique_in_their_source(events: list[Event]) -> None:
    keys = {(event.source.connector, event.source.account, event.dedupe_key) for event in events}
    assert len(keys) == len(events)


def test_every_reference_names_an_earlier_message_of_the_same_group(events: list[Event]) -> None:
    known: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.conv is None:
            continue
        refers = getattr(event.body, "message_id", None) if event.type != "message.created" else event.body.reply_to
        assert refers is None or refers in known[event.conv.platform_id], event
        if event.type == "message.created":
            known[event.conv.platform_id].add(event.body.message_id)


PRESENT = ("message.created", "message.edited", "reaction.added", "reaction.removed", "link.clicked")


def test_nobody_acts_in_a_group_before_joining_or_after_leaving_or_while_muted(events: list[Event]) -> None:
    inside: dict[str, set[str]] = defaultdict(set)
    muted: dict[tuple[str, str], int] = {}
    for event in events:
        if event.conv is None:
            continue
        group = event.conv.platform_id
        if event.type == "member.joined":
            assert event.subject.platform_id not in inside[group], event
            inside[group].add(event.subject.platform_id)
        elif event.type == "member.left":
            inside[group].remove(event.subject.platform_id)
        elif event.type == "member.restricted":
            muted[group, event.subject.platform_id] = event.body.until_ms
        elif event.type in PRESENT:
            assert event.actor.platform_id in inside[group], event
            assert muted.get((group, event.actor.platform_id), 0) <= event.ts_ms, event


def test_groups_begin_with_their_creation_and_end_with_their_dismissal(events: list[Event]) -> None:
    by_group: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.conv is not None:
            by_group[event.conv.platform_id].append(event.type)
    assert len(by_group) == WORLD["groups"]
    assert all(types[0] == "group.created" for types in by_group.values())
    assert all("group.dismissed" not in types[:-1] for types in by_group.values())
    assert any(types[-1] == "group.dismissed" for types in by_group.values())


def test_orders_join_to_members_and_pass_through_their_states(events: list[Event]) -> None:
    members = {(e.source.connector, e.subject.platform_id) for e in events if e.type == "member.joined"}
    states: dict[str, list[str]] = defaultdict(list)
    paid_by: Counter[str] = Counter()
    for event in events:
        if event.type == "order.updated":
            assert event.conv is None
            assert (event.source.connector, event.subject.platform_id) in members
            assert event.body.amount_minor == sum(item.amount_minor for item in event.body.items) > 0
            states[event.body.order_id].append(event.body.status)
            paid_by[event.subject.platform_id] += event.body.status == "paid"
    finished = {("created", "paid"), ("created", "closed"), ("created", "paid", "refunded")}
    assert finished <= {tuple(state) for state in states.values()} <= finished | {("created",)}
    repeats = sum(count > 1 for count in paid_by.values()) / len(paid_by)
    assert 0.2 < repeats < 0.7


def test_most_members_lurk_and_a_few_talk_most(events: list[Event], messages: list[Event]) -> None:
    joined = {e.subject.platform_id for e in events if e.type == "member.joined" and e.subject.kind == "member"}
    spoken = Counter(e.actor.platform_id for e in messages if e.actor.kind == "member")
    assert WORLD["members"] * 0.95 < len(joined) < WORLD["members"] * 1.1
    assert 0.5 < 1 - len(spoken) / len(joined) < 0.8
    top_tenth = sum(count for _, count in spoken.most_common(len(spoken) // 10))
    assert 0.25 < top_tenth / spoken.total() < 0.7


def test_the_evening_is_loud_and_the_night_is_quiet(messages: list[Event]) -> None:
    hours = Counter(local_hour(event.ts_ms) for event in messages)
    evening, night = sum(hours[h] for h in (20, 21, 22)), sum(hours[h] for h in (2, 3, 4))
    assert evening > 0.16 * len(messages)
    assert night < 0.03 * len(messages)
    assert hours[12] > hours[15]


def test_double_eleven_and_member_days_sell_most(events: list[Event]) -> None:
    paid = Counter(local_day(e.ts_ms) for e in events if e.type == "order.updated" and e.body.status == "paid")
    best = paid.most_common(1)[0][0]
    assert day_of(best).date.isoformat() == "2026-11-11"
    plain = [count for day, count in paid.items() if not day_of(day).is_member_day and not day_of(day).festival]
    member = [count for day, count in paid.items() if day_of(day).is_member_day and not day_of(day).festival]
    assert statistics.mean(member) > 1.5 * statistics.mean(plain)


def test_staff_answer_within_minutes_on_duty_and_sometimes_never(events: list[Event]) -> None:
    asked: dict[tuple[str, str], Event] = {}
    waits = []
    for event in events:
        if event.type != "message.created":
            continue
        group = event.conv.platform_id
        asked[group, event.body.message_id] = event
        if event.actor.kind == "staff" and event.body.reply_to:
            question = asked[group, event.body.reply_to]
            if 9 <= local_hour(question.ts_ms) < 21 and question.ts_ms // HOUR == event.ts_ms // HOUR:
                waits.append((event.ts_ms - question.ts_ms) / 60_000)
    assert 1.5 < statistics.median(waits) < 5


def test_groups_meet_different_fates(events: list[Event], messages: list[Event]) -> None:
    half = END_MS - 40 * DAY
    early = Counter(e.conv.platform_id for e in messages if e.ts_ms < half)
    late = Counter(e.conv.platform_id for e in messages if e.ts_ms >= half)
    ratios = sorted(late[group] / early[group] for group in early if early[group] > 100)
    assert ratios[0] < 0.5
    assert ratios[-1] > 1.2


def test_staff_bots_and_personas_are_told_apart(events: list[Event]) -> None:
    kinds = {event.actor.kind for event in events if event.type == "message.created"}
    assert kinds == {"member", "staff", "bot", "unknown"}
    personas = {e.actor.platform_id for e in events if e.type == "message.created" and e.actor.kind == "unknown"}
    flagged = {e.subject.platform_id for e in events if e.type == "member.updated" and e.body.field == "kind"}
    assert personas <= flagged
    assert all(e.conv is None for e in events if e.type == "member.updated" and e.body.field == "kind")


def test_some_people_are_in_several_groups_under_one_id(events: list[Event]) -> None:
    groups: dict[str, set[str]] = defaultdict(set)
    for event in events:
        if event.type == "member.joined" and event.subject.kind == "member":
            groups[event.subject.platform_id].add(event.conv.platform_id)
    several = sum(len(found) > 1 for found in groups.values())
    assert 0.02 < several / len(groups) < 0.3


def test_content_is_varied(messages: list[Event]) -> None:
    parts = Counter(part.type for event in messages for part in event.body.content)
    assert {"text", "image", "voice", "video", "file", "sticker", "link", "poll", "red_packet"} <= set(parts)
    assert len({event.body.text for event in messages}) > 3_000
    assert not any("{" in event.body.text for event in messages)
