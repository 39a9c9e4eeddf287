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
PRINT_BYTES: Final = 16
MAX_LATER_CHARS: Final = 40
NEAR_SHARED: Final = 3
"""Numbers out of four that nearly equal texts must share."""
_PACK: Final = Struct("<4I").pack
_SCRAMBLE: Final = (0, 0x5BD1E995, 0xA3C59AC3, 0xF1357AEA)
MAX_PIECES: Final = 50_000
"""Pieces whose CRC-32 is kept; people say the same ones again and again."""


class _Pieces(dict[str, int]):
    """The CRC-32 of the two characters of a piece, each as four bytes. Worked out when first met."""

    def __missing__(self, piece: str) -> int:
        if len(self) >= MAX_PIECES:
            self.clear()
        number = self[piece] = crc32(piece.encode("utf-32-le", "surrogatepass"))
        return number


_piece: Final = _Pieces().__getitem__


class Prints(NamedTuple):
    """Both fingerprints of a text."""

    same: int
    near: bytes


@lru_cache(maxsize=16)
def prints(squeezed: str) -> Prints:
    """Return the fingerprints of a text; several rules ask for the same one in a row."""
    return Prints(same(squeezed), near(squeezed))


def same(squeezed: str) -> int:
    """Return the fingerprint of a text; 0 for none."""
    return crc32(squeezed.encode("utf-8", "surrogatepass")) or 1 if squeezed else 0


def near(squeezed: str) -> bytes:
    """Return the four numbers that nearly equal texts share most of, four bytes each; empty for short texts."""
    if len(squeezed) < MIN_NEAR_CHARS:
        return b""
    text = squeezed[:MAX_NEAR_CHARS]
    pieces = list(map(_piece, map(add, text, text[1:])))
    return _PACK(*[min([piece ^ mask for piece in pieces]) for mask in _SCRAMBLE])


def later(squeezed: str) -> bytes:
    """Return what `made` makes the numbers of when they are asked for: a short text itself; of a long one they are made now.

    That takes about the room of the numbers, and always more than they do, which tells it from them.
    """
    if len(squeezed) < MIN_NEAR_CHARS:
        return b""
    return squeezed.encode("utf-32-le", "surrogatepass") if len(squeezed) <= MAX_LATER_CHARS else near(squeezed)


def made(waiting: bytes) -> bytes:
    """Return the numbers that were put off."""
    return near(waiting.decode("utf-32-le", "surrogatepass"))


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two texts are nearly equal by their four numbers."""
    if not one or not other:
        return False
    shared = (one[:4] == other[:4]) + (one[4:8] == other[4:8]) + (one[8:12] == other[8:12]) + (one[12:] == other[12:])
    return shared >= NEAR_SHARED
