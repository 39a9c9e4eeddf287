"""Make an event fit to be stored: no lone surrogates, no NUL (databases refuse them), no absurd lengths or times."""

from __future__ import annotations

import logging
import re
from hashlib import blake2b
from typing import Any, Final

import msgspec

from qunce.domain import events
from qunce.domain.events import Event

DAY_MS: Final = 86_400_000
EARLIEST_LIVE_MS: Final = 946_684_800_000
"""2000-01-01 UTC."""
MAX_NAME: Final = 250
MAX_ID: Final = 250
MAX_KEY: Final = 400
MAX_LIVE_TEXT: Final = 200_000
"""Characters; a longer message is cut, because a message that is left out could not be judged."""

logger = logging.getLogger(__name__)

_BAD: Final = re.compile("[\x00\ud800-\udfff]")


def presentable(text: str) -> str:
    """Return a text without what cannot be stored or shown."""
    return _BAD.sub("\ufffd", text)


def key_cut(event: Event) -> Event:
    """Return the event with a digest for a key that is too long."""
    if len(event.dedupe_key) <= MAX_KEY:
        return event
    digest = blake2b(event.dedupe_key.encode(), digest_size=16).hexdigest()
    return msgspec.structs.replace(event, dedupe_key=f"h:{digest}")


def live_event(event: Event, now_ms: int) -> Event | None:
    """Return an event from the wire fit to be stored, or None when an id is missing or absurd.

    A time before 2000 or more than a day ahead is a wrong clock, or a lie, and becomes the moment it was learnt.
    """
    if not EARLIEST_LIVE_MS <= event.ts_ms <= now_ms + DAY_MS:
        event = msgspec.structs.replace(event, ts_ms=now_ms)
    text = getattr(event.body, "text", "")
    if len(text) > MAX_LIVE_TEXT:
        event = _text_cut(event, text[:MAX_LIVE_TEXT])
    try:
        if b"\\u0000" in events.encode(event):
            event = cleaned(event)
    except UnicodeEncodeError:
        event = cleaned(event)
    parties = [party for party in (event.conv, event.actor, event.subject) if party]
    if any(not party.platform_id or len(party.platform_id) > MAX_ID for party in parties):
        extra = {"action": "connector.skip", "kind": event.source.connector, "code": "bad_id"}
        logger.warning("An event has an id that cannot be.", extra=extra)
        return None
    return key_cut(names_cut(event))


def _text_cut(event: Event, text: str) -> Event:
    parts = getattr(event.body, "content", ())
    content = (events.Part(text=text), *(part for part in parts if part.type != "text")) if parts else ()
    return msgspec.structs.replace(event, body=msgspec.structs.replace(event.body, text=text, content=content))


def cleaned(event: Event) -> Event:
    """Return the event with every text of it cleaned."""
    return msgspec.convert(_clean(msgspec.to_builtins(event)), Event)


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return _BAD.sub(lambda match: "" if match.group() == "\x00" else "\ufffd", value)
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, (list, tuple)) else value


def names_cut(event: Event) -> Event:
    """Return the event with long names cut."""
    changes = {}
    for field in ("conv", "actor", "subject"):
        party = getattr(event, field)
        if party and party.name and len(party.name) > MAX_NAME:
            changes[field] = msgspec.structs.replace(party, name=party.name[:MAX_NAME])
    return msgspec.structs.replace(event, **changes)
