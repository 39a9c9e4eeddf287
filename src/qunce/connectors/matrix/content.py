"""Read what a Matrix message says."""

from __future__ import annotations

from typing import Any, Final

from qunce.connectors.rows import Row, count_of, text_of
from qunce.domain.events import Part, PartType

MEDIA: Final[dict[str, PartType]] = {
    "m.image": "image",
    "m.video": "video",
    "m.audio": "voice",
    "m.file": "file",
    "m.location": "location",
    "m.sticker": "sticker",
}


def content_of(kind: str, content: Row) -> tuple[str, tuple[Part, ...]]:
    """Return the text of a message and its other parts."""
    if kind == "m.room.encrypted":
        return "", (Part(type="other", text="encrypted"),)
    msgtype = "m.sticker" if kind == "m.sticker" else text_of(content.get("msgtype"))
    body = text_of(content.get("body"))
    if msgtype in MEDIA:
        return _media(MEDIA[msgtype], body, content)
    if "poll" in kind:
        poll = content.get("m.poll") or content.get("org.matrix.msc3381.poll.start") or {}
        question = poll.get("question") or {}
        asked = text_of(question.get("m.text")) or text_of(question.get("org.matrix.msc1767.text")) or body
        return "", (Part(type="poll", text=asked or None),)
    return body, ()


def _media(kind: PartType, body: str, content: Row) -> tuple[str, tuple[Part, ...]]:
    """Return caption and part: the body is the caption where a file name stands beside it, else it is the name."""
    info: Any = content.get("info") if isinstance(content.get("info"), dict) else {}
    name = text_of(content.get("filename"))
    duration_ms = count_of(info.get("duration"))
    part = Part(
        type=kind,
        name=name or body or None,
        size_bytes=count_of(info.get("size")),
        duration_s=duration_ms / 1000 if duration_ms is not None else None,
    )
    return (body if name and name != body else ""), (part,)


def without_quote(text: str) -> str:
    """Take away the quoted message that older clients put before a reply."""
    if not text.startswith("> "):
        return text
    quote, blank, rest = text.partition("\n\n")
    return rest if blank and all(line.startswith(">") for line in quote.split("\n")) else text


def mentions_of(mentioned: object) -> tuple[str, ...]:
    """Return the people a message mentions."""
    if not isinstance(mentioned, dict):
        return ()
    ids = [text_of(item) for item in mentioned.get("user_ids") or ()]
    if mentioned.get("room") is True:
        ids.append("@all")
    return tuple(dict.fromkeys(filter(None, ids)))
