"""The process that works in the background: what `settings.BACKGROUND` names, until told to stop or the server is gone."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from qunce.runtime import figures, jobs
from qunce.runtime.background.seat import Seat
from qunce.runtime.background.supervisor import NICE
from qunce.runtime.clock import now_ms
from qunce.runtime.live.workers import again

logger = logging.getLogger(__name__)

Worker = Callable[[], Awaitable[None]]

ASK_S: Final = 1.0
"""How often a process that found the seat taken looks again."""
END_S: Final = 2.0
"""How long work may take to come to an end of its own. What is cut off is done again: every kind of job can be."""


def run(*, with_server: bool) -> None:
    """Work until told to stop; `with_server` = until the server at the other end of our standard input is gone, too."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICE)
    workers = [import_string(name) for name in settings.BACKGROUND]
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_until_told(workers, with_server=with_server))
    # Threads in the middle of a job would hold the interpreter up: the database takes back what was not finished.
    sys.stdout.flush()
    if os.getsid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)  # the processes a job has started, with this one
    os._exit(0)


async def _until_told(workers: Sequence[Worker], *, with_server: bool) -> None:
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, over.set)
    if with_server:
        loop.add_reader(sys.stdin.fileno(), _hear, loop, over)
    work = asyncio.create_task(_work(workers))
    end = asyncio.create_task(over.wait())
    await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
    work.cancel()
    await asyncio.wait({work, asyncio.create_task(loop.shutdown_default_executor())}, timeout=END_S)


def _hear(loop: asyncio.AbstractEventLoop, over: asyncio.Event) -> None:
    """Wake the work at a ring; end with the server."""
    if os.read(sys.stdin.fileno(), 4_096):
        jobs.wake()
        figures.wake()
        return
    loop.remove_reader(sys.stdin.fileno())
    over.set()


async def _work(workers: Sequence[Worker]) -> None:
    seat = Seat(Path(settings.DATA_DIR))
    while True:
        with seat.taken(now_ms()) as ours:
            if ours:
                logger.info("background work begins", extra={"action": "background.begin", "pid": os.getpid()})
                async with asyncio.TaskGroup() as group:
                    for worker in workers:
                        group.create_task(again(worker))
        await asyncio.sleep(ASK_S)
