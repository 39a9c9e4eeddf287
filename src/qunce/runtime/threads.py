"""Run a loop that blocks beside others that do not, until it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


async def until_cancelled(loop: Callable[[threading.Event], None], *, wake: threading.Event | None = None) -> None:
    """Run `loop` in a thread; it ends once the event it is given is set. `wake` is what it waits for between its rounds."""
    stop = threading.Event()
    try:
        await asyncio.to_thread(loop, stop)
    except asyncio.CancelledError:
        stop.set()
        if wake is not None:
            wake.set()
        raise
