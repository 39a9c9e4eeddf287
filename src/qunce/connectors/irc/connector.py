"""Stay in the channels of one IRC network, and act there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from qunce.connectors.base import Batch, Capabilities, Emit, Gap
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable, UnknownOutcome, Unsupported
from qunce.connectors.irc.capabilities import CAPABILITIES
from qunce.connectors.irc.lines import Line, parse, pieces, written
from qunce.connectors.irc.reader import CHANNEL, KIND, Reader
from qunce.connectors.pace import Health, Life
from qunce.domain.commands import (
    AnyCommand,
    BanMember,
    Content,
    Receipt,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnbanMember,
)
from qunce.domain.events import Event, Party, Source

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[], Awaitable[Streams]]
"""Opens a connection, with TLS where the network has it; raises OSError."""

QUIET_S: Final = 120.0
"""A server that says nothing for so long is asked; one that does not answer for as long again is gone."""
ANSWER_S: Final = 15.0
CONNECT_S: Final = 20.0
MAX_LINE: Final = 16 * 1024
"""Bytes; a longer line, tags included, is against the protocol and ends the connection."""
MAX_PIECES: Final = 8
_REFUSED: Final = {"432": "the nick is not allowed", "464": "bad password", "465": "banned from this network"}
_DENIED: Final = frozenset({"401", "403", "404", "441", "442", "472", "476", "478", "481", "482"})
"""No such nick or channel, may not speak, not in it, no operator …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class IrcSettings:
    """One bot on one network."""

    network: str
    """The network's name; with the nick it names the account in our events."""
    nick: str
    channels: tuple[str, ...]
    password: str = field(default="", repr=False)
    real_name: str = "qunce"


def dial(host: str, port: int, *, tls: bool = True) -> Connect:
    """Return what opens connections to a server; its certificate must be valid for the name."""

    async def connect() -> Streams:
        async with asyncio.timeout(CONNECT_S):
            return await asyncio.open_connection(host, port, ssl=tls or None, limit=MAX_LINE)

    return connect


class Irc:
    """One bot. `since` is the moment, in milliseconds, up to which it was there."""

    def __init__(
        self, settings: IrcSettings, connect: Connect, life: Life, *, answer_s: float = ANSWER_S, quiet_s: float = QUIET_S
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._life = life
        self._answer_s = answer_s
        self._quiet_s = quiet_s
        self._source = Source(connector=KIND, account=f"{settings.nick}@{settings.network}", origin="poll")
        self._health = Health(self._source, life)
        self._reader = Reader(self._source, settings.nick)
        self._writer: asyncio.StreamWriter | None = None
        self._asking = asyncio.Lock()
        self._denied: asyncio.Future[Line] | None = None
        self._pongs: dict[str, asyncio.Future[None]] = {}
        self._marks = 0
        self._gap_from_ms: int | None = None

    @property
    def capabilities(self) -> Capabilities:
        """Return what an IRC bot can do."""
        return CAPABILITIES

    async def run(self, emit: Emit, since: str | None) -> None:
        """Stay until cancelled. Raises AuthFailed when the network refuses the bot."""
        self._gap_from_ms = int(since) if since and since.isdigit() else None
        while True:
            try:
                await self._stay(emit)
                error: ConnectorError = Retryable("hung_up")
            except AuthFailed as refused:
                await emit(Batch(events=self._health.refused(refused.code)))
                raise
            except ConnectorError as broken:
                error = broken
            events, wait_s = self._health.failed(error)
            if events:
                await emit(Batch(events=events))
            await self._life.sleep(wait_s)

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in a channel or to somebody. The protocol takes no key."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command."""
        CAPABILITIES.require(command)
        match command:
            case SendMessage(conv_id=conv, content=content):
                return await self._say(conv, content)
            case SendDirect(member_id=person, content=content):
                nick = self._reader.nick_of(person)
                return replace(await self._say(nick, content), conv_id=nick.lower())
            case RemoveMember(conv_id=conv, member_id=person, reason=reason):
                await self._kick(conv, person, reason)
            case BanMember(conv_id=conv, member_id=person, reason=reason):
                await self._ask(written("MODE", conv, "+b", self._mask(person)), is_repeatable=True)
                await self._kick(conv, person, reason)
            case UnbanMember(conv_id=conv, member_id=person):
                await self._ask(written("MODE", conv, "-b", self._mask(person)), is_repeatable=True)
            case _:
                raise Unsupported(type(command).__name__)
        return Receipt()

    async def _stay(self, emit: Emit) -> None:
        """Live through one connection."""
        self._reader = Reader(self._source, self._settings.nick)
        try:
            streams = await self._connect()
        except OSError as error:
            raise Retryable("unreachable", type(error).__name__) from None
        self._writer = streams[1]
        try:
            if self._settings.password:
                self._write(written("PASS", self._settings.password))
            self._write(written("NICK", self._settings.nick))
            self._write(written("USER", self._settings.nick, "0", "*", text=self._settings.real_name))
            await self._listen(streams[0], emit)
        finally:
            self._writer = None
            streams[1].close()
            for waiting in (*self._pongs.values(), *((self._denied,) if self._denied else ())):
                waiting.cancel()

    async def _listen(self, reader: asyncio.StreamReader, emit: Emit) -> None:
        while data := await self._next_line(reader):
            if (line := parse(data)) is not None:
                await self._take(line, emit)

    async def _next_line(self, reader: asyncio.StreamReader) -> bytes:
        """Return the next line, empty at the end. A server that is quiet is asked once whether it is there."""
        for question in (written("PING", text="there"), b""):
            try:
                async with asyncio.timeout(self._quiet_s):
                    return await reader.readline()
            except TimeoutError:
                self._write(question)
            except (OSError, ValueError) as error:  # ValueError: a line without end
                raise Retryable("hung_up", type(error).__name__) from None
        raise Retryable("quiet")

    async def _take(self, line: Line, emit: Emit) -> None:
        now_ms = self._life.now_ms()
        if line.command == "PING":
            self._write(written("PONG", text=line.params[-1] if line.params else ""))
            return
        if line.command == "ERROR" and not self._health.is_up and "password" in "".join(line.params).lower():
            raise AuthFailed("464", _REFUSED["464"])  # some servers hang up with words instead of the number
        if line.command in _REFUSED:
            raise AuthFailed(line.command, _REFUSED[line.command])
        if line.command in ("433", "436") and not self._health.is_up:
            self._reader.nick += "_"
            self._write(written("NICK", self._reader.nick))
        elif line.command == "001":
            self._reader.nick = line.params[0] if line.params else self._reader.nick
            for channel in self._settings.channels:
                self._write(written("JOIN", channel))
            await emit(Batch(events=self._health.up(), since=str(now_ms), gaps=self._gap(now_ms)))
        elif line.command == "PONG" and line.params:
            # The answer to a question of ours: what was sent before it has been taken.
            if (waiting := self._pongs.pop(line.params[-1], None)) and not waiting.done():
                waiting.set_result(None)
        elif line.command in _DENIED and self._denied is not None and not self._denied.done():
            self._denied.set_result(line)
        events = self._reader.read(line, now_ms)
        if events:
            await emit(Batch(events=events, since=str(now_ms)))
            self._gap_from_ms = now_ms

    def _gap(self, now_ms: int) -> tuple[Gap, ...]:
        from_ms, self._gap_from_ms = self._gap_from_ms, now_ms
        return (Gap(reason="not_connected", from_ms=from_ms, until_ms=now_ms),) if from_ms is not None else ()

    async def _say(self, conv: str, content: Content) -> Receipt:
        texts = tuple(pieces(self._addressed(content)))
        if not texts or len(texts) > MAX_PIECES:
            raise Permanent("too_long" if texts else "empty", "the text does not fit")
        lines = b"".join(written("PRIVMSG", conv, text=text) for text in texts)
        await self._ask(lines, is_repeatable=False)
        return Receipt(conv_id=None, parts=len(texts), events=tuple(self._said(conv, text) for text in texts))

    def _addressed(self, content: Content) -> str:
        """Put the names before the text: that is how people are mentioned here."""
        names = [self._reader.nick_of(person) for person in content.mentions if person != "@all"]
        return f"{', '.join(names)}: {content.text}" if names else content.text

    async def _kick(self, conv: str, person: str, reason: str) -> None:
        nick = self._reader.nick_of(person)
        if conv[:1] in CHANNEL and not self._reader.is_inside(conv, nick):
            return
        await self._ask(written("KICK", conv, nick, text=reason or "removed"), is_repeatable=True)

    def _mask(self, person: str) -> str:
        nick = self._reader.nick_of(person)
        host = self._reader.hosts.get(nick.lower())
        return f"*!*@{host}" if host else f"{nick}!*@*"

    async def _ask(self, lines: bytes, *, is_repeatable: bool) -> None:
        """Send lines and a ping after them: its answer comes when all before it was taken, or refused."""
        async with self._asking:
            if self._writer is None:
                raise Retryable("not_connected", "the bot is not connected")
            self._marks += 1
            mark = f"q{self._marks}"
            loop = asyncio.get_running_loop()
            pong = self._pongs[mark] = loop.create_future()
            denied = self._denied = loop.create_future()
            try:
                self._write(lines + written("PING", text=mark))
                async with asyncio.timeout(self._answer_s):
                    await asyncio.wait((pong, denied), return_when=asyncio.FIRST_COMPLETED)
            except TimeoutError:
                pass
            finally:
                self._pongs.pop(mark, None)
                self._denied = None
            if denied.done() and not denied.cancelled():
                raise Permanent(denied.result().command, denied.result().params[-1][:100])
            if not pong.done() or pong.cancelled():
                raise Retryable("no_answer") if is_repeatable else UnknownOutcome("no_answer")

    def _write(self, data: bytes) -> None:
        if self._writer is not None:
            self._writer.write(data)

    def _said(self, conv: str, text: str) -> Event:
        """Return our own line: the server does not send it back."""
        now_ms = self._life.now_ms()
        us = Party(platform_id=self._reader.nick.lower(), name=self._reader.nick, kind="bot")
        event = self._reader.chat(conv).message(now_ms, us, None, text)
        return replace(event, source=replace(event.source, origin="self"))
