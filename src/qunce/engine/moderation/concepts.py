"""Know concepts and crises by their signs: `data/concepts.txt` and `data/crisis.txt`."""

from __future__ import annotations

from functools import cache

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
    """Return the weights of a concept's signs in the links and cards of a message."""
    known = concept_clues().hosts.get(concept)
    if not known:
        return []
    return [weight for weight, host in known if any(links.under(link, (host,)) for link, _, _ in look.links)]
