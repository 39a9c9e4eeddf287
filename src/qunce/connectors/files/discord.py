"""DiscordChatExporter's JSON, one channel a file.

Shape: Tyrrrz/DiscordChatExporter `DiscordChatExporter.Core/Exporting/JsonMessageWriter.cs`.
"""

from __future__ import annotations

from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.rows import (
    Chat,
    Row,
    Rows,
    bad_time,
    count_of,
    cursor_of,
    has_keys,
    no_sender,
    read_rows,
    stem,
    text_of,
)
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import (
    Conv,
    ConvKind,
    Event,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MessageCreated,
    MessageEdited,
    Part,
    PartType,
    Party,
    PartyKind,
    ReactionAdded,
    Source,
)

SOURCE: Final = Source(connector="discord")

_MESSAGES: Final = frozenset({"Default", "Reply", "0", "19", "20", "23", "ThreadStarterMessage"})
_ENDINGS: Final[dict[str, PartType]] = {
    **dict.fromkeys(("png", "jpg", "jpeg", "gif", "webp", "heic", "bmp"), "image"),
    **dict.fromkeys(("mp4", "mov", "webm", "mkv", "avi"), "video"),
    **dict.fromkeys(("ogg", "mp3", "wav", "m4a", "flac", "opus"), "voice"),
}


class Discord:
    """Reads one channel."""

    name = "discord"
    title = "DiscordChatExporter JSON"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for a root with a guild and a channel."""
        return 0.95 if has_keys(head, "guild", "channel", "dateRange") else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the channel's events."""
        header: Row = {}
        cursor = cursor_of(source, options)
        for key in cursor.fields():
            if key in ("guild", "channel"):
                header[key] = cursor.value()
            elif key == "messages":
                chat = _chat(header, options.group or stem(source))
                yield from read_rows(cursor.items(), "messages", _ChannelReader(chat, options).read)


def _chat(header: Row, fallback: str) -> Chat:
    channel, guild = header.get("channel"), header.get("guild")
    if not isinstance(channel, dict):
        return Chat(SOURCE, Conv(platform_id=fallback, name=fallback))
    kind: ConvKind = "direct" if text_of(channel.get("type")) == "DirectTextChat" else "group"
    name = text_of(channel.get("name")) or fallback
    if isinstance(guild, dict) and text_of(guild.get("id")) not in ("", "0"):
        name = f"{text_of(guild.get('name'))} #{name}"
    return Chat(SOURCE, Conv(platform_id=text_of(channel.get("id")) or fallback, kind=kind, name=name))


class _ChannelReader:
    """Turns the messages of one channel into events."""

    def __init__(self, chat: Chat, options: ImportOptions) -> None:
        self._chat = chat
        self._times = TimeReader(options.zone)
        self._parties: dict[tuple[str, str], Party] = {}

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message."""
        ts_ms = self._times.ms(row.get("timestamp"))
        if ts_ms is None:
            raise bad_time(row.get("timestamp"))
        message_id, kind = text_of(row["id"]), text_of(row.get("type"))
        author = self._party(row.get("author"))
        if kind not in _MESSAGES:
            return self._service(row, kind, ts_ms, message_id, author)
        if author is None:
            raise no_sender()
        created = self._message(row, ts_ms, message_id, author)
        return [
            created,
            *self._edits(row, ts_ms, message_id, created.body, author),
            *self._reactions(row, ts_ms, message_id),
        ]

    def _message(self, row: Row, ts_ms: int, message_id: str, author: Party) -> Event:
        reference = row.get("reference") or {}
        is_forward = isinstance(row.get("forwardedMessage"), dict)
        same_channel = text_of(reference.get("channelId")) in ("", self._chat.conv.platform_id)
        mentions = [text_of(person.get("id")) for person in row.get("mentions") or ()]
        text = text_of(row.get("content"))
        if "@everyone" in text or "@here" in text:
            mentions.append("@all")
        return self._chat.message(
            ts_ms,
            author,
            message_id,
            text,
            _parts(row),
            reply_to=(text_of(reference.get("messageId")) or None) if same_channel and not is_forward else None,
            mentions=tuple(dict.fromkeys(filter(None, mentions))),
            forwarded_from=(text_of(reference.get("channelId")) or "unknown") if is_forward else None,
        )

    def _party(self, author: Any) -> Party | None:
        if not isinstance(author, dict) or not (platform_id := text_of(author.get("id"))):
            return None
        name = text_of(author.get("nickname")) or text_of(author.get("name"))
        party = self._parties.get((platform_id, name))
        if party is None:
            kind: PartyKind = "bot" if author.get("isBot") is True else "unknown"
            party = self._parties[platform_id, name] = Party(platform_id=platform_id, kind=kind, name=name or None)
        return party

    def _edits(self, row: Row, ts_ms: int, message_id: str, body: Any, author: Party) -> list[Event]:
        edited_ms = self._times.ms(row.get("timestampEdited"))
        if edited_ms is None or edited_ms <= ts_ms or not isinstance(body, MessageCreated):
            return []
        edit = MessageEdited(message_id=message_id, text=body.text, content=body.content)
        return [self._chat.event(edited_ms, edit, self._chat.native("edit", message_id, str(edited_ms)), actor=author)]

    def _reactions(self, row: Row, ts_ms: int, message_id: str) -> list[Event]:
        """Return the reactions whose givers are listed. When they were given is not exported: the message's time stands in."""
        events = []
        for reaction in row.get("reactions") or ():
            emoji = text_of(reaction["emoji"].get("name"))
            for user in reaction.get("users") or ():
                party = self._party(user)
                if party and emoji:
                    key = self._chat.native("reaction", message_id, party.platform_id, emoji)
                    events.append(self._chat.event(ts_ms, ReactionAdded(message_id=message_id, emoji=emoji), key, actor=party))
        return events

    def _service(self, row: Row, kind: str, ts_ms: int, message_id: str, author: Party | None) -> list[Event]:
        mentioned = [party for party in map(self._party, row.get("mentions") or ()) if party]
        if kind in ("GuildMemberJoin", "7") and author:
            return [self._chat.event(ts_ms, MemberJoined(), self._chat.native("join", message_id), subject=author)]
        if kind in ("RecipientAdd", "1") and mentioned:
            body = MemberJoined(scene="invited", inviter=author.platform_id if author else None)
            return [self._by(ts_ms, body, "join", message_id, author, party) for party in mentioned]
        if kind in ("RecipientRemove", "2") and mentioned:
            return [
                self._by(ts_ms, MemberLeft(reason="left" if party == author else "kicked"), "leave", message_id, author, party)
                for party in mentioned
            ]
        if kind in ("ChannelNameChange", "4", "ChannelIconChange", "5"):
            update = GroupUpdated(field="name" if kind in ("ChannelNameChange", "4") else "avatar")
            return [self._chat.event(ts_ms, update, self._chat.native("update", message_id), actor=author)]
        said = " ".join(filter(None, (author.name if author else "", text_of(row.get("content")) or kind)))
        return [self._chat.notice(ts_ms, message_id, said)]

    def _by(
        self, ts_ms: int, body: MemberJoined | MemberLeft, kind: str, message_id: str, actor: Party | None, party: Party
    ) -> Event:
        key = self._chat.native(kind, message_id, party.platform_id)
        return self._chat.event(ts_ms, body, key, actor=actor, subject=party)


def _parts(row: Row) -> tuple[Part, ...]:
    parts = []
    for file in row.get("attachments") or ():
        name = text_of(file.get("fileName"))
        kind = _ENDINGS.get(name.rpartition(".")[2].lower(), "file")
        parts.append(
            Part(type=kind, name=name or None, url=_web(file.get("url")), size_bytes=count_of(file.get("fileSizeBytes")))
        )
    parts += [Part(type="sticker", text=text_of(sticker.get("name")) or None) for sticker in row.get("stickers") or ()]
    for embed in row.get("embeds") or ():
        title = text_of(embed.get("title")) or text_of(embed.get("description"))
        parts.append(Part(type="card", text=title or None, url=_web(embed.get("url"))))
    forwarded = row.get("forwardedMessage")
    if isinstance(forwarded, dict):
        parts.append(Part(type="forward", text=text_of(forwarded.get("content")) or None))
        parts += _parts(forwarded)
    return tuple(parts)


def _web(value: object) -> str | None:
    """Return a web address; a file beside the export is none."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None
