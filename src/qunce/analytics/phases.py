"""Tell from data in which phase of its life a group is, and what could be done about it, each with its reasons.

Plain arithmetic over the integers of two neighbouring windows of `metrics.group_health.inputs`; docs/algorithms/group-phases.md
works it through.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from qunce.analytics.health import WINDOW_DAYS, score

Inputs = Mapping[str, Any]
Phase = Literal["growing", "extending", "winning_back"]
Proposal = Literal["revive", "merge", "retire"]
PHASES: Final[tuple[Phase, ...]] = ("growing", "extending", "winning_back")

YOUNG_DAYS: Final = 60
GROWTH: Final = 0.10
"""Net growth in a window from which a group is growing, whatever its age."""
FADED: Final = 0.5
"""Share of the window before to which messages must fall for a group to need winning back."""
FEWEST_MESSAGES: Final = 20
"""Messages in the window before; below, half of them says nothing."""
QUIET_SHARE: Final = 0.03
"""Share of members who are active, below which an older group needs winning back."""
LEAVING: Final = 0.05
SMALL: Final = 15
WORTH_REVIVING: Final = 20
RETIRE_DAYS: Final = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A phase or a proposal, with the numbers that say why: (code, number, of how many)."""

    code: str
    reasons: tuple[tuple[str, int, int], ...]


def phase(now: Inputs, before: Inputs | None, until_day: int) -> Judged:
    """Return the phase of a group at the end of `now`; `before` is the window before it, None = there is none."""
    age = until_day - now["first_day"] + 1
    net, start = now["joined"] - now["left"], now["members_start"]
    if age <= YOUNG_DAYS:
        return Judged(code="growing", reasons=(("age", age, YOUNG_DAYS),))
    if start and net >= GROWTH * start:
        return Judged(code="growing", reasons=(("growth", net, start),))
    reasons = []
    if before is not None and before["messages"] >= FEWEST_MESSAGES and now["messages"] <= FADED * before["messages"]:
        reasons.append(("faded", now["messages"], before["messages"]))
    if now["members"] and now["active"] < QUIET_SHARE * now["members"]:
        reasons.append(("quiet", now["active"], now["members"]))
    if start and -net >= LEAVING * start:
        reasons.append(("leaving", now["left"], start))
    if reasons:
        return Judged(code="winning_back", reasons=tuple(reasons))
    return Judged(code="extending", reasons=(("active", now["active"], now["members"]),))


def proposal(now: Inputs, before: Inputs | None, until_day: int, others: int) -> Judged | None:
    """Return what could be done about a group; None = leave it as it is.

    `others` counts groups of the same community and type that are larger: without one there is nothing to merge into.
    """
    age = until_day - now["first_day"] + 1
    silent = not now["messages"] and (before is None or not before["messages"])
    if age > RETIRE_DAYS and silent:
        return Judged(code="retire", reasons=(("silent", 0, 2 * WINDOW_DAYS), ("members", now["members"], 0)))
    if age > YOUNG_DAYS and now["members"] < SMALL and others:
        return Judged(code="merge", reasons=(("small", now["members"], SMALL), ("others", others, 0)))
    judged = phase(now, before, until_day)
    health = score(now, until_day).score
    if judged.code == "winning_back" and now["members"] >= WORTH_REVIVING:
        points = (("health", round(health), 100),) if health is not None else ()
        return Judged(code="revive", reasons=(*judged.reasons, *points))
    return None
