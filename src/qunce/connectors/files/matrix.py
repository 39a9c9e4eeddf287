"""Matrix rooms: Element's JSON export (also inside its zip), and raw room events one a line.

Shapes: matrix-org/matrix-react-sdk `src/utils/exportUtils/JSONExport.ts`; the Matrix client-server specification.
"""

from __future__ import annotations

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.rows import (
    Row,
    Rows,
    cursor_of,
    first_line,
    has_keys,
    head_text,
    read_json_lines,
    read_rows,
    stem,
    text_of,
)
from qunce.connectors.matrix.room import RoomReader


class Matrix:
    """Reads one room."""

    name = "matrix"
    title = "Matrix (Element JSON, or room events as JSON lines)"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for Element's root, 0.9 for lines that are room events."""
        if not has_keys(head):
            return 0.0
        if has_keys(head, "room_name", "exported_by", "messages"):
            return 0.95
        return 0.9 if _is_event(head_text(head).lstrip().partition("\n")[0]) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the room's events."""
        if _is_event(first_line(source)):
            reader = RoomReader(options.group or stem(source))
            yield from read_json_lines(source, reader.read)
            return
        header: Row = {}
        cursor = cursor_of(source, options)
        for key in cursor.fields():
            if key in ("room_name", "topic"):
                header[key] = cursor.value()
            elif key == "messages":
                reader = RoomReader(text_of(header.get("room_name")) or options.group or stem(source))
                yield from read_rows(cursor.items(), "messages", reader.read)


def _is_event(line: str) -> bool:
    """Tell a room event from the root of an export that stands on one line."""
    return all(f'"{key}"' in line for key in ("origin_server_ts", "sender", "type", "content")) and '"messages"' not in line
