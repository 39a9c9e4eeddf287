"""Read and write OneBot 11 messages, as arrays of segments or as text with CQ codes.

Source: botuniverse/onebot-11 `message/segment.md`, `message/string.md`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from qunce.connectors.rows import Row, count_of, seconds_of, text_of
from qunce.domain.commands import Content
from qunce.domain.events import Part, PartType

_CQ: Final = re.compile(r"\[CQ:([A-Za-z0-9_.-]+)((?:,[^,\[\]]*)*)\]")
_MEDIA: Final[dict[str, PartType]] = {
    "image": "image",
    "record": "voice",
    "video": "video",
    "file": "file",
    "face": "sticker",
    "mface": "sticker",
    "share": "link",
    "location": "location",
    "contact": "card",
    "json": "card",
    "xml": "card",
    "music": "card",
    "forward": "forward",
    "node": "forward",
    "redbag": "red_packet",
    "poke": "other",
    "rps": "other",
    "dice": "other",
    "shake": "other",
}


class Said:
    """What a message says."""

    def __init__(self, message: object) -> None:
        self.mentions: tuple[str, ...] = ()
        self.reply_to: str | None = None
        self.parts: tuple[Part, ...] = ()
        texts: list[str] = []
        for kind, data in segments_of(message):
            if kind == "text":
                text = text_of(data.get("text"))
                texts.append(text.removeprefix(" ") if texts and texts[-1].endswith(" ") else text)
            elif kind == "at":
                texts.append(self._mention(data))
            elif kind == "reply":
                self.reply_to = text_of(data.get("id")) or self.reply_to
            else:
                self.parts = (*self.parts, _part(kind, data))
        self.text = "".join(texts).strip()

    def _mention(self, data: Row) -> str:
        person = text_of(data.get("qq"))
        if not person:
            return ""
        person = "@all" if person == "all" else person
        self.mentions = tuple(dict.fromkeys((*self.mentions, person)))
        return f"{person if person == '@all' else '@' + (text_of(data.get('name')) or person)} "


def segments_of(message: object) -> list[tuple[str, Row]]:
    """Return (type, data) of each segment, whatever form the message has."""
    if isinstance(message, str):
        return _cq_segments(message)
    if isinstance(message, dict):
        message = [message]
    if not isinstance(message, list):
        return []
    rows = [row for row in message if isinstance(row, dict)]
    return [(text_of(row.get("type")), data if isinstance(data := row.get("data"), dict) else {}) for row in rows]


def _cq_segments(text: str) -> list[tuple[str, Row]]:
    found: list[tuple[str, Row]] = []
    end = 0
    for match in _CQ.finditer(text):
        if match.start() > end:
            found.append(("text", {"text": _unescape(text[end : match.start()])}))
        pairs = (pair.partition("=") for pair in match[2].split(",")[1:])
        found.append((match[1], {key: _unescape(value, is_value=True) for key, _, value in pairs}))
        end = match.end()
    if end < len(text):
        found.append(("text", {"text": _unescape(text[end:])}))
    return found


def _unescape(text: str, *, is_value: bool = False) -> str:
    text = text.replace("&#91;", "[").replace("&#93;", "]")
    if is_value:
        text = text.replace("&#44;", ",")
    return text.replace("&amp;", "&")


def _part(kind: str, data: Row) -> Part:
    type_: PartType = _MEDIA.get(kind, "other")
    url = text_of(data.get("url")) or None
    card = text_of(data.get("data")) if type_ == "card" else ""
    return Part(
        type=type_,
        text=text_of(data.get("title")) or text_of(data.get("summary")) or card or (kind if type_ == "other" else None),
        url=url if url and url.startswith(("http://", "https://")) else None,
        name=text_of(data.get("file")) or text_of(data.get("name")) or None,
        size_bytes=count_of(data.get("file_size")),
        duration_s=seconds_of(data.get("duration")),
    )


def message_of(content: Content) -> list[dict[str, Any]]:
    """Return the segments of a message; text is never read as CQ codes this way."""
    segments: list[dict[str, Any]] = []
    if content.reply_to:
        segments.append({"type": "reply", "data": {"id": content.reply_to}})
    for person in content.mentions:
        segments.append({"type": "at", "data": {"qq": "all" if person == "@all" else person}})
        segments.append({"type": "text", "data": {"text": " "}})
    return [*segments, {"type": "text", "data": {"text": content.text}}]
