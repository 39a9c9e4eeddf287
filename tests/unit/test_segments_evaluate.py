"""The evaluator of one subject: moments, windows, draws, and logic of two values."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.domain.localtime import LocalClock
from qunce.domain.sampling import BUCKETS, bucket
from qunce.engine.segments.evaluate import explain, matches
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.records import Happened, History, SubjectRow
from qunce.playbook.segments import tree as t

ZONE = ZoneInfo("Asia/Shanghai")
DAY = 86_400_000


def ms(text: str, zone: ZoneInfo = ZONE) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1000)


NOW = Moment(ms("2024-10-26T15:30"), LocalClock(ZONE))
SOMEBODY = SubjectRow(of="member", subject_id=1)


def rule(body: t.Node, segment_id: str = "it") -> t.Rule:
    return t.Rule(segment_id=segment_id, title="它", of="member", body=body)


def holds(body: t.Node, events: History = History(), subject: SubjectRow = SOMEBODY, now: Moment = NOW) -> bool:  # noqa: B008  # never changed
    return matches(rule(body), subject, events, now, {})


def message(moment: str, number: int = 1) -> Happened:
    ts_ms = ms(moment)
    return Happened(event_id=number, kind="message", ts_ms=ts_ms, day=NOW.clock.day(ts_ms))


STARTS = {"today": "2024-10-26T00:00", "this_week": "2024-10-21T00:00", "this_month": "2024-10-01T00:00"}


@pytest.mark.parametrize(("word", "start"), STARTS.items())
def test_calendar_windows_begin_at_local_midnight(word: t.Word, start: str) -> None:
    assert NOW.window_start_ms(t.Period(word)) == ms(start)
    assert NOW.bounds(t.InPeriod(word)) == (ms(start), NOW.now_ms)


def test_the_day_on_which_summer_time_ends_begins_at_its_own_midnight() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    now = Moment(ms("2024-10-27T12:00", berlin), LocalClock(berlin))
    assert now.window_start_ms(t.Period("today")) == ms("2024-10-27T00:00", berlin) == now.now_ms - 13 * 3_600_000


BOUNDS: dict[str, tuple[t.Test, int | None, int]] = {
    "not longer ago includes the edge": (t.Age("<=", DAY), DAY, 0),
    "less long ago excludes it": (t.Age("<", DAY), DAY - 1, 0),
    "at least as long ago includes it": (t.Age(">=", DAY), None, DAY),
    "longer ago excludes it": (t.Age(">", DAY), None, DAY + 1),
    "a range includes both": (t.AgeBetween(DAY, 3 * DAY), 3 * DAY, DAY),
}


@pytest.mark.parametrize(("test", "oldest", "newest"), BOUNDS.values(), ids=BOUNDS)
def test_ages_are_bounds_on_moments(test: t.Test, oldest: int | None, newest: int) -> None:
    assert NOW.bounds(test) == (None if oldest is None else NOW.now_ms - oldest, NOW.now_ms - newest)


def test_bounds_of_what_is_no_moment_are_an_error() -> None:
    with pytest.raises(ValueError, match="not about a moment"):
        NOW.bounds(t.Compare("=", 1))


ONE = History([message("2024-10-19T15:30")])
CASES: dict[str, tuple[t.Node, History, bool]] = {
    "a window includes its first moment": (
        t.Did(events=("message",), window=t.Within(7 * DAY), test=t.Compare("=", 1)), ONE, True),
    "nothing at all is zero times": (t.Did(events=("message",), test=t.Compare("=", 0)), History(), True),
    "nothing at all is zero days": (t.Did(events=("message",), measure="days", test=t.Compare("<", 1)), History(), True),
    "nothing at all sums to zero": (
        t.Did(events=("order_paid",), measure="sum", field="amount", test=t.Compare("<=", 0)), History(), True),
    "nothing at all has no last time": (t.Did(events=("message",), measure="last", test=t.Age(">", DAY)), History(), False),
    "no last time is missing": (t.Did(events=("message",), measure="last", test=t.IsMissing()), History(), True),
    "what is after now has not happened": (
        t.Did(events=("message",), test=t.Compare("=", 0)), History([message("2024-10-26T15:31")]), True),
    "two messages of one day are one day": (
        t.Did(events=("message",), measure="days", test=t.Compare("=", 1)),
        History([message("2024-10-20T00:00"), message("2024-10-20T23:59", 2)]), True),
    "all of none holds": (t.AllOf(()), History(), True),
    "any of none fails": (t.AnyOf(()), History(), False),
}  # fmt: skip


@pytest.mark.parametrize(("body", "events", "wanted"), CASES.values(), ids=CASES)
def test_a_condition(body: t.Node, events: History, wanted: bool) -> None:
    assert holds(body, events) is wanted
    assert holds(t.Not(body), events) is not wanted


TESTS: tuple[t.Test, ...] = (
    t.Compare("=", 0), t.Compare("!=", 0), t.Between(0, 9), t.Age(">=", DAY), t.InPeriod("today"), t.OneOf(("",)), t.IsSet(),
)  # fmt: skip


@pytest.mark.parametrize("test", TESTS, ids=str)
def test_a_missing_value_passes_nothing_but_missing(test: t.Test) -> None:
    assert not holds(t.Attr("anything", test))
    assert holds(t.Not(t.Attr("anything", test)))
    assert holds(t.Attr("anything", t.IsMissing()))


def test_references_are_opened_up_in_explanations() -> None:
    inner = rule(t.Did(events=("message",), test=t.Compare(">=", 1)), "inner")
    found = explain(rule(t.Not(t.Ref("inner"))), SOMEBODY, ONE, NOW, {"inner": inner})
    assert not found.holds
    assert found.parts[0].holds
    assert found.parts[0].parts[0].event_ids == (1,)


@given(st.integers(1, 2**62), st.text(min_size=1, max_size=20))
def test_a_draw_is_stable_and_within_bounds(unit: int, salt: str) -> None:
    assert 0 <= bucket(salt, unit) < BUCKETS
    assert bucket(salt, unit) == bucket(salt, unit)


def test_a_draw_takes_its_share_and_another_salt_takes_others() -> None:
    first, second = ({unit for unit in range(20_000) if bucket(salt, unit) < 1_000} for salt in ("a", "b"))
    assert len(first) == pytest.approx(2_000, rel=0.1)
    assert len(second) == pytest.approx(2_000, rel=0.1)
    assert len(first & second) == pytest.approx(200, rel=0.3)


def test_the_bucket_of_a_unit_never_changes() -> None:
    assert [bucket("holdout_2026q4", unit) for unit in (1, 2, 3)] == [59, 1_404, 9_892]  # as printf and sha256sum say
