"""Load the signs by which concepts are known: `data/concepts.txt`, written for this project.

A section `[concept]` holds one sign a line: its weight from 0 to 1, then words separated by `|`; ` + ` joins groups that must
stand near each other; `=` behind a weight takes the words only as written, not by sound; a line `host` names sites whose links
are a sign. Weights add up as 1 - Π (1 - weight).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from qunce.engine.moderation import links
from qunce.engine.moderation.look import Look
from qunce.engine.text.phrases import ALL_VIEWS, Phrase

WITHIN = 14
"""Longest stretch, in characters, that joins the groups of a sign."""


def _parsed() -> tuple[tuple[Phrase, ...], dict[str, list[tuple[float, str]]]]:
    phrases: list[Phrase] = []
    hosts: dict[str, list[tuple[float, str]]] = {}
    concept = ""
    for line in files("qunce.engine.moderation").joinpath("data/concepts.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            concept = line.strip("[]")
            continue
        weight, _, rest = line.partition(" ")
        views = frozenset({"split"}) if weight.endswith("=") else ALL_VIEWS
        weight = weight.rstrip("=")
        if rest.startswith("host "):
            hosts.setdefault(concept, []).append((float(weight), rest.removeprefix("host ").strip()))
            continue
        groups = tuple(tuple(group.split("|")) for group in rest.split(" + "))
        phrases += _phrases(concept, float(weight), groups, views)
    return tuple(phrases), hosts


def _phrases(concept: str, weight: float, groups: tuple[tuple[str, ...], ...], views: frozenset[str]) -> list[Phrase]:
    source = f"concept:{concept}"
    if len(groups) == 1:
        return [Phrase(source=source, what=word, groups=((word,),), weight=weight, views=views) for word in groups[0]]
    what = "+".join(group[0] for group in groups)
    return [Phrase(source=source, what=what, groups=groups, weight=weight, within=WITHIN, views=views)]


@cache
def concept_phrases() -> tuple[Phrase, ...]:
    """Return the signs of all concepts, for the scanner."""
    return _parsed()[0]


@cache
def concept_hosts() -> dict[str, list[tuple[float, str]]]:
    """Return the sites that are signs of concepts, with their weights."""
    return _parsed()[1]


def card_concepts(look: Look, concept: str) -> list[float]:
    """Return the weights of a concept's signs in the links and cards of a message."""
    known = concept_hosts().get(concept)
    if not known:
        return []
    return [weight for weight, host in known if any(links.under(link, (host,)) for link, _, _ in look.links)]
