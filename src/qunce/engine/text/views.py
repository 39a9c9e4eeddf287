"""Show one text in several ways, each made once and only when asked for.

`stripped` is folded and holds nothing but letters, digits and Chinese characters: inserted spaces, punctuation, emoji and
rare symbols are gone. `sound` replaces each Chinese character, and each stretch of Latin letters that spells pinyin, by its
syllable. `shape` replaces look-alike characters by one of them. `squeezed` keeps one of each run of equal characters.
Every view can tell where in the text as written one of its stretches came from.
"""

from __future__ import annotations

import re
from functools import lru_cache
from operator import itemgetter
from typing import Final

from qunce.domain.text import characters, fold, fold_table
from qunce.engine.text.shapes import shape_table
from qunce.engine.text.tables import sounds, strip_table

MAX_CHARS: Final = 20_000
"""Longer texts are looked at in their first four fifths and last fifth of this; their length is a finding of its own."""
MAX_PATTERN_CHARS: Final = 2_000
"""Regular expressions see this many characters at the beginning and as many at the end."""

_LATIN: Final = re.compile(r"[a-z]{2,}")
_RUN: Final = re.compile(r"(.)\1*", re.DOTALL)
_TWICE: Final = re.compile(r"(.)\1", re.DOTALL)
_REPEAT: Final = re.compile(r"(.)\1+", re.DOTALL)
_ONE: Final = itemgetter(1)
"""Takes the character of a repeat; a template such as `\\1` is filled in by slow code."""
_STRIP: Final = strip_table()
_STRIPPED: Final = re.compile(f"[{characters(code for code in range(0x10000) if _STRIP[code] != chr(code))}]")
"""Sign that stripping may change a text."""
_FOLD: Final = fold_table()
_SHAPE: Final = shape_table()
_SHAPED: Final = re.compile(f"[{characters(_SHAPE)}]")
"""Sign that a text holds a look-alike; three of four messages hold none."""
_SOUND: Final = sounds().usual
MAX_REMEMBERED: Final = 20
"""Views of texts up to this length are kept for a while."""
MAX_SPELT: Final = 60
"""Longer stretches of letters are not read as pinyin."""


def clip(text: str, most: int) -> str:
    """Return `text`, or its beginning and its end joined by a line break when it is longer than `most`."""
    if len(text) <= most:
        return text
    return f"{text[: most * 4 // 5]}\n{text[-(most // 5) :]}"


@lru_cache(maxsize=8_192)
def spell(letters: str) -> str | None:
    """Return the syllable tokens of a stretch of letters, longest syllables first; None if it is not pinyin throughout."""
    if len(letters) > MAX_SPELT:
        return None
    tokens = sounds().tokens
    dead: set[int] = set()

    def read(start: int) -> str | None:
        if start == len(letters):
            return ""
        if start in dead:
            return None
        for size in range(min(6, len(letters) - start), 1, -1):
            token = tokens.get(letters[start : start + size])
            rest = read(start + size) if token else None
            if token and rest is not None:
                return token + rest
        dead.add(start)
        return None

    return read(0)


def to_sound(stripped: str) -> str:
    """Return a stripped text as syllable tokens; what has no sound stays."""
    if not stripped.isascii():
        stripped = stripped.translate(_SOUND)
    return _LATIN.sub(_spelt, stripped) if _LATIN.search(stripped) else stripped


def _spelt(match: re.Match[str]) -> str:
    return spell(match[0]) or match[0]


class Views:
    """The views of one text. Immutable but for what is worked out on demand."""

    __slots__ = (
        "_folded", "_origins_of", "_runs", "_shape", "_sound", "_sound_squeezed", "_squeezed", "_stripped", "memo", "text",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.text = text if len(text) <= MAX_CHARS else clip(text, MAX_CHARS)
        self._folded: str | None = None
        self._stripped: str | None = None
        self._squeezed: str | None = None
        self._sound: str | None = None
        self._sound_squeezed: str | None = None
        self._shape: str | None = None
        self._runs: list[int] | None = None
        self._origins_of: dict[str, list[tuple[int, int]]] | None = None
        self.memo: dict[object, object] = {}
        """What scanners and models found in this text, by themselves: short texts come again and again."""

    @property
    def folded(self) -> str:
        """The text with equal spellings made equal; spaces and punctuation stay."""
        if self._folded is None:
            self._folded = fold(self.text)
        return self._folded

    @property
    def stripped(self) -> str:
        """Folded, and only letters, digits and Chinese characters."""
        if self._stripped is None:
            self._stripped = self.text.translate(_STRIP) if _STRIPPED.search(self.text) else self.text
        return self._stripped

    @property
    def squeezed(self) -> str:
        """Stripped, with one of each run of equal characters. The very same object as `stripped` when nothing repeats."""
        if self._squeezed is None:
            stripped = self.stripped
            self._squeezed = _REPEAT.sub(_ONE, stripped) if _TWICE.search(stripped) else stripped
        return self._squeezed

    @property
    def sound(self) -> str:
        """Stripped, as syllable tokens."""
        if self._sound is None:
            self._sound = to_sound(self.stripped)
        return self._sound

    @property
    def sound_squeezed(self) -> str:
        """Squeezed, as syllable tokens. The very same object as `sound` when nothing repeats."""
        if self._sound_squeezed is None:
            self._sound_squeezed = self.sound if self.squeezed is self.stripped else to_sound(self.squeezed)
        return self._sound_squeezed

    @property
    def shape(self) -> str:
        """Stripped, with look-alike characters made equal."""
        if self._shape is None:
            stripped = self.stripped
            self._shape = stripped.translate(_SHAPE) if _SHAPED.search(stripped) else stripped
        return self._shape

    @property
    def runs(self) -> list[int]:
        """How often each character of `squeezed` stands in a row in `stripped`."""
        if self._runs is None:
            self._runs = [len(run[0]) for run in _RUN.finditer(self.stripped)]
        return self._runs

    def written(self, view: str, start: int, end: int) -> tuple[int, int]:
        """Return where the stretch `start:end` of a view stands in `text`. The first call for a view is slow."""
        if self._origins_of is None:
            self._origins_of = {}
        origins = self._origins_of.get(view)
        if origins is None:
            origins = self._origins_of[view] = self._origins(view)
        return origins[start][0], origins[end - 1][1]

    def _origins(self, view: str) -> list[tuple[int, int]]:
        table = _FOLD if view == "folded" else _STRIP
        origins = [(index, index + 1) for index, char in enumerate(self.text) for _ in char.translate(table)]
        if view in ("folded", "stripped", "shape"):
            return origins
        if view == "sound":
            return _merge_letters(self.stripped, origins)
        origins = _squeeze(self.stripped, origins)
        return _merge_letters(self.squeezed, origins) if view == "sound_squeezed" else origins


def _squeeze(stripped: str, origins: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [(origins[run.start()][0], origins[run.end() - 1][1]) for run in _RUN.finditer(stripped)]


def _merge_letters(text: str, origins: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    position = 0
    for match in _LATIN.finditer(text):
        tokens = spell(match[0])
        if tokens is None:
            continue
        merged += origins[position : match.start()]
        whole = (origins[match.start()][0], origins[match.end() - 1][1])
        merged += [whole] * len(tokens)
        position = match.end()
    return merged + origins[position:]


@lru_cache(maxsize=4_096)
def _remembered(text: str) -> Views:
    return Views(text)


def views_of(text: str) -> Views:
    """Return the views of a text. Those of short texts are kept and shared: of real short messages 11 to 15 % repeat."""
    return _remembered(text) if len(text) <= MAX_REMEMBERED else Views(text)
