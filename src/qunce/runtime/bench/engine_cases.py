"""The cases of the decision core: decisions alone, without a database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from qunce.runtime.bench.figures import Figure
from qunce.runtime.bench.plan import Plan, costs, of_rates

DECIDE_PER_S: Final = 20_000
LIGHT_PER_S: Final = 150_000
P50_US: Final = 50
P99_US: Final = 1_000
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


def _beside(bots: dict[str, Any], value: float | None) -> dict[str, Any]:
    if bots["absent"]:
        return {"note": NO_BOTS}
    return {"baseline": f"NoneBot2 {bots['version']}, one empty handler", "baseline_value": value}


def _rate(bots: dict[str, Any], events: int) -> float | None:
    return None if bots["absent"] else events / bots["cpu"][0]


def _rank(nanoseconds: Sequence[int], percent: int) -> float:
    """Return the value at that rank, in µs."""
    return sorted(nanoseconds)[(len(nanoseconds) - 1) * percent // 100] / 1_000
