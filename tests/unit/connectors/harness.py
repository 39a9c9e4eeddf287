"""A clock that stands still, sleeps that take no time, and a store that keeps batches as the runtime would."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import httpx

from qunce.connectors.base import Batch
from qunce.connectors.pace import Life
from qunce.domain.events import ConnectorStatus, Event, MessageCreated

NOW_MS = 1_800_000_000_000
"""2027-01-15 08:00:00 UTC."""
TURNS = 400
"""So often the event loop may go round before a test says that something did not happen."""


@dataclass
class Clock:
    """Time that passes only when somebody sleeps."""

    now_ms: int = NOW_MS
    slept_s: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.now_ms += round(seconds * 1000)
        await asyncio.sleep(0)

    def life(self) -> Life:
        return Life(now_ms=lambda: self.now_ms, sleep=self.sleep, chance=lambda: 1.0)


@dataclass
class Store:
    """Keeps what a connector emits; `fails_at` is the number of the batch that cannot be stored."""

    since: str | None = None
    batches: list[Batch] = field(default_factory=list)
    fails_at: int | None = None

    async def emit(self, batch: Batch) -> None:
        if self.fails_at == len(self.batches):
            raise OSError("the disk is full")
        self.batches.append(batch)
        self.since = batch.since or self.since

    @property
    def events(self) -> list[Event]:
        return [event for batch in self.batches for event in batch.events]

    def texts(self) -> list[str]:
        return [event.body.text for event in self.events if isinstance(event.body, MessageCreated)]

    def states(self) -> list[str]:
        return [event.body.state for event in self.events if isinstance(event.body, ConnectorStatus)]


async def until(holds: Callable[[], bool], task: asyncio.Task[Any] | None = None) -> None:
    """Let others run until something holds. Raises what `task` raises."""
    for _ in range(TURNS):
        if holds():
            return
        if task is not None and task.done():
            task.result()
        await asyncio.sleep(0)
    raise AssertionError("it did not happen")


async def running(work: Coroutine[Any, Any, None], holds: Callable[[], bool]) -> None:
    """Run a connector until something holds, then stop it."""
    task = asyncio.create_task(work)
    try:
        await until(holds, task)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def web(handler: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    """Return a client whose requests a function answers, letting others run in between as a network does."""

    async def answer(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        return handler(request)

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))
