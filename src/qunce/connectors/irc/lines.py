"""Read and write lines of the IRC protocol. Pure.

Source: RFC 2812 §2.3, IRCv3 message tags. A line has at most 512 bytes with its end.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from qunce.connectors.errors import Permanent

MAX_BYTES: Final = 400
"""Bytes of text in one line: what is left of 512 when the server has put our name and the channel's before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line."""

    source: str
    """`nick!user@host` or the server's name; empty when absent."""
    command: str
    params: tuple[str, ...]

    @property
    def nick(self) -> str:
        """Return the nick of the source."""
        return self.source.partition("!")[0]

    @property
    def host(self) -> str:
        """Return the host of the source; empty for a server."""
        return self.source.partition("@")[2]


def parse(data: bytes) -> Line | None:
    """Return a line, or None for one that says nothing. Text that is not UTF-8 is read as GB 18030, as on old networks."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("gb18030", "replace")
    text = text.rstrip("\r\n")
    if text.startswith("@"):
        text = text.partition(" ")[2].lstrip(" ")
    source = ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    head, colon, last = text.lstrip(" ").partition(" :")
    words = [word for word in head.split(" ") if word]
    if not words:
        return None
    return Line(source=source, command=words[0].upper(), params=(*words[1:], *((last,) if colon else ())))


def written(*words: str, text: str | None = None) -> bytes:
    """Return a line to be sent. Raises Permanent for words that would break out of it."""
    for word in words:
        if not word or word.startswith(":") or any(character in word for character in " \r\n\0"):
            raise Permanent("bad_id", "not a name of this network")
    last = () if text is None else (":" + text.replace("\r", " ").replace("\n", " ").replace("\0", ""),)
    return (" ".join((*words, *last)) + "\r\n").encode()


def pieces(text: str) -> Iterator[str]:
    """Yield a text as lines that fit, cut between characters, at blanks where there are some."""
    for line in text.splitlines():
        rest = line.strip()
        while len(rest.encode()) > MAX_BYTES:
            cut = len(rest.encode()[:MAX_BYTES].decode("utf-8", "ignore"))
            blank = rest.rfind(" ", cut // 2, cut)
            cut = blank if blank > 0 else cut
            yield rest[:cut].rstrip()
            rest = rest[cut:].lstrip()
        if rest:
            yield rest


def plain(text: str) -> str:
    """Return a text without the codes for colours and styles, which may stand in the middle of words."""
    out, index = [], 0
    while index < len(text):
        character = text[index]
        index += 1
        if character == "\x03":
            index = _colour_end(text, index)
        elif character >= " " or character == "\t":
            out.append(character)
    return "".join(out)


def _colour_end(text: str, index: int) -> int:
    """Return where the digits `12` or `12,34` after a colour code end."""
    end = index
    while end < len(text) and end < index + 2 and text[end].isdigit():
        end += 1
    if end > index and end + 1 < len(text) and text[end] == "," and text[end + 1].isdigit():
        end += 2
        if end < len(text) and text[end].isdigit():
            end += 1
    return end
