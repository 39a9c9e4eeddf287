"""What all cases share: the plan of a run, and how timed stretches become a figure."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from qunce.runtime.bench.children import Workshop
from qunce.runtime.bench.sizes import Sizes


@dataclass(frozen=True)
class Plan:
    """One run: how much, and where."""

    sizes: Sizes
    shop: Workshop

    @cached_property
    def community(self) -> tuple[Path, dict[str, Any]]:
        """The data folder of the stored community, made once, and what is in it."""
        size = self.sizes
        asked = {"groups": size.groups, "members": size.members, "days": size.days}
        folder = self.shop.keep / f"community-{size.groups}-{size.members}-{size.days}"
        ready = folder / "bench.json"
        if not ready.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half of one, from a run that was broken off
            self.shop.say(f"filling a data folder: {size.groups:,} groups, {size.members:,} members")
            made = self.shop.run("store:prepare", asked, data=folder)
            ready.write_text(json.dumps(made), encoding="utf-8")
        return folder, json.loads(ready.read_text("utf-8"))

    def mirror(self, facts: int) -> Path:
        """Return the folder of a mirror of that many facts, made once."""
        folder = self.shop.keep / f"mirror-{facts}-{self.sizes.fact_members}"
        if not (folder / "bench.json").exists():
            shutil.rmtree(folder, ignore_errors=True)
            self.shop.say(f"making a mirror of {facts:,} facts")
            made = self.shop.run(
                "metrics:prepare", params={"folder": str(folder), "facts": facts, "members": self.sizes.fact_members}
            )
            (folder / "bench.json").write_text(json.dumps(made), encoding="utf-8")
        return folder


def of_seconds(done: dict[str, Any], factor: float = 1.0) -> dict[str, Any]:
    """Return the fields of a figure in seconds (× `factor`) from a child's stretches."""
    seconds = done["seconds"]
    by_cpu = median(done["cpu"]) * factor
    return {"value": median(seconds) * factor, "best": min(seconds) * factor, "by_cpu": by_cpu, "runs": len(seconds)} | costs(
        done
    )


def of_rates(done: dict[str, Any], counts: Sequence[int]) -> dict[str, Any]:
    """Return the fields of a figure in things a second from a child's stretches, where `counts` things were done in each."""
    rates = [count / second for count, second in zip(counts, done["seconds"], strict=True)]
    by_cpu = sum(counts) / sum(done["cpu"])
    return {
        "value": median(rates), "best": max(rates), "by_cpu": by_cpu, "runs": len(rates), "more_is_better": True,
    } | costs(done)  # fmt: skip


def costs(done: dict[str, Any]) -> dict[str, Any]:
    """Return CPU and memory of a child."""
    return {"cpu_s": sum(done["cpu"]), "peak_mb": done["peak_mb"]}
