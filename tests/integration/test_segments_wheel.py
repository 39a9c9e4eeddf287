"""Until when an answer holds: never later than it truly changes, by the evaluator of one and by that of all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from qunce.analytics.segments.one import read_subjects
from qunce.analytics.segments.run import SegmentEngine
from qunce.engine.segments.evaluate import matches
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.records import History, SubjectRow
from qunce.engine.segments.wheel import earliest, judge
from qunce.journal.mirror import MirrorStore
from qunce.playbook.segments.tree import Rule
from tests.integration import segments_world as w

SPANS = (w.DAY, 3 * w.DAY, 7 * w.DAY, 10 * w.DAY, 30 * w.DAY, 100 * w.DAY)
FAR = w.NOW.now_ms + 150 * w.DAY
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def edges(subject: SubjectRow, history: History, until_ms: int) -> Iterator[int]:
    """Yield every moment up to one at which any answer about a subject could change."""
    values = [value for value in subject.attributes.values() if isinstance(value, int)]
    values += [value for value in subject.fields.values() if isinstance(value, int)]
    values += [moment for held in subject.tags for moment in (held.from_ms, held.to_ms)]
    values += [event.ts_ms for kind in history._events.values() for event in kind]
    for value in values:
        for span in (0, *SPANS):
            for moment in (value + span, value + span + 1):
                if w.NOW.now_ms < moment <= until_ms:
                    yield moment
    day = w.NOW.day + 1
    while w.CLOCK.start_ms(day) <= until_ms:
        yield w.CLOCK.start_ms(day)
        day += 1


def answer_stays(rule: Rule, subject: SubjectRow, history: History, until_ms: int | None, rules: dict[str, Rule]) -> None:
    before = matches(rule, subject, history, w.NOW, rules)
    end = FAR if until_ms is None else until_ms - 1
    for moment in sorted(set(edges(subject, history, end))):
        assert matches(rule, subject, history, Moment(moment, w.CLOCK), rules) == before, moment


@settings(max_examples=25, deadline=None, suppress_health_check=SLOW)
@given(world=w.worlds(), rules=w.rule_sets())
def test_an_answer_holds_until_the_moment_given(world: w.World, rules: dict[str, Rule]) -> None:
    for rule in rules.values():
        known = read_subjects(rule.of, world, w.CURRENCY)
        for key, subject in known.subjects.items():
            judged = judge(rule, subject, known.history(key), w.NOW, rules)
            assert judged.holds == matches(rule, subject, known.history(key), w.NOW, rules)
            assert judged.until_ms is None or judged.until_ms > w.NOW.now_ms
            answer_stays(rule, subject, known.history(key), judged.until_ms, rules)


@pytest.fixture(scope="module")
def engine() -> Any:
    with TemporaryDirectory() as folder:
        yield SegmentEngine(MirrorStore(Path(folder)), w.CLOCK, currency=w.CURRENCY, threads=1)


@settings(max_examples=8, deadline=None, suppress_health_check=SLOW)
@given(world=w.worlds(), rules=w.rule_sets())
def test_all_are_looked_at_again_before_an_answer_changes(
    engine: SegmentEngine, world: w.World, rules: dict[str, Rule]
) -> None:
    """Events of the future are looked up by themselves: a run sees what has happened."""
    w.fill(engine._store, world)
    past = {
        **world,
        **{name: [row for row in world[name] if row["ts_ms"] <= w.NOW.now_ms] for name in ("facts", "order_events")},
    }
    found = engine.run(rules, w.NOW.now_ms, tuple(rules), FAR)
    belongs = {(row["segment_id"], row["subject_id"], row["group_id"]) for row in found.belongs.to_pylist()}
    due = {(row["of"], row["subject_id"], row["group_id"]): row["until_ms"] for row in found.due.to_pylist()}
    for of in ("member", "membership", "group"):
        about = [rule for rule in rules.values() if rule.of == of]
        if not about:
            continue
        known = read_subjects(of, past, w.CURRENCY)  # type: ignore[arg-type]
        for key, subject in known.subjects.items():
            history = known.history(key)
            judged = [judge(rule, subject, history, w.NOW, rules) for rule in about]
            assert [rule.segment_id for rule, one in zip(about, judged, strict=True) if one.holds] == [
                rule.segment_id for rule in about if (rule.segment_id, *key) in belongs
            ]
            exact = earliest(one.until_ms for one in judged)
            until_ms = due.get((of, *key))
            assert until_ms is None or until_ms > w.NOW.now_ms
            if exact is not None and exact <= FAR:
                assert until_ms is not None
                assert until_ms <= exact
