"""Look for QR codes in the pictures of an answer, and write what they say into the events' parts.

How a picture is fetched is its platform's matter; here are the limits that hold for all of them. A picture that cannot be
fetched, read or waited for changes nothing: its message is stored as it came.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from qunce.connectors.codes import MAX_BYTES, BadPicture, read_codes
from qunce.connectors.errors import AuthFailed, ConnectorError
from qunce.domain.events import Event, MessageCreated

MAX_PICTURES: Final = 20
"""So many pictures of one answer are looked at; whoever sends more at once does not hold up the reading."""
PATIENCE_S: Final = 10.0
"""So long one picture may take to come and be searched."""
PATIENCE_FOR_ALL_S: Final = 30.0
"""So long all pictures of one answer may take together."""

Key = tuple[str, str]
"""Conversation and message, as the platform names them."""
Codes = Mapping[Key, tuple[str, ...]]
"""What the codes of a message's pictures say."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture that could be searched."""

    conv_id: str
    message_id: str
    place: str
    """Where it is: an address, or an id that the platform takes."""
    size_bytes: int | None = None
    """As the platform tells it; None = not told."""


class Pictures:
    """Fetches pictures and searches them; `seen` counts what became of them. Never fails for a picture."""

    def __init__(self, fetch: Callable[[str], Awaitable[bytes]], *, kind: str) -> None:
        """`fetch` takes a picture's place and returns its bytes, reading no more than `MAX_BYTES`; raises ConnectorError."""
        self._fetch = fetch
        self._kind = kind
        self.seen: Counter[str] = Counter()

    async def codes(self, pictures: Iterable[Picture]) -> Codes:
        """Return the codes in some pictures. Raises AuthFailed only."""
        found: dict[Key, tuple[str, ...]] = {}
        failed: Counter[str] = Counter()
        end_s = asyncio.get_running_loop().time() + PATIENCE_FOR_ALL_S
        for number, picture in enumerate(pictures):
            try:
                codes = await self._read(picture, number, end_s)
            except AuthFailed:
                raise
            except (ConnectorError, BadPicture, TimeoutError) as error:
                failed[str(getattr(error, "code", "timeout"))] += 1
                continue
            self.seen["read"] += 1
            if codes:
                key = (picture.conv_id, picture.message_id)
                found[key] = tuple(dict.fromkeys((*found.get(key, ()), *codes)))
        self.seen.update(failed)
        if failed:
            extra = {"action": f"{self._kind}.pictures", "count": failed.total(), "code": ",".join(sorted(failed))}
            logger.warning("Pictures were not searched for QR codes.", extra=extra)
        return found

    async def _read(self, picture: Picture, number: int, end_s: float) -> tuple[str, ...]:
        if number >= MAX_PICTURES:
            raise BadPicture("many")
        if picture.size_bytes is not None and picture.size_bytes > MAX_BYTES:
            raise BadPicture("bytes")
        left_s = end_s - asyncio.get_running_loop().time()
        async with asyncio.timeout(min(PATIENCE_S, left_s)):
            return await asyncio.to_thread(read_codes, await self._fetch(picture.place))


def with_codes(events: Sequence[Event], codes: Codes) -> tuple[Event, ...]:
    """Return the events with what the codes say in the first picture of each message."""
    return tuple(_with_codes(event, codes) for event in events) if codes else tuple(events)


def _with_codes(event: Event, codes: Codes) -> Event:
    body, conv = event.body, event.conv
    if not isinstance(body, MessageCreated) or conv is None:
        return event
    known = codes.get((conv.platform_id, body.message_id or ""))
    first = next((place for place, part in enumerate(body.content) if part.type == "image"), None)
    if known is None or first is None:
        return event
    part = replace(body.content[first], codes=known)
    content = (*body.content[:first], part, *body.content[first + 1 :])
    return replace(event, body=replace(body, content=content))
