"""Turn a text into features: what it says, how it sounds, and what kinds of characters it is made of.

A feature is a short string: one to three characters of the folded text; two neighbours of its sound, where syllables are single
characters of Unicode's private area; three neighbours of its form, where classes are control characters. None can be taken for
another.
"""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from operator import add
from typing import Final

import msgspec

from qunce.domain.text import fold_table
from qunce.engine.text.tables import sounds
from qunce.engine.text.views import Views

MAX_CHARS: Final = 300
"""Only the beginning is looked at: ads come to the point, and long honest texts would drown it."""
EDGE: Final = "\x02"
"""Stands before and behind the text."""
DIGIT, LETTER, BLANK, MARK, FULL_MARK, HAN, EMOJI, RARE = map(chr, range(0x10, 0x18))
"""Classes of characters, as they stand in the form."""


class _Forms(dict[int, str]):
    def __missing__(self, code: int) -> str:
        return EMOJI if 0x1F000 <= code < 0x20000 else RARE


@cache
def form_table() -> dict[int, str]:
    """Return the table from characters to their classes."""
    table = _Forms()
    for code in range(0x10000):
        char = chr(code)
        if code < 0x80:
            table[code] = DIGIT if char.isdigit() else LETTER if char.isalpha() else BLANK if char.isspace() else MARK
        elif 0x4E00 <= code <= 0x9FFF:
            table[code] = HAN
        elif 0x3000 <= code <= 0x303F or 0xFF01 <= code <= 0xFF0F or 0xFF1A <= code <= 0xFF1F or 0x2010 <= code <= 0x2027:
            table[code] = FULL_MARK
        else:
            table[code] = EMOJI if 0x2600 <= code <= 0x27BF else RARE
    return table


_FORM_TABLE: Final = form_table()
_HAN_ONLY: Final = re.compile("[\u4e00-\u9fff]+")
_CLASSES: Final = re.compile("[\x02\x10-\x17]")


@cache
def tables_digest() -> str:
    """Return the SHA-256, in hex, of the tables that features come from: folding, syllables and their numbers, classes.

    A model is good only for the tables it was trained with: with syllables numbered anew it judges by wrong ones, in silence.
    """
    known = sounds()
    tables = (fold_table(), known.tokens, known.usual, form_table())
    return sha256(msgspec.json.encode([sorted(table.items()) for table in tables])).hexdigest()


def features(views: Views) -> list[str]:
    """Return the features of a text, each once, in a fixed order; empty for an empty text."""
    text = views.text[:MAX_CHARS]
    return list(dict.fromkeys([*said(views), *formed(form(text))])) if text else []


def said(views: Views) -> dict[str, None]:
    """Return the features of what a text says and how it sounds, each once, in a fixed order."""
    folded = f"{EDGE}{views.folded[:MAX_CHARS]}{EDGE}"
    pairs = list(map(add, folded, folded[1:]))
    sound = views.sound[:MAX_CHARS]
    return dict.fromkeys([*folded, *pairs, *map(add, pairs, folded[2:]), *map(add, sound, sound[1:])])


def form(text: str) -> str:
    """Return the classes of the characters of a text."""
    return HAN * len(text) if _HAN_ONLY.fullmatch(text) else text.translate(_FORM_TABLE)


def formed(classes: str) -> dict[str, None]:
    """Return the features of a text's form and length, each once, in a fixed order."""
    edged = f"{EDGE}{classes}{EDGE}"
    found = dict.fromkeys(map(add, map(add, edged, edged[1:]), edged[2:]))
    found[f"{EDGE}{min(9, len(classes).bit_length())}{EDGE}{EDGE}"] = None
    return found


def overlap(text: str) -> bool:
    """Tell whether features of what a text says may be features of its form too: it holds characters that mean classes."""
    return _CLASSES.search(text) is not None
