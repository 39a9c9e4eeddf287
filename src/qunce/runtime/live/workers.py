"""Run the live loops beside the server, or alone: `channels` (connect, take in, deliver) and `react`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import OperationalError

from qunce.runtime.clock import now_ms
from qunce.runtime.live import leases
from qunce.runtime.live.bell import Bell
from qunce.runtime.live.connect import Switchboard
from qunce.runtime.live.memory import REACT
from qunce.runtime.live.react import BATCH, Overtaken, Reactor
from qunce.runtime.live.threads import DatabaseThread

logger = logging.getLogger(__name__)

IDLE_S: Final = 0.2
"""How often the journal is looked at when nobody rings: another process may have written."""
BUSY_S: Final = 0.01
"""The same while events come."""
LEASE_S: Final = 1.0
"""How often the lease is looked at; each transaction makes sure of it besides."""
WAIT_S: Final = 2.0
"""How often a process that does not react asks whether it should."""

_switchboard: Switchboard | None = None


def switchboard() -> Switchboard | None:
    """Return the channels of this process, for platforms that call us; None = they do not run here."""
    return _switchboard


def holder() -> str:
    """Return the name of this process among all that may run a loop."""
    return f"{socket.gethostname()}:{os.getpid()}"


async def live() -> None:
    """Run everything until cancelled."""
    stored, planned = Bell(), Bell()
    async with _thread() as thread, asyncio.TaskGroup() as group:
        group.create_task(_channels(thread, stored.ring, planned))
        group.create_task(_react(thread, stored, planned.ring))


async def react() -> None:
    """React only."""
    async with _thread() as thread:
        await _react(thread, Bell(), lambda: None)


async def channels() -> None:
    """Run the channels only: connect, take in, deliver."""
    async with _thread() as thread:
        await _channels(thread, lambda: None, Bell())


@asynccontextmanager
async def _thread() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread("live")
    try:
        yield thread
    finally:
        await thread.close()


async def alone(loop: Callable[[], Awaitable[None]]) -> None:
    """Run one loop in a process of its own, again after a failure, until the process is told to stop."""
    task = asyncio.create_task(again(loop))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def again(loop: Callable[[], Awaitable[None]]) -> None:
    """Run a loop until cancelled, again whenever it fails."""
    while True:
        try:
            await loop()
        except Exception:
            logger.exception("loop failed", extra={"action": "loop.failed"})
            await asyncio.sleep(WAIT_S)


async def _channels(thread: DatabaseThread, stored: Callable[[], None], planned: Bell) -> None:
    global _switchboard
    board = Switchboard(holder(), thread, stored, planned)
    _switchboard = board
    try:
        await board.run()
    finally:
        _switchboard = None


async def _react(thread: DatabaseThread, stored: Bell, decided: Callable[[], None]) -> None:
    me = holder()
    reactor = Reactor(Path(settings.DATA_DIR) / "state" / "engine.state", holds=lambda: leases.renew(REACT, me, now_ms()))
    # What takes long and writes nothing to the database goes on beside the others' turns.
    beside = DatabaseThread("state")
    steady, held_until_s = asyncio.get_running_loop().time, 0.0
    try:
        while True:
            if steady() >= held_until_s:
                if not await thread.do(leases.take, REACT, me, now_ms()):
                    await asyncio.sleep(WAIT_S)
                    continue
                held_until_s = steady() + LEASE_S
            try:
                if reactor.seq < 0:
                    await beside.do(reactor.load)
                taken = await thread.do(reactor.turn)
                if reactor.wants_checkpoint:
                    await beside.do(reactor.checkpoint)
            except (Overtaken, OperationalError):
                # Somebody else reacts, or the database is busy or away; the state is made anew.
                logger.warning("reacting starts over", extra={"action": "react.again"})
                held_until_s = 0.0
                await asyncio.sleep(WAIT_S)
                continue
            except Exception:  # a loop border: whatever it was, the channels go on and the next turn tries again
                logger.exception("reacting failed", extra={"action": "react.failed"})
                await asyncio.sleep(WAIT_S)
                continue
            if reactor.has_decided:
                decided()
            if taken < BATCH:
                await stored.wait(BUSY_S if taken else IDLE_S)
    finally:
        await beside.close()
        await thread.do(_leave, reactor, me)


def _leave(reactor: Reactor, me: str) -> None:
    reactor.checkpoint()
    leases.drop(REACT, me)
