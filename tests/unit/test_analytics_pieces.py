"""The arithmetic beside the engine: local time, health scores, shapes for charts, parameters."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.analytics import charts, finish, health
from qunce.analytics.localtime import local_days, local_hours
from qunce.analytics.registry import all_metrics, get_metric
from qunce.analytics.result import Result, Value
from qunce.analytics.tables import Params

ZONES = ("Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Europe/Lisbon", "Australia/Lord_Howe", "UTC")


@given(st.lists(st.integers(1, 2_500_000_000_000), max_size=20), st.sampled_from(ZONES))
def test_local_days_and_hours_are_those_of_the_wall_clock(moments: list[int], name: str) -> None:
    zone = ZoneInfo(name)
    walls = [datetime.fromtimestamp(moment // 1000, UTC).astimezone(zone) for moment in moments]
    column = np.array(moments, np.int64)
    assert local_days(column, zone).tolist() == [wall.toordinal() - 719_163 for wall in walls]
    assert local_hours(column, zone).tolist() == [wall.hour for wall in walls]


def test_no_moment_stays_no_day() -> None:
    assert local_days(np.array([0], np.int64), ZoneInfo("Asia/Shanghai")).tolist() == [0]


# The worked example of docs/algorithms/group-health.md.
INPUTS = {
    "first_day": 100, "members": 50, "members_start": 40, "active": 12, "joined": 10, "left": 9, "messages": 400,
    "two_way": 240,
    "busiest_three": 200, "questions": 20, "fast": 9,
}  # fmt: skip


def points(**changes: int) -> dict[str, float | None]:
    scored = health.score({**INPUTS, **changes}, 200)
    return {part.id: earned for part, earned in scored.parts}


def test_the_health_example_of_the_docs_comes_out() -> None:
    assert points() == {"active": 20.0, "two_way": 15.0, "growth": 15.0, "answers": 10.0, "spread": 10.7}
    assert health.score(INPUTS, 200).score == 70.7


@pytest.mark.parametrize(
    ("changes", "part", "expected"),
    [
        pytest.param({"joined": 0, "left": 0}, "growth", None, id="no joins and leaves reported leaves growth out"),
        pytest.param({"members_start": 0}, "growth", None, id="nobody at the start leaves growth out"),
        pytest.param({"questions": 4, "fast": 4}, "answers", None, id="four questions are too few to judge answers"),
        pytest.param({"messages": 0, "two_way": 0, "busiest_three": 0}, "two_way", 0.0, id="silence is no talk"),
        pytest.param({"messages": 0, "two_way": 0, "busiest_three": 0}, "spread", 0.0, id="silence is not spread"),
        pytest.param({"active": 50}, "active", 25.0, id="more than the best earns no more"),
        pytest.param({"left": 30}, "growth", 0.0, id="less than the worst costs no more"),
    ],
)
def test_parts_of_health(changes: dict[str, int], part: str, expected: float | None) -> None:
    assert points(**changes)[part] == expected


def test_left_out_parts_are_made_up_for() -> None:
    scored = health.score({**INPUTS, "joined": 0, "left": 0, "questions": 0, "fast": 0}, 200)
    assert scored.score == round((20.0 + 15.0 + 10.7) / 60 * 100, 1)


@pytest.mark.parametrize(
    ("changes", "until", "reason"), [({"members": 4}, 200, "too_small"), ({}, 113, "too_new"), ({}, 114, "")]
)
def test_small_and_new_groups_get_a_reason(changes: dict[str, int], until: int, reason: str) -> None:
    scored = health.score({**INPUTS, **changes}, until)
    assert (scored.reason, scored.score is None) == (reason, bool(reason))


def test_weeks_end_with_their_sunday_or_with_the_period() -> None:
    assert health.last_days_of_weeks(4, 17) == ((4, 10), (11, 17))  # day 4 was a Monday
    assert health.last_days_of_weeks(6, 12) == ((4, 10), (11, 12))
    assert health.last_days_of_weeks(6, 6) == ((4, 6),)


GOOD, SMALL = {**INPUTS, "group_id": 1}, {**INPUTS, "group_id": 2, "members": 4}
QUIET = {**INPUTS, "group_id": 3, "messages": 0, "two_way": 0, "busiest_three": 0}


def test_the_trend_of_health_averages_the_groups_that_have_a_score() -> None:
    mean = round((70.7 + 45.0) / 2, 1)
    assert [health.score(row, 200).score for row in (GOOD, QUIET)] == [70.7, 45.0]
    whole = finish.group_health_trend([GOOD, SMALL, QUIET], Params(since_day=150, until_day=200))
    assert whole == [{"value": mean, "scored": 2, "unscored": 1}]
    rows = [{**GOOD, "week": 102}, {**GOOD, "week": 109}, {**QUIET, "week": 109}, {**SMALL, "week": 109}]
    weekly = finish.group_health_trend(rows, Params(since_day=102, until_day=114, by=("week",)))
    assert weekly == [
        {"week": 102, "value": None, "scored": 0, "unscored": 1},  # on day 108 the group is 8 days old
        {"week": 109, "value": mean, "scored": 2, "unscored": 1},  # the period ends on day 114, when it is 14
    ]


def test_no_groups_have_no_health() -> None:
    params = Params(since_day=1, until_day=28)
    assert finish.group_health_trend([], params) == [{"value": None, "scored": 0, "unscored": 0}]
    assert finish.group_health_trend([], params.cut("week")) == []


def test_weights_of_health_sum_to_100() -> None:
    assert sum(part.weight for part in health.PARTS) == 100


def result(metric_id: str, columns: tuple[str, ...], *rows: tuple[Value, ...], by: tuple[str, ...] = ()) -> Result:
    metric = get_metric(metric_id)
    return Result(
        metric_id=metric_id, version=1, since_day=4, until_day=17, by=by, unit=metric.unit, denominator="", columns=columns,
        rows=rows,
        mirror_version=1,
    )  # fmt: skip


def test_days_without_messages_are_zero() -> None:
    series = charts.over_time(result("messages", ("day", "messages"), (5, 3), (17, 1), by=("day",)))
    assert series.days == tuple(range(4, 18))
    assert series.values == (0, 3, *[0] * 11, 1)


def test_weeks_without_a_ratio_have_none() -> None:
    series = charts.over_time(result("first_response", ("week", "value"), (11, 0.5), by=("week",)))
    assert (series.days, series.values) == ((4, 11), (None, 0.5))


def test_a_total_does_not_go_over_time() -> None:
    with pytest.raises(ValueError, match="over time"):
        charts.over_time(result("messages", ("messages",), (1,)))


def test_a_week_has_seven_rows_of_24_hours() -> None:
    heat = result("heat_map", ("weekday", "hour", "messages"), (0, 9, 2), (6, 9, 3), (6, 23, 1))
    grid = charts.week_grid(heat)
    assert (len(grid), {len(row) for row in grid}) == (7, {24})
    assert (grid[0][9], grid[6][23], sum(map(sum, grid))) == (2, 1, 6)


def test_cohorts_know_their_unfinished_week() -> None:
    columns = ("cohort", "weeks", "numerator", "denominator", "value")
    found = charts.cohorts(result("retention", columns, (4, 0, 3, 4, 0.75), (4, 1, 2, 4, 0.5), (11, 0, 1, 2, 0.5)))
    assert [(row.monday, row.people, row.shares, row.partial) for row in found] == [
        (4, 4, (0.75, 0.5), False),
        (11, 2, (0.5,), False),
    ]


def test_shares_are_ordered_and_sum_to_one() -> None:
    found = charts.shares(result("content_kinds", ("content", "messages"), ("image", 1), ("text", 3)), "content")
    assert [(share.name, share.share) for share in found] == [("text", 0.75), ("image", 0.25)]


def test_a_period_runs_forward() -> None:
    with pytest.raises(ValueError, match="since_day"):
        Params(since_day=2, until_day=1)


def test_every_metric_is_explained_in_both_languages() -> None:
    seen = set()
    for metric in all_metrics():
        assert metric.id not in seen
        seen.add(metric.id)
        texts = (
            metric.name_zh,
            metric.name_en,
            metric.definition_zh,
            metric.definition_en,
            metric.example.zh,
            metric.example.en,
        )
        assert all(texts), metric.id
        assert metric.unit in {"people", "messages", "ratio", "orders", "minor", "score", "per_day", "per_month"}, metric.id
        assert (metric.unit == "ratio") <= bool(metric.denominator), metric.id
        assert metric.example.rows, metric.id
