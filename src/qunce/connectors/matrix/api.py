"""The endpoints of a homeserver that we use, and what its errors mean.

Source: Matrix client-server specification v1.x; behaviour checked against Synapse 1.163.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import httpx

from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.http import Caller, Reply, check_status
from qunce.connectors.rows import Row, text_of

_UNAUTHORISED: Final = frozenset({"M_UNKNOWN_TOKEN", "M_MISSING_TOKEN", "M_USER_DEACTIVATED", "M_USER_LOCKED"})
_ANSWER_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixSettings:
    """One account."""

    homeserver: str
    """`https://matrix.example.org`"""
    user_id: str
    """`@bot:example.org`; it names the account in our events."""
    token: str = field(repr=False)
    rooms: tuple[str, ...] = ()
    """Ids or aliases of public rooms to be joined at the start; others are joined by whoever invites, see below."""
    accepts_invites: bool = False
    """Whether anybody may take the account into a room."""


class MatrixApi:
    """Asks one homeserver in the name of one account."""

    def __init__(self, client: httpx.AsyncClient, settings: MatrixSettings) -> None:
        self._caller = Caller(client)
        self._base = settings.homeserver.rstrip("/") + "/_matrix/client/v3"
        self._media = settings.homeserver.rstrip("/") + "/_matrix/client/v1/media/download"
        self._headers = {"Authorization": f"Bearer {settings.token}"}

    async def sync(self, since: str | None, timeout_ms: int) -> Row:
        """Wait for what happened after `since`, at most `timeout_ms`."""
        params: Row = {"timeout": timeout_ms, "filter": '{"room":{"timeline":{"limit":100}},"presence":{"types":[]}}'}
        if since is not None:
            params["since"] = since
        return await self.get("sync", params=params, timeout=timeout_ms / 1000 + _ANSWER_S)

    async def get(self, *path: str, timeout: float = _ANSWER_S, **request: Any) -> Row:
        """Read something."""
        return await self._ask("GET", path, timeout=timeout, **request)

    async def media(self, server: str, media_id: str, *, most: int) -> bytes:
        """Return a file that somebody sent, of at most `most` bytes."""
        url = "/".join((self._media, quote(server, safe=""), quote(media_id, safe="")))
        return await self._caller.fetch(url, most=most, headers=self._headers, timeout=_ANSWER_S)

    async def put(self, *path: str, json: Row, is_repeatable: bool = True) -> Row:
        """Write something under a name of ours, so that writing it again changes nothing."""
        return await self._ask("PUT", path, is_repeatable=is_repeatable, json=json)

    async def post(self, *path: str, json: Row, is_repeatable: bool = False) -> Row:
        """Do something."""
        return await self._ask("POST", path, is_repeatable=is_repeatable, json=json)

    async def _ask(
        self, method: str, path: tuple[str, ...], *, is_repeatable: bool = True, timeout: float = _ANSWER_S, **request: Any
    ) -> Row:
        url = "/".join((self._base, *(quote(part, safe="") for part in path)))
        reply = await self._caller.ask(method, url, repeatable=is_repeatable, headers=self._headers, timeout=timeout, **request)
        if error := error_of(reply):
            raise error
        check_status(reply, repeatable=is_repeatable)
        return reply.data


def error_of(reply: Reply) -> ConnectorError | None:
    """Return what the server's own error means; None when it named none."""
    code = text_of(reply.data.get("errcode"))
    if not code:
        return None
    if code == "M_LIMIT_EXCEEDED":
        after_ms = reply.data.get("retry_after_ms")
        after_s = after_ms / 1000 if isinstance(after_ms, int) and after_ms >= 0 else None
        return Retryable(code, after_s=reply.after_s if reply.after_s is not None else after_s)
    if code in _UNAUTHORISED:
        return AuthFailed(code)
    if reply.status >= 500:
        return None
    return Permanent(code, f"status {reply.status}")
