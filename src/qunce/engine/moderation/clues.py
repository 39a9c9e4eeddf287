"""Read clues: words that, found together, make something likely. They stand in data files written for this project.

A section `[name]` or `[name severity]` holds one sign a line: its weight from 0 to 1, then words separated by `|`; ` + ` joins
groups that must stand near each other; `=` behind a weight takes the words only as written, not by sound. A line `host` names
sites whose links are a sign; a line `mark` what is a sign letter by letter, in the folded text or in a card; a line `allow`
holds longer words in which nothing is found. Weights add up as 1 - Π (1 - weight).
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Final

import msgspec

from qunce.engine.text.phrases import ALL_VIEWS, Phrase

AS_WRITTEN: Final = frozenset({"split"})


class Clues(msgspec.Struct, frozen=True, kw_only=True):
    """The clues of one file."""

    phrases: tuple[Phrase, ...]
    hosts: dict[str, tuple[tuple[float, str], ...]]
    """By section: weights and sites."""
    marks: dict[str, tuple[tuple[float, str], ...]]
    """By section: weights and what stands in a text or card letter by letter."""
    severities: dict[str, int]
    """By section, from 1 light to 5 grave; only where the file names them."""


def read_clues(name: str, source: str, *, within: int, as_written: bool = False) -> Clues:
    """Return the signs of `data/{name}.txt`, whose phrases belong to `source:section`.

    `within` is the longest stretch, in characters, that joins the groups of a sign; with `as_written` nothing is sought in
    disguise.
    """
    phrases: list[Phrase] = []
    hosts: dict[str, tuple[tuple[float, str], ...]] = {}
    marks: dict[str, tuple[tuple[float, str], ...]] = {}
    severities: dict[str, int] = {}
    section = ""
    for line in files("qunce.engine.moderation").joinpath(f"data/{name}.txt").read_text("utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            section, _, severity = line.strip("[]").partition(" ")
            if severity:
                severities[section] = int(severity)
            continue
        first, _, rest = line.partition(" ")
        owner = f"{source}:{section}"
        if first == "allow":
            phrases += [Phrase(source=owner, what=word, groups=((word,),), rescue=True) for word in rest.split("|")]
            continue
        weight = float(first.rstrip("="))
        if rest.startswith("host "):
            hosts[section] = (*hosts.get(section, ()), (weight, rest.removeprefix("host ").strip()))
            continue
        if rest.startswith("mark "):
            found = tuple((weight, mark) for mark in rest.removeprefix("mark ").split("|"))
            marks[section] = (*marks.get(section, ()), *found)
            continue
        views = AS_WRITTEN if as_written or first.endswith("=") else ALL_VIEWS
        groups = tuple(tuple(group.split("|")) for group in rest.split(" + "))
        phrases += _phrases(owner, weight, groups, views, severities.get(section, 3), within)
    return Clues(phrases=tuple(phrases), hosts=hosts, marks=marks, severities=severities)


def _phrases(
    source: str, weight: float, groups: tuple[tuple[str, ...], ...], views: frozenset[str], severity: int, within: int
) -> list[Phrase]:
    if len(groups) == 1:
        return [
            Phrase(source=source, what=word, groups=((word,),), weight=weight, severity=severity, views=views)
            for word in groups[0]
        ]
    what = "+".join(group[0] for group in groups)
    return [
        Phrase(source=source, what=what, groups=groups, weight=weight, severity=severity, views=views, within=within),
    ]


def likelihood(weights: Iterable[float]) -> float:
    """Return how likely something is when independent signs of these weights are there: 1 - Π (1 - weight)."""
    doubt = 1.0
    for weight in weights:
        doubt *= 1.0 - weight
    return round(1.0 - doubt, 4)
