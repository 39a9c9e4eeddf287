"""Refuse a request body that is too large before it is read.

Django reads a body whole before it looks who sent it, so anybody could fill the disk. Small bodies pass. A larger one passes
only on an upload address, from somebody who is signed in, and up to the upload limit. Answers 413 otherwise.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]
    App = Callable[[Message, Receive, Send], Awaitable[None]]

logger = logging.getLogger(__name__)

_REFUSAL: Final = "请求内容过大。The request body is too large.\n".encode()


class _TooLarge(Exception):
    """More arrived than was allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimit:
    """An ASGI application around `app`. Sizes are in bytes."""

    app: App
    small: int
    """Limit for everybody, everywhere."""
    large: int
    """Limit for signed-in people on `upload_paths`."""
    upload_paths: tuple[str, ...]
    """Beginnings of the addresses that take files."""
    cookie: str
    """Name of the session cookie."""
    is_signed_in: Callable[[str], Awaitable[bool]]
    """Tell whether a session key belongs to somebody who is signed in."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Handle one connection; only HTTP requests are looked at."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = _declared_size(scope)
        limit = self.small
        if declared is None or declared > self.small:
            limit = await self._limit(scope)
        if declared is not None and declared > limit:
            await _refuse(scope, send)
            return
        await self._count(scope, receive, send, limit)

    async def _limit(self, scope: Message) -> int:
        if not str(scope["path"]).startswith(self.upload_paths):
            return self.small
        key = _cookie(scope, self.cookie)
        return self.large if key and await self.is_signed_in(key) else self.small

    async def _count(self, scope: Message, receive: Receive, send: Send, limit: int) -> None:
        """Run the application, and stop it when more arrives than was declared or allowed (chunked bodies declare nothing)."""
        received = 0
        started = False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise _TooLarge
            return message

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, watched)
        except _TooLarge:
            if started:
                raise  # half an answer is out: the server closes the connection
            await _refuse(scope, send)


def _declared_size(scope: Message) -> int | None:
    """Return Content-Length; 0 for a request without a body; None where the size is not said or not a number."""
    headers = dict(scope["headers"])
    declared = headers.get(b"content-length")
    if declared is None:
        return None if b"transfer-encoding" in headers else 0
    return int(declared) if declared.isdigit() else None


def _cookie(scope: Message, name: str) -> str:
    raw = b"; ".join(value for key, value in scope["headers"] if key == b"cookie").decode("latin-1")
    try:
        morsel = SimpleCookie(raw).get(name)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


async def _refuse(scope: Message, send: Send) -> None:
    logger.warning("body refused", extra={"action": "body_limit.refused", "path": scope["path"]})
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(_REFUSAL)).encode()),
        (b"connection", b"close"),  # what is still coming is not read
        (b"content-security-policy", b"default-src 'none'"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSAL})
