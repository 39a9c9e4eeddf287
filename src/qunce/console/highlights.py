"""Mark the words of a search in the texts it found."""

from __future__ import annotations

from typing import Final

from markupsafe import Markup, escape

from qunce.domain.text import fold

LEAD: Final = 60
"""Hits further in than this are brought forward by cutting the beginning."""
LONGEST: Final = 400
MOST_MARKS: Final = 50


def highlight(text: str, words: str) -> Markup:
    """Return a text, shortened round the first hit, with every word of a search marked; both are compared folded."""
    spans = hits(text, words)
    if spans and spans[0][0] > LEAD:
        cut = spans[0][0] - LEAD // 2
        text, spans = "…" + text[cut:], [(start - cut + 1, end - cut + 1) for start, end in spans]
    text = text if len(text) <= LONGEST else text[:LONGEST] + "…"
    marked, at = Markup(), 0
    for start, end in spans:
        if start >= at and end <= len(text):
            marked += escape(text[at:start]) + Markup("<mark>{}</mark>").format(text[start:end])
            at = end
    return marked + escape(text[at:])


def hits(text: str, words: str) -> list[tuple[int, int]]:
    """Return where the words of a search stand in a text, in order. Folding may change lengths, so it goes by character."""
    folded = ""
    origin: list[int] = []
    for index, char in enumerate(text):
        piece = fold(char)
        folded += piece
        origin += [index] * len(piece)
    found: list[tuple[int, int]] = []
    for word in fold(words).split():
        at = folded.find(word)
        while at >= 0 and len(found) < MOST_MARKS:
            found.append((origin[at], origin[at + len(word) - 1] + 1))
            at = folded.find(word, at + len(word))
    return sorted(found)
