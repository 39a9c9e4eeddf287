"""Serve the WebSocket an implementation dials: take its reports, ask it to act.

The runtime accepts the connection and gives two coroutines, so this knows no web framework:

    accept(headers, query) ─▶ Refused or the account     serve(receive, send) ─▶ until the other side hangs up
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from msgspec.structs import replace

from qunce.connectors.base import Batch, Capabilities, Emit, Gap, Obstacle
from qunce.connectors.errors import AuthFailed, Permanent, Retryable
from qunce.connectors.http import unanswered
from qunce.connectors.onebot11.actions import action_of, error_of, is_repeatable
from qunce.connectors.onebot11.capabilities import CAPABILITIES
from qunce.connectors.onebot11.pictures import Fetch, pictures, pictures_of
from qunce.connectors.onebot11.reports import KIND, PRIVATE, read_reports
from qunce.connectors.onebot11.standing import standing
from qunce.connectors.pace import Health, Life
from qunce.connectors.pictures import with_codes
from qunce.connectors.rows import Chat, Row, text_of
from qunce.domain.commands import AnyCommand, Content, Receipt, SendDirect, SendMessage
from qunce.domain.events import Conv, ConvKind, Event, Party, Source

Receive = Callable[[], Awaitable[str | bytes | None]]
"""Returns the next frame; None when the other side has hung up."""
Send = Callable[[str], Awaitable[None]]
"""Sends a frame; raises OSError when the other side has hung up."""

ANSWER_S: Final = 20.0
QUEUE: Final = 2_000
"""So many reports wait to be stored; beyond them the other side waits, because its frames are not read."""
QUIET_MS: Final = 5_000
"""An implementation dials again after 3 s; a longer absence is told as a gap."""
NOTE_MS: Final = 60_000
"""So often heartbeats alone move `since`, so that a gap does not begin earlier than it did."""
MAX_BATCH: Final = 500

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneBotSettings:
    """One QQ account."""

    self_id: str
    """Its number, as the implementation says in `X-Self-ID`."""
    access_token: str = field(repr=False)
    """At least 8 characters; an endpoint without one would be open to everybody."""


class OneBot11:
    """One QQ account. `since` is the moment, in milliseconds, up to which reports are known to be complete."""

    def __init__(self, settings: OneBotSettings, life: Life, *, answer_s: float = ANSWER_S, fetch: Fetch | None = None) -> None:
        """`fetch` gets a picture from an address, of at most `codes.MAX_BYTES`; None = pictures are not looked at."""
        if len(settings.access_token) < 8:
            raise AuthFailed("weak_token", "the access token needs 8 characters or more")
        self._settings = settings
        self._source = Source(connector=KIND, account=settings.self_id, origin="callback")
        self._life = life
        self._health = Health(self._source, life)
        self._answer_s = answer_s
        self._pictures = pictures(fetch) if fetch is not None else None
        self._reports: asyncio.Queue[Row | Batch] = asyncio.Queue(QUEUE)
        self._waiting: dict[str, asyncio.Future[Row]] = {}
        self._send: Send | None = None
        self._echoes = count(1)
        self._alive_ms: int | None = None
        self._noted_ms = 0

    @property
    def capabilities(self) -> Capabilities:
        """Return what a QQ account can do."""
        return CAPABILITIES

    def accepts(self, headers: Mapping[str, str], query: Mapping[str, str]) -> bool:
        """Tell whether a connection comes from our implementation. Header names are in lower case."""
        given = headers.get("authorization", "")
        scheme, _, token = given.partition(" ")
        if scheme.lower() not in ("bearer", "token"):
            token = query.get("access_token", "")
        is_known = hmac.compare_digest(token.strip().encode(), self._settings.access_token.encode())
        return is_known and headers.get("x-self-id", "") == self._settings.self_id

    async def serve(self, receive: Receive, send: Send) -> None:
        """Take the frames of one connection to its end. A newer connection takes the place of an older one."""
        self._send = send
        await self._reports.put(Batch(events=self._health.up(), gaps=self._gap()))
        try:
            while (frame := await receive()) is not None:
                await self._take(frame)
        finally:
            if self._send is send:
                self._send = None
                self._forget_answers()
                events, _ = self._health.failed(Retryable("hung_up"))
                # A full queue means that nobody stores; waiting for it here would keep the connection from ending.
                with suppress(asyncio.QueueFull):
                    self._reports.put_nowait(Batch(events=events))

    async def run(self, emit: Emit, since: str | None) -> None:
        """Emit what arrives until cancelled; what `serve` takes in waits here until it is stored."""
        self._alive_ms = int(since) if since and since.isdigit() else self._alive_ms
        while True:
            first = await self._reports.get()
            taken = [first]
            while not self._reports.empty() and len(taken) < MAX_BATCH:
                taken.append(self._reports.get_nowait())
            await emit(await self._batch(taken))

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in a group or, as `private:<qq>`, to somebody. The protocol takes no key."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command."""
        CAPABILITIES.require(command)
        action, params = action_of(command, self._life.now_ms())
        data = await self._ask(action, params, repeatable=is_repeatable(command))
        if not isinstance(command, (SendMessage, SendDirect)):
            return Receipt()
        message_id = text_of(data.get("message_id")) or None
        conv_id = command.conv_id if isinstance(command, SendMessage) else PRIVATE + command.member_id
        moved = conv_id if isinstance(command, SendDirect) else None
        return Receipt(platform_id=message_id, conv_id=moved, events=(self._said(conv_id, message_id, command.content),))

    async def survey(self, conv_id: str) -> tuple[Obstacle, ...]:
        """Return what the group does not let the account do; talks with one person have nothing in the way."""
        if not conv_id.isdigit() or not self._settings.self_id.isdigit():
            return ()
        params = {"group_id": int(conv_id), "user_id": int(self._settings.self_id), "no_cache": True}
        try:
            info = await self._ask("get_group_member_info", params, repeatable=True)
        except Permanent:
            info = {}
        return standing(info, self._life.now_ms())

    def _gap(self) -> tuple[Gap, ...]:
        now_ms = self._life.now_ms()
        alive_ms, self._alive_ms = self._alive_ms, now_ms
        if alive_ms is None or now_ms - alive_ms < QUIET_MS:
            return ()
        return (Gap(reason="not_connected", from_ms=alive_ms, until_ms=now_ms),)

    async def _batch(self, taken: list[Row | Batch]) -> Batch:
        rows = [one for one in taken if not isinstance(one, Batch)]
        codes = await self._pictures.codes(pictures_of(rows)) if self._pictures is not None else {}
        now_ms = self._life.now_ms()
        events: list[Event] = []
        gaps: list[Gap] = []
        for one in taken:
            if isinstance(one, Batch):
                events.extend(one.events)
                gaps.extend(one.gaps)
            else:
                events.extend(with_codes(read_reports([one], self._source, now_ms), codes))
        return Batch(events=tuple(events), since=str(self._alive_ms or now_ms), gaps=tuple(gaps))

    async def _take(self, frame: str | bytes) -> None:
        try:
            row = json.loads(frame)
        except (ValueError, RecursionError):
            logger.warning("A frame is not JSON.", extra={"action": "onebot.skip"})
            return
        if not isinstance(row, dict):
            return
        self._alive_ms = self._life.now_ms()
        if "echo" in row and "post_type" not in row:
            waiting = self._waiting.pop(text_of(row["echo"]), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(row)
        elif row.get("post_type") != "meta_event":
            await self._reports.put(row)
        elif self._alive_ms - self._noted_ms >= NOTE_MS:
            self._noted_ms = self._alive_ms
            await self._reports.put(Batch())

    async def _ask(self, action: str, params: dict[str, Any], *, repeatable: bool) -> Row:
        """Return the data of an answer. Raises Retryable when nobody is connected."""
        send = self._send
        if send is None:
            raise Retryable("not_connected", "no implementation is connected")
        echo = f"q{next(self._echoes)}"
        waiting = self._waiting[echo] = asyncio.get_running_loop().create_future()
        try:
            await send(json.dumps({"action": action, "params": params, "echo": echo}))
            async with asyncio.timeout(self._answer_s):
                answer = await waiting
        except TimeoutError:
            raise unanswered(repeatable, "no_answer") from None
        except OSError:
            raise unanswered(repeatable, "hung_up") from None
        finally:
            self._waiting.pop(echo, None)
        if error := error_of(answer):
            raise error
        data = answer.get("data")
        return data if isinstance(data, dict) else {}

    def _forget_answers(self) -> None:
        """Let go of those who wait for answers that will not come; whether it is harmless to ask again is theirs to know."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(OSError("hung up"))
        self._waiting.clear()

    def _said(self, conv_id: str, message_id: str | None, content: Content) -> Event:
        """Return our own message: the standard does not report it back."""
        kind: ConvKind = "direct" if conv_id.startswith(PRIVATE) else "group"
        own = Chat(replace(self._source, origin="self"), Conv(platform_id=conv_id, kind=kind), "reported")
        us = Party(platform_id=self._settings.self_id, kind="bot")
        return own.message(
            self._life.now_ms(), us, message_id, content.text, reply_to=content.reply_to, mentions=content.mentions
        )
