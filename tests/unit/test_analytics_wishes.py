"""Results are wished for in one process and made in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce.analytics.registry import Metric
from qunce.analytics.result import Result, result_of
from qunce.analytics.results import Results
from qunce.analytics.tables import Params
from qunce.analytics.wishes import Wish, Wishes
from qunce.journal.mirror import MirrorStore
from qunce.runtime.figures import LONGEST_S, turn

PARAMS = Params(since_day=1, until_day=7)
OTHERS = Params(since_day=1, until_day=7, by=("day",), group_ids=frozenset({3, 5}))


class Maker:
    """Stands for the engine of the other process; gives the number of the call as the only value."""

    def __init__(self, store: MirrorStore) -> None:
        self.store, self.asked, self.broken = store, list[Params](), False

    def compute(self, metric: Metric, params: Params) -> Result:
        import pyarrow as pa

        self.asked.append(params)
        if self.broken:
            raise RuntimeError("out of memory")
        return result_of(metric, params, pa.table({"people": [len(self.asked)]}), self.store.manifest().version)


class Server:
    """The server's half and the other process's half over one folder."""

    def __init__(self, folder: Path) -> None:
        self.store = MirrorStore(folder)
        self.maker = Maker(self.store)
        self.rings = 0
        self.here, self.there = Results(self.store, self.maker), Results(self.store, self.maker)
        self.here.leave_to(self._ring)

    def _ring(self) -> None:
        self.rings += 1

    def grow(self) -> None:
        with self.store.change() as change:
            change.set_cursor("message", self.store.manifest().version + 1)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_a_wish_rings_once_and_is_fulfilled_by_the_other_process(server: Server) -> None:
    assert not server.here.ensure("mau", OTHERS)
    assert not server.here.ensure("mau", OTHERS)
    assert (server.rings, server.maker.asked) == (1, [])
    assert server.there.make_wished(stale=False) == 1
    assert server.maker.asked == [OTHERS]
    assert server.here.ensure("mau", OTHERS)
    assert server.there.make_wished(stale=True) == 0, "it was fulfilled"


def test_what_is_only_out_of_date_waits_for_its_round(server: Server) -> None:
    server.here.ensure("mau", PARAMS)
    server.there.make_wished(stale=False)
    server.grow()
    server.here.ensure("mau", PARAMS)
    assert server.there.make_wished(stale=False) == 0
    assert server.here.get("mau", PARAMS), "the older result is there to show"
    assert server.there.make_wished(stale=True) == 1
    assert server.here.ensure("mau", PARAMS)


def test_rounds_of_what_is_out_of_date_rest_and_new_questions_do_not(server: Server) -> None:
    server.here.ensure("mau", PARAMS)
    assert turn(server.there, 0.0, 100.0) == 0.0, "what nobody has seen is no round"
    server.grow()
    server.here.ensure("mau", PARAMS)
    until_s = turn(server.there, 0.0, 100.0)
    assert 100.0 < until_s <= 100.0 + LONGEST_S * 2
    server.grow()
    server.here.ensure("mau", PARAMS)
    server.here.ensure("mau", OTHERS)
    assert turn(server.there, until_s, 100.0) == until_s
    assert server.maker.asked == [PARAMS, PARAMS, OTHERS]
    assert turn(server.there, until_s, until_s + 1) > until_s
    assert server.maker.asked[3:] == [PARAMS]


def test_what_cannot_be_made_is_told_and_not_wished_for_again_before_the_mirror_grows(server: Server) -> None:
    server.maker.broken = True
    server.here.ensure("mau", PARAMS)
    server.there.make_wished(stale=False)
    assert server.here.has_failed("mau", PARAMS)
    server.here.ensure("mau", PARAMS)
    assert server.there.make_wished(stale=False) == 0
    server.maker.broken = False
    server.there.try_again()
    assert not server.here.has_failed("mau", PARAMS), "the process was started again"
    server.here.ensure("mau", PARAMS)
    assert server.there.make_wished(stale=False) == 1
    assert server.here.ensure("mau", PARAMS)


def test_a_wish_of_a_metric_that_is_gone_and_a_torn_one_are_dropped(server: Server) -> None:
    folder = server.store.folder / "results"
    wishes = Wishes(folder)
    wishes.add("gone-1", Wish("no_such_metric", PARAMS))
    (folder / "wished" / "torn-1").write_text("{", "utf-8")
    server.there.make_wished(stale=True)
    assert list((folder / "wished").iterdir()) == []


def test_wishes_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qunce.analytics.wishes.MOST", 2)
    wishes = Wishes(tmp_path)
    assert [wishes.add(f"mau-{number}", Wish("mau", PARAMS)) for number in range(3)] == [True, True, False]


def test_left_to_nobody_results_are_made_here_again(server: Server) -> None:
    server.here.leave_to(None)
    server.here.ensure("mau", PARAMS)
    server.here.stop()
    assert server.rings == 0
