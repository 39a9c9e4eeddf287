"""Hold the translation tables of the text views. Built once from data files; never per message."""

from __future__ import annotations

import unicodedata
from functools import cache
from importlib.resources import files
from typing import Final

from qunce.domain.text import fold_table

NOISE: Final = frozenset("丶丿亅丨乀乁乛〆ー")
"""Characters that Unicode calls letters and spammers use as dots: strokes of Chinese characters, the Japanese long mark."""

PLUS: Final = "+\u2795\u271a"
"""Signs written for 加 (add): plus, heavy plus, Greek cross."""

_KEPT: Final = (
    (0x30, 0x39),  # digits
    (0x61, 0x7A),  # a to z
    (0x3041, 0x30FF),  # kana
    (0x3400, 0x4DBF),  # Han, extension A
    (0x4E00, 0x9FFF),  # Han
    (0xAC00, 0xD7A3),  # Hangul
    (0x0430, 0x045F),  # Cyrillic
    (0x20000, 0x3FFFF),  # Han, further extensions
)


def is_kept(char: str) -> bool:
    """Tell whether a folded character carries meaning. By script, not by `isalnum`, to which ᚰ is a letter."""
    code = ord(char)
    return char not in NOISE and any(low <= code <= high for low, high in _KEPT) and unicodedata.category(char) != "Cn"


class StripTable(dict[int, str]):
    """Fold and strip in one `str.translate`; the basic plane is filled in beforehand, the rest judged on demand."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        return char if is_kept(char) else ""


@cache
def strip_table() -> StripTable:
    """Return the table that folds a text and drops everything but letters, digits and Chinese characters."""
    table = StripTable()
    for code in range(0x10000):
        char = chr(code)
        table[code] = char if is_kept(char) else ""
    for code, folded in fold_table().items():
        table[code] = "".join(char for char in folded if is_kept(char))
    for char in PLUS:
        table[ord(char)] = "加"
    return table


def is_everyday(char: str) -> bool:
    """Tell whether a folded character is one of the 3,755 commonest: the first level of GB 2312, rows 16 to 55."""
    try:
        row = char.encode("gb2312")[0] - 0xA0
    except UnicodeEncodeError:
        return False
    return 16 <= row <= 55


FIRST_TOKEN: Final = 0xE000
"""Syllables become single characters of Unicode's private area, so that a match cannot begin inside a syllable."""

_NEAR: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"))
_NEAR_ENDS: Final = (("ang", "an"), ("eng", "en"), ("ing", "in"))


def near_sound(syllable: str) -> str:
    """Return the syllable with sounds that many speakers do not tell apart made equal: zh/z, ch/c, sh/s, l/n, -ng/-n."""
    for start, instead in _NEAR:
        if syllable.startswith(start):
            syllable = instead + syllable.removeprefix(start)
            break
    for end, instead in _NEAR_ENDS:
        if syllable.endswith(end):
            return syllable.removesuffix(end) + instead
    return syllable


class Sounds:
    """Syllable tokens of characters: `usual` for texts, `others` besides for terms, `tokens` by spelling."""

    def __init__(self) -> None:
        lines = files("qunce.engine.text").joinpath("data/sound.tsv").read_text("utf-8").splitlines()
        self.tokens: dict[str, str] = {}
        self.usual: dict[int, str] = {}
        self.others: dict[str, set[str]] = {}
        classes: dict[str, str] = {}
        for line in lines:
            syllable, first, other = line.split("\t")
            token = classes.setdefault(near_sound(syllable), chr(FIRST_TOKEN + len(classes)))
            self.tokens[syllable] = token
            for char in first:
                self.usual[ord(char)] = token
            for char in other:
                self.others.setdefault(char, set()).add(token)


@cache
def sounds() -> Sounds:
    """Return the syllable tables."""
    return Sounds()
