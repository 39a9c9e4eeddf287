"""The Bot API: its one form of request, and what its errors mean.

Source: core.telegram.org/bots/api, version 10.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.http import Caller, Reply, check_status, unanswered
from qunce.connectors.rows import Row, text_of

_ANSWER_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramSettings:
    """One bot."""

    token: str = field(repr=False)
    base_url: str = "https://api.telegram.org"

    @property
    def bot_id(self) -> str:
        """Return the id of the bot, which stands before the colon of its token."""
        return self.token.partition(":")[0]


class Moved(Permanent):
    """The group became a supergroup; `conv_id` is its new id."""

    def __init__(self, conv_id: str) -> None:
        super().__init__("400", "the group has a new id")
        self.conv_id = conv_id


class TelegramApi:
    """Asks in the name of one bot."""

    def __init__(self, client: httpx.AsyncClient, settings: TelegramSettings) -> None:
        self._caller = Caller(client)
        self._base = f"{settings.base_url.rstrip('/')}/bot{settings.token}"
        self._files = f"{settings.base_url.rstrip('/')}/file/bot{settings.token}"

    async def call(self, method: str, *, repeatable: bool = True, wait_s: float = 0.0, **params: Any) -> Any:
        """Return the result of a method. Raises ConnectorError; Moved when the group has another id since."""
        reply = await self._caller.ask(
            "POST", f"{self._base}/{method}", repeatable=repeatable, json=params, timeout=wait_s + _ANSWER_S
        )
        if error := error_of(reply):
            raise error
        check_status(reply, repeatable=repeatable)
        if reply.data.get("ok") is not True:
            raise unanswered(repeatable, "bad_answer", "neither a result nor an error")
        return reply.data.get("result")

    async def file(self, path: str, *, most: int) -> bytes:
        """Return a file by the path that `getFile` gave, of at most `most` bytes. Raises ConnectorError."""
        return await self._caller.fetch(f"{self._files}/{path}", most=most, timeout=_ANSWER_S)


def error_of(reply: Reply) -> ConnectorError | None:
    """Return what the platform's own error means; None when it named none."""
    if reply.data.get("ok") is not False:
        return None
    code, what = text_of(reply.data.get("error_code")), text_of(reply.data.get("description"))
    parameters: Row = found if isinstance(found := reply.data.get("parameters"), dict) else {}
    if code == "429":
        after_s = parameters.get("retry_after")
        return Retryable(code, what, after_s=float(after_s) if isinstance(after_s, (int, float)) else reply.after_s)
    if moved := text_of(parameters.get("migrate_to_chat_id")):
        return Moved(moved)
    if code in ("401", "404"):
        return AuthFailed(code, what)
    if code == "409":
        return Retryable(code, what)  # another program reads this bot's updates, or a webhook is set
    return None if reply.status >= 500 else Permanent(code, what)
