"""Read what a Telegram message says."""

from __future__ import annotations

from typing import Final

from qunce.connectors.rows import Row, count_of, seconds_of, text_of
from qunce.domain.events import Part, PartType

_MEDIA: Final[dict[str, PartType]] = {
    "animation": "video",
    "audio": "voice",
    "document": "file",
    "photo": "image",
    "sticker": "sticker",
    "video": "video",
    "video_note": "video",
    "voice": "voice",
    "location": "location",
    "venue": "location",
    "contact": "card",
    "poll": "poll",
    "dice": "other",
    "game": "other",
    "invoice": "other",
    "story": "other",
    "paid_media": "other",
}


def content_of(message: Row) -> tuple[str, tuple[Part, ...]]:
    """Return the text and the other parts of a message. Neither = it is a notice of the platform."""
    text = text_of(message.get("text")) or text_of(message.get("caption"))
    kind = next((kind for kind in _MEDIA if message.get(kind)), None)
    parts = (_media(kind, message[kind]),) if kind else ()
    return text, (*parts, *_links(message, text))


def mentions_of(message: Row, text: str) -> tuple[str, ...]:
    """Return the people a message mentions: ids where Telegram gives them, else `@username`."""
    found = []
    for entity in _entities(message):
        if entity.get("type") == "text_mention" and isinstance(entity.get("user"), dict):
            found.append(text_of(entity["user"].get("id")))
        elif entity.get("type") == "mention":
            found.append(_slice(text, entity))
    return tuple(dict.fromkeys(filter(None, found)))


def forwarded_of(message: Row) -> str | None:
    """Return from whom a message was forwarded, as it is shown to readers; None = it was not."""
    origin = message.get("forward_origin")
    if not isinstance(origin, dict):
        return None
    for key in ("sender_user", "sender_chat", "chat"):
        if isinstance(source := origin.get(key), dict):
            return text_of(source.get("id"))
    return text_of(origin.get("sender_user_name")) or "unknown"


def _media(kind: str, found: object) -> Part:
    if kind == "photo" and isinstance(found, list):
        found = found[-1]  # the largest
    media = found if isinstance(found, dict) else {}
    name = text_of(media.get("file_name")) or text_of(media.get("emoji")) or text_of(media.get("title"))
    asked = text_of(media.get("question")) if kind == "poll" else ""
    return Part(
        type=_MEDIA[kind],
        text=asked or None,
        name=name or None,
        size_bytes=count_of(media.get("file_size")),
        duration_s=seconds_of(media.get("duration")),
    )


def _links(message: Row, text: str) -> tuple[Part, ...]:
    """Return the addresses that stand behind words: readers do not see them, rules must."""
    linked = (entity for entity in _entities(message) if entity.get("type") == "text_link")
    return tuple(Part(type="link", text=_slice(text, entity) or None, url=text_of(entity.get("url"))) for entity in linked)


def _entities(message: Row) -> list[Row]:
    found = message.get("entities") or message.get("caption_entities")
    return [entity for entity in found if isinstance(entity, dict)] if isinstance(found, list) else []


def _slice(text: str, entity: Row) -> str:
    """Return the words of an entity; its offsets count UTF-16 units."""
    start, length = entity.get("offset"), entity.get("length")
    if not isinstance(start, int) or not isinstance(length, int):
        return ""
    units = text.encode("utf-16-le", "surrogatepass")[2 * start : 2 * (start + length)]
    return units.decode("utf-16-le", "replace")
