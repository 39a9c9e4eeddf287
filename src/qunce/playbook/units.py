"""Read and write durations, hours of the week and templates as they stand in a playbook.

A duration is a whole number with a unit, `90s`, `30m`, `24h`, `30d`, kept as seconds. Hours of the week are
`22:30-08:00`, optionally after days: `mon-fri 09:00-18:00`, `sat,sun 10:00-12:00`; they may run over midnight and then
belong to the day they start on.
"""

from __future__ import annotations

import re
import string
from typing import Final

import msgspec

UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_DURATION: Final = re.compile(r"([1-9]\d{0,5})([smhd])")
_HOURS: Final = re.compile(r"(?:([a-z,\-]+) )?([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")


def parse_duration(text: str) -> int:
    """Return the seconds of `30m`. Raises ValueError on anything else; zero does not exist."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError("a duration is a whole number and a unit, such as 90s, 30m, 24h, 30d")
    return int(match[1]) * UNITS[match[2]]


def format_duration(seconds: int) -> str:
    """Return the shortest exact way to write `seconds`."""
    for unit, size in UNITS.items():
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    raise AssertionError("one second divides every whole number")


_ZH_UNITS: Final = {"d": " 天", "h": " 小时", "m": " 分钟", "s": " 秒"}
_EN_UNITS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def say_duration(seconds: int, language: str) -> str:
    """Return a duration as people say it; `language` is `zh` or `en`."""
    written = format_duration(seconds)
    count, unit = int(written[:-1]), written[-1]
    if language == "zh":
        return f"{count}{_ZH_UNITS[unit]}"
    return f"{count} {_EN_UNITS[unit]}{'' if count == 1 else 's'}"


class Hours(msgspec.Struct, frozen=True):
    """A span of the local day on some days of the week (0 = Monday)."""

    days: tuple[int, ...]
    start_min: int
    end_min: int
    """Minute of the day at which it ends; not later than `start_min` means on the next day."""

    def holds(self, weekday: int, minute: int) -> bool:
        """Tell whether local `minute` of `weekday` lies inside."""
        if self.start_min < self.end_min:
            return weekday in self.days and self.start_min <= minute < self.end_min
        late = weekday in self.days and minute >= self.start_min
        early = (weekday - 1) % 7 in self.days and minute < self.end_min
        return late or early

    def minutes_left(self, minute: int) -> int:
        """Return how many minutes remain until the end, for a local `minute` inside."""
        return (self.end_min - minute) % 1_440


def _parse_days(text: str) -> tuple[int, ...]:
    days: set[int] = set()
    for piece in text.split(","):
        first, _, last = piece.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError("days are mon, tue, wed, thu, fri, sat, sun, as mon-fri or sat,sun")
        start, end = DAYS.index(first), DAYS.index(last or first)
        days.update((start + step) % 7 for step in range((end - start) % 7 + 1))
    return tuple(sorted(days))


def parse_hours(text: str) -> Hours:
    """Return the hours of `mon-fri 09:00-18:00`. Raises ValueError with what is expected."""
    match = _HOURS.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError("hours are written 22:30-08:00 or mon-fri 09:00-18:00")
    start, end = int(match[2]) * 60 + int(match[3]), int(match[4]) * 60 + int(match[5])
    if start == end:
        raise ValueError("hours that start when they end are empty")
    return Hours(days=_parse_days(match[1]) if match[1] else tuple(range(7)), start_min=start, end_min=end)


def placeholders(template: str) -> tuple[str, ...]:
    """Return the names in braces, in order. Raises ValueError when the braces do not match."""
    return tuple(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)
