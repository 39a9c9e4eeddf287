"""What the group robots of WeCom, DingTalk and Feishu have in common: one address, one group, sending only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from qunce.connectors.base import Capabilities, Emit
from qunce.connectors.errors import ConnectorError, Permanent, Unsupported
from qunce.connectors.http import Caller, Reply, check_status
from qunce.connectors.pace import Life
from qunce.connectors.rows import Chat
from qunce.domain.commands import AnyCommand, Content, Receipt, SendMessage, capability_of
from qunce.domain.events import Conv, Event, Party, Source

ANSWER_S = 15.0
TEL: Final = "tel:"
"""How a mention by phone number begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to be made. The address holds a secret."""

    url: str = field(repr=False)
    body: dict[str, Any] = field(repr=False)
    params: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """How one platform wants it."""

    capabilities: Capabilities
    account: str
    """Names the robot in our events; not a secret."""
    conv_id: str
    """The group it stands in, as operators call it: the platform does not say."""
    request: Callable[[Content, int], Request]
    """Takes the content and the time in milliseconds. Raises Permanent for what does not fit."""
    error: Callable[[Reply], ConnectorError | None]
    """Returns what the platform's own error means; None when the message was taken."""


class Robot:
    """One robot in one group. The platforms take no key: after a lost answer the outcome is unknown."""

    def __init__(self, wire: Wire, client: httpx.AsyncClient, life: Life) -> None:
        self._wire = wire
        self._caller = Caller(client)
        self._life = life

    @property
    def capabilities(self) -> Capabilities:
        """Return what this robot can do."""
        return self._wire.capabilities

    async def run(self, emit: Emit, since: str | None) -> None:
        """Return at once: a robot hears nothing."""

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in the robot's group."""
        if conv_id != self._wire.conv_id:
            raise Permanent("wrong_group", "the robot stands in another group")
        if not content.text.strip():
            raise Permanent("empty", "there is no text")
        request = self._wire.request(content, self._life.now_ms())
        reply = await self._caller.ask(
            "POST", request.url, repeatable=False, params=request.params, json=request.body, timeout=ANSWER_S
        )
        check_status(reply, repeatable=False)
        if error := self._wire.error(reply):
            raise error
        if reply.status >= 400:
            raise Permanent(f"http_{reply.status}")
        return Receipt(events=(self._said(content, idem_key),))

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Send; everything else is not for robots."""
        if not isinstance(command, SendMessage):
            raise Unsupported(capability_of(command))
        return await self.send(command.conv_id, command.content, idem_key=idem_key)

    def _said(self, content: Content, idem_key: str) -> Event:
        """Return our own message: nobody else reports it."""
        source = Source(connector=self._wire.capabilities.kind, account=self._wire.account, origin="self")
        chat = Chat(source, Conv(platform_id=self._wire.conv_id), "reported")
        us = Party(platform_id=self._wire.account, kind="bot")
        return chat.message(self._life.now_ms(), us, f"sent:{idem_key}", content.text, mentions=content.mentions)


def phones(mentions: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return phone numbers and the other names among mentions."""
    numbers = [name.removeprefix(TEL) for name in mentions if name.startswith(TEL)]
    return numbers, [name for name in mentions if not name.startswith(TEL)]


def check_size(text: str, limit: int) -> None:
    """Raise Permanent when a text has more bytes than the platform takes."""
    if len(text.encode()) > limit:
        raise Permanent("too_long", f"more than {limit} bytes")


def first_line(text: str, limit: int) -> str:
    """Return the beginning of a text, for platforms that want a title."""
    return text.strip().partition("\n")[0].lstrip("#*> ").strip()[:limit] or "通知"
