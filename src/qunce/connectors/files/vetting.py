"""Check every event on its way out of a format, once for all formats.

The check is one encoding to JSON: it finds lone surrogates (which no database takes), NUL (which PostgreSQL refuses) and absurd
lengths in any field at about a microsecond an event. Only what it finds is looked at more closely.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from qunce.connectors.cleaning import DAY_MS, MAX_ID, MAX_NAME, cleaned, key_cut, names_cut, presentable
from qunce.connectors.files.base import EARLIEST_MS, Rejected
from qunce.domain import events
from qunce.domain.events import Event

EARLIEST_ORDER_MS: Final = 631_152_000_000
"""1990-01-01 UTC: shops are older than chats."""
MAX_TEXT_BYTES: Final = 1_000_000


class Vetting:
    """The check, with the clock of the import. Counts rows, so that a rejection can say which."""

    def __init__(self, now_ms: int) -> None:
        self._latest_ms = now_ms + DAY_MS
        self.rows = 0

    def vet(self, event: Event) -> Event | Rejected:
        """Return the event, cleaned where it can be, or why it cannot be used."""
        self.rows += 1
        if event.ts_ms < (EARLIEST_ORDER_MS if type(event.body) is events.OrderUpdated else EARLIEST_MS):
            return self._rejected("too_old", "The time lies before the year 2000.", "Correct the clock of the row.", event)
        if event.ts_ms > self._latest_ms:
            return self._rejected("future_time", "The time lies in the future.", "Correct the time or --tz.", event)
        try:
            data = events.encode(event)
        except UnicodeEncodeError:
            event = cleaned(event)
            data = events.encode(event)
        if b"\\u0000" in data:
            event = cleaned(event)
        if len(data) > MAX_TEXT_BYTES:
            return self._rejected("too_long", "The row is longer than 1 MB.", "Shorten the text.", event)
        return self._ids_vetted(event)

    def _ids_vetted(self, event: Event) -> Event | Rejected:
        is_long_named = False
        for party in (event.conv, event.actor, event.subject):
            if party is None:
                continue
            if not party.platform_id:
                return self._rejected("no_sender", "The row does not say whose it is.", "Add the sender or group.", event)
            if len(party.platform_id) > MAX_ID:
                return self._rejected("bad_id", f"An id is longer than {MAX_ID} characters.", "Correct the row.", event)
            if party.name is not None and len(party.name) > MAX_NAME:
                is_long_named = True
        if not event.dedupe_key:
            return self._rejected("bad_row", "The row has no key.", "Add a message id.", event)
        event = key_cut(event)
        return names_cut(event) if is_long_named else event

    def _rejected(self, code: str, reason: str, fix: str, event: Event) -> Rejected:
        text = getattr(event.body, "text", "")
        message_id = getattr(event.body, "message_id", None)
        where = f"message {message_id[:MAX_ID]}" if message_id else f"event {self.rows}"
        return Rejected(where=where, code=code, reason=reason, fix=fix, excerpt=presentable(text[:200]))


def vetted(rows: Iterator[Event | Rejected], now_ms: int) -> Iterator[Event | Rejected]:
    """Yield the rows of a format, checked."""
    vetting = Vetting(now_ms)
    for row in rows:
        yield vetting.vet(row) if isinstance(row, Event) else _presentable(row)


def _presentable(row: Rejected) -> Rejected:
    excerpt = presentable(row.excerpt)
    return replace(row, excerpt=excerpt) if excerpt != row.excerpt else row
