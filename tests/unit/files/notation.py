"""Write events as short lines, so that a test shows a whole chat at a glance.

02-01 02:01:00 message.created user11 Ann | id=2 text='see x' parts=link mentions=user12
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from qunce.connectors.files.base import ImportOptions, Rejected
from qunce.connectors.files.registry import read_file
from qunce.domain.events import Event, Party

NOW_MS = 1_800_000_000_000
"""2027-01-15, the moment of every import in these tests."""

_SHORT = {"message_id": "id", "content": "parts", "reply_to": "reply"}


def options(**changes: Any) -> ImportOptions:
    """Return import options with the clock of the tests."""
    return ImportOptions(now_ms=NOW_MS, **changes)


def write(folder: Path, name: str, content: object) -> Path:
    """Write a file: bytes and text as they are, anything else as JSON."""
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def rows_of(path: Path, format_name: str | None = None, **changes: Any) -> list[Event | Rejected]:
    """Read a file to its end."""
    with read_file(path, format_name, options(**changes)) as reading:
        return list(reading)


def told(rows: Iterable[Event | Rejected]) -> list[str]:
    """Return one line a row."""
    return [_rejected(row) if isinstance(row, Rejected) else _event(row) for row in rows]


def keys_of(rows: Iterable[Event | Rejected]) -> list[str]:
    """Return the dedupe keys of the events."""
    return [row.dedupe_key for row in rows if isinstance(row, Event)]


def _rejected(row: Rejected) -> str:
    return f"rejected {row.where} {row.code}"


def _event(event: Event) -> str:
    when = datetime.fromtimestamp(event.ts_ms / 1000, UTC).strftime("%m-%d %H:%M:%S")
    who = " ".join(filter(None, (_party(event.actor) or "-", "→" if event.subject else "", _party(event.subject))))
    fields = {key: value for key, value in msgspec.to_builtins(event.body).items() if key != "type"}
    said = " ".join(f"{_SHORT.get(key, key)}={_value(key, value)}" for key, value in fields.items())
    return f"{when} {event.type} {who} | {said}".rstrip(" |")


def _party(party: Party | None) -> str:
    if party is None:
        return ""
    kind = "" if party.kind == "unknown" else f"[{party.kind}]"
    return f"{party.platform_id}{kind} {party.name or ''}".strip()


def _value(key: str, value: Any) -> str:
    if key == "content":
        return ",".join(_part(part) for part in value)
    if isinstance(value, (list, tuple)):
        return ",".join(value)
    return repr(value) if key in ("text", "comment") else str(value)


def _part(part: dict[str, Any]) -> str:
    values = "/".join(str(value) for key, value in part.items() if key != "type")
    kind = part.get("type", "text")
    values = values.replace("\n", "⏎")
    return f"{kind}({values})" if values and kind != "text" else kind
