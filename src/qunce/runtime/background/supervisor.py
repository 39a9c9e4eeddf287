"""Start the process that works in the background with the server, again when it ends, and end it with the server."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from django.conf import settings

from qunce.analytics.service import results
from qunce.runtime.background.line import LINE, ring

logger = logging.getLogger(__name__)

COMMAND: Final = (sys.executable, "-m", "qunce.runtime.cli", "run", "--only", "background", "--with-server")
NICE: Final = 5
"""Whoever waits for an answer goes first. Not more: others wait for the database while the process writes."""
FIRST_PAUSE_S: Final = 1.0
LONGEST_PAUSE_S: Final = 60.0
STEADY_S: Final = 60.0
"""A process that ran so long did start well: the next pause is the first again."""
LAST_WORD_S: Final = 4.0
"""How long the process may take to end when the server does."""


async def keep() -> None:
    """Keep the process running until cancelled. Runs beside the server, and has figures made over there."""
    results().leave_to(ring)
    try:
        await supervise(COMMAND)
    finally:
        results().leave_to(None)


async def supervise(
    command: Sequence[str], *, first_pause_s: float = FIRST_PAUSE_S, longest_pause_s: float = LONGEST_PAUSE_S
) -> None:
    """Run `command` with the line as its standard input, again and again with pauses that grow, until cancelled."""
    pause_s = first_pause_s
    while True:
        started = time.monotonic()
        process = await _start(command)
        logger.info("background process started", extra={"action": "background.started", "pid": process.pid})
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            LINE.hang_up()
            await _end(process)
            raise
        LINE.hang_up()
        _end_its_children(process.pid)
        if time.monotonic() - started >= STEADY_S:
            pause_s = first_pause_s
        logger.error(
            "background process ended; it is started again",
            extra={"action": "background.ended", "pid": process.pid, "code": code, "again_s": pause_s},
        )
        await asyncio.sleep(pause_s)
        pause_s = min(longest_pause_s, pause_s * 2)


async def _start(command: Sequence[str]) -> Process:
    theirs, ours = os.pipe()
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=theirs, env={**os.environ, "QUNCE_DATA": str(settings.DATA_DIR)},
            # Ctrl+C is the server's to hear; it hangs up then.
            start_new_session=True,
        )  # fmt: skip
    except BaseException:
        os.close(ours)
        raise
    finally:
        os.close(theirs)
    LINE.connect(ours)
    with suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, NICE)
    return process


async def _end(process: Process) -> None:
    """Wait until a process that was hung up on has ended; end it when it does not."""
    try:
        async with asyncio.timeout(LAST_WORD_S):
            await process.wait()
    except TimeoutError:
        logger.warning("background process did not end", extra={"action": "background.killed", "pid": process.pid})
    finally:
        _end_its_children(process.pid)
    await process.wait()


def _end_its_children(pid: int) -> None:
    """End what the process has started and left behind: it was the first of a session, whose members carry its id."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
