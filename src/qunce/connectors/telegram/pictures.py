"""Name the photographs among updates, and fetch them through the bot.

Source: core.telegram.org/bots/api#getfile. A photograph comes in several sizes, smallest first, each with a `file_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from qunce.connectors.codes import MAX_BYTES
from qunce.connectors.errors import Permanent
from qunce.connectors.pictures import Picture, Pictures
from qunce.connectors.rows import Row, count_of, text_of
from qunce.connectors.telegram.api import TelegramApi

_PATH: Final = re.compile(r"[A-Za-z0-9_-]{1,100}(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,200}){1,5}")
"""A file's path as the platform gives it, `photos/file_0.jpg`; a server of one's own may name a place on its disk instead."""


def pictures(api: TelegramApi) -> Pictures:
    """Return the search of pictures of one bot."""

    async def fetch(file_id: str) -> bytes:
        file = await api.call("getFile", file_id=file_id)
        path = text_of(file.get("file_path")) if isinstance(file, dict) else ""
        if _PATH.fullmatch(path) is None:
            raise Permanent("no_path", "the file has no path that can be asked for")
        return await api.file(path, most=MAX_BYTES)

    return Pictures(fetch, kind="telegram")


def pictures_of(updates: Iterable[Any]) -> Iterator[Picture]:
    """Yield the photographs of new messages, each in its largest size that is not too large to be looked at."""
    for update in updates:
        row = update.get("message") or update.get("channel_post") if isinstance(update, dict) else None
        if not isinstance(row, dict) or not isinstance(row.get("photo"), list) or not isinstance(row.get("chat"), dict):
            continue
        sizes = [size for size in row["photo"] if isinstance(size, dict) and text_of(size.get("file_id"))]
        size = next((size for size in reversed(sizes) if _bytes(size) <= MAX_BYTES), None)
        if size is not None:
            yield Picture(
                conv_id=text_of(row["chat"].get("id")),
                message_id=text_of(row.get("message_id")),
                place=text_of(size["file_id"]),
                size_bytes=count_of(size.get("file_size")),
            )


def _bytes(size: Row) -> int:
    return count_of(size.get("file_size")) or 0
