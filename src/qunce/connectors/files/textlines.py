"""Cut bytes into lines of text whose encoding nobody states, in constant memory however long a line is."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from qunce.connectors.files.base import Rejected

PIECE: Final = 1024 * 1024

_UTF16: Final = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def detect_encoding(head: bytes) -> str:
    """Return `utf-8-sig`, `utf-16-le`, `utf-16-be` or `gb18030`, or `ascii` when the head does not tell.

    A byte order mark decides. Otherwise every line of the head that is not plain ASCII has a vote, so that one broken line does
    not decide for the file. A head without a line's end is read both ways; fewer damaged characters win.
    """
    for mark, name in _UTF16:
        if head.startswith(mark):
            return name
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.isascii():
        return "ascii"
    lines = head.split(b"\n")
    votes = [_decodes(line, "utf-8") for line in lines[:-1] if not line.isascii()]
    if not votes:
        broken, broken_as_chinese = (head.decode(name, "replace").count("\ufffd") for name in ("utf-8", "gb18030"))
        return "utf-8-sig" if broken <= broken_as_chinese + 1 else "gb18030"
    return "utf-8-sig" if sum(votes) * 2 >= len(votes) else "gb18030"


def text_lines(
    stream: BinaryIO, head: bytes, *, max_line_bytes: int, reject: Callable[[Rejected], None]
) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, text without newline). A line too long or in another encoding is rejected and yielded as empty."""
    encoding = detect_encoding(head)
    number = 0
    for block in _blocks(_as_utf8(stream, encoding), max_line_bytes):
        if block is None:
            number += 1
            reject(_too_long(number, max_line_bytes))
            yield number, ""
            continue
        if encoding == "ascii" and not block.isascii():
            encoding = _first_encoding(block)
        for text in _texts(block, encoding):
            number += 1
            if number == 1 and text is not None:
                text = text.removeprefix("\ufeff")
            if text is None:
                reject(_undecodable(number, encoding))
            yield number, text or ""


def _as_utf8(stream: BinaryIO, encoding: str) -> Iterator[bytes]:
    if not encoding.startswith("utf-16"):
        while data := stream.read(PIECE):
            yield data
        return
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    while data := stream.read(PIECE):
        yield decoder.decode(data).encode("utf-8", "surrogatepass")
    yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")


def _blocks(pieces: Iterator[bytes], max_line_bytes: int) -> Iterator[bytes | None]:
    """Yield runs of whole lines, ending with a newline except perhaps the last; None for a line that was too long."""
    rest = b""
    skipping = False
    for piece in pieces:
        cut = piece.rfind(b"\n") + 1
        if skipping:
            if not cut:
                continue
            start = piece.find(b"\n") + 1
            skipping = False
            yield None
        else:
            start = 0
        if cut:
            if rest and len(rest) + piece.find(b"\n") > max_line_bytes:
                start = piece.find(b"\n") + 1
                rest = b""
                yield None
            if block := rest + piece[start:cut]:
                yield block
            rest = piece[cut:]
        else:
            rest += piece
        if len(rest) > max_line_bytes:
            rest, skipping = b"", True
    if skipping:
        yield None
    elif rest:
        yield rest


def _texts(block: bytes, encoding: str) -> Iterator[str | None]:
    name = "gb18030" if encoding == "gb18030" else "utf-8"
    try:
        lines = block.decode(name).split("\n")
    except UnicodeDecodeError:
        yield from _one_by_one(block, name)
        return
    if not lines[-1]:
        lines.pop()
    for line in lines:
        yield line.removesuffix("\r")


def _one_by_one(block: bytes, name: str) -> Iterator[str | None]:
    lines = block.split(b"\n")
    if not lines[-1]:
        lines.pop()
    for line in lines:
        try:
            yield line.decode(name).removesuffix("\r")
        except UnicodeDecodeError:
            yield None


def _first_encoding(block: bytes) -> str:
    return detect_encoding(block if block.endswith(b"\n") else block + b"\n")


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _too_long(number: int, limit: int) -> Rejected:
    return Rejected(
        where=f"line {number}",
        code="too_long",
        reason=f"The line is longer than {limit:,} bytes.",
        fix="Cut the line, or leave it out.",
    )


def _undecodable(number: int, encoding: str) -> Rejected:
    written = "GB18030" if encoding == "gb18030" else "UTF-8"
    return Rejected(
        where=f"line {number}",
        code="bad_encoding",
        reason=f"The line is not {written}, as the rest of the file is.",
        fix=f"Save the whole file as {written}.",
    )
