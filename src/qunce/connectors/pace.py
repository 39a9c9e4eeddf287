"""Keep a connector going: wait between attempts, and tell when it went down and came back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from msgspec.structs import replace

from qunce.connectors.base import Batch, Clock, Emit, Sleep
from qunce.connectors.errors import AuthFailed, ConnectorError, Retryable
from qunce.domain.events import ConnectorStatus, Event, Source
from qunce.domain.keys import native_key

State = Literal["up", "down", "limited", "auth_failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a connector needs from outside: time and chance."""

    now_ms: Clock
    sleep: Sleep
    chance: Callable[[], float]
    """Returns a number from 0 to 1; spreads the attempts of many connectors after one outage."""
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def wait_s(self, failures: int, asked_s: float | None = None) -> float:
        """Return how long to wait after so many failures in a row: doubling, spread by half, never less than asked for."""
        ceiling = min(self.longest_wait_s, self.first_wait_s * 2.0 ** min(failures - 1, 16))
        return max(asked_s or 0.0, ceiling * (0.5 + 0.5 * self.chance()))


class Health:
    """Make a `connector.status` event whenever the state changes."""

    def __init__(self, source: Source, life: Life) -> None:
        self._source = source
        self._life = life
        self._state: State | None = None
        self._failures = 0

    @property
    def is_up(self) -> bool:
        """Tell whether the last attempt went well."""
        return self._state == "up"

    def up(self) -> tuple[Event, ...]:
        """Return the event of coming up, or nothing when it was up before."""
        self._failures = 0
        return self._change("up", None)

    def failed(self, error: Exception) -> tuple[tuple[Event, ...], float]:
        """Return the event of going down, or nothing when it was down before, and how long to wait before the next attempt."""
        self._failures += 1
        code = getattr(error, "code", type(error).__name__)
        asked_s = error.after_s if isinstance(error, Retryable) else None
        state: State = "limited" if asked_s is not None else "down"
        return self._change(state, code), self._life.wait_s(self._failures, asked_s)

    def refused(self, code: str) -> tuple[Event, ...]:
        """Return the event of credentials not being accepted."""
        return self._change("auth_failed", code)

    def _change(self, state: State, code: str | None) -> tuple[Event, ...]:
        if state == self._state:
            return ()
        self._state = state
        now_ms = self._life.now_ms()
        body = ConnectorStatus(state=state, code=code)
        return (Event(ts_ms=now_ms, source=self._source, body=body, dedupe_key=native_key("status", str(now_ms), state)),)


async def poll(
    read: Callable[[str | None], Awaitable[Batch]], emit: Emit, since: str | None, health: Health, life: Life
) -> None:
    """Read and emit until cancelled, going on after errors that pass.

    Raises AuthFailed, after saying so, and what `emit` raises.
    """
    while True:
        try:
            batch = await read(since)
        except AuthFailed as error:
            await emit(Batch(events=health.refused(error.code)))
            raise
        except ConnectorError as error:
            events, wait_s = health.failed(error)
            if events:
                await emit(Batch(events=events))
            await life.sleep(wait_s)
            continue
        batch = replace(batch, events=(*health.up(), *batch.events))
        if batch.events or batch.gaps or batch.since != since:
            await emit(batch)
        since = batch.since
