"""Slack's export zip: `channels.json`, `users.json`, and a folder a channel with a file a day.

Shape: mattermost/mmetl `services/slack/models.go`. The folder is the channel's *name*, or its id for a direct talk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.rows import Chat, Row, Rows, bad_time, count_of, cursor_of, read_rows, stem, text_of
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

SOURCE: Final = Source(connector="slack")

_DAY: Final = re.compile(r"([^/]+)/\d{4}-\d{2}-\d{2}\.json$")
_LISTS: Final[dict[str, ConvKind]] = {
    "channels.json": "group",
    "groups.json": "group",
    "mpims.json": "group",
    "dms.json": "direct",
}
_TOKEN: Final = re.compile(r"<([@#!]?)([^>|]+)(?:\|([^>]*))?>")
_TIME: Final = re.compile(r"\d{1,11}(?:\.\d{1,6})?")
_JOINS: Final = frozenset({"channel_join", "group_join"})
_LEAVES: Final = frozenset({"channel_leave", "group_leave"})
_MESSAGES: Final = frozenset(
    {"", "bot_message", "file_share", "thread_broadcast", "me_message", "file_comment", "reply_broadcast"}
)
_ALL: Final = frozenset({"here", "channel", "everyone"})


class Slack:
    """Reads a whole workspace."""

    name = "slack"
    title = "Slack export zip"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for a zip with a list of channels and files of days."""
        tops = {name.rpartition("/")[2] for name in head.members}
        return 0.95 if tops & _LISTS.keys() and any(map(_DAY.search, head.members)) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the events of all channels, channel by channel."""
        if not source.members():
            raise Unreadable("A Slack export is a zip.", "Import the zip as Slack made it.")
        people = _People(source, options)
        convs = _conversations(source, options)
        chats: dict[str, Chat] = {}
        for member in source.members():
            match = _DAY.search(member)
            if not match:
                continue
            folder = match[1]
            if folder not in chats:
                chats[folder] = Chat(SOURCE, convs.get(folder) or Conv(platform_id=folder, name=folder))
            reader = _ChannelReader(chats[folder], people)
            yield from read_rows(cursor_of(source.member(member), options).items(), f"{folder}/{member[-15:]} ", reader.read)


def _table(source: FileSource, options: ImportOptions, file: str) -> Iterator[Row]:
    for member in source.members():
        if member.rpartition("/")[2] == file and not _DAY.search(member):
            for item in cursor_of(source.member(member), options).items():
                if isinstance(item, dict):
                    yield item


def _conversations(source: FileSource, options: ImportOptions) -> dict[str, Conv]:
    """Return the conversations by the name of their folder."""
    convs = {}
    for file, kind in _LISTS.items():
        for row in _table(source, options, file):
            platform_id, name = text_of(row.get("id")), text_of(row.get("name"))
            if platform_id:
                convs[name or platform_id] = Conv(
                    platform_id=platform_id, kind=kind, name=name or options.group or stem(source)
                )
    return convs


class _People:
    """Who is who in the workspace."""

    def __init__(self, source: FileSource, options: ImportOptions) -> None:
        self._parties: dict[str, Party] = {}
        for row in _table(source, options, "users.json"):
            profile = row.get("profile")
            names = (profile.get("display_name"), profile.get("real_name")) if isinstance(profile, dict) else ()
            name = next(filter(None, map(text_of, (*names, row.get("name")))), "")
            kind: PartyKind = "bot" if row.get("is_bot") is True or row.get("id") == "USLACKBOT" else "unknown"
            if platform_id := text_of(row.get("id")):
                self._parties[platform_id] = Party(platform_id=platform_id, kind=kind, name=name or None)

    def of(self, row: Row) -> Party | None:
        """Return the sender of a message."""
        platform_id = text_of(row.get("user"))
        if not platform_id:
            return self._bot(row)
        if platform_id not in self._parties:
            profile = row.get("user_profile")
            name = text_of(profile.get("real_name")) if isinstance(profile, dict) else ""
            self._parties[platform_id] = Party(platform_id=platform_id, name=name or None)
        return self._parties[platform_id]

    def _bot(self, row: Row) -> Party | None:
        name = text_of(row.get("username")) or None
        platform_id = text_of(row.get("bot_id")) or name
        return Party(platform_id=platform_id, kind="bot", name=name) if platform_id else None

    def by_id(self, platform_id: str) -> Party:
        """Return the person of an id."""
        return self._parties.get(platform_id) or Party(platform_id=platform_id)

    def plain(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return a text with names for ids, and the ids mentioned."""
        mentions: dict[str, None] = {}

        def shown(match: re.Match[str]) -> str:
            mark, target, label = match.groups()
            if mark == "@":
                mentions[target] = None
                return f"@{self.by_id(target).name or label or target}"
            if mark == "!" and target in _ALL:
                mentions["@all"] = None
                return f"@{target}"
            if mark == "#":
                return f"#{label or target}"
            return label or target.removeprefix("mailto:")

        plain = _TOKEN.sub(shown, text) if "<" in text else text
        if "&" in plain:
            plain = plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        return plain, tuple(mentions)


class _ChannelReader:
    """Turns the messages of one channel into events."""

    def __init__(self, chat: Chat, people: _People) -> None:
        self._chat = chat
        self._people = people

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message."""
        message_id = text_of(row.get("ts"))
        if not _TIME.fullmatch(message_id):
            raise bad_time(row.get("ts"))
        ts_ms = _ms(message_id)
        subtype = text_of(row.get("subtype"))
        sender = self._people.of(row)
        if subtype in _JOINS or subtype in _LEAVES:
            return self._movement(row, ts_ms, message_id, sender, is_join=subtype in _JOINS)
        if subtype in ("channel_name", "channel_topic", "channel_purpose", "group_name"):
            return [self._update(row, ts_ms, message_id, sender, subtype)]
        text, mentions = self._people.plain(text_of(row.get("text")))
        if subtype not in _MESSAGES:
            return [self._chat.notice(ts_ms, message_id, text or subtype)]
        thread = text_of(row.get("thread_ts"))
        parts, reply_to = _parts(row), thread if thread and thread != message_id else None
        created = self._chat.message(ts_ms, sender, message_id, text, parts, reply_to=reply_to, mentions=mentions)
        return [created, *self._edits(row, ts_ms, message_id, created), *self._reactions(row, ts_ms, message_id)]

    def _movement(self, row: Row, ts_ms: int, message_id: str, person: Party | None, *, is_join: bool) -> list[Event]:
        inviter = text_of(row.get("inviter")) or None
        if person is None:
            return [self._chat.notice(ts_ms, message_id, text_of(row.get("text")))]
        if not is_join:
            return [self._chat.event(ts_ms, MemberLeft(), self._chat.native("leave", message_id), subject=person)]
        body = MemberJoined(scene="invited" if inviter else "unknown", inviter=inviter)
        actor = self._people.by_id(inviter) if inviter else None
        return [self._chat.event(ts_ms, body, self._chat.native("join", message_id), actor=actor, subject=person)]

    def _update(self, row: Row, ts_ms: int, message_id: str, actor: Party | None, subtype: str) -> Event:
        if subtype.endswith("name"):
            body = GroupUpdated(field="name", old=text_of(row.get("old_name")) or None, new=text_of(row.get("name")) or None)
        else:
            body = GroupUpdated(field="notice", new=text_of(row.get("topic")) or text_of(row.get("purpose")))
        return self._chat.event(ts_ms, body, self._chat.native("update", message_id), actor=actor)

    def _edits(self, row: Row, ts_ms: int, message_id: str, created: Event) -> list[Event]:
        edited = row.get("edited")
        if not isinstance(edited, dict) or not isinstance(created.body, MessageCreated):
            return []
        stamp = text_of(edited.get("ts"))
        if not _TIME.fullmatch(stamp) or _ms(stamp) < ts_ms:
            return []
        body = MessageEdited(message_id=message_id, text=created.body.text, content=created.body.content)
        actor = self._people.by_id(text_of(edited.get("user"))) if edited.get("user") else created.actor
        return [self._chat.event(_ms(stamp), body, self._chat.native("edit", message_id, stamp), actor=actor)]

    def _reactions(self, row: Row, ts_ms: int, message_id: str) -> list[Event]:
        """Return the reactions. When they were given is not exported: the message's time stands in."""
        events = []
        for reaction in row.get("reactions") or ():
            emoji = text_of(reaction.get("name"))
            for user in reaction.get("users") or ():
                key = self._chat.native("reaction", message_id, user, emoji)
                body = ReactionAdded(message_id=message_id, emoji=f":{emoji}:")
                events.append(self._chat.event(ts_ms, body, key, actor=self._people.by_id(user)))
        return events


def _ms(stamp: str) -> int:
    """Return a Slack time stamp (seconds and microseconds as text) in milliseconds, exactly."""
    seconds, _, fraction = stamp.partition(".")
    return int(seconds) * 1000 + int(fraction.ljust(3, "0")[:3])


def _parts(row: Row) -> tuple[Part, ...]:
    parts = []
    files: list[Any] = row.get("files") or ([row["file"]] if isinstance(row.get("file"), dict) else [])
    for file in files:
        main = text_of(file.get("mimetype")).partition("/")[0]
        kinds: dict[str, PartType] = {"image": "image", "video": "video", "audio": "voice"}
        name = text_of(file.get("name")) or text_of(file.get("title")) or None
        parts.append(Part(type=kinds.get(main, "file"), name=name, size_bytes=count_of(file.get("size"))))
    for card in row.get("attachments") or ():
        title = text_of(card.get("title")) or text_of(card.get("text")) or text_of(card.get("fallback"))
        url = text_of(card.get("title_link")) or text_of(card.get("from_url"))
        parts.append(Part(type="card", text=title or None, url=url or None))
    return tuple(parts)
