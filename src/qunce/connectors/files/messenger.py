"""Facebook Messenger and Instagram: `message_1.json` of the downloaded archive.

Both write UTF-8 bytes as if they were Latin-1 (`Ã©` for `é`); this is undone. The newest message stands first, and people are
known by name only.
"""

from __future__ import annotations

from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.rows import (
    Chat,
    Row,
    Rows,
    bad_time,
    cursor_of,
    has_keys,
    header_of,
    no_sender,
    read_rows,
    stem,
    text_of,
)
from qunce.domain.events import Conv, Event, MessageDeleted, Part, PartType, Party, ReactionAdded, Source

_MEDIA: Final[dict[str, PartType]] = {
    "photos": "image",
    "gifs": "image",
    "videos": "video",
    "audio_files": "voice",
    "files": "file",
}


class Messenger:
    """Reads one conversation."""

    name = "messenger"
    title = "Messenger / Instagram JSON"

    def sniff(self, head: Head) -> float:
        """Return 0.9 for messages with sender names and times in milliseconds."""
        return 0.9 if has_keys(head, "messages", "sender_name", "timestamp_ms") else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the conversation's events, newest first as in the file."""
        header = header_of(source, options, ("participants", "title", "thread_path", "thread_type"))
        chat = _chat(source, header, options)
        cursor = cursor_of(source, options)
        for key in cursor.fields():
            if key == "messages":
                yield from read_rows(cursor.items(), "messages", _ChatReader(chat).read)


def _chat(source: FileSource, header: Row, options: ImportOptions) -> Chat:
    participants = header.get("participants")
    is_direct = isinstance(participants, list) and len(participants) == 2
    name = mended(text_of(header.get("title"))) or options.group or stem(source)
    path = text_of(header.get("thread_path"))
    connector = "instagram" if "instagram" in path or "thread_type" not in header else "messenger"
    conv = Conv(platform_id=path.rpartition("/")[2] or name, kind="direct" if is_direct else "group", name=name)
    return Chat(Source(connector=connector), conv)


def mended(text: str) -> str:
    """Return a text with its UTF-8 read as UTF-8. A text that was right already comes back unchanged."""
    if text.isascii():
        return text
    try:
        return text.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return text


class _ChatReader:
    """Turns the messages of one conversation into events."""

    def __init__(self, chat: Chat) -> None:
        self._chat = chat

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message."""
        ts_ms, name = row.get("timestamp_ms"), mended(text_of(row.get("sender_name")))
        if not isinstance(ts_ms, int):
            raise bad_time(ts_ms)
        if not name:
            raise no_sender()
        sender = Party(platform_id=name, name=name)
        message_id = f"{ts_ms}-{name}"
        text = mended(text_of(row.get("content")))
        events = [self._chat.message(ts_ms, sender, message_id, text, _parts(row))]
        if row.get("is_unsent") is True:
            key = self._chat.native("delete", message_id)
            events.append(self._chat.event(ts_ms, MessageDeleted(message_id=message_id, by="author"), key, actor=sender))
        return events + [self._reaction(ts_ms, message_id, reaction) for reaction in row.get("reactions") or ()]

    def _reaction(self, ts_ms: int, message_id: str, reaction: Row) -> Event:
        who, emoji = mended(text_of(reaction["actor"])), mended(text_of(reaction["reaction"]))
        key = self._chat.native("reaction", message_id, who, emoji)
        return self._chat.event(
            ts_ms, ReactionAdded(message_id=message_id, emoji=emoji), key, actor=Party(platform_id=who, name=who)
        )


def _parts(row: Row) -> tuple[Part, ...]:
    parts = []
    for field, kind in _MEDIA.items():
        parts += [Part(type=kind, name=_file_name(item)) for item in row.get(field) or ()]
    if isinstance(row.get("sticker"), dict):
        parts.append(Part(type="sticker", name=_file_name(row["sticker"])))
    share = row.get("share")
    if isinstance(share, dict):
        parts.append(
            Part(type="link", text=mended(text_of(share.get("share_text"))) or None, url=text_of(share.get("link")) or None)
        )
    if "call_duration" in row:
        parts.append(Part(type="other", text="call", duration_s=float(row["call_duration"])))
    return tuple(parts)


def _file_name(item: Any) -> str | None:
    return mended(text_of(item.get("uri"))).rpartition("/")[2] or None
