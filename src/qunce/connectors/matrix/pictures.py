"""Name the pictures among room events, and fetch them through the account."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from qunce.connectors.codes import MAX_BYTES
from qunce.connectors.matrix.api import MatrixApi
from qunce.connectors.pictures import Picture, Pictures
from qunce.connectors.rows import Row, text_of

_ADDRESS: Final = re.compile(r"mxc://([^/?#]{1,255})/([A-Za-z0-9_-]{1,255})")


def pictures(api: MatrixApi) -> Pictures:
    """Return the search of pictures of one account."""

    async def fetch(place: str) -> bytes:
        server, _, media_id = place.removeprefix("mxc://").partition("/")
        return await api.media(server, media_id, most=MAX_BYTES)

    return Pictures(fetch, kind="matrix")


def pictures_of(room_id: str, rows: Iterable[Row]) -> Iterator[Picture]:
    """Yield the pictures of a room's events that are not encrypted and lie in the media store."""
    for row in rows:
        content = row.get("content")
        if row.get("type") != "m.room.message" or not isinstance(content, dict) or content.get("msgtype") != "m.image":
            continue
        place = text_of(content.get("url"))
        if _ADDRESS.fullmatch(place) is None:
            continue
        info = content.get("info")
        size = info.get("size") if isinstance(info, dict) else None
        yield Picture(
            conv_id=room_id,
            message_id=text_of(row.get("event_id")),
            place=place,
            size_bytes=size if isinstance(size, int) else None,
        )
