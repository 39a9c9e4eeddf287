"""Make events of what a platform or an export says: one conversation at a time, with keys that find a happening again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from qunce.domain import keys
from qunce.domain.events import AnyBody, Confidence, Conv, Event, MessageCreated, Part, Party, Source

Row = dict[str, Any]

_MAX_INT: Final = 2**53
_NOT_AS_DOCUMENTED: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError)

logger = logging.getLogger(__name__)


class BadRow(ValueError):
    """A row that cannot be used; becomes a Rejected."""

    def __init__(self, code: str, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fix = fix


class Chat:
    """One conversation: makes its events, all with the same source, conversation and confidence."""

    def __init__(self, source: Source, conv: Conv, confidence: Confidence = "imported") -> None:
        self.source = source
        self.conv = conv
        self.confidence = confidence
        self._prints = keys.Fingerprints()

    def event(self, ts_ms: int, body: AnyBody, key: str, *, actor: Party | None = None, subject: Party | None = None) -> Event:
        """Return an event of this conversation."""
        return Event(
            ts_ms=ts_ms, source=self.source, body=body, dedupe_key=key, conv=self.conv, actor=actor, subject=subject,
            confidence=self.confidence,
        )  # fmt: skip

    def native(self, kind: str, *ids: str) -> str:
        """Return the dedupe key of something in this conversation that has ids of its own."""
        return keys.native_key(kind, self.conv.platform_id, *ids)

    def fingerprint(self, ts_ms: int, *parts: str) -> str:
        """Return the dedupe key of something in this conversation that has no id; `parts` are sender, type, text."""
        return self._prints.key(ts_ms, self.conv.platform_id, *parts)

    def message(
        self, ts_ms: int, actor: Party | None, message_id: str | None, text: str, parts: tuple[Part, ...] = (), *,
        reply_to: str | None = None, mentions: tuple[str, ...] = (), forwarded_from: str | None = None,
    ) -> Event:  # fmt: skip
        """Return a message; `parts` are what it holds beside its text."""
        content = contents(text, parts)
        body = MessageCreated(
            message_id=message_id, text=text, content=content, reply_to=reply_to, mentions=mentions,
            forwarded_from=forwarded_from,
        )  # fmt: skip
        if message_id is not None:
            key = keys.message_key(self.conv.platform_id, message_id)
        else:
            sender = actor.platform_id if actor else ""
            kinds = ",".join(part.type for part in content)
            key = self.fingerprint(ts_ms, sender, kinds, text)
        return self.event(ts_ms, body, key, actor=actor)

    def notice(self, ts_ms: int, message_id: str | None, text: str) -> Event:
        """Return a line the platform wrote itself."""
        return self.message(ts_ms, None, message_id, text, (Part(type="system"),))


def contents(text: str, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return a message's content: nothing for plain text, else the text first."""
    if not parts or not text or parts[0].type == "system":
        return parts
    return (Part(text=text), *parts)


def read_each(rows: Iterable[Row], read: Callable[[Row], Iterable[Event]], kind: str) -> Iterator[Event]:
    """Yield what `read` makes of each payload of a live channel; one that is not built as documented is logged and left out."""
    for row in rows:
        try:
            yield from list(read(row))
        except _NOT_AS_DOCUMENTED as error:
            code = error.code if isinstance(error, BadRow) else type(error).__name__
            logger.warning("A payload cannot be read.", extra={"action": "connector.skip", "kind": kind, "code": code})


def text_of(value: object) -> str:
    """Return a text or number as text; empty for anything else."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else ""


def count_of(value: object) -> int | None:
    """Return a size that databases can hold, or None."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MAX_INT else None


def seconds_of(value: object) -> float | None:
    """Return a duration, or None."""
    return float(value) if isinstance(value, (int, float)) and 0 <= value < _MAX_INT else None


def bad_time(value: object) -> BadRow:
    """Return the error of a row without a usable time."""
    return BadRow("bad_time", f"The time {str(value)[:40]!r} cannot be read.", "Give the time as the format says.")


def no_sender() -> BadRow:
    """Return the error of a row that names nobody."""
    return BadRow("no_sender", "The row does not say who sent it.", "Add the sender.")
