"""Run workers inside the server's process, from its start to its end. Django itself does not speak ASGI's lifespan."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping, Sequence

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]
    Worker = Callable[[], Awaitable[None]]

logger = logging.getLogger(__name__)

PAUSE_S: Final = 5.0
"""Wait before a worker that failed is started again."""


def with_workers(app: App, workers: Sequence[Worker], *, pause_s: float = PAUSE_S) -> App:
    """Return `app` with `workers` running beside it: started at server start, cancelled and awaited at server stop.

    A worker that returns is done; one that fails is logged and started again after `pause_s`.
    """

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _live(workers, receive, send, pause_s)
        else:
            await app(scope, receive, send)

    return wrapped


async def _live(workers: Sequence[Worker], receive: Receive, send: Send, pause_s: float) -> None:
    await receive()  # lifespan.startup
    tasks = [asyncio.create_task(_keep_running(worker, pause_s)) for worker in workers]
    await send({"type": "lifespan.startup.complete"})
    try:
        await receive()  # lifespan.shutdown
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    await send({"type": "lifespan.shutdown.complete"})


async def _keep_running(worker: Worker, pause_s: float) -> None:
    while True:
        try:
            await worker()
        except Exception:
            name = getattr(worker, "__qualname__", repr(worker))
            logger.exception("worker failed", extra={"action": "worker.failed", "worker": name})
            await asyncio.sleep(pause_s)
        else:
            return
