"""Know concepts and crises by their signs: `data/concepts.txt` and `data/crisis.txt`."""

from __future__ import annotations

from functools import cache

from qunce.domain.text import fold
from qunce.engine.moderation import links
from qunce.engine.moderation.clues import Clues, read_clues
from qunce.engine.moderation.look import Look
from qunce.engine.text.phrases import Phrase

WITHIN = 14
"""Longest stretch, in characters, that joins the groups of a concept's sign."""
CRISIS_WITHIN = 18
"""The same for a crisis: who complains writes longer sentences than who advertises."""


@cache
def concept_clues() -> Clues:
    """Return the signs of all concepts."""
    return read_clues("concepts", "concept", within=WITHIN)


@cache
def crisis_clues() -> Clues:
    """Return the signs of all kinds of crisis; they are sought as written, for who is in need does not hide it."""
    return read_clues("crisis", "crisis", within=CRISIS_WITHIN, as_written=True)


def concept_phrases() -> tuple[Phrase, ...]:
    """Return the signs of all concepts, for the scanner."""
    return concept_clues().phrases


def crisis_phrases() -> tuple[Phrase, ...]:
    """Return the signs of all kinds of crisis, for the scanner."""
    return crisis_clues().phrases


def card_concepts(look: Look, concept: str) -> list[float]:
    """Return the weights of a concept's signs in the links, cards and marks of a message."""
    clues = concept_clues()
    hosts = clues.hosts.get(concept, ())
    found = [weight for weight, host in hosts if any(links.under(link, (host,)) for link, _, _ in look.links)]
    marks = clues.marks.get(concept, ())
    if marks:
        shown = _shown(look)
        found += [weight for weight, mark in marks if mark in shown]
    return found


def has_mark(look: Look) -> bool:
    """Tell whether the text holds what only marks are about: an address that is no web address, such as `#小程序://`."""
    return "://" in look.views.folded


def _shown(look: Look) -> str:
    """Return, folded, all that a message shows and links to; marks are in lower case."""
    beside = [field for part in look.parts if part.type != "text" for field in (part.url, part.name) if field]
    return "\n".join([look.views.folded, *(fold(field) for field in beside)])
