"""Run the live loops beside the server, or alone: `channels` (connect, take in, deliver) and `react`."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import OperationalError

from qunce.runtime.clock import now_ms
from qunce.runtime.live import leases
from qunce.runtime.live.bell import Bell
from qunce.runtime.live.connect import Switchboard
from qunce.runtime.live.memory import REACT
from qunce.runtime.live.react import Overtaken, Reactor
from qunce.runtime.live.threads import DatabaseThread

logger = logging.getLogger(__name__)

IDLE_S: Final = 0.2
"""How often the journal is looked at when nobody rings: another process may have written."""
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
    async with asyncio.TaskGroup() as group:
        group.create_task(_channels(stored.ring, planned))
        group.create_task(_react(stored, planned.ring))


async def react() -> None:
    """React only."""
    await _react(Bell(), lambda: None)


async def channels() -> None:
    """Run the channels only: connect, take in, deliver."""
    await _channels(lambda: None, Bell())


async def alone(loop: Callable[[], Awaitable[None]]) -> None:
    """Run one loop in a process of its own, again after a failure, until the process is told to stop."""
    task = asyncio.create_task(_again(loop))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _again(loop: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await loop()
        except Exception:
            logger.exception("loop failed", extra={"action": "loop.failed"})
            await asyncio.sleep(WAIT_S)


async def _channels(stored: Callable[[], None], planned: Bell) -> None:
    global _switchboard
    board = Switchboard(holder(), stored, planned)
    _switchboard = board
    try:
        await board.run()
    finally:
        _switchboard = None


async def _react(stored: Bell, decided: Callable[[], None]) -> None:
    thread = DatabaseThread("react")
    me = holder()
    reactor = await thread.do(_reactor, me)
    try:
        while True:
            if not await thread.do(leases.take, REACT, me, now_ms()):
                await asyncio.sleep(WAIT_S)
                continue
            try:
                taken = await thread.do(reactor.turn)
            except (Overtaken, OperationalError):
                # Somebody else reacts, or the database is busy or away; the state is made anew.
                logger.warning("reacting starts over", extra={"action": "react.again"})
                await asyncio.sleep(WAIT_S)
                continue
            if taken:
                decided()
            else:
                await stored.wait(IDLE_S)
    finally:
        await thread.do(_leave, reactor, me)
        await thread.close()


def _reactor(me: str) -> Reactor:
    path = Path(settings.DATA_DIR) / "state" / "engine.state"
    return Reactor(path, holds=lambda: leases.renew(REACT, me, now_ms()))


def _leave(reactor: Reactor, me: str) -> None:
    reactor.checkpoint()
    leases.drop(REACT, me)
