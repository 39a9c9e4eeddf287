"""Walk a JSON file of any size with flat memory, value by value.

The standard library's C scanner decodes one value from the middle of a text and says where it ends. So the file is read in
pieces, each array item is decoded in one call, and only an item at the end of a piece is tried again with more text. That is
about as fast as ijson's C parser, and, unlike it, it can put a limit on one value: a value longer than the limit is not held,
it is skipped piece by piece, and `TOO_LONG` stands in its place.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from qunce.connectors.files.errors import Unreadable

PIECE: Final = 1024 * 1024

_SPACE: Final = re.compile(r"[ \t\r\n\ufeff]*")
_SEPARATOR: Final = re.compile(r"[ \t\r\n,]+")
_STRING_END: Final = re.compile(r'(?:[^"\\]|\\.)*+"', re.DOTALL)
_STRUCTURE: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|"|[\[\]{}]', re.DOTALL)
_SCALAR_END: Final = re.compile(r"[,\]}\s]")
_decode: Final = json.JSONDecoder(strict=False).raw_decode


class _TooLong:
    """Stands for a value that was longer than the limit and was skipped."""


TOO_LONG: Final = _TooLong()


class JsonCursor:
    """A position in a JSON text that is read piece by piece. Raises Unreadable where the text is no JSON or ends too early."""

    def __init__(self, stream: BinaryIO, *, encoding: str = "utf-8", max_value: int) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        self._max_value = max_value
        self._text = ""
        self._pos = 0
        self._before = 0
        self._eof = False

    def peek(self) -> str:
        """Return the next character that is not a blank, without taking it; empty at the end."""
        while True:
            match = _SPACE.match(self._text, self._pos)
            self._pos = match.end() if match else self._pos
            if self._pos < len(self._text):
                return self._text[self._pos]
            if not self._fill():
                return ""

    def fields(self) -> Iterator[str]:
        """Yield the keys of the object that starts here. A key's value that the caller has not taken is skipped."""
        self._take("{")
        while (char := self.peek()) != "}":
            if char == ",":
                self._pos += 1
                continue
            key = self.value()
            if char != '"' or not isinstance(key, str):
                raise self._damaged()
            self._take(":")
            self.peek()
            at = self._before + self._pos
            yield key
            if self._before + self._pos == at:
                self.skip()
        self._pos += 1

    def items(self) -> Iterator[Any]:
        """Yield the items of the array that starts here, decoded; `TOO_LONG` for one over the limit."""
        self._take("[")
        while True:
            match = _SEPARATOR.match(self._text, self._pos)
            if match:
                self._pos = match.end()
            char = self.peek()
            if char == ",":
                continue
            if char == "]":
                self._pos += 1
                return
            yield self.value()

    def enter(self) -> Iterator[int]:
        """Yield the index of each item of the array that starts here, for a caller that walks into the items itself."""
        self._take("[")
        index = 0
        while (char := self.peek()) != "]":
            if char == ",":
                self._pos += 1
                continue
            at = self._before + self._pos
            yield index
            if self._before + self._pos == at:
                self.skip()
            index += 1
        self._pos += 1

    def value(self) -> Any:
        """Decode and return the value that starts here, after `peek`; or `TOO_LONG` after skipping it."""
        while True:
            try:
                value, end = _decode(self._text, self._pos)
            except json.JSONDecodeError as error:
                if self._is_damage(error) or self._eof:
                    raise self._damaged() from None
            except (RecursionError, ValueError):
                raise self._damaged() from None
            else:
                if end < len(self._text) or self._eof or isinstance(value, (dict, list, str)):
                    self._pos = end
                    return value
            if len(self._text) - self._pos > self._max_value:
                self.skip()
                return TOO_LONG
            self._fill(len(self._text) - self._pos)

    def skip(self) -> None:
        """Pass over the value that starts here without holding it."""
        char = self.peek()
        if char == '"':
            self._pos += 1
            self._skip_string()
        elif char and char in "[{":
            self._skip_container()
        else:
            while not (match := _SCALAR_END.search(self._text, self._pos)):
                self._pos = len(self._text)
                if not self._fill():
                    return
            self._pos = match.start()

    def _skip_string(self) -> None:
        while not (match := _STRING_END.match(self._text, self._pos)):
            tail = self._text[self._pos :]
            backslashes = len(tail) - len(tail.rstrip("\\"))
            self._pos = len(self._text) - backslashes % 2
            if not self._fill():
                raise self._damaged()
        self._pos = match.end()

    def _skip_container(self) -> None:
        depth = 0
        while True:
            for match in _STRUCTURE.finditer(self._text, self._pos):
                mark = match.group()
                if mark in "[{":
                    depth += 1
                elif mark in "]}":
                    depth -= 1
                    if not depth:
                        self._pos = match.end()
                        return
                elif mark == '"':
                    self._pos = match.end()
                    self._skip_string()
                    break
            else:
                self._pos = len(self._text)
                if not self._fill():
                    raise self._damaged()

    def _take(self, char: str) -> None:
        if self.peek() != char:
            raise self._damaged()
        self._pos += 1

    def _fill(self, at_least: int = 0) -> bool:
        """Drop what is passed and read another piece, larger for a value that did not fit. False at the end of the file."""
        if self._eof:
            return False
        data = self._stream.read(max(PIECE, at_least))
        self._eof = not data
        more = self._decoder.decode(data, final=self._eof)
        self._before += self._pos
        self._text = self._text[self._pos :] + more
        self._pos = 0
        return bool(data)

    def _is_damage(self, error: json.JSONDecodeError) -> bool:
        """Tell whether the error stands well before the end of what was read, so that more text would not heal it."""
        return error.pos < len(self._text) - 16 and not error.msg.startswith("Unterminated string")

    def _damaged(self) -> Unreadable:
        where = f"near character {self._before + self._pos + 1:,}"
        if self._eof and not self.peek_rest():
            return Unreadable(f"The JSON ends too early, {where}.", "The file is cut off; export or copy it again.")
        return Unreadable(f"The JSON is damaged {where}.", "Export the file again, and do not edit it by hand.")

    def peek_rest(self) -> bool:
        """Tell whether the damage is followed by a complete-looking end; a cut-off file does not close its brackets."""
        return self._text.rstrip().endswith(("}", "]")) and self._pos < len(self._text)
