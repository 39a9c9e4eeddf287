"""A body that is too large is refused before it is read."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest

from qunce.config.body_limit import BodyLimit

Message = MutableMapping[str, Any]


class Reader:
    """An application that reads its whole body and says how many bytes came."""

    def __init__(self) -> None:
        self.calls = 0

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
    ) -> None:
        self.calls += 1
        size, more = 0, True
        while more:
            message = await receive()
            size += len(message.get("body", b""))
            more = message.get("more_body", False)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": str(size).encode()})


async def _ask(
    path: str = "/", *, declared: int | None = None, chunks: tuple[int, ...] = (), cookie: str = ""
) -> tuple[int, int, int]:
    """Send a request; return (status, messages the server had to read, calls of the application)."""
    reader = Reader()

    async def is_signed_in(key: str) -> bool:
        return key == "live"

    app = BodyLimit(app=reader, small=100, large=1_000, upload_paths=("/imports",), cookie="sid", is_signed_in=is_signed_in)
    headers = [(b"cookie", cookie.encode())] if cookie else []
    headers += [(b"content-length", str(declared).encode())] if declared is not None else [(b"transfer-encoding", b"chunked")]
    left = list(chunks)
    read = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": b"x" * (left.pop(0) if left else 0), "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    await app({"type": "http", "path": path, "headers": headers}, receive, send)
    return sent[0]["status"], read, reader.calls


@pytest.mark.parametrize(
    ("case", "expected_status", "expected_read"),
    [
        ({"declared": 100, "chunks": (100,)}, 200, 1),
        ({"declared": 101, "chunks": (101,)}, 413, 0),
        ({"declared": 300_000_000, "chunks": (1,)}, 413, 0),
        ({"chunks": (50, 50)}, 200, 2),
        ({"chunks": (50, 51, 1_000)}, 413, 2),
        ({"declared": 10, "chunks": (50, 51, 1_000)}, 413, 2),
        ({"path": "/imports/new", "declared": 1_000, "chunks": (1_000,)}, 413, 0),
        ({"path": "/imports/new", "declared": 1_000, "chunks": (1_000,), "cookie": "sid=dead"}, 413, 0),
        ({"path": "/imports/new", "declared": 1_000, "chunks": (1_000,), "cookie": "other=live"}, 413, 0),
        ({"path": "/imports/new", "declared": 1_000, "chunks": (1_000,), "cookie": "sid=live"}, 200, 1),
        ({"path": "/imports/new", "declared": 1_001, "chunks": (1_001,), "cookie": "sid=live"}, 413, 0),
        ({"path": "/imports/new", "chunks": (600, 600, 600), "cookie": "sid=live"}, 413, 2),
        ({"path": "/members", "declared": 1_000, "chunks": (1_000,), "cookie": "sid=live"}, 413, 0),
    ],
    ids=[
        "a small body passes",
        "a body one byte too large is not read",
        "a huge body is not read",
        "a small body of unknown size passes",
        "a body of unknown size is cut where it grows too large",
        "a body larger than it said is cut where it grows too large",
        "an upload of a stranger is not read",
        "an upload with a dead session is not read",
        "an upload with another cookie is not read",
        "an upload of somebody signed in passes",
        "an upload over the upload limit is not read",
        "an upload of unknown size is cut at the upload limit",
        "being signed in does not help on other addresses",
    ],
)
async def test_limits(case: dict[str, Any], expected_status: int, expected_read: int) -> None:
    status, read, calls = await _ask(**case)
    assert (status, read) == (expected_status, expected_read)
    assert calls == (1 if read else 0)


async def test_a_broken_cookie_is_nobody() -> None:
    status, read, _ = await _ask("/imports", declared=500, cookie="sid=\x00;;=;,")
    assert (status, read) == (413, 0)


async def test_other_connections_pass_untouched() -> None:
    seen: list[str] = []

    async def app(scope: Message, receive: object, send: object) -> None:
        seen.append(scope["type"])

    async def never(key: str) -> bool:
        raise AssertionError

    limit = BodyLimit(app=app, small=1, large=1, upload_paths=(), cookie="sid", is_signed_in=never)
    await limit({"type": "websocket"}, None, None)  # type: ignore[arg-type]  # neither is used
    assert seen == ["websocket"]
