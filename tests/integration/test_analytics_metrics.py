"""Every metric gives the numbers of its worked example, and keeps the promises of its definition."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce.analytics import example
from qunce.analytics.engine import Engine
from qunce.analytics.registry import Metric, MetricError, all_metrics, get_metric
from qunce.analytics.tables import Params
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


def test_a_cut_that_makes_no_sense_is_refused(engine: Engine) -> None:
    with pytest.raises(MetricError, match=r"metric\.by"):
        engine.compute(get_metric("retention"), Params(since_day=1, until_day=2, by=("group",)))
