"""Turn milliseconds UTC into local days and hours, for whole columns."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

QUARTER_MS: Final = 900_000
"""Zone offsets of the last fifty years change only at quarters of an hour."""
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

Ints = npt.NDArray[np.int64]


def local_ms(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local wall-clock milliseconds, as if the wall clock were UTC."""
    quarters, place = np.unique(ts_ms // QUARTER_MS, return_inverse=True)
    offsets = np.fromiter((_offset_ms(int(quarter), zone) for quarter in quarters), np.int64, len(quarters))
    shifted: Ints = ts_ms + offsets[place] if len(quarters) else ts_ms
    return shifted


def local_days(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local day numbers; 0 stays 0, which stands for "none"."""
    return np.where(ts_ms == 0, 0, local_ms(ts_ms, zone) // DAY_MS)


def local_hours(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local hours, 0 to 23."""
    hours: Ints = local_ms(ts_ms, zone) // HOUR_MS % 24
    return hours


def _offset_ms(quarter: int, zone: ZoneInfo) -> int:
    offset = datetime.fromtimestamp(quarter * QUARTER_MS / 1000, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds() * 1000) if offset else 0
