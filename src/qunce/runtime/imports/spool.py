"""Keep parsed events on disk between reading and storing: JSON lines, compressed, private to this user."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import zstandard

from qunce.domain.events import Event, encoder

_CHUNK = 1 << 20


class SpoolWriter:
    """Write events; `close` or leave the `with` block."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._file = path.open("wb")
        self._stream = zstandard.ZstdCompressor(level=1).stream_writer(self._file)

    def write(self, events: Sequence[Event]) -> None:
        self._stream.write(encoder.encode_lines(events))

    def close(self) -> None:
        self._stream.close()  # type: ignore[no-untyped-call]  # zstandard's stub leaves it untyped
        self._file.close()

    def __enter__(self) -> SpoolWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def read_spool(path: Path) -> Iterator[list[Event]]:
    """Yield the events in lists of a megabyte of text or so."""
    with path.open("rb") as file:
        rest = b""
        for chunk in zstandard.ZstdDecompressor().read_to_iter(file, read_size=_CHUNK, write_size=_CHUNK):
            head, newline, tail = chunk.rpartition(b"\n")
            if not newline:
                rest += chunk
                continue
            yield _decode(rest + head)
            rest = tail
        if rest:
            yield _decode(rest)


def _decode(lines: bytes) -> list[Event]:
    return _line_decoder.decode_lines(lines)


_line_decoder = msgspec.json.Decoder(Event)
