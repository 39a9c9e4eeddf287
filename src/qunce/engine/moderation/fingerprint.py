"""Tell equal and nearly equal texts by small numbers, so that no text need be remembered.

`near` is a min-hash: of all two-character pieces of a text, the smallest under each of four scramblings. Two texts share
one of the four numbers about as often as they share pieces, so nearly equal texts share three or more
(docs/algorithms/moderation.md).
Hashes are CRC-32, the same in every process; Python's own `hash` of a text is not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from operator import xor
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
_FLIPS: Final = tuple(mask.__xor__ for mask in _SCRAMBLE[1:])
_ZERO: Final = bytes(4)


class _Halves(dict[int, int]):
    """What a character adds to the CRC-32 of a piece: the CRC of a whole is the XOR of what its parts give."""

    def __init__(self, half: Callable[[bytes], int]) -> None:
        self._half = half

    def __missing__(self, code: int) -> int:
        number = self[code] = self._half(code.to_bytes(4, "little"))
        return number


_first: Final = _Halves(lambda char: crc32(char + _ZERO) ^ crc32(_ZERO + _ZERO)).__getitem__
_second: Final = _Halves(lambda char: crc32(_ZERO + char)).__getitem__


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
    codes = memoryview(squeezed[:MAX_NEAR_CHARS].encode("utf-32", "surrogatepass")).cast("I").tolist()[1:]
    pieces = list(map(xor, map(_first, codes), map(_second, codes[1:])))
    return _PACK(min(pieces), *[min(map(flip, pieces)) for flip in _FLIPS])


def alike(one: bytes, other: bytes) -> bool:
    """Tell whether two texts are nearly equal by their four numbers."""
    if not one or not other:
        return False
    shared = (one[:4] == other[:4]) + (one[4:8] == other[4:8]) + (one[8:12] == other[8:12]) + (one[12:] == other[12:])
    return shared >= NEAR_SHARED
