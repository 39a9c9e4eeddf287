"""ChatLab's interchange format 0.0.2, as JSON or JSON lines: what other exporters convert to.

Written from its document (hellodigua/ChatLab `docs/cn/standard/chatlab-format.md`). Times are in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.chinese_system import NoticeChat, People
from qunce.connectors.files.rows import (
    BadRow,
    Row,
    Rows,
    bad_time,
    cursor_of,
    first_line,
    has_keys,
    head_text,
    header_of,
    no_sender,
    read_json_lines,
    read_rows,
    stem,
    text_of,
)
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import Conv, Event, MessageDeleted, Part, PartType, Party, Source

_PLATFORM: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_SYSTEM: Final = 80
_RECALL: Final = 81
_TEXT: Final = frozenset({0, 25})
_KINDS: Final[dict[int, PartType]] = {
    1: "image",
    2: "voice",
    3: "video",
    4: "file",
    5: "sticker",
    7: "link",
    8: "location",
    20: "red_packet",
    21: "other",
    22: "other",
    23: "other",
    24: "card",
    26: "forward",
    27: "card",
    99: "other",
}
_SAID: Final = frozenset({"link", "card", "location", "forward", "red_packet", "other", "file"})
_ADDRESS: Final = re.compile(r"https?://\S+")


class ChatLab:
    """Reads one conversation."""

    name = "chatlab"
    title = "ChatLab JSON / JSONL"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for ChatLab's root or header line."""
        return 0.95 if has_keys(head, "chatlab", "meta") or _is_lines(head_text(head)) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the conversation's events."""
        reader = _ChatReader(options, stem(source))
        if '"_type"' in first_line(source):
            yield from read_json_lines(source, reader.read_line)
            return
        header = header_of(source, options, ("meta",))
        reader.start(header.get("meta"))
        cursor = cursor_of(source, options)
        for key in cursor.fields():
            if key == "members":
                for member in cursor.items():
                    reader.learn(member)
            elif key == "messages":
                yield from read_rows(cursor.items(), "messages", reader.read)


def _is_lines(text: str) -> bool:
    first = next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")
    return first.lstrip().startswith("{") and '"_type"' in first and '"header"' in first


class _ChatReader:
    """Turns the rows of one conversation into events."""

    def __init__(self, options: ImportOptions, fallback: str) -> None:
        self._options = options
        self._times = TimeReader(options.zone)
        self._fallback = fallback
        self._names: dict[str, str] = {}
        self._people = People()
        self._parties: dict[tuple[str, str], Party] = {}
        self.start(None)

    def start(self, meta: object) -> None:
        """Take the conversation's description."""
        meta = meta if isinstance(meta, dict) else {}
        platform = text_of(meta.get("platform")).lower()
        name = text_of(meta.get("name")) or self._options.group or self._fallback
        conv = Conv(
            platform_id=text_of(meta.get("groupId")) or name,
            kind="direct" if meta.get("type") == "private" else "group",
            name=name,
        )
        connector = platform if _PLATFORM.fullmatch(platform) else "chatlab"
        self._chat = NoticeChat(Source(connector=connector), conv, self._people)

    def learn(self, member: Any) -> None:
        """Remember a member's name for messages that do not say it."""
        if isinstance(member, dict) and (platform_id := text_of(member.get("platformId"))):
            card, account = text_of(member.get("groupNickname")), text_of(member.get("accountName"))
            self._names[platform_id] = card or account
            self._people.learn(platform_id, card, account)

    def read_line(self, row: Row) -> Iterable[Event]:
        """Return the events of one line."""
        kind = row.get("_type")
        if kind == "header":
            self.start(row.get("meta"))
        elif kind == "member":
            self.learn(row)
        elif kind == "message":
            return self.read(row)
        else:
            raise BadRow("bad_row", "The line has no known _type.", "Write header, member or message.")
        return ()

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message."""
        ts_ms = self._times.ms(row.get("timestamp"))
        if ts_ms is None:
            raise bad_time(row.get("timestamp"))
        kind, text = row.get("type"), text_of(row.get("content"))
        message_id = text_of(row.get("platformMessageId")) or None
        reply_to = text_of(row.get("replyToMessageId")) or None
        if kind == _RECALL and reply_to:
            body = MessageDeleted(message_id=reply_to)
            return [self._chat.event(ts_ms, body, self._chat.native("delete", reply_to), actor=self._party(row))]
        if kind in (_SYSTEM, _RECALL):
            return list(self._chat.system_line(ts_ms, text, message_id))
        sender = self._party(row)
        if sender is None:
            raise no_sender()
        if kind in _TEXT:
            return [self._chat.message(ts_ms, sender, message_id, text, reply_to=reply_to)]
        part = _part(kind, text)
        return [self._chat.message(ts_ms, sender, message_id, "", (part,), reply_to=reply_to)]

    def _party(self, row: Row) -> Party | None:
        platform_id = text_of(row.get("sender"))
        if not platform_id:
            return None
        name = text_of(row.get("groupNickname")) or text_of(row.get("accountName")) or self._names.get(platform_id, "")
        party = self._parties.get((platform_id, name))
        if party is None:
            party = self._parties[platform_id, name] = Party(platform_id=platform_id, name=name or None)
            self._people.learn(platform_id, name)
        return party


def _part(kind: object, text: str) -> Part:
    """Return the part of a message that is not text; what `content` holds for media is a placeholder and is dropped."""
    part = _KINDS.get(kind, "other") if isinstance(kind, int) else "other"
    url = _ADDRESS.search(text) if part in ("link", "card") else None
    return Part(type=part, text=(text or None) if part in _SAID else None, url=url.group() if url else None)
