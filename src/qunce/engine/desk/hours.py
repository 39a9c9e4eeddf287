"""Count time inside duty hours only: shifts less breaks, without holidays, exact in any time zone.

A shift belongs to the local day it starts on, also when it runs over midnight; a holiday drops the shifts that start on it.
docs/algorithms/answer-clock.md works examples.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from qunce.domain.localtime import LocalClock, date_day, day_date
from qunce.playbook.schema import Duty, Holidays
from qunce.playbook.units import DAYS, Hours, parse_hours

NEVER: Final = 1 << 60
"""A moment that does not come, in ms."""
_HORIZON_DAYS: Final = 400
_CACHED_DAYS: Final = 2_000


class Span(NamedTuple):
    """A stretch of duty, [start, end) in ms, and who is rostered for it."""

    start_ms: int
    end_ms: int
    staff: tuple[str, ...]


class DutyHours:
    """The duty roster as time. Equal rosters count alike; what is cached is worked out again when dropped."""

    def __init__(self, duty: Duty, holidays: Holidays | None, time_zone: str) -> None:
        self._zone = ZoneInfo(time_zone)
        self._clock = LocalClock(self._zone)
        self._shifts = tuple(
            (parse_hours(shift.hours), tuple(map(parse_hours, shift.breaks)), shift.staff) for shift in duty.shifts
        )
        self._weekdays = _exceptions(holidays)
        self._days: dict[int, tuple[Span, ...]] = {}

    def between(self, start_ms: int, end_ms: int) -> int:
        """Return the duty time from `start_ms` to `end_ms` in ms; 0 when the end is not later."""
        total = 0
        if end_ms <= start_ms:
            return 0
        for opens, closes in self._stretches(start_ms):
            if opens >= end_ms:
                break
            total += max(0, min(closes, end_ms) - max(opens, start_ms))
        return total

    def add(self, start_ms: int, duration_ms: int) -> int:
        """Return the moment when `duration_ms` of duty time have passed since `start_ms`; NEVER if not in 400 days.

        A duration that ends with a shift ends there, not at the beginning of the next one.
        """
        left = duration_ms
        for opens, closes in self._stretches(start_ms):
            begin = max(opens, start_ms)
            if closes - begin >= left:
                return begin + left
            left -= max(0, closes - begin)
        return NEVER

    def on_duty(self, ts_ms: int) -> tuple[str, ...]:
        """Return who is rostered at a moment; empty when nobody is, or nobody in particular."""
        day = self._clock.day(ts_ms)
        spans = (span for back in (day - 1, day) for span in self._spans(back))
        return tuple(dict.fromkeys(name for span in spans if span.start_ms <= ts_ms < span.end_ms for name in span.staff))

    def _stretches(self, start_ms: int) -> Iterator[tuple[int, int]]:
        """Yield disjoint stretches of duty in order of time, from those that end after `start_ms` on."""
        first = self._clock.day(start_ms) - 1
        reached = start_ms
        for day in range(first, first + _HORIZON_DAYS):
            for span in self._spans(day):
                if span.end_ms > reached:
                    yield max(span.start_ms, reached), span.end_ms
                    reached = span.end_ms

    def _spans(self, day: int) -> tuple[Span, ...]:
        spans = self._days.get(day)
        if spans is None:
            if len(self._days) >= _CACHED_DAYS:
                self._days.clear()
            spans = self._days[day] = tuple(sorted(self._cut(day)))
        return spans

    def _cut(self, day: int) -> Iterator[Span]:
        weekday = self._weekdays.get(day, day_date(day).weekday())
        for hours, breaks, staff in self._shifts:
            if weekday not in hours.days:
                continue
            pieces = [self._instants(day, hours)]
            for pause in breaks:
                for near in (day - 1, day, day + 1):
                    if day_date(near).weekday() in pause.days or near == day:
                        pieces = _without(pieces, self._instants(near, pause))
            for start, end in pieces:
                yield Span(start, end, staff)

    def _instants(self, day: int, hours: Hours) -> tuple[int, int]:
        end = hours.end_min if hours.end_min > hours.start_min else hours.end_min + 1_440
        return self._instant(day, hours.start_min), self._instant(day, end)

    def _instant(self, day: int, minute: int) -> int:
        """Return the moment a local clock shows `minute` of `day`; a minute that summer time skips is the one after the gap."""
        wall = datetime.combine(day_date(day), time()) + timedelta(minutes=minute)
        return int(wall.replace(tzinfo=self._zone).timestamp() * 1_000)


def _without(pieces: list[tuple[int, int]], hole: tuple[int, int]) -> list[tuple[int, int]]:
    left = []
    for start, end in pieces:
        apart = hole[0] >= end or hole[1] <= start
        left += [(start, end)] if apart else [(start, min(end, hole[0])), (max(start, hole[1]), end)]
    return [(start, end) for start, end in left if start < end]


def _exceptions(holidays: Holidays | None) -> dict[int, int]:
    """Return the day of the week that counts on days of the holidays; -1 = closed."""
    if holidays is None:
        return {}
    days = {}
    for closed in holidays.closed:
        first, last = (date_day(date.fromisoformat(text)) for text in (closed.first, closed.last or closed.first))
        days.update(dict.fromkeys(range(first, last + 1), -1))
    for workday in holidays.workdays:
        days[date_day(date.fromisoformat(workday.date))] = DAYS.index(workday.like)
    return days
