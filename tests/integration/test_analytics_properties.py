"""What must hold between metrics, whatever happened."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qunce.analytics import charts, example
from qunce.analytics.engine import Engine
from qunce.analytics.registry import get_metric
from qunce.analytics.result import Result
from qunce.analytics.tables import JOINED, LEFT, MESSAGE, REACTION, TABLE_SCHEMAS, By, Params
from qunce.journal.mirror import FACT_SCHEMA, MirrorStore

DAYS = 45
FIRST = example.MONDAY - 3
LAST = FIRST + DAYS - 1
PERIOD = Params(since_day=FIRST, until_day=LAST)

# (day, hour, type, group, identity): identity 5 is a second account of 4, 6 is staff; group 3 is a direct chat.
EVENTS = st.lists(
    st.tuples(
        st.integers(FIRST, LAST),
        st.integers(0, 23),
        st.sampled_from([MESSAGE, MESSAGE, MESSAGE, REACTION, JOINED, LEFT]),
        st.integers(1, 3),
        st.integers(1, 6),
    ),
    max_size=80,
)
Events = list[tuple[int, int, int, int, int]]


def value(engine: Engine, metric_id: str, params: Params = PERIOD) -> Any:
    metric = get_metric(metric_id)
    return engine.compute(metric, params).one()[metric.value]


def cut(engine: Engine, metric_id: str, by: By, params: Params = PERIOD) -> Result:
    return engine.compute(get_metric(metric_id), params.cut(by))


@pytest.fixture(scope="module")
def engine() -> Any:
    """One engine for all tests of this module, over whatever `fill` put into the mirror last."""
    with TemporaryDirectory() as folder:
        yield Engine(MirrorStore(Path(folder)), threads=1)


def fill(engine: Engine, events: Events) -> None:
    blank = dict.fromkeys(FACT_SCHEMA.names, 0)
    rows = [
        {**blank, "seq": seq, "ts_ms": (day * 24 + hour) * 3_600_000, "day": day, "hour": hour, "type": kind, "group_id": group,
         "actor": actor, "content": int(kind == MESSAGE)}
        for seq, (day, hour, kind, group, actor) in enumerate(events, start=1)
    ]  # fmt: skip
    memberships = sorted({(group, actor) for _, _, _, group, actor in events})
    with engine._store.change() as change:
        change.drop_facts("message")
        change.add_facts("message", pa.Table.from_pylist(rows, schema=FACT_SCHEMA))
        tables = {
            **example.dimensions(),
            "exceptions": pa.table({"identity_id": [5, 6], "member_id": [4, 6], "excluded": [0, 1]}),
            "groups": pa.table({"group_id": [1, 2, 3], "community_id": [1, 1, 0], "kind": ["group", "group", "other"]}),
            "memberships": pa.table(
                {
                    "group_id": pa.array([group for group, _ in memberships], pa.int64()),
                    "identity_id": pa.array([actor for _, actor in memberships], pa.int64()),
                    **{name: pa.array([FIRST if name == "first_day" else 0] * len(memberships), pa.int32())
                       for name in ("first_day", "joined_day", "left_day")},
                }
            ),
        }  # fmt: skip
        for name in TABLE_SCHEMAS:
            change.set_dimension(name, tables[name])


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(EVENTS)
def test_numbers_agree_with_a_count_by_hand_and_with_each_other(engine: Engine, events: Events) -> None:
    fill(engine, events)
    counted = [(day, kind, group, 4 if who == 5 else who) for day, _, kind, group, who in events if group != 3 and who != 6]
    messages = [row for row in counted if row[1] == MESSAGE]
    active = {(day, who) for day, kind, _, who in counted if kind in (MESSAGE, REACTION)}

    assert value(engine, "messages") == len(messages)
    for by in ("day", "week", "group", "community"):
        assert sum(row["messages"] for row in cut(engine, "messages", by).dicts()) == len(messages)
    assert sum(map(sum, charts.week_grid(engine.compute(get_metric("heat_map"), PERIOD)))) == len(messages)

    assert value(engine, "speakers") == len({who for *_, who in messages})
    assert value(engine, "joined") == len({who for _, kind, _, who in counted if kind == JOINED})

    daily = charts.over_time(cut(engine, "dau", "day"))
    assert daily.values == tuple(sum(1 for on, _ in active if on == day) for day in daily.days)
    for metric_id, window in (("wau", 7), ("mau", 30)):
        rolling = charts.over_time(cut(engine, metric_id, "day"))
        assert rolling.values == tuple(len({who for on, who in active if day - window < on <= day}) for day in rolling.days)
        assert all((one or 0) <= (many or 0) for one, many in zip(daily.values, rolling.values, strict=True))
        assert rolling.values[-1] == value(engine, metric_id)
    by_group = {row["group_id"]: row["people"] for row in cut(engine, "mau", "group").dicts()}
    assert max(by_group.values(), default=0) <= value(engine, "mau") <= sum(by_group.values())


@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(EVENTS)
def test_ratios_are_ratios_and_steps_go_down(engine: Engine, events: Events) -> None:
    fill(engine, events)
    for metric_id in ("engagement_rate", "stickiness", "conversion", "retention"):
        rows = engine.compute(get_metric(metric_id), PERIOD).dicts()
        assert all(row["numerator"] <= row["denominator"] for row in rows), metric_id
    steps = [row["people"] for row in engine.compute(get_metric("funnel"), PERIOD).dicts()]
    assert steps == sorted(steps, reverse=True)


def test_a_choice_of_groups_counts_these_groups_only(engine: Engine) -> None:
    fill(engine, [(FIRST, 9, MESSAGE, 1, 1), (FIRST, 9, MESSAGE, 2, 1), (FIRST, 9, MESSAGE, 2, 2)])

    def speakers(*groups: int) -> Any:
        return value(engine, "speakers", Params(since_day=FIRST, until_day=LAST, group_ids=frozenset(groups)))

    assert (speakers(1), speakers(2), speakers(1, 2), speakers()) == (1, 2, 2, 0)


def test_facts_before_the_period_are_seen_by_rolling_windows_only(engine: Engine) -> None:
    fill(engine, [(FIRST, 9, MESSAGE, 1, 1), (FIRST + 20, 9, MESSAGE, 1, 2)])
    late = Params(since_day=FIRST + 20, until_day=FIRST + 29)
    assert value(engine, "speakers", late) == 1
    assert value(engine, "mau", late) == 2
    assert charts.over_time(cut(engine, "mau", "day", late)).values == (2,) * 10
