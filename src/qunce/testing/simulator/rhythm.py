"""Tell when people in China chat, buy and rest: hours, weekdays, festivals. Local time is UTC+8, without summer time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000
OFFSET: Final = 8 * HOUR
"""Asia/Shanghai minus UTC, in milliseconds."""

DUTY_HOURS: Final = range(9, 22)
"""Local hours in which staff answer."""

_EPOCH: Final = date(1970, 1, 1)
_HOURS: Final = (
    1.6,
    0.7,
    0.3,
    0.15,
    0.15,
    0.3,
    0.9,
    2.0,
    3.2,
    4.0,
    4.4,
    4.8,
    5.6,
    4.6,
    3.6,
    3.6,
    3.8,
    4.2,
    4.8,
    6.4,
    8.6,
    9.2,
    6.8,
    3.6,
)
"""Share of an ordinary day's talk by local hour: a peak at noon, a higher one from 20 to 22."""

_LUNAR: Final[Mapping[str, tuple[tuple[int, int, int], ...]]] = {
    "春节": ((2024, 2, 10), (2025, 1, 29), (2026, 2, 17), (2027, 2, 6), (2028, 1, 26)),
    "端午": ((2024, 6, 10), (2025, 5, 31), (2026, 6, 19), (2027, 6, 9), (2028, 5, 28)),
    "中秋": ((2024, 9, 17), (2025, 10, 6), (2026, 9, 25), (2027, 9, 15), (2028, 10, 3)),
}  # fmt: skip
"""First days of the festivals of the lunar calendar; years outside the table go without."""

_FIXED: Final[Mapping[tuple[int, int], str]] = {
    (1, 1): "元旦",
    (3, 8): "女神节",
    (6, 18): "618",
    (10, 1): "国庆",
    (11, 11): "双十一",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Festival:
    """How a festival changes one day; factors on the ordinary rates."""

    name: str
    talk: float
    orders: float
    joins: float


_SHOPPING: Final = frozenset({"双十一", "618", "女神节"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One local day and its factors."""

    index: int
    """Local days since 1970-01-01."""
    weekday: int
    """Monday is 0."""
    festival: Festival | None

    @property
    def start_ms(self) -> int:
        """Local midnight."""
        return self.index * DAY - OFFSET

    @property
    def date(self) -> date:
        """The calendar date."""
        return _EPOCH + timedelta(days=self.index)

    @property
    def is_member_day(self) -> bool:
        """会员日: every Wednesday."""
        return self.weekday == 2

    @property
    def talk(self) -> float:
        """Factor on talk."""
        return (
            (1.15 if self.weekday >= 5 else 1.0)
            * (1.2 if self.is_member_day else 1.0)
            * (self.festival.talk if self.festival else 1)
        )

    @property
    def orders(self) -> float:
        """Factor on orders."""
        return (
            (1.1 if self.weekday >= 5 else 1.0)
            * (2.4 if self.is_member_day else 1.0)
            * (self.festival.orders if self.festival else 1)
        )

    @property
    def joins(self) -> float:
        """Factor on joins."""
        return (
            (1.3 if self.weekday >= 5 else 1.0)
            * (1.5 if self.is_member_day else 1.0)
            * (self.festival.joins if self.festival else 1)
        )


def _festival_of(day: date) -> Festival | None:
    fixed = _FIXED.get((day.month, day.day))
    if fixed in _SHOPPING:
        return Festival(name=fixed, talk=2.6, orders=5.0 if fixed == "双十一" else 3.5, joins=3.0)
    if fixed:
        return Festival(name=fixed, talk=1.3, orders=1.2, joins=1.1)
    for name, starts in _LUNAR.items():
        length = 7 if name == "春节" else 3
        for start in starts:
            # 春节 begins on the eve: wishes are sent before midnight.
            if -1 <= (day - date(*start)).days < length - 1:
                return Festival(name=name, talk=1.7, orders=0.45 if name == "春节" else 1.4, joins=0.6)
    return None


@cache
def day_of(index: int) -> Day:
    """Return the local day with this number since 1970-01-01."""
    calendar = _EPOCH + timedelta(days=index)
    return Day(index=index, weekday=calendar.weekday(), festival=_festival_of(calendar))


def local_day(ts_ms: int) -> int:
    """Return the number of the local day of an instant."""
    return (ts_ms + OFFSET) // DAY


def local_hour(ts_ms: int) -> int:
    """Return the local hour of an instant, 0–23."""
    return (ts_ms + OFFSET) % DAY // HOUR


def cumulative_hours(factors: Mapping[int, float]) -> list[float]:
    """Return the common rhythm with `factors` applied, as cumulative weights of the 24 hours."""
    return list(accumulate(weight * factors.get(hour, 1.0) for hour, weight in enumerate(_HOURS)))


def poisson(uniform: float, mean: float) -> int:
    """Return the Poisson number with this mean for a uniform draw in [0, 1); large means by the normal approximation."""
    if mean <= 0:
        return 0
    if mean > 60:
        # The logistic curve stands in for the normal one: its inverse needs one logarithm.
        u = min(max(uniform, 1e-9), 1 - 1e-9)
        return max(0, round(mean + math.sqrt(mean) * 0.5513 * math.log(u / (1 - u))))
    count, term = 0, math.exp(-mean)
    total = term
    while uniform > total and count < 200:
        count += 1
        term *= mean / count
        total += term
    return count
