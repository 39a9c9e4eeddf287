"""Put events made in any order into the order of time, an hour at a time, so that memory stays flat."""

from __future__ import annotations

from operator import attrgetter
from typing import Final

from qunce.domain.events import Event

from .rhythm import HOUR

_TS: Final = attrgetter("ts_ms")


class Timeline:
    """Hold what happens in the running hour and what is already agreed for later ones."""

    def __init__(self) -> None:
        self._hours: dict[int, list[Event]] = {}
        self._last_ms: dict[str, int] = {}

    def add(self, event: Event) -> None:
        """Keep an event. It must not lie before the hour taken last."""
        hour = event.ts_ms // HOUR
        kept = self._hours.get(hour)
        if kept is None:
            self._hours[hour] = [event]
        else:
            kept.append(event)
        if event.conv is not None and event.ts_ms > self._last_ms.get(event.conv.platform_id, 0):
            self._last_ms[event.conv.platform_id] = event.ts_ms

    def last_ms(self, conv_id: str) -> int:
        """Return the time of the latest event agreed for a conversation; 0 = none yet."""
        return self._last_ms.get(conv_id, 0)

    def take(self, hour: int) -> list[Event]:
        """Return the events of an hour (number since 1970 UTC) in order of time; equal times keep the order of making."""
        events = self._hours.pop(hour, [])
        events.sort(key=_TS)
        return events
