"""Turn milliseconds UTC into local days and hours, for whole columns."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from qunce.domain.localtime import DAY_MS, HOUR_MS, LocalClock

QUARTER_MS: Final = 900_000
"""Offsets change at quarters of an hour only, so each quarter is looked up once."""

Ints = npt.NDArray[np.int64]


def local_ms(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local wall-clock milliseconds, as if the wall clock were UTC."""
    clock = LocalClock(zone)
    quarters, place = np.unique(ts_ms // QUARTER_MS, return_inverse=True)
    offsets = np.fromiter((clock.offset_ms(int(quarter) * QUARTER_MS) for quarter in quarters), np.int64, len(quarters))
    shifted: Ints = ts_ms + offsets[place] if len(quarters) else ts_ms
    return shifted


def local_days(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local day numbers; 0 stays 0, which stands for "none"."""
    return np.where(ts_ms == 0, 0, local_ms(ts_ms, zone) // DAY_MS)


def local_hours(ts_ms: Ints, zone: ZoneInfo) -> Ints:
    """Return local hours, 0 to 23."""
    hours: Ints = local_ms(ts_ms, zone) // HOUR_MS % 24
    return hours
