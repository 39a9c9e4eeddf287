"""Import what people dumped of their own WeChat with other tools (WeChatMsg / 留痕, PyWxDump, chatlog, WeFlow, echotrace).

Qunce reads the files; it ships no way of extracting them.
"""

from __future__ import annotations

from collections.abc import Iterator

from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.rows import has_keys
from qunce.connectors.files.tables import Table, head_lines
from qunce.connectors.files.times import TimeReader
from qunce.connectors.files.wechat.csv_dumps import read_csv, variant_of
from qunce.connectors.files.wechat.dump import Message, events
from qunce.connectors.files.wechat.json_dumps import read_chatlog, read_session
from qunce.domain.events import Event


class WeChat:
    """Dumps of WeChat chats as CSV or JSON."""

    name = "wechat"
    title = "WeChat dump (WeChatMsg / 留痕, PyWxDump, chatlog, WeFlow, echotrace)"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for the header or the keys of one of the dumps."""
        if has_keys(head, "talker", "isChatRoom") or has_keys(head, "session", "wxid", "messages"):
            return 0.95
        line = next((line for line in head_lines(head) if line.strip()), "")
        return 0.95 if variant_of(tuple(cell.strip().strip('"') for cell in line.split(","))) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the events in file order."""
        times = TimeReader(options.zone)
        yield from events(lambda: _messages(source, options), times)


def _messages(source: FileSource, options: ImportOptions) -> Iterator[Message | Rejected]:
    first = next((text for _, text in source.lines() if text.strip()), "").lstrip()
    if first.startswith("{") and '"talker"' not in first:
        return read_session(source, options)
    if first.startswith(("[", "{")):
        return read_chatlog(source, options)
    variant = variant_of(Table(source.lines()).header)
    if variant is None:
        raise Unreadable("The columns are those of no known WeChat dump.", "Import the file with --format generic.")
    return read_csv(source, options, variant)
