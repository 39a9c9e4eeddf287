"""QQChatExporter V5: one JSON file, or its chunked form zipped (`manifest.json`, `chunks/*.jsonl`).

Shape: shuakami/qq-chat-exporter, messages of its `SimpleMessageParser`. People and groups go by their QQ numbers where given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.chinese_system import NoticeChat, People
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.rows import (
    Row,
    Rows,
    bad_time,
    count_of,
    cursor_of,
    has_keys,
    header_of,
    no_sender,
    read_json_lines,
    read_rows,
    seconds_of,
    stem,
    text_of,
)
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import Conv, Event, MessageDeleted, Part, PartType, Party, Source

SOURCE: Final = Source(connector="qq")

_CHUNK: Final = re.compile(r"(?:^|/)chunks/[^/]+\.jsonl$")
_SYSTEM_NUMBERS: Final = frozenset({"10000", "1000000"})
_PARTS: Final[dict[str, PartType]] = {
    "image": "image",
    "file": "file",
    "video": "video",
    "audio": "voice",
    "market_face": "sticker",
    "forward": "forward",
    "json": "card",
    "location": "location",
}


class QQChatExporter:
    """Reads one conversation."""

    name = "qqchatexporter"
    title = "QQChatExporter JSON"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for its root, or a zip with its manifest and chunks."""
        if head.members:
            return 0.95 if _manifest(head.members) and any(map(_CHUNK.search, head.members)) else 0.0
        return 0.95 if has_keys(head, "metadata", "chatInfo") else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the conversation's events."""
        if source.members():
            yield from _read_chunks(source, options)
            return
        reader = _ChatReader(_chat(header_of(source, options, ("chatInfo",)), options, stem(source)), options)
        cursor = cursor_of(source, options)
        for key in cursor.fields():
            if key == "messages":
                yield from read_rows(cursor.items(), "messages", reader.read)


def _manifest(members: tuple[str, ...]) -> str | None:
    return next((name for name in members if name.rpartition("/")[2] == "manifest.json"), None)


def _read_chunks(source: FileSource, options: ImportOptions) -> Rows:
    manifest = _manifest(source.members())
    if manifest is None:
        raise Unreadable("The zip holds no manifest.json.", "Zip the exporter's whole folder.")
    reader = _ChatReader(_chat(header_of(source.member(manifest), options, ("chatInfo",)), options, stem(source)), options)
    for name in filter(_CHUNK.search, source.members()):
        yield from read_json_lines(source.member(name), reader.read, f"{name} ")


def _chat(header: Row, options: ImportOptions, fallback: str) -> NoticeChat:
    info = header.get("chatInfo")
    info = info if isinstance(info, dict) else {}
    name = text_of(info.get("name")) or options.group or fallback
    platform_id = text_of(info.get("peerUin")) or text_of(info.get("peerUid")) or name
    kind: Final = "group" if text_of(info.get("type")) in ("group", "") else "direct"
    return NoticeChat(SOURCE, Conv(platform_id=platform_id, kind=kind, name=name), People())


class _ChatReader:
    """Turns the messages of one conversation into events."""

    def __init__(self, chat: NoticeChat, options: ImportOptions) -> None:
        self._chat = chat
        self._times = TimeReader(options.zone)
        self._parties: dict[tuple[str, str], Party] = {}

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message."""
        ts_ms = self._times.ms(row.get("timestamp"))
        if not ts_ms:
            raise bad_time(row.get("timestamp"))
        message_id, content = text_of(row.get("id")) or None, row.get("content")
        content = content if isinstance(content, dict) else {}
        sender = self._party(row.get("sender"))
        text, parts, reply_to = _content(content)
        if row.get("system") is True or row.get("type") == "system" or (sender and sender.platform_id in _SYSTEM_NUMBERS):
            said = text or text_of(content.get("text"))
            return list(self._chat.system_line(ts_ms, said, message_id))
        if sender is None:
            raise no_sender()
        events = [
            self._chat.message(
                ts_ms, sender, message_id, text, parts, reply_to=reply_to, mentions=_mentions(content, text)
            )
        ]  # fmt: skip
        if row.get("recalled") is True and message_id:
            deleted = MessageDeleted(message_id=message_id)
            events.append(self._chat.event(ts_ms, deleted, self._chat.native("delete", message_id)))
        return events

    def _party(self, sender: Any) -> Party | None:
        if not isinstance(sender, dict):
            return None
        uin = text_of(sender.get("uin"))
        platform_id = uin if uin not in ("", "0") else text_of(sender.get("uid"))
        if not platform_id:
            return None
        named = (text_of(sender.get(field)) for field in ("groupCard", "name", "nickname"))
        name = next(filter(None, named), "")
        party = self._parties.get((platform_id, name))
        if party is None:
            party = self._parties[platform_id, name] = Party(platform_id=platform_id, name=name or None)
            self._chat.people.learn(platform_id, name)
        return party


def _content(content: Row) -> tuple[str, tuple[Part, ...], str | None]:
    """Return text, other parts and the message answered. The text is built anew, as the exporter's holds placeholders."""
    elements = content.get("elements")
    if not isinstance(elements, list) or not elements:
        return text_of(content.get("text")), tuple(_resources(content)), None
    words, parts, reply_to = [], [], None
    for element in elements:
        kind, data = text_of(element.get("type")), element.get("data")
        data = data if isinstance(data, dict) else {}
        if kind == "reply":
            reply_to = text_of(data.get("messageId")) or text_of(data.get("referencedMessageId")) or None
            reply_to = None if reply_to == "0" else reply_to
        elif kind in _PARTS:
            parts.append(_part(_PARTS[kind], data))
        elif kind == "face":
            words.append(f"[{text_of(data.get('name')) or '表情'}]")
        else:
            words.append(text_of(data.get("text")) or text_of(data.get("name")) or text_of(data.get("summary")))
    return "".join(words).strip(), tuple(parts), reply_to


def _part(kind: PartType, data: Row) -> Part:
    duration = seconds_of(data.get("duration"))
    if kind in ("sticker", "card", "forward", "location"):
        text = next(filter(None, (text_of(data.get(k)) for k in ("title", "name", "summary"))), None)
        return Part(type=kind, text=text, url=text_of(data.get("url")) or None)
    return Part(
        type=kind,
        name=text_of(data.get("filename")) or None,
        size_bytes=count_of(data.get("size")),
        duration_s=duration or None,
    )


def _resources(content: Row) -> Iterator[Part]:
    for resource in content.get("resources") or ():
        yield _part(_PARTS.get(text_of(resource.get("type")), "file"), resource)


def _mentions(content: Row, text: str) -> tuple[str, ...]:
    found = []
    for mention in content.get("mentions") or ():
        if text_of(mention.get("type")) == "all" or text_of(mention.get("uid")) == "all":
            found.append("@all")
        else:
            found.append(text_of(mention.get("uin")) or text_of(mention.get("uid")))
    if "@全体成员" in text:
        found.append("@all")
    return tuple(dict.fromkeys(filter(None, found)))
