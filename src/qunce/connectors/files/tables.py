"""Read tables written as text: find the separator, cut records, and know columns by their many names.

A quote that is opened and never closed would swallow the rest of a file. Here it costs one line: the line is rejected and
reading goes on behind it.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

from qunce.connectors.files.base import Head, Rejected
from qunce.connectors.files.errors import ImportRefused, Unreadable

EXCERPT: Final = 200
_SEPARATORS: Final = ",\t;|"
_FILLING: Final = re.compile(r"[\s_\-\"'\ufeff]+")


def excerpt(text: str) -> str:
    """Return the beginning of a row for the rejects file."""
    return text[:EXCERPT]


def head_lines(head: Head) -> list[str]:
    """Return the complete lines of a head, decoded well enough to recognise a format."""
    for encoding in ("utf-8-sig", "utf-16", "gb18030"):
        if encoding == "utf-16" and head.data[:2] not in (b"\xff\xfe", b"\xfe\xff"):
            continue
        for cut in range(4):  # the head may end inside a character
            try:
                text = head.data[: len(head.data) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return text.splitlines()
    return head.data.decode("utf-8", "replace").splitlines()


def separator_of(line: str) -> str:
    """Return the separator that cuts a header line into most cells."""
    return max(_SEPARATORS, key=line.count)


def plain(name: str) -> str:
    """Return a column name without case, blanks, underscores and hyphens."""
    return _FILLING.sub("", name).casefold()


_spelling = lru_cache(maxsize=2_000)(plain)
"""`plain` for the names that are known beforehand."""


def match_columns(header: Iterable[str], names: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return {our column: their column}. `names` lists the spellings of ours, best first; a column of theirs is used once."""
    theirs: dict[str, str] = {}
    for name in header:
        theirs.setdefault(plain(name), name)
    found: dict[str, str] = {}
    for ours, spellings in names.items():
        for spelling in spellings:
            if _spelling(spelling) in theirs:
                found[ours] = theirs.pop(_spelling(spelling))
                break
    return found


def missing_columns(wanted: Mapping[str, Sequence[str]], header: Iterable[str]) -> ImportRefused:
    """Return the refusal of a file without columns it cannot do without; names those it has and those it needs."""
    have = ", ".join(name for name in header if name) or "none"
    needs = "; ".join(f"{ours} (such as {', '.join(spellings[:4])})" for ours, spellings in wanted.items())
    return ImportRefused(
        f"Needed columns are missing: {needs}. Columns found: {have[:500]}.", "Name the columns in the first row."
    )


class Table:
    """The records of a separated text file, with the number of the line each began on."""

    def __init__(self, lines: Iterator[tuple[int, str]], separator: str | None = None) -> None:
        """Read the header; raises Unreadable when there is none."""
        self._lines = lines
        self._waiting: deque[tuple[int, str]] = deque()
        self._taken: list[tuple[int, str]] = []
        first = next(((number, text) for number, text in lines if text.strip()), None)
        if first is None:
            raise Unreadable("The file is empty.", "Export it again.")
        self.separator = separator or separator_of(first[1])
        self._waiting.append(first)
        header = next(self.records())
        if isinstance(header, Rejected):
            raise Unreadable(f"The first row cannot be read: {header.reason}", "Put the column names into the first row.")
        self.header: tuple[str, ...] = tuple(cell.strip().lstrip("\ufeff") for cell in header[1])

    def records(self) -> Iterator[tuple[int, list[str]] | Rejected]:
        """Yield (line number, cells) for each record that is not blank, or what is wrong with it."""
        reader = self._reader()
        while True:
            self._taken.clear()
            try:
                cells = next(reader, None)
            except csv.Error as error:
                yield self._mend(str(error))
                reader = self._reader()
                continue
            if cells is None:
                return
            if cells:
                yield self._taken[0][0], cells

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._feed(), delimiter=self.separator, strict=True)

    def _feed(self) -> Iterator[str]:
        while True:
            line = self._waiting.popleft() if self._waiting else next(self._lines, None)
            if line is None:
                return
            self._taken.append(line)
            yield line[1] + "\n"

    def _mend(self, error: str) -> tuple[int, list[str]] | Rejected:
        """Make the best of the lines taken: text behind a closing quote is read leniently, an open quote costs its line."""
        number, text = self._taken[0]
        if "expected after" in error:
            lenient = next(csv.reader((line + "\n" for _, line in self._taken), delimiter=self.separator), [])
            return number, lenient
        self._waiting.extendleft(reversed(self._taken[1:]))
        if "limit" in error and len(text) > csv.field_size_limit():
            return Rejected(
                where=f"line {number}",
                code="too_long",
                reason=f"A cell is longer than {csv.field_size_limit():,} characters.",
                fix="Shorten the cell.",
                excerpt=excerpt(text),
            )
        return Rejected(
            where=f"line {number}",
            code="bad_row",
            reason="A cell opens with a quotation mark that is never closed.",
            fix='Close the quotation mark, or double it inside the cell ("").',
            excerpt=excerpt(text),
        )
