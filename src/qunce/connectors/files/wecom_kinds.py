"""Read the 29 kinds of messages of 企业微信's archive into text and parts. An unknown kind becomes a part of type `other`."""

from __future__ import annotations

import json
from typing import Final

from qunce.connectors.files.rows import Row, count_of, seconds_of, text_of
from qunce.domain.events import Part, PartType

Content = tuple[str, tuple[Part, ...]]

MINI_PROGRAM: Final = "[小程序]"
"""Name of a mini program's card, so that rules can tell it from a business card or a calendar entry."""

_PAYLOADS: Final = {
    "external_redpacket": "redpacket",
    "docmsg": "doc",
    "markdown": "info",
    "news": "info",
    "meeting_notification": "info",
    "voiptext": "info",
    "qydiskfile": "info",
    "solitaire": "info",
    "note": "info",
}
"""The payload's key where it is not the kind itself."""

_TITLES: Final[dict[str, tuple[PartType, str]]] = {
    "location": ("location", "title"),
    "link": ("link", "title"),
    "weapp": ("card", "title"),
    "chatrecord": ("forward", "title"),
    "vote": ("poll", "votetitle"),
    "collect": ("poll", "title"),
    "todo": ("card", "title"),
    "redpacket": ("red_packet", "wish"),
    "external_redpacket": ("red_packet", "wish"),
    "meeting": ("card", "topic"),
    "meeting_notification": ("system", "content"),
    "docmsg": ("link", "title"),
    "calendar": ("card", "title"),
    "sphfeed": ("card", "feed_desc"),
    "card": ("card", "corpname"),
    "solitaire": ("other", "solitaire_content"),
    "voiptext": ("other", "callduration"),
}
_ITEMS: Final = {
    "ChatRecordText": "text",
    "ChatRecordImage": "image",
    "ChatRecordVideo": "video",
    "ChatRecordFile": "file",
    "ChatRecordLink": "link",
}


def content_of(kind: str, row: Row) -> Content:
    """Return (text, other parts) of a message."""
    payload = row.get(_PAYLOADS.get(kind, kind))
    return _content(kind, payload if isinstance(payload, dict) else {})


def _content(kind: str, payload: Row) -> Content:
    if kind in ("text", "markdown"):
        return text_of(payload.get("content")), ()
    if kind in ("image", "emotion", "voice", "video", "file", "voip_doc_share", "qydiskfile", "meeting_voice_call"):
        return "", (_media(kind, payload),)
    if kind == "mixed":
        return _joined([_item(item) for item in payload.get("item") or ()])
    if kind == "note":
        return _joined([_item(item) for item in payload.get("items") or ()])
    if kind == "news":
        return "", tuple(_link(item) for item in payload.get("item") or ())
    if kind == "chatrecord":
        return "", (Part(type="forward", text=_record(payload)),)
    if kind in _TITLES:
        part, field = _TITLES[kind]
        name = MINI_PROGRAM if kind == "weapp" else None
        return "", (Part(type=part, text=_said(payload, field), name=name, url=text_of(payload.get("link_url")) or None),)
    return "", (Part(type="other", text=kind or None),)


def _media(kind: str, payload: Row) -> Part:
    types: dict[str, PartType] = {"emotion": "sticker", "image": "image", "voice": "voice", "video": "video"}
    sizes = (payload.get(field) for field in ("filesize", "voice_size", "imagesize"))
    size = next((value for value in sizes if value is not None), None)
    return Part(
        type="voice" if kind == "meeting_voice_call" else types.get(kind, "file"),
        name=text_of(payload.get("filename")) or None,
        size_bytes=count_of(size),
        duration_s=seconds_of(payload.get("play_length")),
        url=text_of(payload.get("url")) or None,
    )


def _said(payload: Row, field: str) -> str | None:
    """Return title and description in one line each."""
    lines = (payload.get(field), payload.get("description"), payload.get("address"))
    return "\n".join(filter(None, map(text_of, lines))) or None


def _link(item: Row) -> Part:
    return Part(type="link", text=_said(item, "title"), url=text_of(item.get("url")) or None)


def _item(item: Row) -> Content:
    return _content(text_of(item.get("type")) or text_of(item.get("msg_type")), _loaded(item.get("content")))


def _record(payload: Row) -> str | None:
    """Return the forwarded messages' title and texts, so that what was forwarded can be searched."""
    lines = [text_of(payload.get("title"))]
    for item in payload.get("item") or ():
        text, _ = _content(_ITEMS.get(text_of(item.get("type")), ""), _loaded(item.get("content")))
        lines.append(text)
    return "\n".join(filter(None, lines)) or None


def _loaded(content: object) -> Row:
    """Return the object inside a JSON string; Tencent nests them so."""
    if isinstance(content, str):
        try:
            content = json.loads(content, strict=False)
        except (ValueError, RecursionError):
            return {"content": content}
    return content if isinstance(content, dict) else {}


def _joined(contents: list[Content]) -> Content:
    parts = [part for _, parts in contents for part in parts]
    return "".join(text for text, _ in contents), tuple(parts)
