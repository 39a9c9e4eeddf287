"""Evaluate the shipped example segments over a large mirror, one of them with pandas, and one member in Python."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qunce.runtime.bench.work.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qunce.journal.mirror import MirrorStore
    from qunce.playbook.segments.tree import Rule

DAY_MS: Final = 86_400_000
ONE: Final = "loyal"
"""The segment that pandas does too: four paid orders in a year, messages on four days of thirty."""
REPEATS: Final = 200
_HEAD: Final = "schema_version: 1\nplaybook: {playbook_id: bench, title: bench}\n"


def prepare(folder: str) -> dict[str, Any]:
    """Add what segments read to a mirror of metrics."""
    from qunce.analytics.segments.bench_profiles import add_profiles

    add_profiles(_store(folder))
    return {}


def evaluate(folder: str, wanted: list[str], runs: int) -> dict[str, Any]:
    """Evaluate the `wanted` segments (empty = all) together."""
    from zoneinfo import ZoneInfo

    from qunce.analytics.segments.run import SegmentEngine
    from qunce.domain.localtime import LocalClock

    store, rules = _store(folder), _rules()
    engine = SegmentEngine(store, LocalClock(ZoneInfo("UTC")), currency="CNY")
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            found = engine.evaluate_all(rules, _now_ms(store), wanted or None)
    return {**watch.figures(), "found": found.num_rows}


def pandas_one(folder: str, runs: int) -> dict[str, Any]:
    """Evaluate `ONE` with pandas over the same files, reading included."""
    from qunce.analytics.segments.tables import PAID
    from qunce.analytics.tables import MESSAGE

    pd = import_module("pandas")
    store = _store(folder)
    manifest, now_ms = store.manifest(), _now_ms(store)
    month_ms = now_ms - 30 * DAY_MS
    files = store.segment_paths(manifest, month_ms // DAY_MS, now_ms // DAY_MS)
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            facts = pd.concat(pd.read_parquet(path, columns=["ts_ms", "day", "type", "actor"]) for path in files)
            facts = facts[(facts["type"] == MESSAGE) & (facts["ts_ms"] >= month_ms) & (facts["ts_ms"] <= now_ms)]
            days = facts.groupby("actor")["day"].nunique()
            orders = pd.read_parquet(store.dimension_path(manifest, "order_events"))
            orders = orders[(orders["kind"] == PAID) & (orders["currency"] == "CNY")]
            orders = orders[(orders["ts_ms"] >= now_ms - 365 * DAY_MS) & (orders["ts_ms"] <= now_ms)]
            bought = orders.groupby("identity_id").size()
            members = pd.read_parquet(store.dimension_path(manifest, "member_profiles"), columns=["member_id"])["member_id"]
            found = members[members.isin(days[days >= 4].index) & members.isin(bought[bought >= 4].index)]
    return {**watch.figures(), "found": len(found)}


def one_member(runs: int) -> dict[str, Any]:
    """Judge a busy member by every segment about members; a stretch is `REPEATS` times all of them."""
    from zoneinfo import ZoneInfo

    from qunce.domain.localtime import LocalClock
    from qunce.engine.segments.evaluate import matches
    from qunce.engine.segments.moment import Moment
    from qunce.engine.segments.records import Happened, History, SubjectRow

    rules = _rules()
    about = [rule for rule in rules.values() if rule.of == "member"]
    now = Moment(20_000 * DAY_MS, LocalClock(ZoneInfo("UTC")))
    times = [now.now_ms - number * DAY_MS // 20 for number in range(2_000)]
    history = History(
        Happened(event_id=number, kind="message", ts_ms=ts_ms, day=now.clock.day(ts_ms)) for number, ts_ms in enumerate(times)
    )
    subject = SubjectRow(of="member", subject_id=1, attributes={"first_seen_at": times[-1]})
    watch = Stopwatch()
    for _ in range(runs):
        with watch.lap():
            for _ in range(REPEATS):
                for rule in about:
                    matches(rule, subject, history, now, rules)
    return {**watch.figures(), "judged": REPEATS * len(about)}


def _store(folder: str) -> MirrorStore:
    from qunce.journal.mirror import MirrorStore

    return MirrorStore(Path(folder))


def _rules() -> Mapping[str, Rule]:
    from qunce.playbook import gallery
    from qunce.playbook.load import parse
    from qunce.playbook.segments.check import rules_of

    return rules_of(parse({"playbook.yaml": _HEAD, **gallery.segments()}).playbook.segments)


def _now_ms(store: MirrorStore) -> int:
    """Return the end of the newest day with facts."""
    days = store.manifest().days()
    if days is None:
        raise RuntimeError("the mirror is empty")
    return (days[1] + 1) * DAY_MS - 1
