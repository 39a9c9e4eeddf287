"""Read updates by long polling, and act."""

from __future__ import annotations

from typing import Any, Final

import httpx
from msgspec.structs import replace

from qunce.connectors.base import Batch, Capabilities, Emit, Gap, Obstacle
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.pace import Health, Life, poll
from qunce.connectors.pictures import with_codes
from qunce.connectors.rows import Chat, text_of
from qunce.connectors.telegram.api import Moved, TelegramApi, TelegramSettings
from qunce.connectors.telegram.capabilities import CAPABILITIES
from qunce.connectors.telegram.pictures import pictures, pictures_of
from qunce.connectors.telegram.standing import NOT_IN, standing
from qunce.connectors.telegram.updates import ALLOWED, KIND, read_update, read_updates
from qunce.domain.commands import (
    AnswerRequest,
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    Receipt,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnbanMember,
    UnmuteMember,
)
from qunce.domain.events import Conv, Event, MemberLeft, MessageDeleted, Party, Source

LONG_POLL_S: Final = 30
MAX_TEXT: Final = 4096
"""UTF-16 units."""
_SHORTEST_MUTE_S: Final = 60
"""The platform takes an end nearer than 30 s for none at all; the rest is for clocks that differ."""
_RIGHTS: Final = (
    "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos", "can_send_videos",
    "can_send_video_notes", "can_send_voice_notes", "can_send_polls", "can_send_other_messages",
    "can_add_web_page_previews",
)  # fmt: skip


class Telegram:
    """One bot. `since` is the next update id; an update is confirmed by asking for the one after it."""

    def __init__(
        self, settings: TelegramSettings, client: httpx.AsyncClient, life: Life, *, long_poll_s: int = LONG_POLL_S
    ) -> None:
        self._api = TelegramApi(client, settings)
        self._pictures = pictures(self._api)
        self._us = Party(platform_id=settings.bot_id, kind="bot")
        self._source = Source(connector=KIND, account=settings.bot_id, origin="poll")
        self._life = life
        self._health = Health(self._source, life)
        self._long_poll_s = long_poll_s
        self._moved: dict[str, str] = {}
        self._kicked: set[tuple[str, str]] = set()

    @property
    def capabilities(self) -> Capabilities:
        """Return what a Telegram bot can do."""
        return CAPABILITIES

    async def run(self, emit: Emit, since: str | None) -> None:
        """Read until cancelled. Raises AuthFailed when the token is not accepted."""
        await poll(self._read, emit, since, self._health, self._life)

    async def _read(self, since: str | None) -> Batch:
        offset = int(since) if since and since.isdigit() else None
        wait_s = self._long_poll_s if self._health.is_up else 0
        params: dict[str, Any] = {"limit": 100, "timeout": wait_s, "allowed_updates": ALLOWED} | (
            {"offset": offset} if offset else {}
        )
        updates = await self._api.call("getUpdates", wait_s=wait_s, **params)
        if not isinstance(updates, list):
            raise Retryable("bad_answer", "the updates are no list")
        ids = [row["update_id"] for row in updates if isinstance(row, dict) and isinstance(row.get("update_id"), int)]
        if not ids:
            return Batch(since=since)
        codes = await self._pictures.codes(pictures_of(updates))
        told = with_codes(read_updates(updates, self._source, self._life.now_ms()), codes)
        events = tuple(self._reason_known(event) for event in told)
        lost = min(ids) - offset if offset is not None and min(ids) > offset else 0
        # After a quiet week the platform goes on at a random number, so a large step tells no count.
        gaps = (Gap(reason="updates_expired", lost=lost if lost < 100_000 else None),) if lost else ()
        return Batch(events=events, since=str(max(ids) + 1), gaps=gaps)

    def _reason_known(self, event: Event) -> Event:
        """Tell our removals from our bans: the platform reports both as bans."""
        if event.source.origin != "self" or not isinstance(event.body, MemberLeft) or not event.conv or not event.subject:
            return event
        kick = (event.conv.platform_id, event.subject.platform_id)
        if kick not in self._kicked:
            return event
        self._kicked.discard(kick)
        return replace(event, body=replace(event.body, reason="kicked", until_ms=None))

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in a chat. The platform takes no key."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command, in the group's new place if it has one."""
        CAPABILITIES.require(command)
        conv_id = self._moved.get(command.conv_id, command.conv_id)
        try:
            return await self._do(command, conv_id)
        except Moved as moved:
            self._moved[command.conv_id] = moved.conv_id
            done = await self._do(command, moved.conv_id)
            return replace(done, conv_id=done.conv_id or moved.conv_id)

    async def survey(self, conv_id: str) -> tuple[Obstacle, ...]:
        """Return what the chat does not let the bot do."""
        chat_id = self._moved.get(conv_id, conv_id)
        me = await self._api.call("getMe")
        try:
            chat = await self._api.call("getChat", chat_id=chat_id)
            member = await self._api.call("getChatMember", chat_id=chat_id, user_id=self._us.platform_id)
        except AuthFailed:
            raise
        except Permanent:
            return NOT_IN
        if not (isinstance(chat, dict) and isinstance(member, dict) and isinstance(me, dict)):
            raise Retryable("bad_answer", "the chat is no object")
        return standing(member, chat, me)

    async def _do(self, command: AnyCommand, chat: str) -> Receipt:
        match command:
            case SendMessage(content=content):
                return await self._send(chat, content)
            case SendDirect(member_id=person, content=content):
                return replace(await self._send(person, content), conv_id=person)
            case DeleteMessage(message_id=message_id, reason=reason):
                return await self._delete(chat, message_id, reason)
            case MuteMember(member_id=person, until_ms=until_ms):
                await self._restrict(chat, person, until_ms=until_ms, may_speak=False)
            case UnmuteMember(member_id=person):
                await self._restrict(chat, person, until_ms=None, may_speak=True)
            case RemoveMember(member_id=person):
                await self._kick(chat, person)
            case BanMember(member_id=person):
                await self._api.call("banChatMember", chat_id=chat, user_id=person)
            case UnbanMember(member_id=person):
                await self._api.call("unbanChatMember", chat_id=chat, user_id=person, only_if_banned=True)
            case AnswerRequest(member_id=person, approve=approve):
                method = "approveChatJoinRequest" if approve else "declineChatJoinRequest"
                await self._api.call(method, chat_id=chat, user_id=person)
        return Receipt()

    async def _kick(self, chat: str, person: str) -> None:
        """Ban and lift the ban. The update about it may come before the answer, so it is expected from the start."""
        self._kicked.add((chat, person))
        try:
            await self._api.call("banChatMember", chat_id=chat, user_id=person)
        except ConnectorError:
            self._kicked.discard((chat, person))
            raise
        await self._api.call("unbanChatMember", chat_id=chat, user_id=person, only_if_banned=True)

    async def _send(self, chat: str, content: Content) -> Receipt:
        params = message_of(content)
        sent = await self._api.call("sendMessage", repeatable=False, chat_id=chat, **params)
        message_id = text_of(sent.get("message_id")) if isinstance(sent, dict) else ""
        if not message_id:
            return Receipt()
        return Receipt(platform_id=message_id, events=tuple(read_update({"message": sent}, self._source)))

    async def _delete(self, chat: str, message_id: str, reason: str) -> Receipt:
        try:
            await self._api.call("deleteMessage", chat_id=chat, message_id=message_id)
        except Permanent as error:
            if "message to delete not found" not in str(error):
                raise
        own = Chat(replace(self._source, origin="self"), Conv(platform_id=chat), "reported")
        body = MessageDeleted(message_id=message_id, by="moderator", reason=reason or None)
        return Receipt(events=(own.event(self._life.now_ms(), body, own.native("delete", message_id), actor=self._us),))

    async def _restrict(self, chat: str, person: str, *, until_ms: int | None, may_speak: bool) -> None:
        params: dict[str, Any] = {"permissions": dict.fromkeys(_RIGHTS, may_speak)}
        if until_ms is not None:
            params["until_date"] = max(until_ms // 1000, self._life.now_ms() // 1000 + _SHORTEST_MUTE_S)
        await self._api.call("restrictChatMember", chat_id=chat, user_id=person, **params)


def message_of(content: Content) -> dict[str, Any]:
    """Return the parameters of `sendMessage`. Raises Permanent for a text that is empty or too long.

    Somebody without a `@username` is mentioned by an entity that must cover words of the text: the first characters carry one
    person each, so the text stays as it was written.
    """
    units = len(content.text.encode("utf-16-le", "surrogatepass")) // 2
    if not content.text.strip() or units > MAX_TEXT:
        raise Permanent("too_long" if units > MAX_TEXT else "empty", "the text does not fit")
    params: dict[str, Any] = {"text": content.text}
    if entities := _mentioning(content):
        params["entities"] = entities
    if content.reply_to and content.reply_to.isdigit():
        params["reply_parameters"] = {"message_id": int(content.reply_to), "allow_sending_without_reply": True}
    return params


def _mentioning(content: Content) -> list[dict[str, Any]]:
    people = [person for person in content.mentions if person.isdigit()]
    entities, offset = [], 0
    for person, character in zip(people, content.text, strict=False):
        length = 2 if ord(character) > 0xFFFF else 1
        entities.append({"type": "text_mention", "offset": offset, "length": length, "user": {"id": int(person)}})
        offset += length
    return entities
