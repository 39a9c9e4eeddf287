"""Tell equal and nearly equal texts by small numbers, so that no text need be remembered.

`near` is a min-hash: of all two-character pieces of a text, the smallest under each of four scramblings. Two texts share
one of the four numbers about as often as they share pieces, so nearly equal texts share three or more
(docs/algorithms/moderation.md).
Hashes are CRC-32, the same in every process; Python's own `hash` of a text is not.
"""

from __future__ import annotations

from functools import lru_cache
from operator import add
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

MIN_NEAR_CHARS: Final = 6
MAX_NEAR_CHARS: Final = 300
"""Longer texts are compared by their beginning."""
NEAR_SHARED: Final = 3
"""Numbers out of four that nearly equal texts must share."""
_PACK: Final = Struct("<4I").pack
_SCRAMBLE: Final = (0, 0x5BD1E995, 0xA3C59AC3, 0xF1357AEA)
_MAX_PIECES: Final = 20_000
"""Pieces whose numbers are remembered: everyday text is made of few."""


class _Pieces(dict[str, tuple[int, ...]]):
    """The four numbers of each two-character piece."""

    def __missing__(self, piece: str) -> tuple[int, ...]:
        if len(self) >= _MAX_PIECES:
            self.clear()
        number = crc32(piece.encode("utf-32-le", "surrogatepass"))
        numbers = self[piece] = tuple([number ^ mask for mask in _SCRAMBLE])
        return numbers


_numbers_of: Final = _Pieces().__getitem__


class Prints(NamedTuple):
    """Both fingerprints of a text."""

    same: int
    near: bytes


@lru_cache(maxsize=16)
def prints(squeezed: str) -> Prints:
    """Return the fingerprints of a text; deciding and folding ask for the same one in a row."""
    return Prints(same(squeezed), near(squeezed))


def same(squeezed: str) -> int:
    """Return the fingerprint of a text; 0 for none."""
    return crc32(squeezed.encode("utf-8", "surrogatepass")) or 1 if squeezed else 0


def near(squeezed: str) -> bytes:
    """Return the four numbers that nearly equal texts share most of, four bytes each; empty for short texts."""
    if len(squeezed) < MIN_NEAR_CHARS:
        return b""
    text = squeezed[:MAX_NEAR_CHARS]
    return _PACK(*map(min, *map(_numbers_of, map(add, text, text[1:]))))


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two texts are nearly equal by their four numbers."""
    if not one or not other:
        return False
    shared = (one[:4] == other[:4]) + (one[4:8] == other[4:8]) + (one[8:12] == other[8:12]) + (one[12:] == other[12:])
    return shared >= NEAR_SHARED
