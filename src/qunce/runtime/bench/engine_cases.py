"""The cases of the decision core: decisions alone, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from qunce.runtime.bench.children import BenchError
from qunce.runtime.bench.figures import Figure
from qunce.runtime.bench.plan import Plan, costs, of_rates

DECIDE_PER_S: Final = 20_000
LIGHT_PER_S: Final = 150_000
P50_US: Final = 50
P99_US: Final = 1_000
REPLAY_PER_S: Final = 20_000
CLOCKS_PER_S: Final = 100_000
LIVE_PER_S: Final = 5_000
LIVE_STEADY: Final = 1_000
LIVE_P99_MS: Final = 50
REPLAY_MB: Final = 400
STATE_MB: Final = 1_536
NO_BOTS: Final = "no comparison: NoneBot2 is not installed (requirements/deep.txt)"


def decide(plan: Plan) -> Iterator[Figure]:
    """Yield the rate of whole decisions, beside a loop over keywords, and their latencies, beside NoneBot2."""
    events, naive_events = plan.sizes.decisions, plan.sizes.naive_decisions
    done = plan.shop.run("deciding:measure", {"kind": "whole", "events": events})
    naive = plan.shop.run("deciding:keyword_loop", {"events": naive_events})
    bots = plan.shop.run("rivals:nonebot", {"events": naive_events})
    size = f"{events:,} messages, {done['mean_chars']:.1f} characters each, 10,000 terms"
    yield Figure(
        case="decide", name="decide", size=size, unit="messages/s", target=DECIDE_PER_S,
        baseline="any(term in text)", baseline_value=naive_events / naive["cpu"][0],
        of_core=True, **of_rates(done, done["counts"]),
    )  # fmt: skip
    yield Figure(
        case="decide", name="decide by NoneBot2", size=f"{events:,} messages, as above", unit="messages/s",
        of_core=True, **of_rates(done, done["counts"]), **_beside(bots, _rate(bots, naive_events)),
    )  # fmt: skip
    for percent, target in ((50, P50_US), (99, P99_US)):
        yield Figure(
            case="decide", name=f"decide p{percent}", size=f"{events:,} messages", value=_rank(done["wall_ns"], percent),
            by_cpu=_rank(done["cpu_ns"], percent), runs=events, unit="µs", target=target, of_core=True, **costs(done),
            **_beside(bots, _rank(bots["cpu_ns"], percent) if not bots["absent"] else None),
        )  # fmt: skip


def decide_light(plan: Plan) -> Iterator[Figure]:
    """Yield the rate of decisions without the text models, beside NoneBot2."""
    events, naive_events = plan.sizes.decisions * 2, plan.sizes.naive_decisions
    bots = plan.shop.run("rivals:nonebot", {"events": naive_events})
    for kind, what in (("light", "flood, clock, 10,000 terms as written"), ("clocks", "flood and clock only")):
        done = plan.shop.run("deciding:measure", {"kind": kind, "events": events})
        yield Figure(
            case="decide-light", name="decide-light" if kind == "light" else f"decide-light {kind}",
            size=f"{events:,} events, {what}", unit="events/s", target=LIGHT_PER_S,
            of_core=True, **of_rates(done, done["counts"]), **_beside(bots, _rate(bots, naive_events)),
        )  # fmt: skip


def state(plan: Plan) -> Iterator[Figure]:
    """Yield the memory of the engine's state when all its windows are full."""
    groups, members = plan.sizes.state_groups, plan.sizes.state_members
    done = plan.shop.run("holding:fill", {"groups": groups, "members": members})
    yield Figure(
        case="state", name="state", size=f"{done['groups']:,} groups, {done['members']:,} members, all windows full",
        value=done["held_mb"], unit="MB", target=STATE_MB, baseline="its checkpoint on the disk",
        baseline_value=done["checkpoint_mb"], note=f"{done['events']:,} events folded", **costs(done),
    )  # fmt: skip


def replay(plan: Plan) -> Iterator[Figure]:
    """Yield the rate of replays of the stored community: with full moderation, without, and on two cores."""
    folder, stored = plan.community
    naive = plan.shop.run("replaying:keyword_loop", {"messages": plan.sizes.naive_decisions}, data=folder)
    by_loop = naive["messages"] / naive["cpu"][0]
    size = f"{stored['messages']:,} messages among {stored['events']:,} events"
    alone: dict[str, Any] = {}
    for kind, target in (("whole", REPLAY_PER_S), ("clocks", CLOCKS_PER_S)):
        done = plan.shop.run("replaying:measure", {"kind": kind, "processes": 1}, data=folder)
        alone = alone or done
        compared = {"baseline": "any(term in text)", "baseline_value": by_loop} if kind == "whole" else {}
        yield Figure(
            case="replay", name=f"replay {kind}", size=size, unit="messages/s", target=target, of_core=True,
            **compared, **of_rates(done, [done["messages"]]),
        )  # fmt: skip
    both = plan.shop.run("replaying:measure", {"kind": "whole", "processes": 2}, data=folder)
    if both["decisions"] != alone["decisions"]:
        raise BenchError(f"two processes decide {both['decisions']} times, one {alone['decisions']}")
    yield Figure(
        case="replay", name="replay whole, 2 processes", size=f"{size}, {alone['largest_share']:.0%} in one group",
        unit="messages/s", baseline="one process", baseline_value=alone["messages"] / alone["seconds"][0],
        **of_rates(both, [both["messages"]]),
    )  # fmt: skip
    yield Figure(
        case="replay", name="replay memory", size=size, value=alone["peak_mb"], unit="MB", target=REPLAY_MB,
        baseline="two processes, the first of them", baseline_value=both["peak_mb"],
    )  # fmt: skip


def live(plan: Plan) -> Iterator[Figure]:
    """Yield how many events a running server takes and decides on, and how long a decision takes to be durable."""
    seconds = plan.sizes.live_seconds
    shown = f"{seconds:g} s, whole playbook, dashboard opened each second"

    def run(each: int, per_second: int) -> dict[str, Any]:
        plan.shop.say(f"sending {each} events a request, {per_second or 'as many as go'} a second")
        asked = {"seconds": seconds, "each": each, "per_second": per_second}
        done = plan.shop.run("living:measure", asked, data=plan.shop.new_folder())
        if done["lost"] or done["refused"]:
            raise BenchError(f"{done['lost']} events were not decided on, {done['refused']} requests were refused")
        return done

    single, many, steady = run(1, 0), run(50, 0), run(10, LIVE_STEADY)
    yield Figure(
        case="live", name="live", size=f"50 events a request, {shown}", unit="events/s", target=LIVE_PER_S,
        baseline="one event a request", baseline_value=single["events"] / single["seconds"][0],
        **of_rates(many, [many["events"]]),
    )  # fmt: skip
    for percent, target in ((50, None), (99, LIVE_P99_MS)):
        yield Figure(
            case="live", name=f"live p{percent}", size=f"{LIVE_STEADY:,} events/s, 10 a request, {shown}",
            value=ranked(steady["delay_ms"], percent), runs=steady["events"], unit="ms", target=target,
            baseline="one event a request, as many as go", baseline_value=ranked(single["delay_ms"], percent), **costs(steady),
        )  # fmt: skip


def _beside(bots: dict[str, Any], value: float | None) -> dict[str, Any]:
    if bots["absent"]:
        return {"note": NO_BOTS}
    return {"baseline": f"NoneBot2 {bots['version']}, one empty handler", "baseline_value": value}


def _rate(bots: dict[str, Any], events: int) -> float | None:
    return None if bots["absent"] else events / bots["cpu"][0]


def _rank(nanoseconds: Sequence[int], percent: int) -> float:
    """Return the value at that rank, in µs."""
    return ranked(sorted(nanoseconds), percent) / 1_000


def ranked(values: Sequence[float], percent: int) -> float:
    """Return the value at that rank of values that are in order."""
    return values[(len(values) - 1) * percent // 100]
