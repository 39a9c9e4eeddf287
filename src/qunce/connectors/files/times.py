"""Read the times people and programs write into files.

Accepted: ISO 8601 with or without zone, `2024-2-1 9:05[:00]`, `2024/2/1`, `2024.2.1`, `2024年2月1日 9:05`, a 12-hour clock with
AM/PM or 上午/下午, `20240201`, `20240201103000`, and epochs in seconds, milliseconds or microseconds. Day-first and month-first
forms (`1/2/2024`) are read only where the caller says which they are.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_LOOSE: Final = re.compile(
    r"(?P<a>\d{1,4})\s?[-/.年]\s?(?P<b>\d{1,2})\s?[-/.月]\s?(?P<c>\d{1,4})日?"
    r"(?:[T,\s]+(?P<before>[^\d\s:]{1,6})?\s*(?P<h>\d{1,2})[:时](?P<m>\d{1,2})分?(?::?(?P<s>\d{1,2})秒?(?:[.,](?P<f>\d{1,6})\d*)?)?"
    r"\s*(?P<after>[ap]\.?\s?m\.?)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE,
)
_MORNING: Final = frozenset({"上午", "凌晨", "早上", "清晨", "午前", "am", "a.m."})
_EVENING: Final = frozenset({"下午", "晚上", "傍晚", "午後", "pm", "p.m."})
_NOON: Final = "中午"
_HOUR_CACHE: Final = 4096
_LONGEST: Final = 64
_MILLISECOND: Final = timedelta(milliseconds=1)


def hour_of_12(hour: int, mark: str) -> int | None:
    """Return the hour 0–23 of a clock with `mark` (AM, p. m., 上午, 下午 …; empty = 24 h); None if it is no mark.

    Hours above 12 are taken as they stand: some locales write `15:04 下午`, and some write `00:08 AM`.
    """
    word = mark.lower().replace(" ", "").replace("\u202f", "").replace("\xa0", "")
    if not word:
        return hour
    if word in _MORNING:
        return 0 if hour == 12 else hour
    if word in _EVENING:
        return hour + 12 if hour < 12 else hour
    if word == _NOON:
        return hour + 12 if hour < 6 else hour
    return None


class TimeReader:
    """Turn written times into milliseconds UTC; times without a zone are in `zone`, or in the zone they carry."""

    def __init__(self, zone: ZoneInfo, date_order: str = "ymd") -> None:
        self._zone = zone
        self._order = date_order
        self._hours: dict[str, int] = {}

    def ms(self, value: object) -> int | None:
        """Return the moment `value` names, or None when it names none. Never raises."""
        try:
            if isinstance(value, str):
                return self._text(value)
            if isinstance(value, datetime):
                return self.of(value)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                return _epoch(value)
        except (ValueError, OverflowError):
            return None
        return None

    def of(self, moment: datetime) -> int:
        """Return a moment in milliseconds UTC. Raises OverflowError at the ends of the calendar."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=self._zone)
        return (aware - EPOCH) // _MILLISECOND

    def _text(self, text: str) -> int | None:
        if len(text) >= 19 and text[13] == ":" and text[16] == ":":
            known = self._in_known_hour(text)
            if known is not None:
                return known
        text = text.strip()
        if len(text) > _LONGEST:
            return None
        if _NUMBER.fullmatch(text):
            return self._digits(text)
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            return self._loose(text)
        if len(text) >= 19 and text[13] == ":" and (moment.tzinfo is UTC or (moment.tzinfo is None and self._is_even(moment))):
            if len(self._hours) >= _HOUR_CACHE:
                self._hours.clear()
            self._hours[text[:13] + text[19:][-1:]] = self.of(moment.replace(minute=0, second=0, microsecond=0))
        return self.of(moment)

    def _in_known_hour(self, text: str) -> int | None:
        """Read `2024-02-01 10:05:00`, also with `Z` or `.123Z`, when another time of its hour was read before; else None.

        A busy file repeats its hours, so parsing and the lookup of the zone's offset happen once an hour of the file.
        """
        tail = text[19:]
        start = self._hours.get(text[:13] + tail[-1:])
        if start is None or not (text[14:16].isdecimal() and text[17:19].isdecimal()):
            return None
        minute, second = int(text[14:16]), int(text[17:19])
        if minute > 59 or second > 59:
            return None
        if tail in ("", "Z"):
            return start + minute * 60_000 + second * 1000
        if len(tail) == 5 and tail[0] == "." and tail[4] == "Z" and tail[1:4].isdecimal():
            return start + minute * 60_000 + second * 1000 + int(tail[1:4])
        return None

    def _is_even(self, moment: datetime) -> bool:
        """Tell whether the zone's offset is the same at both ends of the hour, so that it may be kept."""
        first, last = (moment.replace(minute=m, second=0, tzinfo=self._zone).utcoffset() for m in (0, 59))
        return first == last

    def _digits(self, text: str) -> int | None:
        if len(text) == 8 and text[:2] in ("19", "20"):
            return self.of(datetime.strptime(text, "%Y%m%d"))  # noqa: DTZ007 (the zone is added by `of`)
        if len(text) == 14 and text[:2] in ("19", "20"):
            return self.of(datetime.strptime(text, "%Y%m%d%H%M%S"))  # noqa: DTZ007
        return _epoch(float(text) if "." in text else int(text))

    def _loose(self, text: str) -> int | None:
        match = _LOOSE.fullmatch(text)
        if not match:
            return None
        year, month, day = ordered(match["a"], match["b"], match["c"], self._order)
        mark = match["before"] or match["after"] or ""
        hour = hour_of_12(int(match["h"] or 0), mark)
        if hour is None:
            return None
        micro = int((match["f"] or "0").ljust(6, "0"))
        moment = datetime(year, month, day, hour, int(match["m"] or 0), int(match["s"] or 0), micro)  # noqa: DTZ001
        zone = (match["zone"] or "").upper()
        if not zone:
            return self.of(moment)
        sign = -1 if zone[0] == "-" else 1
        offset = timedelta() if zone[0] in "ZUG" else sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        return self.of(moment.replace(tzinfo=UTC) - offset)


def ordered(a: str, b: str, c: str, order: str) -> tuple[int, int, int]:
    """Return (year, month, day) of three written fields; a four-digit first field is the year whatever `order` says."""
    first, second, third = int(a), int(b), int(c)
    if len(a) == 4 or order == "ymd":
        return (first if len(a) > 2 else 2000 + first), second, third
    year = third if len(c) > 2 else 2000 + third
    return (year, second, first) if order == "dmy" else (year, first, second)


def _epoch(number: int | float) -> int | None:
    """Tell seconds, milliseconds and microseconds apart by size: as seconds, 10¹¹ would be the year 5138."""
    size = abs(number)
    if size < 100_000_000_000:
        return round(number * 1000)
    if size < 100_000_000_000_000:
        return round(number)
    return round(number / 1000) if size < 100_000_000_000_000_000 else None
