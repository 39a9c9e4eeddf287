"""Make events from the rows of a JSON export, and turn what is wrong with one row into a value.

for index, item in the array ─▶ read(item) ─▶ Event …          BadRow, KeyError, TypeError … ─▶ Rejected, and on to the next
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.connectors.files.jsonstream import TOO_LONG, JsonCursor
from qunce.connectors.files.textlines import detect_encoding
from qunce.domain import keys
from qunce.domain.events import AnyBody, Conv, Event, MessageCreated, Part, Party, Source

Row = dict[str, Any]
Rows = Iterator[Event | Rejected]

HEAD_BYTES: Final = 64 * 1024
_MAX_INT: Final = 2**53
_ENDINGS: Final = re.compile(r"(\.(json|jsonl|ndjson|txt|csv|zip|gz|zst))+$", re.IGNORECASE)


class BadRow(ValueError):
    """A row that cannot be used; becomes a Rejected."""

    def __init__(self, code: str, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.fix = fix


class Chat:
    """One conversation of an export: makes its events, all with the same source and conversation."""

    def __init__(self, source: Source, conv: Conv) -> None:
        self.source = source
        self.conv = conv
        self._prints = keys.Fingerprints()

    def event(self, ts_ms: int, body: AnyBody, key: str, *, actor: Party | None = None, subject: Party | None = None) -> Event:
        """Return an event of this conversation."""
        return Event(
            ts_ms=ts_ms, source=self.source, body=body, dedupe_key=key, conv=self.conv, actor=actor, subject=subject,
            confidence="imported",
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


def read_rows(items: Iterable[Any], where: str, read: Callable[[Row], Iterable[Event | Rejected]]) -> Rows:
    """Yield what `read` makes of each item; a bad item becomes a Rejected named `where[index]`."""
    for index, item in enumerate(items):
        try:
            yield from read(item)
        except BadRow as error:
            yield rejected(f"{where}[{index}]", error.code, error.reason, error.fix, item)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as error:
            yield unusable(f"{where}[{index}]", item, error)


def read_json_lines(source: FileSource, read: Callable[[Row], Iterable[Event | Rejected]], prefix: str = "") -> Rows:
    """Yield what `read` makes of each line that holds a JSON object; blank lines and `#` comments are passed over."""
    for number, line in source.lines():
        if not line or line.isspace() or line.startswith("#"):
            continue
        try:
            yield from read(json.loads(line, strict=False))
        except BadRow as error:
            yield rejected(f"{prefix}line {number}", error.code, error.reason, error.fix, line)
        except (json.JSONDecodeError, RecursionError):
            yield rejected(
                f"{prefix}line {number}", "bad_json", "The line is not JSON.", "Correct the line, or export again.", line
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, IndexError) as error:
            yield unusable(f"{prefix}line {number}", line, error)


def rejected(where: str, code: str, reason: str, fix: str, row: object) -> Rejected:
    """Return a rejection with the beginning of the row."""
    excerpt = row if isinstance(row, str) else json.dumps(row, ensure_ascii=False, default=str)
    return Rejected(where=where, code=code, reason=reason, fix=fix, excerpt=excerpt[:200])


def unusable(where: str, row: object, error: Exception) -> Rejected:
    """Return the rejection of a row that is not built as its format says."""
    if row is TOO_LONG:
        return rejected(where, "too_long", "The row is longer than the limit.", "Leave the row out.", "")
    reason = f"The row is not built as the format says ({type(error).__name__})."
    return rejected(where, "bad_row", reason, "Export the chat again with a current version of the tool.", row)


def cursor_of(source: FileSource, options: ImportOptions) -> JsonCursor:
    """Return a cursor at the beginning of a JSON file."""
    with source.stream() as stream:
        found = detect_encoding(stream.read(HEAD_BYTES))
    encoding = "utf-16" if found.startswith("utf-16") else ("utf-8-sig" if found == "ascii" else found)
    return JsonCursor(source.stream(), encoding=encoding, max_value=options.max_line_bytes)


def head_text(head: Head) -> str:
    """Return the head as text, good enough to find keys in."""
    if head.data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.data.decode("utf-16", "replace")
    return head.data.decode("utf-8", "replace").lstrip("\ufeff")


def has_keys(head: Head, *names: str) -> bool:
    """Tell whether the head is the beginning of a JSON object or array and holds all these keys."""
    text = head_text(head)
    return text.lstrip()[:1] in ("{", "[") and all(f'"{name}"' in text for name in names)


def first_line(source: FileSource) -> str:
    """Return the beginning of the first line that is neither blank nor a comment; empty when the head holds none."""
    with source.stream() as stream:
        text = head_text(Head(name=source.name, data=stream.read(HEAD_BYTES)))
    return next((line for line in text.split("\n") if line.strip() and not line.startswith("#")), "")


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


def stem(source: FileSource) -> str:
    """Return the file's name without its endings: the last resort for the name of a group."""
    return _ENDINGS.sub("", source.name) or source.name


def header_of(source: FileSource, options: ImportOptions, wanted: tuple[str, ...]) -> Row:
    """Return these fields of the root object, wherever they stand; the rest is passed over."""
    found: Row = {}
    cursor = cursor_of(source, options)
    for key in cursor.fields():
        if key in wanted:
            found[key] = cursor.value()
            if len(found) == len(wanted):
                break
    return found
