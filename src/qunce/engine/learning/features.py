"""Turn a text into features: what it says, how it sounds, and what kinds of characters it is made of.

A feature is a short string: one to three characters of the folded text; two neighbours of its sound, where syllables are single
characters of Unicode's private area; three neighbours of its form, where classes are control characters. None can be taken for
another.
"""

from __future__ import annotations

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
    if not text:
        return []
    folded = f"{EDGE}{views.folded[:MAX_CHARS]}{EDGE}"
    pairs = list(map(add, folded, folded[1:]))
    sound = views.sound[:MAX_CHARS]
    form = f"{EDGE}{text.translate(_FORM_TABLE)}{EDGE}"
    found = [*folded, *pairs, *map(add, pairs, folded[2:]), *map(add, sound, sound[1:])]
    found += map(add, map(add, form, form[1:]), form[2:])
    found.append(f"{EDGE}{min(9, len(text).bit_length())}{EDGE}{EDGE}")
    return list(dict.fromkeys(found))
