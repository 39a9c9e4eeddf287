"""Following events and the clock keeps the same people in segments as running them over everybody."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from django.db import connection, transaction
from django.test import override_settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from qunce.domain.events import TYPE_CODES, Event, SegmentEntered, SegmentLeft
from qunce.journal.store import Journal
from qunce.readmodels.models import Happening, Member
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import playbooks
from qunce.runtime.models import Channel, SegmentDay, SegmentMember, SegmentMove, SegmentRun, SegmentState
from qunce.runtime.segments import mirrors, runs
from qunce.runtime.segments.keep import Keeper
from qunce.runtime.segments.rules import in_force
from qunce.testing import builders as b

pytestmark = pytest.mark.django_db

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\nsegments:\n"
PLAYBOOK = (
    HEAD
    + """
  - segment_id: talks
    title: 最近说过话
    where: [{did: message, within: 3d, times: ">=2"}]
  - segment_id: silent
    title: 一天没说话
    where: [{attr: first_seen_at, is: ">=1d"}, {did: message, within: 1d, times: "=0"}]
  - segment_id: buyer
    title: 买过
    where: [{any: [{did: order_paid, within: 5d, sum: {amount: ">=100"}}, {did: got_reply, within: today}]}]
  - segment_id: not_buyer
    title: 没买过
    where: [{not: {segment: buyer}}, {attr: last_seen_at, is: "<=4d"}]
  - segment_id: ice
    title: 进群没破冰
    of: membership
    where:
      - {attr: joined_at, is: [1d, 4d]}
      - {attr: left_at, is: missing}
      - {did: message, since: joined_at, times: "=0"}
  - segment_id: host
    title: 带来人
    of: membership
    where: [{did: invite, within: 2d}]
  - segment_id: quiet
    title: 安静的群
    of: group
    where: [{did: message, within: 2d, distinct: {member_id: "<2"}}]
"""
)
DAY_MS = 86_400_000
PEOPLE = ("小红", "老王", "阿明", "客服")
GROUPS = ("读书会", "晨跑团")


class Clock:
    def __init__(self) -> None:
        self.ms = b.moment("12:00")

    def __call__(self) -> int:
        return self.ms


@pytest.fixture
def data(settings: Any, tmp_path: Path) -> None:
    """A folder of its own, and a connected channel: time goes on where nobody speaks."""
    settings.DATA_DIR = tmp_path
    Channel.objects.create(connector="webhook", account="a", name="渠道", created_ms=0)


def publish(text: str = PLAYBOOK, reason: str = "test") -> None:
    playbooks.do_publish(actor=None, files={"playbook.yaml": text}, reason=reason)


def stored() -> set[tuple[str, int, int]]:
    return set(SegmentMember.objects.values_list("segment_id", "subject_id", "group_id"))


def by_full_run(now: int) -> set[tuple[str, int, int]]:
    mirrors.bring_up_to_date()
    rows = mirrors.engine().evaluate_all(in_force().rules, now).to_pylist()
    return {(row["segment_id"], row["subject_id"], row["group_id"]) for row in rows}


def turns(keeper: Keeper) -> None:
    for _ in range(20):
        if not keeper.turn():
            return
    raise AssertionError("the loop does not come to rest")


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[int, list[Event]]]:
    """Draw steps: hours that pass, and what happens then."""
    steps = []
    for number in range(draw(st.integers(2, 5))):
        hours = draw(st.sampled_from([1, 7, 13, 24, 30, 49]))
        steps.append((hours, draw(st.lists(_happening(number), max_size=4))))
    return steps


@st.composite
def _happening(draw: st.DrawFn, number: int) -> tuple[str, str, str, int, str]:
    kind = draw(st.sampled_from(["say", "say", "say", "reply", "join", "leave", "order", "react", "invite"]))
    who, where = draw(st.sampled_from(PEOPLE)), draw(st.sampled_from(GROUPS))
    return kind, who, where, draw(st.integers(0, 50)), draw(st.sampled_from([p for p in PEOPLE if p != who]))


def event(drawn: tuple[str, str, str, int, str], at_ms: int, unique: int, said: list[Event]) -> Event | None:
    kind, who, where, minutes, other = drawn
    person: Any = "staff" if who == "客服" else "member"
    match kind:
        case "say":
            made = b.said(where, who, "在吗", at="12:00", id=f"m{unique}", kind=person)
        case "reply":
            if not said:
                return None
            made = b.said(where, who, "在", at="12:00", id=f"m{unique}", kind=person, reply_to=said[-1])
        case "join":
            made = b.joined(where, who, at="12:00", kind=person)
        case "invite":
            made = b.joined(where, who, at="12:00", kind=person, inviter=other)
        case "leave":
            made = b.left(where, who, at="12:00")
        case "react":
            if not said:
                return None
            made = b.reacted(said[-1], who, at="12:00")
        case _:
            made = b.ordered(who, 80 + minutes, at="12:00", id=f"o{unique}")
    # Messages are found by their key; everything else may happen twice alike.
    key = made.dedupe_key if kind in ("say", "reply") else f"{made.dedupe_key}:{unique}"
    return msgspec.structs.replace(made, ts_ms=at_ms - minutes * 60_000, dedupe_key=key)


# A shrunk failure would take minutes: every example is a database and a mirror of its own.
@pytest.mark.usefixtures("data")
@settings(
    max_examples=5, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
@given(steps=histories())
def test_following_is_as_good_as_running(steps: list[tuple[int, list[Any]]]) -> None:
    with transaction.atomic(), TemporaryDirectory() as folder, override_settings(DATA_DIR=folder):
        publish()
        clock, keeper_made, unique, said = Clock(), None, 0, []
        for hours, drawn in steps:
            clock.ms += hours * 3_600_000
            events = []
            for one in drawn:
                unique += 1
                made = event(one, clock.ms, unique, said)
                if made is not None:
                    events.append(made)
                    if one[0] == "say":
                        said = [made]
            Ingest(clock).take_all(events)
            keeper_made = keeper_made or Keeper(clock)
            turns(keeper_made)
            assert stored() == by_full_run(clock.ms), events
        counted = dict.fromkeys(in_force().rules, 0) | {
            name: SegmentMember.objects.filter(segment_id=name).count() for name in in_force().rules
        }
        assert dict(SegmentState.objects.values_list("segment_id", "size")) == counted
        transaction.set_rollback(True)


def world(clock: Clock) -> None:
    Ingest(clock).take_all([
        b.said("读书会", "小红", "在吗", at="10:00", id="a"),
        b.said("读书会", "小红", "有人吗", at="10:01", id="b"),
        b.said("读书会", "老王", "在", at="10:02", id="c"),
    ])  # fmt: skip


def members_of(segment_id: str) -> list[str]:
    ids = SegmentMember.objects.filter(segment_id=segment_id).values_list("subject_id", flat=True)
    return sorted(Member.objects.filter(pk__in=list(ids)).values_list("name", flat=True))


def told() -> list[str]:
    codes = {TYPE_CODES[SegmentEntered]: "+", TYPE_CODES[SegmentLeft]: "-"}
    rows = Happening.objects.filter(type__in=list(codes)).order_by("seq").values_list("type", "detail")
    return [codes[kind] + msgspec.json.decode(detail)["segment_id"] for kind, detail in rows]


@pytest.mark.usefixtures("data")
def test_a_segment_begins_without_events_and_then_tells_every_move() -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    assert members_of("talks") == ["小红"]
    assert told() == []
    assert not SegmentMove.objects.exists()
    assert set(SegmentRun.objects.values_list("why", flat=True)) == {"first"}
    Ingest(clock).take([b.said("读书会", "老王", "来了", at="11:00", id="d")])
    turns(keeper)
    assert members_of("talks") == ["小红", "老王"]
    assert told() == ["+talks"]
    state = SegmentState.objects.get(pk="talks")
    assert (state.size, state.as_of_ms) == (2, clock.ms)
    day = SegmentDay.objects.get(segment_id="talks")
    assert (day.size, day.entered, day.left) == (2, 1, 0)


@pytest.mark.usefixtures("data")
def test_time_alone_moves_people_at_the_moment_it_comes() -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    assert members_of("silent") == []
    clock.ms = b.moment("10:01", day=1)
    turns(keeper)
    assert members_of("silent") == []  # the newest message of 小红 is exactly a day old, and still in the window
    clock.ms = b.moment("10:02", day=1)
    turns(keeper)
    assert members_of("silent") == ["小红"]
    clock.ms += 1
    turns(keeper)
    assert members_of("silent") == ["小红", "老王"]
    assert told() == ["+silent", "+silent"]


@pytest.mark.usefixtures("data")
def test_another_definition_runs_and_tells_and_a_segment_that_is_gone_is_forgotten() -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    publish(HEAD + "  - {segment_id: talks, title: 说过话, where: [{did: message}]}\n", reason="wider")
    turns(keeper)
    assert members_of("talks") == ["小红", "老王"]
    assert told() == ["+talks"]
    assert list(SegmentState.objects.values_list("segment_id", flat=True)) == ["talks"]
    assert set(SegmentMember.objects.values_list("segment_id", flat=True)) == {"talks"}
    assert SegmentRun.objects.order_by("-id")[0].why == "changed"


@pytest.mark.usefixtures("data")
def test_the_night_runs_everything_again() -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    clock.ms = b.moment("02:59", day=1)
    turns(keeper)
    assert set(SegmentRun.objects.values_list("why", flat=True)) == {"first"}
    clock.ms = b.moment("03:00", day=1)
    turns(keeper)
    assert set(SegmentRun.objects.values_list("why", flat=True)) == {"first", "nightly"}


@pytest.mark.usefixtures("data")
def test_a_run_that_was_broken_off_goes_on_where_it_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    publish(PLAYBOOK.replace('times: ">=2"', 'times: ">=1"'), reason="wider")
    written = runs._store_due

    def broken(*_: object) -> None:
        raise RuntimeError("the power went")

    monkeypatch.setattr(runs, "_store_due", broken)
    with pytest.raises(RuntimeError):
        keeper.turn()
    assert SegmentState.objects.get(pk="talks").error == "the power went"
    assert SegmentRun.objects.order_by("-id")[0].error == "the power went"
    monkeypatch.setattr(runs, "_store_due", written)
    assert keeper.turn() == 0  # not at once: what fails for a reason would fail again
    clock.ms += 600_000
    turns(keeper)
    assert members_of("talks") == ["小红", "老王"]
    assert told() == ["+talks"]
    assert SegmentState.objects.get(pk="talks").error == ""


@pytest.mark.usefixtures("data")
def test_somebody_who_becomes_staff_leaves_and_so_does_what_they_did_to_others() -> None:
    clock = Clock()
    asked = b.said("读书会", "小红", "在吗", at="10:00", id="a")
    Ingest(clock).take_all([asked, b.said("读书会", "老王", "在", at="10:02", id="c", reply_to=asked)])
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    assert members_of("buyer") == ["小红"]
    Ingest(clock).take([b.flagged("老王", "staff", at="11:00")])
    turns(keeper)
    assert members_of("buyer") == []
    assert stored() == by_full_run(clock.ms)


@pytest.mark.usefixtures("data")
def test_our_own_events_move_nobody_again() -> None:
    clock = Clock()
    world(clock)
    publish()
    keeper = Keeper(clock)
    turns(keeper)
    Ingest(clock).take([b.said("读书会", "老王", "来了", at="11:00", id="d")])
    turns(keeper)
    assert Journal(connection).cursor_position("segments") == Journal(connection).head()
    assert told() == ["+talks"]
