"""Score a group's health from 0 to 100, as a sum of few named parts that anybody can check.

Each part is a ratio, stretched between a worst and a best value and cut off there, times its weight. A part without data is
left out, and the others are scaled up to 100. docs/algorithms/group-health.md works it through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Inputs = Mapping[str, Any]
WINDOW_DAYS: Final = 28
SMALLEST: Final = 5
"""Members below which a group gets no score: one person more or less would swing it."""
YOUNGEST_DAYS: Final = 14
FEWEST_QUESTIONS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part: its weight in points, the ratio it rests on, and the ratios that earn nothing and everything."""

    id: str
    weight: int
    name_zh: str
    name_en: str
    formula_zh: str
    formula_en: str
    worst: float
    best: float
    ratio: Callable[[Inputs], float | None]
    """None = no data, the part is left out."""

    def points(self, inputs: Inputs) -> float | None:
        """Return the points earned, 0 to `weight`, to one decimal; None = no data."""
        ratio = self.ratio(inputs)
        if ratio is None:
            return None
        share = (ratio - self.worst) / (self.best - self.worst)
        return round(self.weight * min(1.0, max(0.0, share)), 1)


def last_days_of_weeks(since_day: int, until_day: int) -> tuple[tuple[int, int], ...]:
    """Return each week that has a day in the period, as its Monday and its last day in the period."""
    first = since_day - (since_day + 3) % 7
    return tuple((monday, min(monday + 6, until_day)) for monday in range(first, until_day + 1, 7))


def _active(inputs: Inputs) -> float | None:
    return inputs["active"] / inputs["members"] if inputs["members"] else None


def _two_way(inputs: Inputs) -> float:
    return inputs["two_way"] / inputs["messages"] if inputs["messages"] else 0.0


def _growth(inputs: Inputs) -> float | None:
    if not inputs["members_start"] or not (inputs["joined"] or inputs["left"]):
        return None
    growth: float = (inputs["joined"] - inputs["left"]) / inputs["members_start"]
    return growth


def _answers(inputs: Inputs) -> float | None:
    return inputs["fast"] / inputs["questions"] if inputs["questions"] >= FEWEST_QUESTIONS else None


def _concentration(inputs: Inputs) -> float:
    return inputs["busiest_three"] / inputs["messages"] if inputs["messages"] else 1.0


PARTS: Final = (
    Part(
        id="active", weight=25, name_zh="活跃成员占比", name_en="Active share",
        formula_zh="28 天活跃成员 ÷ 28 天内在群成员；0% 得 0 分，30% 得满分",
        formula_en="members active in 28 days ÷ members there in them; 0% earns nothing, 30% everything",
        worst=0.0, best=0.30, ratio=_active,
    ),
    Part(
        id="two_way", weight=20, name_zh="双向交流", name_en="Two-way talk",
        formula_zh="同一小时内至少有两位成员发言时的消息 ÷ 全部成员消息；0% 得 0 分，80% 得满分",
        formula_en="messages sent in hours in which two or more members spoke ÷ all members' messages; 0% to 80%",
        worst=0.0, best=0.80, ratio=_two_way,
    ),
    Part(
        id="growth", weight=20, name_zh="净增长", name_en="Net growth",
        formula_zh="（新增 - 离开）÷ 期初成员；-5% 得 0 分，+5% 得满分；没有进退群记录时不计",
        formula_en="(joined - left) ÷ members at the start; -5% to +5%; left out where no joins or leaves were reported",
        worst=-0.05, best=0.05, ratio=_growth,
    ),
    Part(
        id="answers", weight=20, name_zh="应答速度", name_en="Answer speed",
        formula_zh="3 分钟内得到员工回答的提问 ÷ 全部提问；0% 得 0 分，90% 得满分；提问少于 5 个时不计",
        formula_en="questions staff answered within 3 minutes ÷ all questions; 0% to 90%; left out below 5 questions",
        worst=0.0, best=0.90, ratio=_answers,
    ),
    Part(
        id="spread", weight=15, name_zh="发言分散度", name_en="Spread of talk",
        formula_zh="发言最多的三人的消息 ÷ 全部成员消息；100% 得 0 分，30% 及以下得满分",
        formula_en="messages of the three busiest members ÷ all members' messages; 100% earns nothing, 30% or less everything",
        worst=1.0, best=0.30, ratio=_concentration,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A group's score, or the reason it has none; `parts` holds the points of each part (None = left out)."""

    score: float | None
    reason: str
    """Empty, `too_small` or `too_new`."""
    parts: tuple[tuple[Part, float | None], ...]


def score(inputs: Inputs, until_day: int) -> Health:
    """Score one group from the integers of `metrics.group_health.inputs`, for the 28 days that end on `until_day`."""
    parts = tuple((part, part.points(inputs)) for part in PARTS)
    if inputs["members"] < SMALLEST:
        return Health(score=None, reason="too_small", parts=parts)
    if until_day - inputs["first_day"] < YOUNGEST_DAYS:
        return Health(score=None, reason="too_new", parts=parts)
    weights = sum(part.weight for part, points in parts if points is not None)
    earned = sum(points for _, points in parts if points is not None)
    return Health(score=round(earned / weights * 100, 1), reason="", parts=parts)
