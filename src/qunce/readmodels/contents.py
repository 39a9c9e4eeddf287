"""Code the kinds of content for storage; the first part that is not plain text names a message's kind."""

from __future__ import annotations

from typing import Final

from qunce.domain.events import MessageCreated, MessageEdited

CONTENT_CODES: Final[dict[str, int]] = {
    "text": 1, "image": 2, "voice": 3, "video": 4, "file": 5, "sticker": 6, "link": 7, "card": 8, "location": 9, "poll": 10,
    "forward": 11, "red_packet": 12, "system": 13, "other": 14,
}  # fmt: skip
CONTENT_NAMES: Final = {code: name for name, code in CONTENT_CODES.items()}
TEXT: Final = CONTENT_CODES["text"]
SYSTEM: Final = CONTENT_CODES["system"]


def content_code(body: MessageCreated | MessageEdited) -> int:
    """Return the code of a message's content kind."""
    for part in body.content:
        if part.type != "text":
            return CONTENT_CODES[part.type]
    return TEXT
