"""Every metric gives the numbers of its worked example, and keeps the promises of its definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce.analytics import example
from qunce.analytics.engine import Engine
from qunce.analytics.registry import Metric, MetricError, all_metrics, get_metric
from qunce.analytics.result import Value
from qunce.analytics.tables import By, Params
from qunce.journal.mirror import MirrorStore


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    store = MirrorStore(tmp_path_factory.mktemp("mirror"))
    with store.change() as change:
        change.add_facts("message", example.facts())
        for name, table in example.dimensions().items():
            change.set_dimension(name, table)
    return Engine(store, threads=1)


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.id)
def test_the_worked_example_comes_out(engine: Engine, metric: Metric) -> None:
    result = engine.compute(metric, metric.example.params)
    assert result.dicts() == [dict(row) for row in metric.example.rows]
    assert metric.value in result.columns


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.id)
def test_an_empty_mirror_gives_no_numbers_and_no_error(tmp_path: Path, metric: Metric) -> None:
    engine = Engine(MirrorStore(tmp_path), threads=1)
    result = engine.compute(metric, Params(since_day=1, until_day=30))
    assert all(row[metric.value] in (0, None) for row in result.dicts())


@pytest.mark.parametrize("metric", all_metrics(), ids=lambda metric: metric.id)
def test_every_allowed_cut_works_and_names_its_cell(engine: Engine, metric: Metric) -> None:
    columns = {"group": "group_id", "community": "community_id", "day": "day", "week": "week"}
    for cut in metric.by:
        result = engine.compute(metric, Params(since_day=example.MONDAY, until_day=example.LAST, by=(cut,)))
        assert result.columns[0] == columns[cut]
        assert [row[0] for row in result.rows] == sorted(row[0] for row in result.rows)


def rows_of(engine: Engine, metric_id: str, since: int, until: int, *by: By) -> list[dict[str, Value]]:
    params = Params(since_day=example.MONDAY + since, until_day=example.MONDAY + until, by=by)
    return engine.compute(get_metric(metric_id), params).dicts()


@pytest.mark.parametrize(
    ("metric_id", "since", "until", "numerator", "denominator"),
    [
        pytest.param("repeat_orders_per_month", 7, 13, 30, 7, id="who has bought before the period has no first order in it"),
        pytest.param("repeat_orders_per_month", 0, 6, 0, 14, id="first orders are no repeat orders"),
        pytest.param("repeat_orders_per_month", 2, 6, 0, 0, id="refunded and staff's orders make no buyers"),
        pytest.param("reply_rate", 0, 6, 1, 6, id="a reply after the period does not count"),
        pytest.param("reply_rate", 7, 13, 0, 3, id="a reply of staff does not count"),
        pytest.param("click_rate", 0, 6, 0, 4, id="nobody clicked in the first week"),
        pytest.param("interactions_per_member", 7, 13, 3, 21, id="a click is no interaction"),
    ],
)
def test_what_counts_at_the_edges(
    engine: Engine, metric_id: str, since: int, until: int, numerator: int, denominator: int
) -> None:
    (row,) = rows_of(engine, metric_id, since, until)
    assert (row["numerator"], row["denominator"]) == (numerator, denominator)


def test_interactions_by_week_are_of_the_weeks_people_and_days(engine: Engine) -> None:
    rows = rows_of(engine, "interactions_per_member", 0, 8, "week")
    assert [(row["numerator"], row["denominator"]) for row in rows] == [(7, 3 * 7), (3, 3 * 2)]


def test_the_trend_of_health_ends_where_group_health_does(engine: Engine) -> None:
    (last,) = rows_of(engine, "group_health_trend", 0, 13)
    scores = [row["value"] for row in rows_of(engine, "group_health", 0, 13)]
    assert (last["scored"], last["unscored"]) == (sum(s is not None for s in scores), scores.count(None))
    assert rows_of(engine, "group_health_trend", 7, 13, "week")[-1] == {"week": example.MONDAY + 7, **last}


def test_a_cut_that_makes_no_sense_is_refused(engine: Engine) -> None:
    with pytest.raises(MetricError, match=r"metric\.by"):
        engine.compute(get_metric("retention"), Params(since_day=1, until_day=2, by=("group",)))
