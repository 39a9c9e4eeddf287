"""Both evaluators of segments agree on whatever happened and whatever is asked."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from qunce.analytics.segments.one import read_subjects
from qunce.analytics.segments.run import SegmentEngine
from qunce.engine.segments.evaluate import explain, matches
from qunce.journal.mirror import MirrorStore
from qunce.playbook.segments.tree import Rule
from tests.integration import segments_world as w


@pytest.fixture(scope="module")
def engine() -> Any:
    with TemporaryDirectory() as folder:
        yield SegmentEngine(MirrorStore(Path(folder)), w.CLOCK, currency=w.CURRENCY, threads=1)


def by_one(rules: dict[str, Rule], world: w.World) -> set[tuple[str, int, int]]:
    """Return who belongs, by the evaluator of one subject."""
    found = set()
    for name, rule in rules.items():
        known = read_subjects(rule.of, world, w.CURRENCY)
        for key, subject in known.subjects.items():
            history = known.history(key)
            holds = matches(rule, subject, history, w.NOW, rules)
            assert explain(rule, subject, history, w.NOW, rules).holds == holds
            if holds:
                found.add((name, *key))
    return found


def by_all(engine: SegmentEngine, rules: dict[str, Rule], world: w.World) -> set[tuple[str, int, int]]:
    """Return who belongs, by the evaluator of all."""
    w.fill(engine._store, world)
    rows = engine.evaluate_all(rules, w.NOW.now_ms).to_pylist()
    found = {(row["segment_id"], row["subject_id"], row["group_id"]) for row in rows}
    assert len(found) == len(rows)
    return found


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(world=w.worlds(), rules=w.rule_sets())
def test_one_and_all_agree(engine: SegmentEngine, world: w.World, rules: dict[str, Rule]) -> None:
    assert by_all(engine, rules, world) == by_one(rules, world)
