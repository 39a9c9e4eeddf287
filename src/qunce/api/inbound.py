"""Doors for platforms that call us, in front of the console: no session, no cookie; a signature or a token instead.

POST /in/webhook/NAME     signed rows of another system; answers with how many were taken and which could not be
WebSocket /in/onebot11    reverse WebSocket of a OneBot 11 implementation (QQ)
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from qunce.runtime.live.inbound import Answer, onebot_line, take_webhook

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

WEBHOOK_PATH: Final = "/in/webhook/"
ONEBOT_PATH: Final = "/in/onebot11"
REFUSED: Final = 4401
"""WebSocket close code of a connection that is not let in."""


def with_doors(app: App) -> App:
    """Return `app` with the doors in front of it."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if scope["type"] == "http" and path.startswith(WEBHOOK_PATH):
            await _webhook(path.removeprefix(WEBHOOK_PATH), scope, receive, send)
        elif scope["type"] == "websocket":
            await _websocket(path, scope, receive, send)
        else:
            await app(scope, receive, send)

    return wrapped


async def _webhook(name: str, scope: Message, receive: Receive, send: Send) -> None:
    if scope["method"] != "POST":
        await _answer(send, Answer(status=405, code="post_only"))
        return
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message.get("body", b"")
        more = bool(message.get("more_body"))
    await _answer(send, await take_webhook(unquote(name), _headers(scope), body))


async def _answer(send: Send, answer: Answer) -> None:
    rejected = [{"place": place, "reason": reason} for place, reason in answer.rejected]
    content = {"taken": answer.taken, "rejected": rejected} | ({"error": answer.code} if answer.code else {})
    data = json.dumps(content, ensure_ascii=False).encode()
    headers = [
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(data)).encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": data})


async def _websocket(path: str, scope: Message, receive: Receive, send: Send) -> None:
    await receive()  # websocket.connect
    query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
    serve = onebot_line(_headers(scope), query) if path.rstrip("/") == ONEBOT_PATH else None
    if serve is None:
        await send({"type": "websocket.close", "code": REFUSED})
        return
    await send({"type": "websocket.accept"})

    async def next_frame() -> str | bytes | None:
        message = await receive()
        if message["type"] == "websocket.disconnect":
            return None
        return message["text"] if message.get("text") is not None else message.get("bytes")

    async def send_frame(frame: str) -> None:
        await send({"type": "websocket.send", "text": frame})

    await serve(next_frame, send_frame)


def _headers(scope: Message) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
