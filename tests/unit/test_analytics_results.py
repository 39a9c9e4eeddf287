"""Results are kept, grow stale with the mirror, and are made in the background."""

from __future__ import annotations

from pathlib import Path
from threading import Event
from threading import enumerate as enumerate_threads

import pyarrow as pa
import pytest

from qunce.analytics.registry import Metric, MetricError
from qunce.analytics.result import Result, result_of
from qunce.analytics.results import Results
from qunce.analytics.tables import Params
from qunce.journal.mirror import MirrorStore

PARAMS = Params(since_day=1, until_day=7)


class FakeEngine:
    """Counts calls; gives the number of the call as the only value."""

    def __init__(self, store: MirrorStore) -> None:
        self.store, self.calls, self.broken, self.done = store, 0, False, Event()

    def compute(self, metric: Metric, params: Params) -> Result:
        self.calls += 1
        self.done.set()
        if self.broken:
            raise RuntimeError("out of memory")
        return result_of(metric, params, pa.table({"people": [self.calls]}), self.store.manifest().version)


@pytest.fixture
def store(tmp_path: Path) -> MirrorStore:
    return MirrorStore(tmp_path)


@pytest.fixture
def engine(store: MirrorStore) -> FakeEngine:
    return FakeEngine(store)


def settled(results: Results, params: Params = PARAMS) -> bool:
    """Wait until the worker has nothing pending."""
    for _ in range(500):
        if results.ensure("mau", params) or results.has_failed("mau", params):
            return True
        Event().wait(0.01)
    return False


def grow(store: MirrorStore) -> None:
    with store.change() as change:
        change.set_cursor("message", store.manifest().version + 1)


def test_nothing_is_known_at_first_and_then_it_is(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    assert results.get("mau", PARAMS) is None
    assert not results.ensure("mau", PARAMS)
    assert settled(results)
    found = results.get("mau", PARAMS)
    assert found
    assert found.one() == {"people": 1}
    assert engine.calls == 1


def test_another_process_reads_what_was_made(store: MirrorStore, engine: FakeEngine) -> None:
    made = Results(store, engine).compute("mau", PARAMS)
    assert Results(store, FakeEngine(store)).get("mau", PARAMS) == made


def test_a_grown_mirror_makes_results_stale_but_keeps_them_to_show(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    first = results.compute("mau", PARAMS)
    grow(store)
    assert results.get("mau", PARAMS) == first
    assert not results.is_fresh(first)
    assert results.get("mau", PARAMS, stale=False) is None
    assert results.compute("mau", PARAMS).one() == {"people": 2}


def test_questions_differ_by_period_cut_and_groups(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    asked = (
        PARAMS,
        PARAMS.cut("day"),
        PARAMS.last(3),
        Params(since_day=1, until_day=7, group_ids=frozenset({1})),
        Params(since_day=1, until_day=7, group_ids=frozenset()),
    )
    assert [results.compute("mau", params).one()["people"] for params in asked] == [1, 2, 3, 4, 5]
    assert [results.compute("mau", params).one()["people"] for params in asked] == [1, 2, 3, 4, 5]


def test_a_broken_computation_is_told_and_tried_again_with_the_next_mirror(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    engine.broken = True
    assert settled(results)
    assert results.has_failed("mau", PARAMS)
    engine.broken = False
    grow(store)
    assert not results.has_failed("mau", PARAMS)
    assert settled(results)
    assert results.get("mau", PARAMS)


def test_what_makes_no_sense_is_refused_at_once(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    with pytest.raises(MetricError, match="unknown"):
        results.ensure("nonsense", PARAMS)
    with pytest.raises(MetricError, match="by"):
        results.ensure("retention", PARAMS.cut("group"))


def test_a_torn_file_counts_as_nothing(store: MirrorStore, engine: FakeEngine) -> None:
    results = Results(store, engine)
    results.compute("mau", PARAMS)
    for path in (store.folder / "results").glob("*.json"):
        path.write_text("{", "utf-8")
    assert results.get("mau", PARAMS) is None


def test_stopping_ends_the_thread_and_may_be_said_before_anything_was_asked(store: MirrorStore, engine: FakeEngine) -> None:
    others = set(enumerate_threads())
    Results(store, engine).stop()
    results = Results(store, engine)
    results.ensure("mau", PARAMS)
    results.stop()
    assert set(enumerate_threads()) <= others
