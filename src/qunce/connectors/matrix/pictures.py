"""Look for QR codes in the pictures of an answer, and write what they say into the events' parts."""

from __future__ import annotations

import asyncio
import logging
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from qunce.connectors.codes import MAX_BYTES, BadPicture, read_codes
from qunce.connectors.errors import AuthFailed, ConnectorError
from qunce.connectors.matrix.api import MatrixApi
from qunce.connectors.rows import Row, text_of
from qunce.domain.events import Event, MessageCreated

MAX_PICTURES: Final = 20
"""So many pictures of one answer are looked at; whoever sends more at once does not hold up the reading."""
PATIENCE_S: Final = 10.0
"""So long one picture may take to come and be searched."""
_ADDRESS: Final = re.compile(r"mxc://([^/?#]{1,255})/([A-Za-z0-9_-]{1,255})")

Codes = Mapping[str, tuple[str, ...]]
"""What the codes of a message's picture say, by the id of the message."""

logger = logging.getLogger(__name__)


class Pictures:
    """Fetches pictures through the account and searches them; `seen` counts what became of them. Never fails for a picture."""

    def __init__(self, api: MatrixApi) -> None:
        self._api = api
        self.seen: Counter[str] = Counter()

    async def codes(self, rows: Iterable[Row]) -> Codes:
        """Return the codes in the pictures of these room events. Raises AuthFailed only."""
        found: dict[str, tuple[str, ...]] = {}
        failed: Counter[str] = Counter()
        for number, (event_id, place, size) in enumerate(_pictures(rows)):
            try:
                if number >= MAX_PICTURES:
                    raise BadPicture("many")
                if size is not None and size > MAX_BYTES:
                    raise BadPicture("bytes")
                async with asyncio.timeout(PATIENCE_S):
                    data = await self._api.media(*place, most=MAX_BYTES)
                    codes = await asyncio.to_thread(read_codes, data)
            except AuthFailed:
                raise
            except (ConnectorError, BadPicture, TimeoutError) as error:
                failed[str(getattr(error, "code", "timeout"))] += 1
                continue
            self.seen["read"] += 1
            if codes:
                found[event_id] = codes
        self.seen.update(failed)
        if failed:
            extra = {"action": "matrix.pictures", "count": failed.total(), "code": ",".join(sorted(failed))}
            logger.warning("Pictures were not searched for QR codes.", extra=extra)
        return found


def with_codes(events: Sequence[Event], codes: Codes) -> tuple[Event, ...]:
    """Return the events with what the codes say in the picture's part of each message."""
    return tuple(_with_codes(event, codes) for event in events) if codes else tuple(events)


def _with_codes(event: Event, codes: Codes) -> Event:
    body = event.body
    if not isinstance(body, MessageCreated) or (known := codes.get(body.message_id or "")) is None:
        return event
    content = tuple(replace(part, codes=known) if part.type == "image" else part for part in body.content)
    return replace(event, body=replace(body, content=content))


def _pictures(rows: Iterable[Row]) -> Iterable[tuple[str, tuple[str, str], int | None]]:
    """Yield id, place and told size in bytes (None: not told) of the pictures that are not encrypted."""
    for row in rows:
        content = row.get("content")
        if row.get("type") != "m.room.message" or not isinstance(content, dict) or content.get("msgtype") != "m.image":
            continue
        place = _ADDRESS.fullmatch(text_of(content.get("url")))
        if place is None:
            continue
        info = content.get("info")
        size = info.get("size") if isinstance(info, dict) else None
        yield text_of(row.get("event_id")), (place[1], place[2]), size if isinstance(size, int) else None
