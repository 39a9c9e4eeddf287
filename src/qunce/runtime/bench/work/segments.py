"""Evaluate the shipped example segments over a large mirror, one of them with pandas, and one member in Python."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qunce.runtime.bench.work.stopwatch import Stopwatch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

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


def rows(folder: str) -> dict[str, Any]:
    """Return how many facts the mirror holds."""
    return {"facts": _store(folder).manifest().rows}


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


def postgres_one(folder: str, runs: int, url: str) -> dict[str, Any]:
    """Evaluate `ONE` with the SQL that we run, said in PostgreSQL's words, over the same rows with an index on the moments.

    The server's CPU is not in that of this process: only the clock counts.
    """
    import ibis

    from qunce.analytics.segments.plan import Plan
    from qunce.analytics.segments.run import SegmentEngine
    from qunce.analytics.segments.tables import SCHEMAS, tables_by_name
    from qunce.domain.localtime import LocalClock

    psycopg = import_module("psycopg")
    store, rules = _store(folder), _rules()
    engine = SegmentEngine(store, LocalClock(_utc()), currency="CNY")
    plan, tables = Plan(rules, [ONE], engine.moment(_now_ms(store)), "CNY"), tables_by_name()
    sql = ibis.to_sql(plan.flags("member", tables, plan.cube(tables)), dialect="postgres")
    wanted = [name for name in SCHEMAS if name in {"facts", "exceptions", "groups", "member_profiles", "order_events"}]
    watch = Stopwatch()
    with psycopg.connect(url, autocommit=True) as server:
        for name in wanted:
            _copy(server, store, name, SCHEMAS[name])
        server.execute("CREATE INDEX facts_ts ON facts (ts_ms)")
        server.execute("VACUUM ANALYZE")
        for _ in range(runs):
            with watch.lap():
                found = server.execute(sql).fetchall()
    return {**watch.figures(), "found": len(found)}


def _copy(server: Any, store: MirrorStore, name: str, schema: Mapping[str, str]) -> None:
    """Copy one table of the mirror into PostgreSQL."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    kinds = {"int8": "smallint", "int32": "integer", "int64": "bigint", "string": "text"}
    columns = ", ".join(f'"{column}" {kinds[kind]}' for column, kind in schema.items())
    server.execute(f'CREATE TABLE "{name}" ({columns})')
    manifest = store.manifest()
    one = store.dimension_path(manifest, name)
    files = [store.folder / segment.file for segment in manifest.segments] if name == "facts" else [one] if one else []
    told = ", ".join(f'"{column}"' for column in schema)
    for file in files:
        for batch in pq.ParquetFile(file).iter_batches(columns=list(schema)):
            text = pa.BufferOutputStream()
            pc.write_csv(pa.table(batch), text, pc.WriteOptions(include_header=False))
            with server.cursor().copy(f'COPY "{name}" ({told}) FROM STDIN (FORMAT csv)') as copy:
                copy.write(text.getvalue().to_pybytes())


def _utc() -> ZoneInfo:
    from zoneinfo import ZoneInfo

    return ZoneInfo("UTC")


def rfm(folder: str, runs: int) -> dict[str, Any]:
    """Score recency, frequency and money of a year's buyers, as the traits do."""
    import numpy as np

    from qunce.analytics.engine import Engine
    from qunce.analytics.metrics.orders import counted_orders
    from qunce.analytics.metrics.traits import bought
    from qunce.analytics.tables import Params
    from qunce.analytics.traits import fifths

    store, watch = _store(folder), Stopwatch()
    engine, day = Engine(store), _now_ms(store) // DAY_MS
    year = Params(since_day=day - 364, until_day=day)
    for _ in range(runs):
        with watch.lap():
            rows = engine.rows(lambda tables: bought(counted_orders(tables, year), "CNY"), year)
            everybody = np.ones(rows.num_rows, dtype=bool)
            scores = [fifths(rows[name].to_numpy(), everybody) for name in ("last_day", "orders", "money")]
    return {**watch.figures(), "found": rows.num_rows, "total": int(sum(score.sum() for score in scores))}


def pandas_rfm(folder: str, runs: int) -> dict[str, Any]:
    """Do the same with pandas over the same files."""
    pd = import_module("pandas")
    store, watch = _store(folder), Stopwatch()
    manifest, day = store.manifest(), _now_ms(store) // DAY_MS
    for _ in range(runs):
        with watch.lap():
            odd = pd.read_parquet(store.dimension_path(manifest, "exceptions")).set_index("identity_id")
            orders = pd.read_parquet(store.dimension_path(manifest, "purchases"))
            kept = (orders["refunded_minor"] == 0) | (orders["refunded_minor"] < orders["amount_minor"])
            orders = orders[(orders["is_paid"] == 1) & kept & (orders["day"] > day - 365) & (orders["day"] <= day)]
            orders = orders[~orders["identity_id"].isin(odd.index[odd["excluded"] == 1])]
            person = orders["identity_id"].map(odd["member_id"]).fillna(orders["identity_id"])
            own = (orders["amount_minor"] - orders["refunded_minor"]).where(orders["currency"] == "CNY", 0)
            grouped = orders.assign(own=own).groupby(person)
            counts = pd.DataFrame({"last": grouped["day"].max(), "orders": grouped.size(), "money": grouped["own"].sum()})
            scores = 1 + (counts.rank(method="min") - 1).astype("int64") * 5 // len(counts)
    return {**watch.figures(), "found": len(scores), "total": int(scores.to_numpy().sum())}


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
