"""The case of the console's pages."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from qunce.runtime.bench.figures import Figure
from qunce.runtime.bench.plan import Plan

PAGE_MS: Final = 100
NAIVE: Final = {
    "groups": "counting all messages by group",
    "members": "counting all messages by member",
    "overview": "counting all messages by day",
    "search ?q=": "LIKE '%…%' alone",
}
"""What is compared with a page: its central numbers, counted at the moment of asking."""


def pages(plan: Plan) -> Iterator[Figure]:
    """Yield the CPU of each page, in milliseconds."""
    folder, stored = plan.community
    plan.shop.say("asking for pages")
    done = plan.shop.run("pages:measure", {"runs": plan.sizes.runs}, data=folder)
    queries = plan.shop.run("pages:naive", {"runs": plan.sizes.few_runs}, data=folder)["queries"]
    size = f"{stored['messages']:,} messages, {stored['members']:,} members, {stored['groups']:,} groups"
    for name, timed in done["pages"].items():
        naive = queries.get(name)
        cpu = timed["cpu"]
        yield Figure(
            case="pages", name=f"page {name}", size=size, value=median(cpu) * 1000, best=min(cpu) * 1000, runs=len(cpu),
            unit="ms CPU", target=PAGE_MS, cpu_s=sum(cpu), peak_mb=done["peak_mb"],
            baseline=NAIVE[name] if naive else "", baseline_value=median(naive["cpu"]) * 1000 if naive else None,
            note=f"{median(timed['seconds']) * 1000:.1f} ms wall, {timed['bytes']:,} bytes",
        )  # fmt: skip
    for name, why in done["skipped"].items():
        plan.shop.say(f"page {name} is left out: {why}")
