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
from qunce.connectors.rows import BadRow as BadRow
from qunce.connectors.rows import Chat as Chat
from qunce.connectors.rows import Row as Row
from qunce.connectors.rows import bad_time as bad_time
from qunce.connectors.rows import contents as contents
from qunce.connectors.rows import count_of as count_of
from qunce.connectors.rows import no_sender as no_sender
from qunce.connectors.rows import seconds_of as seconds_of
from qunce.connectors.rows import text_of as text_of
from qunce.domain.events import Event

Rows = Iterator[Event | Rejected]

HEAD_BYTES: Final = 64 * 1024
_ENDINGS: Final = re.compile(r"(\.(json|jsonl|ndjson|txt|csv|zip|gz|zst))+$", re.IGNORECASE)


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
