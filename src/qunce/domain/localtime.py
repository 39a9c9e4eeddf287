"""Turn milliseconds into local days and hours of a zone, fast and exactly, daylight saving included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
_QUARTER_MS: Final = 900_000
_EPOCH: Final = date(1970, 1, 1)


class LocalClock:
    """Local days and hours in one zone. Offsets are looked up once a quarter of an hour, since none changes in between."""

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self._offsets: dict[int, int] = {}

    def offset_ms(self, ts_ms: int) -> int:
        """Return what to add to `ts_ms` to read local time as if it were UTC."""
        quarter = ts_ms // _QUARTER_MS
        offset = self._offsets.get(quarter)
        if offset is None:
            if len(self._offsets) > 200_000:
                self._offsets.clear()
            moment = datetime.fromtimestamp(quarter * _QUARTER_MS / 1000, UTC).astimezone(self.zone)
            delta = moment.utcoffset() or timedelta(0)
            offset = self._offsets[quarter] = int(delta.total_seconds() * 1000)
        return offset

    def day(self, ts_ms: int) -> int:
        """Return the number of the local day since 1970-01-01."""
        return (ts_ms + self.offset_ms(ts_ms)) // DAY_MS

    def hour(self, ts_ms: int) -> int:
        """Return the local hour, 0 to 23."""
        return (ts_ms + self.offset_ms(ts_ms)) // HOUR_MS % 24

    def start_ms(self, day: int) -> int:
        """Return the moment the local day begins."""
        start = datetime.combine(day_date(day), datetime.min.time(), self.zone)
        return int(start.timestamp() * 1000)


def day_date(day: int) -> date:
    """Return the date of a day number."""
    return _EPOCH + timedelta(days=day)


def date_day(value: date) -> int:
    """Return the day number of a date."""
    return (value - _EPOCH).days
