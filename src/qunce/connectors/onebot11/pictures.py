"""Name the pictures among reports, and fetch them from the platform's own servers.

An implementation gives pictures as addresses. Members must not be able to make us ask any address they like, so only the
hosts QQ keeps its pictures on are asked, and the runtime gives a way to fetch that reaches public addresses only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from qunce.connectors.errors import Permanent
from qunce.connectors.onebot11.message import segments_of
from qunce.connectors.onebot11.reports import PRIVATE
from qunce.connectors.pictures import Picture, Pictures
from qunce.connectors.rows import Row, count_of, text_of

HOSTS: Final = ("qpic.cn", "qq.com", "qq.com.cn")
"""Hosts, and those below them, on which QQ keeps pictures."""

Fetch = Callable[[str], Awaitable[bytes]]


def pictures(fetch: Fetch) -> Pictures:
    """Return the search of pictures; `fetch` may be asked for addresses of QQ's hosts only."""

    async def checked(url: str) -> bytes:
        if not is_of_platform(url):
            raise Permanent("other_host", "the picture does not lie with the platform")
        return await fetch(url)

    return Pictures(checked, kind="onebot")


def is_of_platform(url: str) -> bool:
    """Tell whether an address leads to one of QQ's hosts, on the usual port and without a user."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    host = (parts.hostname or "").rstrip(".")
    if parts.scheme not in ("http", "https") or port not in (None, 80, 443) or "@" in parts.netloc:
        return False
    return any(host == known or host.endswith("." + known) for known in HOSTS)


def pictures_of(rows: Iterable[Row]) -> Iterator[Picture]:
    """Yield the pictures in reports of messages; one message may hold several."""
    for row in rows:
        if row.get("post_type") not in ("message", "message_sent"):
            continue
        group = text_of(row.get("group_id"))
        message = row.get("message")
        for kind, data in segments_of(message if message is not None else row.get("raw_message")):
            if kind == "image" and (url := text_of(data.get("url"))):
                yield Picture(
                    conv_id=group or PRIVATE + text_of(row.get("user_id")),
                    message_id=text_of(row.get("message_id")),
                    place=url,
                    size_bytes=count_of(data.get("file_size")),
                )
