"""Workers live exactly as long as the server."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from qunce.config.lifespan import with_workers

Message = MutableMapping[str, Any]


async def _app(scope: Message, receive: object, send: object) -> None:
    scope["seen"] = True


class Server:
    """Speak lifespan to an application, like uvicorn."""

    def __init__(self, app: Any) -> None:
        self.inbox: asyncio.Queue[Message] = asyncio.Queue()
        self.outbox: asyncio.Queue[Message] = asyncio.Queue()
        self.task = asyncio.create_task(app({"type": "lifespan"}, self.inbox.get, self.outbox.put))

    async def start(self) -> None:
        await self.inbox.put({"type": "lifespan.startup"})
        assert (await self.outbox.get())["type"] == "lifespan.startup.complete"

    async def stop(self) -> None:
        await self.inbox.put({"type": "lifespan.shutdown"})
        assert (await self.outbox.get())["type"] == "lifespan.shutdown.complete"
        await self.task


async def test_a_worker_starts_with_the_server_and_cleans_up_before_it_stops() -> None:
    story: list[str] = []
    running = asyncio.Event()

    async def worker() -> None:
        story.append("started")
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            story.append("cleaned up")

    server = Server(with_workers(_app, [worker]))
    await server.start()
    await running.wait()
    await server.stop()
    assert story == ["started", "cleaned up"]


async def test_a_worker_that_fails_is_logged_and_started_again(caplog: pytest.LogCaptureFixture) -> None:
    runs = 0
    done = asyncio.Event()

    async def worker() -> None:
        nonlocal runs
        runs += 1
        if runs < 3:
            raise RuntimeError("broken")
        done.set()

    server = Server(with_workers(_app, [worker], pause_s=0))
    await server.start()
    await done.wait()
    await server.stop()
    assert runs == 3
    assert [record.getMessage() for record in caplog.records] == ["worker failed", "worker failed"]


async def test_requests_go_to_the_application() -> None:
    scope: Message = {"type": "http"}
    await with_workers(_app, [])(scope, None, None)  # type: ignore[arg-type]  # neither is used
    assert scope["seen"]
