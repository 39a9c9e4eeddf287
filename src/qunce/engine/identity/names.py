"""Find names that may be one person's though they are written differently: decorated, or one character off.

    小红🌸        小红          emoji and other signs are no part of a name
    LiHong        lihong        upper and lower case, full and half width, 繁简 are one spelling
    小红-杭州店长  小红          what stands behind a separator is mostly a town, a shop or a job
    03小红        小红          numbers before a name sort it, they do not tell it apart

Whether two such accounts are one person is not said here: the score decides, and a person.
"""

from __future__ import annotations

import re
from typing import Final

from qunce.domain.text import fold

MIN_CORE: Final = 2
"""Shorter cores say nothing."""
MIN_NEAR: Final = 4
"""Shorter names are often one character apart by chance."""
MAX_NAME: Final = 40
_CUT: Final = re.compile(r"[\s\-–—_·•|/\\~:;,.(){}\[\]<>@#*+=&!?'\"^`，。、；：！？（）【】《》“”‘’]+")
_LETTER: Final = re.compile(r"[^\W_]", re.UNICODE)
_NUMBER: Final = re.compile(r"\d+")
_DIGITS_BEFORE: Final = re.compile(r"^\d{1,4}(?=\D{2})")
_LATIN: Final = re.compile(r"[a-z0-9]+")


def core_of(name: str) -> str:
    """Return the part of a name that tells a person apart, in one spelling; empty = there is none.

    The first piece of at least two letters that is no number; names of several Latin words keep all of them.
    """
    kept = "".join(char if _LETTER.match(char) or _CUT.match(char) else " " for char in fold(name[:MAX_NAME]))
    pieces = [piece for piece in _CUT.split(kept) if piece and not _NUMBER.fullmatch(piece)]
    if not pieces:
        return ""
    if all(_LATIN.fullmatch(piece) for piece in pieces):
        core = "".join(pieces)
    else:
        core = next((piece for piece in pieces if len(piece) >= MIN_CORE), "")
    core = _DIGITS_BEFORE.sub("", core)
    return core if len(core) >= MIN_CORE else ""


def is_near(first: str, second: str) -> bool:
    """Tell whether one character more, less or other makes the one name the other.

    Short names and names that differ by a number only (店员1, 店员2) are not near; equal ones are equal.
    """
    if min(len(first), len(second)) < MIN_NEAR or abs(len(first) - len(second)) > 1:
        return False
    if first == second or _NUMBER.sub("", first) == _NUMBER.sub("", second):
        return False
    short, long = sorted((first, second), key=len)
    at = next((place for place, char in enumerate(short) if char != long[place]), len(short))
    return short[at:] == long[at + 1 :] or short[at + 1 :] == long[at + 1 :]
