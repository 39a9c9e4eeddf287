"""Know all formats, recognise a file by its content, and read it.

read_file(path, None, options) ─▶ Reading: iterate for Event | Rejected; `format`, `bytes_read`, `total_bytes` for screens
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final, Self

from qunce.connectors.files.base import Format, Head, ImportOptions, Rejected
from qunce.connectors.files.errors import UnknownFormat
from qunce.connectors.files.source import DiskSource, OpenedSource, open_source
from qunce.connectors.files.vetting import vetted
from qunce.domain.events import Event

_CLASSES: Final = (
    "wire:Wire",
    "telegram:Telegram",
    "discord:Discord",
    "slack:Slack",
    "matrix:Matrix",
    "mattermost:Mattermost",
    "chatlab:ChatLab",
    "qqchatexporter:QQChatExporter",
    "wecom_archive:WeComArchive",
    "messenger:Messenger",
    "whatsapp:WhatsApp",
    "wechat:WeChat",
    "qq_txt:QqTxt",
    "orders:Orders",
    "generic:Generic",
)
"""Where two are equally sure of a file, the earlier one reads it."""

SURE: Final = 0.3
"""A format less sure than this of a file does not read it unless it is named."""


_KNOWN_USELESS: Final[tuple[tuple[Callable[[Head], bool], str, str], ...]] = (
    (
        lambda head: head.data.lstrip().lower().startswith((b"<!doctype html", b"<html")),
        "a web page",
        "Export the chat again as JSON or text (in Telegram Desktop: machine-readable JSON).",
    ),
    (lambda head: head.data.startswith(b"SQLite format 3"), "a database", "Export the chat from the program that made it."),
    (lambda head: "xl/workbook.xml" in head.members, "an Excel workbook", "Save the sheet as CSV and import that."),
    (lambda head: head.data.startswith(b"%PDF"), "a PDF", "Export the chat as text or JSON."),
)
"""Files people try that no format can read, and what to do instead."""


@cache
def formats() -> tuple[Format, ...]:
    """Return one instance of every format."""
    pairs = (item.split(":") for item in _CLASSES)
    return tuple(getattr(import_module(f"qunce.connectors.files.{module}"), name)() for module, name in pairs)


def names() -> tuple[str, ...]:
    """Return what `--format` takes."""
    return tuple(item.name for item in formats())


def by_name(name: str) -> Format:
    """Return the format called `name`. Raises UnknownFormat."""
    for item in formats():
        if item.name == name:
            return item
    raise UnknownFormat(f"There is no format {name!r}.", f"Choose one of: {', '.join(names())}.")


def detect(head: Head) -> Format:
    """Return the format that is surest of this head. Raises UnknownFormat naming all formats."""
    best = _surest(head)
    if best is None:
        _refuse_useless(head)
        titles = ", ".join(f"{item.title} ({item.name})" for item in formats())
        raise UnknownFormat(f"{head.name} is of no known format.", f"Known are: {titles}. Or name one with --format.")
    return best


def _refuse_useless(head: Head) -> None:
    for is_such, what, fix in _KNOWN_USELESS:
        if is_such(head):
            raise UnknownFormat(f"{head.name} is {what}.", fix)


def _surest(head: Head) -> Format | None:
    score, best = max(((item.sniff(head), -index) for index, item in enumerate(formats())), default=(0.0, 0))
    return formats()[-best] if score >= SURE else None


class Reading:
    """One file being read; iterate once. Raises ImportRefused, also in the middle: then nothing of the file may be kept."""

    def __init__(self, disk: DiskSource, parts: tuple[tuple[Format, OpenedSource], ...], options: ImportOptions) -> None:
        self._disk = disk
        self._parts = parts
        self._options = options
        self.format = parts[0][0]
        """The format of the file, for a zip of several that of the first."""

    @property
    def bytes_read(self) -> int:
        """Progress in bytes of the file as it lies on disk; starts over where a format goes through the file twice."""
        return self._disk.bytes_read

    @property
    def total_bytes(self) -> int:
        """Size of the file on disk."""
        return self._disk.total_bytes

    def __iter__(self) -> Iterator[Event | Rejected]:
        for item, source in self._parts:
            prefix = f"{source.name}: " if len(self._parts) > 1 else ""
            for row in vetted(_with_lines(item.read(source, self._options), source), self._options.now_ms):
                yield replace(row, where=prefix + row.where) if prefix and isinstance(row, Rejected) else row

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._disk.__exit__(*exc)


def read_file(path: str | Path, format_name: str | None, options: ImportOptions) -> Reading:
    """Open a file and recognise it, for use in a `with` block. Raises ImportRefused (see `errors`)."""
    disk = open_source(path, max_line_bytes=options.max_line_bytes)
    try:
        return Reading(disk, _parts(disk, by_name(format_name) if format_name else None), options)
    except BaseException:
        disk.__exit__()
        raise


def _parts(disk: DiskSource, named: Format | None) -> tuple[tuple[Format, OpenedSource], ...]:
    """Return what to read with which format: the file itself, or those members of a zip that some format knows."""
    head = disk.head()
    if not head.members:
        return ((named or detect(head), disk),)
    whole = _fitting(named, head)
    if whole is not None:
        return ((whole, disk),)
    sources = [disk.member(name) for name in head.members if _may_hold_chat(name)]
    parts = tuple((found, source) for source in sources if (found := _fitting(named, source.head())))
    if not parts and named and len(sources) == 1:
        return ((named, sources[0]),)
    if not parts:
        _refuse_useless(head)
        raise UnknownFormat(
            f"Nothing in {disk.name} is of a known format.", f"Known are: {', '.join(names())}. Or unpack it and import a part."
        )
    return parts


def _fitting(named: Format | None, head: Head) -> Format | None:
    """Return the format for a head, if need be only the named one."""
    if named is None:
        return _surest(head)
    return named if named.sniff(head) >= SURE else None


def _may_hold_chat(name: str) -> bool:
    """Tell a text file from the pictures and videos beside it, by name, as thousands of them may lie in one zip."""
    return name.lower().endswith((".json", ".jsonl", ".ndjson", ".txt", ".csv", ".tsv", ".log", ".parquet"))


def _with_lines(rows: Iterator[Event | Rejected], source: OpenedSource) -> Iterator[Event | Rejected]:
    """Yield the rows of a format and the lines its source could not give it."""
    for row in rows:
        if source.rejected:
            yield from _taken(source)
        yield row
    yield from _taken(source)


def _taken(source: OpenedSource) -> list[Rejected]:
    taken = list(source.rejected)
    source.rejected.clear()
    return taken
