"""Compute metrics over a large mirror, and one of them with pandas."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

from qunce.runtime.bench.work.stopwatch import Stopwatch

DAYS = 120


def prepare(folder: str, facts: int, members: int) -> dict[str, Any]:
    """Make the mirror."""
    from qunce.analytics.bench_data import Shape, make
    from qunce.journal.mirror import MirrorStore

    store = MirrorStore(Path(folder))
    make(store, Shape(facts=facts, days=DAYS, members=members, groups=max(2, members // 100)))
    return {"facts": store.manifest().rows}


def compute(folder: str, metric_id: str, by: list[str], runs: int) -> dict[str, Any]:
    """Compute one metric over all days, by one engine; the first run opens the files."""
    from qunce.analytics.engine import Engine
    from qunce.analytics.registry import get_metric
    from qunce.analytics.tables import Params
    from qunce.journal.mirror import MirrorStore

    store = MirrorStore(Path(folder))
    engine = Engine(store)
    days = store.manifest().days()
    if days is None:
        raise RuntimeError("the mirror is empty")
    params = Params(since_day=days[0], until_day=days[1], by=tuple(by))  # type: ignore[arg-type]  # the registry's own words
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            engine.compute(get_metric(metric_id), params)
    return watch.figures()


def pandas_dau(folder: str, runs: int) -> dict[str, Any]:
    """Count the active members of each day with pandas over the same files, reading included."""
    from qunce.analytics.tables import ACTIVE_TYPES
    from qunce.journal.mirror import MirrorStore

    pd = import_module("pandas")

    store = MirrorStore(Path(folder))
    manifest = store.manifest()
    exceptions = store.dimension_path(manifest, "exceptions")
    paths = [store.folder / segment.file for segment in manifest.segments]
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            facts = pd.concat(pd.read_parquet(path, columns=["day", "type", "actor"]) for path in paths)
            facts = facts[facts["type"].isin(ACTIVE_TYPES)]
            if exceptions is not None:
                odd = pd.read_parquet(exceptions)
                facts = facts[~facts["actor"].isin(odd.loc[odd["excluded"] == 1, "identity_id"])]
            facts.groupby("day")["actor"].nunique()
    return watch.figures()
