"""Turn the updates of a Telegram bot into events. Pure.

Source: core.telegram.org/bots/api#update. Types that are not listed here are passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from qunce.connectors.cleaning import live_event
from qunce.connectors.rows import BadRow, Chat, Row, bad_time, contents, no_sender, read_each, text_of
from qunce.connectors.telegram import people
from qunce.connectors.telegram.content import content_of, forwarded_of, mentions_of
from qunce.domain.events import (
    Conv,
    ConvKind,
    Event,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRequested,
    MessageEdited,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Source,
)

KIND: Final = "telegram"
ALLOWED: Final = (
    "message", "edited_message", "channel_post", "edited_channel_post", "message_reaction", "my_chat_member", "chat_member",
    "chat_join_request",
)  # fmt: skip
"""What we ask for; reactions, members and requests come only when asked for."""

_KINDS: Final[dict[str, ConvKind]] = {"private": "direct", "channel": "channel"}


def read_updates(updates: Iterable[Any], source: Source, now_ms: int) -> tuple[Event, ...]:
    """Return the events of some updates, in their order."""
    rows = [update for update in updates if isinstance(update, dict)]
    found = (live_event(event, now_ms) for event in read_each(rows, lambda row: read_update(row, source), KIND))
    return tuple(event for event in found if event)


def read_update(update: Row, source: Source) -> list[Event]:
    """Return the events of one update; what the bot did itself is marked."""
    return [_own(event) for event in _told(update, source)]


def _own(event: Event) -> Event:
    """Return the event with its origin: the bot itself, or others."""
    if event.actor is None or event.actor.platform_id != event.source.account:
        return event
    return replace(event, source=replace(event.source, origin="self"))


def _told(update: Row, source: Source) -> list[Event]:
    kind = next((kind for kind in ALLOWED if isinstance(update.get(kind), dict)), None)
    if kind is None:
        return []
    row: Row = update[kind]
    chat = Chat(source, _conv(row["chat"]), "reported")
    ts_ms = _seconds(row.get("edit_date") if kind.startswith("edited") else row.get("date"))
    if kind in ("message", "channel_post"):
        return _message(chat, ts_ms, row)
    if kind in ("edited_message", "edited_channel_post"):
        return _edited(chat, ts_ms, row)
    if kind == "message_reaction":
        return _reactions(chat, ts_ms, row)
    if kind == "chat_join_request":
        return [_request(chat, ts_ms, row)]
    return people.changed(chat, ts_ms, row)


def _conv(chat: Row) -> Conv:
    conv_id, kind = text_of(chat.get("id")), _KINDS.get(text_of(chat.get("type")), "group")
    if not conv_id:
        raise BadRow("bad_row", "The update has no chat.", "")
    return Conv(platform_id=conv_id, kind=kind, name=text_of(chat.get("title")) or people.party_of(chat).name)


def _seconds(value: object) -> int:
    if not isinstance(value, int):
        raise bad_time(value)
    return value * 1000


def _sender(row: Row) -> Party:
    """Return who wrote: a channel or an anonymous administrator writes as a chat."""
    writer = row.get("sender_chat") or row.get("from")
    if not isinstance(writer, dict):
        raise no_sender()
    return people.party_of(writer)


def _message(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    text, parts = content_of(row)
    if not text and not parts:
        return _service(chat, ts_ms, row)
    reply = row.get("reply_to_message")
    return [
        chat.message(
            ts_ms,
            _sender(row),
            text_of(row["message_id"]),
            text,
            parts,
            reply_to=text_of(reply.get("message_id")) or None if isinstance(reply, dict) else None,
            mentions=mentions_of(row, text),
            forwarded_from=forwarded_of(row),
        )
    ]


def _edited(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    text, parts = content_of(row)
    message_id = text_of(row["message_id"])
    body = MessageEdited(message_id=message_id, text=text, content=contents(text, parts))
    return [chat.event(ts_ms, body, chat.native("edit", message_id, str(ts_ms)), actor=_sender(row))]


def _service(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    """Return what a notice of the platform tells; pins, calls, topics and the like tell nothing we keep."""
    actor, key = _sender(row), chat.native("notice", text_of(row["message_id"]))
    if people_in := row.get("new_chat_members"):
        return [_came(chat, ts_ms, actor, people.party_of(user)) for user in people_in]
    if gone := row.get("left_chat_member"):
        subject = people.party_of(gone)
        by_other = actor if actor.platform_id != subject.platform_id else None
        return [people.left(chat, ts_ms, subject, MemberLeft(reason="kicked" if by_other else "left"), by_other)]
    if title := text_of(row.get("new_chat_title")):
        return [chat.event(ts_ms, GroupUpdated(field="name", new=title), key, actor=actor)]
    if row.get("new_chat_photo") or row.get("delete_chat_photo"):
        return [chat.event(ts_ms, GroupUpdated(field="avatar"), key, actor=actor)]
    if row.get("group_chat_created") or row.get("supergroup_chat_created"):
        return [chat.event(ts_ms, GroupCreated(), key, actor=actor)]
    if moved := text_of(row.get("migrate_to_chat_id")):
        body = GroupUpdated(field="settings", old=chat.conv.platform_id, new=moved)
        return [chat.event(ts_ms, body, key, actor=actor)]
    return []


def _came(chat: Chat, ts_ms: int, actor: Party, subject: Party) -> Event:
    if actor.platform_id == subject.platform_id:
        return people.joined(chat, ts_ms, subject, MemberJoined(scene="unknown"))
    return people.joined(chat, ts_ms, subject, MemberJoined(scene="invited", inviter=actor.platform_id), actor)


def _reactions(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    writer = row.get("user") or row.get("actor_chat")
    if not isinstance(writer, dict):
        raise no_sender()
    actor, message_id = people.party_of(writer), text_of(row["message_id"])
    old, new = (list(dict.fromkeys(filter(None, map(_emoji, row[key])))) for key in ("old_reaction", "new_reaction"))
    told = []
    for emoji in [*(one for one in old if one not in new), *(one for one in new if one not in old)]:
        is_gone = emoji in old
        body = (ReactionRemoved if is_gone else ReactionAdded)(message_id=message_id, emoji=emoji)
        key = chat.native("unreact" if is_gone else "react", message_id, actor.platform_id, str(ts_ms), emoji)
        told.append(chat.event(ts_ms, body, key, actor=actor))
    return told


def _emoji(reaction: Row) -> str:
    return text_of(reaction.get("emoji")) or text_of(reaction.get("custom_emoji_id")) or text_of(reaction.get("type"))


def _request(chat: Chat, ts_ms: int, row: Row) -> Event:
    """Return a request to join; the platform has no id for it, it is answered by the person's."""
    subject = people.party_of(row["from"])
    body = MemberRequested(request_ref=subject.platform_id, comment=text_of(row.get("bio")))
    return chat.event(ts_ms, body, chat.native("request", subject.platform_id, str(ts_ms)), subject=subject)
