"""What is measured, with which target and against which baseline.

A case yields figures; everything heavy happens in child processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

from qunce.runtime.bench.engine_cases import decide, decide_light, live, replay, state
from qunce.runtime.bench.figures import Figure
from qunce.runtime.bench.pages_case import pages
from qunce.runtime.bench.plan import Plan, costs, of_rates, of_seconds

BATCH: Final = 1_000
STRETCH: Final = 20
"""Batches that are timed as one, since a single one is too quick to tell."""
IMPORT_MB: Final = 400
SEGMENTS_S: Final = 60
"""CPU seconds that all example segments may take over 100 million facts."""

MOST_IN_POSTGRES: Final = 5_000_000
"""Facts that are copied into PostgreSQL for comparison; more take longer than they tell."""
FOLLOW_PER_S: Final = 200
FOLLOW_S: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One thing `--only` can name."""

    title: str
    figures: Callable[[Plan], Iterator[Figure]]


def _append(case: str, plan: Plan, *, postgres: bool) -> Iterator[Figure]:
    events = plan.sizes.append_events
    rival = ("executemany", "psycopg executemany ON CONFLICT") if postgres else ("orm", "Django bulk_create(ignore_conflicts)")
    fields = []
    for way in ("journal", rival[0]):
        url = plan.shop.new_postgres() if postgres else ""
        done = plan.shop.run(
            f"appending:{way}", data=plan.shop.new_folder(), url=url, params={"events": events, "batch": BATCH}
        )
        fields.append(of_rates(*_stretches(done)))
    yield Figure(
        case=case, name=case, size=f"{events:,} events, batches of {BATCH:,}", unit="events/s",
        target=60_000 if postgres else 150_000, baseline=rival[1], baseline_value=fields[1]["value"], **fields[0],
    )  # fmt: skip


def _stretches(done: dict[str, Any]) -> tuple[dict[str, Any], list[int]]:
    """Join the batches of a child into stretches."""
    starts = range(0, len(done["seconds"]), STRETCH)
    seconds = [sum(done["seconds"][start : start + STRETCH]) for start in starts]
    return done | {"seconds": seconds}, [sum(done["counts"][start : start + STRETCH]) for start in starts]


def _append_sqlite(plan: Plan) -> Iterator[Figure]:
    yield from _append("append-sqlite", plan, postgres=False)


def _append_postgres(plan: Plan) -> Iterator[Figure]:
    yield from _append("append-postgres", plan, postgres=True)


def _import(case: str, plan: Plan, *, postgres: bool) -> Iterator[Figure]:
    shop = plan.shop
    target = 15_000 if postgres else 25_000
    naive_count = min(plan.sizes.naive_messages, plan.sizes.imports[0])
    naive: dict[str, Any] = {}
    peaks: list[float] = []
    for messages in plan.sizes.imports:
        export = str(shop.folder / f"export-{messages}.jsonl")
        shop.run("importing:write_export", {"path": export, "messages": messages})
        if not naive:
            url = shop.new_postgres() if postgres else ""
            naive = shop.run(
                "importing:naive", data=shop.new_folder(), url=url, params={"path": export, "messages": naive_count}
            )
        url = shop.new_postgres() if postgres else ""
        done = shop.run("importing:run", {"path": export, "messages": messages}, data=shop.new_folder(), url=url)
        peaks.append(done["peak_mb"])
        yield Figure(
            case=case, name=case, size=f"{messages:,} messages", unit="messages/s", target=target,
            baseline=f"two save() a message, no search ({naive_count:,})",
            baseline_value=naive_count / naive["seconds"][0], **of_rates(done, [messages]),
        )  # fmt: skip
    small, large = plan.sizes.imports
    yield Figure(
        case=case, name=f"{case} memory", size=f"{large:,} messages", value=peaks[1], unit="MB", target=IMPORT_MB,
        baseline=f"the same with {small:,} messages", baseline_value=peaks[0],
    )  # fmt: skip


def _import_sqlite(plan: Plan) -> Iterator[Figure]:
    yield from _import("import-sqlite", plan, postgres=False)


def _import_postgres(plan: Plan) -> Iterator[Figure]:
    yield from _import("import-postgres", plan, postgres=True)


def _metrics(plan: Plan) -> Iterator[Figure]:
    from qunce.analytics.registry import all_metrics

    for facts, target in plan.sizes.facts:
        folder = str(plan.mirror(facts))
        pandas = plan.shop.run("metrics:pandas_dau", {"folder": folder, "runs": plan.sizes.few_runs})
        for metric in all_metrics():
            plan.shop.say(f"{metric.id} over {facts:,} facts")
            cuts: list[list[str]] = [[], ["day"]] if "day" in metric.by else [[]]
            asked: dict[str, Any] = {"folder": folder, "metric_id": metric.id, "runs": plan.sizes.few_runs}
            done = [plan.shop.run("metrics:compute", asked | {"by": by}) for by in cuts]
            # The count of each day is what pandas does; of other metrics the slower cut is shown.
            place = len(cuts) - 1 if metric.id == "dau" else done.index(max(done, key=lambda one: median(one["seconds"])))
            compared = {"baseline": "pandas, same files", "baseline_value": median(pandas["seconds"])}
            yield Figure(
                case="metrics", name=f"metric {metric.id}", size=f"{facts:,} facts, {'by day' if cuts[place] else 'whole'}",
                unit="s", target=target, **(compared if metric.id == "dau" else {}), **of_seconds(done[place]),
            )  # fmt: skip


def _segments(plan: Plan) -> Iterator[Figure]:
    from qunce.runtime.bench.work.segments import ONE

    for facts, target in plan.sizes.facts:
        folder, size = str(plan.mirror(facts)), f"{facts:,} facts"
        plan.shop.run("segments:prepare", {"folder": folder})
        asked: dict[str, Any] = {"folder": folder, "runs": plan.sizes.few_runs}
        together = plan.shop.run("segments:evaluate", asked | {"wanted": []})
        by_cpu = {"value": median(together["cpu"]), "best": min(together["cpu"])}
        yield Figure(
            case="segments", name="all example segments", size=size, unit="CPU s",
            target=max(2.0, facts * SEGMENTS_S / 100_000_000), **of_seconds(together) | by_cpu,
        )  # fmt: skip
        alone = plan.shop.run("segments:evaluate", asked | {"wanted": [ONE]})
        pandas = plan.shop.run("segments:pandas_one", asked)
        if alone["found"] != pandas["found"]:
            raise RuntimeError(f"pandas finds {pandas['found']} in {ONE}, we find {alone['found']}")
        yield Figure(
            case="segments", name=f"segment {ONE}", size=size, unit="s", target=target, baseline="pandas, same files",
            baseline_value=median(pandas["seconds"]), **of_seconds(alone),
        )  # fmt: skip
        yield from _beside(plan, folder, size, alone)
    one = plan.shop.run("segments:one_member", {"runs": plan.sizes.few_runs})
    yield Figure(
        case="segments", name="one member, one segment", size="2,000 events", unit="ms", target=1.0,
        **of_seconds(one, 1_000 / one["judged"]),
    )  # fmt: skip


def _beside(plan: Plan, folder: str, size: str, alone: dict[str, Any]) -> Iterator[Figure]:
    """Yield RFM beside pandas, and one segment beside PostgreSQL where there is a server and the facts are few."""
    asked: dict[str, Any] = {"folder": folder, "runs": plan.sizes.few_runs}
    ours, pandas = plan.shop.run("segments:rfm", asked), plan.shop.run("segments:pandas_rfm", asked)
    if (ours["found"], ours["total"]) != (pandas["found"], pandas["total"]):
        raise RuntimeError(f"pandas scores {pandas['found']} buyers {pandas['total']}, we {ours['found']} {ours['total']}")
    yield Figure(
        case="segments", name="rfm", size=f"{ours['found']:,} buyers of a year", unit="s", baseline="pandas, same files",
        baseline_value=median(pandas["seconds"]), **of_seconds(ours),
    )  # fmt: skip
    if plan.shop.run("segments:rows", {"folder": folder})["facts"] > MOST_IN_POSTGRES:
        return
    rows = plan.shop.run("segments:postgres_one", asked | {"url": plan.shop.new_postgres()})
    if rows["found"] != alone["found"]:
        raise RuntimeError(f"PostgreSQL finds {rows['found']}, we find {alone['found']}")
    yield Figure(
        case="segments", name="segment loyal by PostgreSQL", size=size, unit="s", baseline="PostgreSQL, same SQL, indexed",
        baseline_value=median(rows["seconds"]), **of_seconds(alone),
    )  # fmt: skip


def _segments_live(plan: Plan) -> Iterator[Figure]:
    asked = {"stored": 20_000, "rate": FOLLOW_PER_S, "seconds": plan.sizes.live_seconds}
    done = plan.shop.run("following:follow", asked, data=plan.shop.new_folder())
    size = f"{FOLLOW_PER_S} events/s for {plan.sizes.live_seconds:g} s, one in twenty a first order"
    for percent in (50, 99):
        worst = done["ms"][min(len(done["ms"]) - 1, len(done["ms"]) * percent // 100)]
        yield Figure(
            case="segments-live", name=f"event to entered p{percent}", size=size, unit="s", value=worst / 1000,
            runs=len(done["ms"]), target=FOLLOW_S, peak_mb=done["peak_mb"],
        )  # fmt: skip


def _search(plan: Plan) -> Iterator[Figure]:
    folder, stored = plan.community
    found = plan.shop.run("searching:words", data=folder)
    for kind in ("rare", "frequent"):
        index = plan.shop.run("searching:index", {"word": found[kind], "runs": plan.sizes.runs * 2}, data=folder)
        like = plan.shop.run("searching:like", {"word": found[kind], "runs": plan.sizes.runs}, data=folder)
        yield Figure(
            case="search", name=f"search {kind} word", size=f"{stored['messages']:,} messages", unit="ms",
            baseline="LIKE '%…%'", baseline_value=median(like["seconds"]) * 1000, **of_seconds(index, 1000),
            note=f"{found[kind]}: {index['found']} shown, LIKE {like['found']}",
        )  # fmt: skip


def _start(plan: Plan) -> Iterator[Figure]:
    folder, runs = plan.shop.new_folder(), plan.sizes.few_runs * 2 - 1
    bare = plan.shop.run("starting:command", {"arguments": ["-c", "pass"], "runs": runs})
    for words in (["--version"], ["metrics"]):
        data = ["--data", str(folder)] if words == ["metrics"] else []
        done = plan.shop.run("starting:command", {"arguments": ["-m", "qunce.runtime.cli", *words, *data], "runs": runs})
        yield Figure(
            case="start", name=f"qunce {words[0]}", size="whole process, quickest run",
            value=min(done["seconds"]), best=min(done["seconds"]),
            by_cpu=done["cpu"][0] / runs, runs=runs, unit="s", target=0.5, baseline="python -c pass",
            baseline_value=min(bare["seconds"]), **costs(done),
        )  # fmt: skip


def _rebuild(plan: Plan) -> Iterator[Figure]:
    folder, stored = plan.community
    read = plan.shop.run("rebuilding:read", data=folder)
    done = plan.shop.run("rebuilding:fold", data=folder)
    events = done["events"]
    yield Figure(
        case="rebuild", name="rebuild and compare", size=f"{stored['events']:,} events", unit="events/s",
        baseline="reading the journal only", baseline_value=events / read["seconds"][0], **of_rates(done, [events]),
    )  # fmt: skip


def _simulate(plan: Plan) -> Iterator[Figure]:
    size = plan.sizes
    asked: dict[str, Any] = {
        "groups": size.groups, "members": size.members, "days": size.simulated_days, "runs": plan.sizes.few_runs,
    }  # fmt: skip
    done = plan.shop.run("simulating:simulate", asked)
    events = done["events"]
    path = str(plan.shop.folder / "simulated.jsonl")
    read = plan.shop.run("simulating:read_json", asked | {"path": path})
    yield Figure(
        case="simulate", name="simulate", size=f"{events:,} events", unit="events/s",
        baseline="json.loads of the same", baseline_value=events / median(read["seconds"]),
        **of_rates(done, [events] * plan.sizes.few_runs),
    )  # fmt: skip


CASES: Final[dict[str, Case]] = {
    "append-sqlite": Case(title="journal append into SQLite, durable batches of 1,000", figures=_append_sqlite),
    "append-postgres": Case(title="journal append into PostgreSQL, durable batches of 1,000", figures=_append_postgres),
    "import-sqlite": Case(title="import into SQLite with projection and search, speed and memory", figures=_import_sqlite),
    "import-postgres": Case(title="the same into PostgreSQL", figures=_import_postgres),
    "pages": Case(title="server CPU of every console page on a large community", figures=pages),
    "metrics": Case(title="every registry metric over a large mirror", figures=_metrics),
    "segments": Case(title="the example segments over a large mirror, and over one member", figures=_segments),
    "segments-live": Case(title="from an event to who entered a segment by it", figures=_segments_live),
    "search": Case(title="search for words of two characters", figures=_search),
    "start": Case(title="start-up of the command line", figures=_start),
    "rebuild": Case(title="folding the whole journal again and comparing", figures=_rebuild),
    "simulate": Case(title="speed of the simulator", figures=_simulate),
    "decide": Case(title="whole decisions on messages, on one core", figures=decide),
    "decide-light": Case(title="decisions without the text models", figures=decide_light),
    "state": Case(title="memory of the engine's state", figures=state),
    "replay": Case(title="playbooks over the stored past, on one core and on two", figures=replay),
    "live": Case(title="a running server, from the webhook to the durable decision", figures=live),
}  # fmt: skip
