"""Telegram Desktop's `result.json`: one chat, or a whole account.

Shape: telegramdesktop/tdesktop `Telegram/SourceFiles/export/output/export_output_json.cpp`. A member who was invited or
removed is given by name only; the names are looked up among the file's senders first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.jsonstream import JsonCursor
from qunce.connectors.files.rows import (
    BadRow,
    Chat,
    Row,
    Rows,
    bad_time,
    count_of,
    cursor_of,
    has_keys,
    head_text,
    read_rows,
    seconds_of,
    stem,
    text_of,
)  # fmt: skip
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import (
    Conv,
    ConvKind,
    Event,
    GroupCreated,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MessageEdited,
    Part,
    PartType,
    Party,
    ReactionAdded,
    Source,
)  # fmt: skip

SOURCE: Final = Source(connector="telegram")

_KINDS: Final[dict[str, ConvKind]] = {
    "personal_chat": "direct", "bot_chat": "direct", "saved_messages": "direct", "replies": "direct",
    "verification_codes": "direct", "public_channel": "channel", "private_channel": "channel",
}  # fmt: skip
_MEDIA: Final[dict[str, PartType]] = {
    "sticker": "sticker", "video_message": "video", "voice_message": "voice", "animation": "sticker", "video_file": "video",
    "audio_file": "voice",
}  # fmt: skip
_MEDIA_FIELDS: Final = frozenset({"photo", "file", "location_information", "contact_information", "poll"})
_LISTS: Final = frozenset({"chats", "left_chats"})
_BY_NAME: Final = b"_members"


class Telegram:
    """Reads one chat or a whole account."""

    name = "telegram"
    title = "Telegram Desktop JSON"

    def sniff(self, head: Head) -> float:
        if not has_keys(head):
            return 0.0
        text = head_text(head)
        if '"text_entities"' in text or '"date_unixtime"' in text:
            return 0.9
        if '"personal_information"' in text and '"about"' in text:
            return 0.7
        return 0.8 if '"messages"' in text and '"from_id"' in text and '"from"' in text else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        ids = _ids_by_name(source, options)
        cursor = cursor_of(source, options)
        for chat, items in _chats(cursor, options, stem(source)):
            reader = _ChatReader(chat, options, ids)
            yield from read_rows(items, "messages", reader.read)


def _chats(cursor: JsonCursor, options: ImportOptions, fallback: str) -> Iterator[tuple[Chat, Iterator[Any]]]:
    """Yield each chat with its messages, wherever in the file it stands."""
    header: Row = {}
    for key in cursor.fields():
        if key in _LISTS:
            for part in cursor.fields():
                if part == "list":
                    for _ in cursor.enter():
                        yield from _chats(cursor, options, fallback)
        elif key == "messages":
            yield _chat(header, options, fallback), cursor.items()
        elif key in ("name", "type", "id"):
            header[key] = cursor.value()


def _chat(header: Row, options: ImportOptions, fallback: str) -> Chat:
    name = text_of(header.get("name")) or options.group
    platform_id = text_of(header.get("id")) or name or fallback
    kind = _KINDS.get(text_of(header.get("type")), "group")
    return Chat(SOURCE, Conv(platform_id=platform_id, kind=kind, name=name or fallback))


def _ids_by_name(source: FileSource, options: ImportOptions) -> dict[str, str]:
    """Return the ids of senders by name, from a first walk; empty, without the walk, when no row names members."""
    if not _mentions_members(source):
        return {}
    found: dict[str, str] = {}
    for _, items in _chats(cursor_of(source, options), options, ""):
        for item in items:
            if isinstance(item, dict):
                for name, number in (("from", "from_id"), ("actor", "actor_id")):
                    if isinstance(item.get(name), str) and (platform_id := _user_id(item.get(number))):
                        found[item[name]] = platform_id
    return found


def _mentions_members(source: FileSource) -> bool:
    tail = b""
    with source.stream() as stream:
        while piece := stream.read(1024 * 1024):
            if _BY_NAME in tail + piece:
                return True
            tail = piece[-len(_BY_NAME) :]
    return False


class _ChatReader:
    """Turns the rows of one chat into events."""

    def __init__(self, chat: Chat, options: ImportOptions, ids: dict[str, str]) -> None:
        self._chat = chat
        self._times = TimeReader(options.zone)
        self._ids = ids
        self._parties: dict[tuple[str, str | None], Party] = {}

    def read(self, row: Row) -> list[Event]:
        ts_ms = self._time(row)
        message_id = text_of(row.get("id")) or None
        if row.get("type") == "service":
            return self._service(row, ts_ms, message_id)
        sender = self._party(row.get("from_id"), row.get("from"))
        text, mentions = _text(row)
        parts = _parts(row)
        events = [
            self._chat.message(
                ts_ms, sender, message_id, text, parts,
                reply_to=text_of(row.get("reply_to_message_id")) or None,
                mentions=mentions,
                forwarded_from=text_of(row.get("forwarded_from")) or None,
            )
        ]  # fmt: skip
        if message_id is not None:
            events += self._edits(row, ts_ms, message_id, events[0], sender)
            events += self._reactions(row, ts_ms, message_id)
        return events

    def _time(self, row: Row) -> int:
        unix = row.get("date_unixtime")
        ts_ms = int(unix) * 1000 if isinstance(unix, str) and unix.isdecimal() else self._times.ms(row.get("date"))
        if ts_ms is None:
            raise bad_time(row.get("date"))
        return ts_ms

    def _party(self, platform_id: object, name: object) -> Party | None:
        known = _user_id(platform_id)
        called = name if isinstance(name, str) and name else None
        if not known:
            if called is None:
                return None
            known = self._ids.get(called, called)
        party = self._parties.get((known, called))
        if party is None:
            party = self._parties[known, called] = Party(platform_id=known, name=called)
        return party

    def _edits(self, row: Row, ts_ms: int, message_id: str, created: Event, sender: Party | None) -> list[Event]:
        edited = row.get("edited_unixtime") or row.get("edited")
        edited_ms = self._times.ms(edited) if edited else None
        if edited_ms is None or edited_ms <= ts_ms:
            return []
        body = MessageEdited(message_id=message_id, text=created.body.text, content=created.body.content)  # type: ignore[union-attr]
        key = self._chat.native("edit", message_id, str(edited_ms))
        return [self._chat.event(edited_ms, body, key, actor=sender)]

    def _reactions(self, row: Row, ts_ms: int, message_id: str) -> list[Event]:
        """Return the reactions whose giver the file names. Their local times are shifted as the message's own is."""
        events = []
        for reaction in row.get("reactions") or ():
            emoji = text_of(reaction.get("emoji")) or text_of(reaction.get("document_id")) or text_of(reaction.get("type"))
            for given in reaction.get("recent") or ():
                party = self._party(given.get("from_id"), given.get("from"))
                if party is None:
                    continue
                at_ms = self._shifted(row, ts_ms, given.get("date"))
                key = self._chat.native("reaction", message_id, party.platform_id, emoji)
                events.append(self._chat.event(at_ms, ReactionAdded(message_id=message_id, emoji=emoji), key, actor=party))
        return events

    def _shifted(self, row: Row, ts_ms: int, local: object) -> int:
        own_ms, at_ms = self._times.ms(row.get("date")), self._times.ms(local)
        if own_ms is None or at_ms is None:
            return ts_ms
        return max(ts_ms, at_ms + ts_ms - own_ms)

    def _service(self, row: Row, ts_ms: int, message_id: str | None) -> list[Event]:
        action = text_of(row.get("action"))
        actor = self._party(row.get("actor_id"), row.get("actor"))
        key = message_id or str(ts_ms)
        if action in ("create_group", "create_channel"):
            created = self._chat.event(ts_ms, GroupCreated(), self._chat.native("create", key), actor=actor)
            return [created, *self._joins(row, ts_ms, key, actor)]
        if action == "invite_members":
            return self._joins(row, ts_ms, key, actor)
        if action == "remove_members":
            return self._leaves(row, ts_ms, key, actor)
        if action in ("join_group_by_link", "join_group_by_request") and actor:
            return [self._join_by_link(row, ts_ms, key, actor, action)]
        if action in ("edit_group_title", "edit_group_photo", "delete_group_photo"):
            title = text_of(row.get("title"))
            change = GroupUpdated(field="name", new=title) if "title" in action else GroupUpdated(field="avatar")
            return [self._chat.event(ts_ms, change, self._chat.native("update", key), actor=actor)]
        said = " ".join(filter(None, (text_of(row.get("actor")), action.replace("_", " "), _text(row)[0])))
        if not said:
            raise BadRow("bad_row", "The service row has no action.", "Leave the row out.")
        return [self._chat.notice(ts_ms, message_id, said)]

    def _joins(self, row: Row, ts_ms: int, key: str, actor: Party | None) -> list[Event]:
        events = []
        for name in row.get("members") or ():
            subject = self._party(None, name)
            if subject is None:
                continue
            is_self = actor is not None and actor.platform_id == subject.platform_id
            inviter = actor.platform_id if actor and not is_self else None
            body = MemberJoined(scene="self" if is_self else "invited", inviter=inviter)
            event_key = self._chat.native("join", key, name)
            events.append(self._chat.event(ts_ms, body, event_key, actor=actor, subject=subject))
        return events

    def _leaves(self, row: Row, ts_ms: int, key: str, actor: Party | None) -> list[Event]:
        events = []
        for name in row.get("members") or ():
            subject = self._party(None, name)
            if subject is None:
                continue
            is_self = actor is not None and actor.platform_id == subject.platform_id
            body = MemberLeft(reason="left" if is_self else "kicked")
            event_key = self._chat.native("leave", key, name)
            events.append(self._chat.event(ts_ms, body, event_key, actor=actor, subject=subject))
        return events

    def _join_by_link(self, row: Row, ts_ms: int, key: str, actor: Party, action: str) -> Event:
        inviter = self._party(None, row.get("inviter"))
        scene: Final = "invite_link" if action.endswith("link") else "approved"
        body = MemberJoined(scene=scene, inviter=inviter.platform_id if inviter else None)
        return self._chat.event(ts_ms, body, self._chat.native("join", key), subject=actor)


def _user_id(value: object) -> str | None:
    """Return `user123`; exports before 2021 have the number alone."""
    if isinstance(value, str):
        return value or None
    return f"user{value}" if isinstance(value, int) else None


def _text(row: Row) -> tuple[str, tuple[str, ...]]:
    """Return the text and the ids of those mentioned who have no public name (others are mentioned by name only)."""
    text = row.get("text")
    entities = row.get("text_entities") or (text if isinstance(text, list) else ())
    if isinstance(text, str) and text and len(entities) < 2:
        return text, _mentions(entities)
    if entities:
        return "".join(part if isinstance(part, str) else text_of(part.get("text")) for part in entities), _mentions(entities)
    return text_of(text), ()


def _mentions(entities: Any) -> tuple[str, ...]:
    found = [
        f"user{part['user_id']}"
        for part in entities
        if not isinstance(part, str) and part.get("type") == "mention_name" and part.get("user_id")
    ]
    return tuple(dict.fromkeys(found))


def _parts(row: Row) -> tuple[Part, ...]:
    parts = _media(row) if not _MEDIA_FIELDS.isdisjoint(row) or row.get("type") == "unsupported" else []
    entities = row.get("text_entities") or ()
    if len(entities) > 1 or (entities and entities[0].get("type") == "text_link"):
        links = [part["href"] for part in entities if part.get("type") == "text_link" and isinstance(part.get("href"), str)]
        parts += [Part(type="link", url=url) for url in links]
    return tuple(parts)


def _media(row: Row) -> list[Part]:
    size, length = count_of(row.get("file_size")), seconds_of(row.get("duration_seconds"))
    if "photo" in row:
        return [Part(type="image", size_bytes=count_of(row.get("photo_file_size")))]
    if "file" in row:
        kind = _MEDIA.get(text_of(row.get("media_type")), "file")
        if kind == "file" and text_of(row.get("mime_type")).startswith("image/"):
            kind = "image"
        name, emoji = text_of(row.get("file_name")) or None, text_of(row.get("sticker_emoji")) or None
        return [Part(type=kind, text=emoji, name=name, size_bytes=size, duration_s=length)]
    if "location_information" in row:
        return [Part(type="location", text=text_of(row.get("place_name")) or None)]
    if isinstance(contact := row.get("contact_information"), dict):
        return [Part(type="card", text=" ".join(filter(None, (contact.get("first_name"), contact.get("last_name")))) or None)]
    if isinstance(poll := row.get("poll"), dict):
        return [Part(type="poll", text=text_of(poll.get("question")) or None)]
    return [Part(type="other")]
