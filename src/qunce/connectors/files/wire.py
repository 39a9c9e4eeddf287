"""Read the journal's own wire form, one event a line: what `qunce simulate` writes, and another installation's journal."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.domain.events import Event, decode

_SIGNS = (b'"ts_ms":', b'"dedupe_key":', b'"body":{"type":')


class Wire:
    """The closed schema of `domain.events`, as JSON lines."""

    name = "wire"
    title = "群策 events JSONL"

    def sniff(self, head: Head) -> float:
        """Return 1 where the first line holds the envelope's fields."""
        first = head.data.partition(b"\n")[0]
        return 1.0 if first.startswith(b"{") and all(sign in first for sign in _SIGNS) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the events; a line of another shape is rejected with what is wrong with it."""
        for number, line in source.lines():
            if not line.strip():
                continue
            try:
                yield decode(line)
            except msgspec.DecodeError as error:
                yield Rejected(
                    where=f"line {number}",
                    code="bad_event",
                    reason=f"The line is no event: {str(error)[:200]}.",
                    fix="Correct the line, or write the file again with the tool that made it.",
                    excerpt=line[:200],
                )
