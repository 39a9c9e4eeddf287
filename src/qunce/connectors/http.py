"""Ask a platform over HTTP, and turn everything that can go wrong on the way into one of our errors.

Addresses of bots hold their secrets, so they stay out of errors and, by a filter, out of the lines httpx logs.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any, Final

import httpx

from qunce.connectors.errors import ConnectorError, Permanent, Retryable, UnknownOutcome
from qunce.connectors.rows import Row

MAX_BYTES: Final = 64 * 1024 * 1024
"""A longer answer is not read to its end."""
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol, httpx.ProxyError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back."""

    status: int
    data: Row
    """The JSON object; empty when the answer was none."""
    is_json: bool
    after_s: float | None
    """`Retry-After` in seconds; None when absent or a date."""


class Caller:
    """Asks one platform."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        logging.getLogger("httpx").addFilter(_hide_address)

    async def ask(self, method: str, url: str, *, repeatable: bool, **request: Any) -> Reply:
        """Return the answer, whatever its status. `request` goes to httpx.

        `repeatable`: asking twice does no harm (reading, or a key of ours is part of the request). Raises Retryable when the
        request surely was not carried out or is repeatable, else UnknownOutcome.
        """
        try:
            async with self._client.stream(method, url, **request) as response:
                body = await _read(response, MAX_BYTES)
        except _NEVER_SENT as error:
            raise Retryable("unreachable", type(error).__name__) from None
        except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise unanswered(repeatable, "no_answer", type(error).__name__) from None
        except httpx.InvalidURL:
            raise Permanent("bad_address", "the address is not one") from None
        if body is None:
            raise unanswered(repeatable, "too_long", "the answer is longer than the limit")
        data = _object(body)
        return Reply(status=response.status_code, data=data or {}, is_json=data is not None, after_s=_after_s(response))

    async def fetch(self, url: str, *, most: int, **request: Any) -> bytes:
        """Return the bytes of a file, reading no more than `most`. Raises Retryable when it did not come, else Permanent."""
        try:
            async with self._client.stream("GET", url, **request) as response:
                if response.status_code != 200:
                    raise Permanent(f"http_{response.status_code}", "the file was not handed out")
                body = await _read(response, most)
        except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as error:
            raise Retryable("no_answer", type(error).__name__) from None
        except httpx.InvalidURL:
            raise Permanent("bad_address", "the address is not one") from None
        if body is None:
            raise Permanent("too_long", "the file is longer than the limit")
        return body


def unanswered(repeatable: bool, code: str, what: str = "") -> ConnectorError:
    """Return the error of a request whose outcome nobody knows: harmless to repeat, or not."""
    return Retryable(code, what) if repeatable else UnknownOutcome(code, what)


def check_status(reply: Reply, *, repeatable: bool) -> None:
    """Raise for what means the same on every platform: 429, 5xx, and an answer that is not JSON. Other statuses pass."""
    if reply.status == 429:
        raise Retryable("http_429", after_s=reply.after_s)
    if reply.status == 503:
        raise Retryable("http_503", after_s=reply.after_s)
    if reply.status >= 500:
        raise unanswered(repeatable, f"http_{reply.status}")
    if not reply.is_json:
        if reply.status >= 400:
            raise Permanent(f"http_{reply.status}", "the answer is not the platform's")
        raise unanswered(repeatable, "bad_answer", "the answer is not JSON")


async def _read(response: httpx.Response, most: int) -> bytes | None:
    """Return the body, or None when it is longer than `most` bytes."""
    parts, size = [], 0
    async for part in response.aiter_bytes():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def _object(body: bytes) -> Row | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _after_s(response: httpx.Response) -> float | None:
    text = response.headers.get("Retry-After", "").strip()
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


def _hide_address(record: logging.LogRecord) -> bool:
    """Let a line of httpx through with the host instead of the address."""
    if isinstance(record.args, tuple):
        record.args = tuple(part.host if isinstance(part, httpx.URL) else part for part in record.args)
    return True
