"""Compare two accounts whose names are alike: writing, moments, groups. The weights were fitted on split persons of real chats.

A score is the chance that the two are one person, among pairs of the same name of which half are. Names that are only
alike start lower, and say something only where the two share a group. Each part is named in the
evidence, also where it speaks against.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from math import exp, log, sqrt
from typing import Final, Literal

from qunce.domain.text import fold

MAX_CHARS: Final = 20_000
"""Characters of an account that are read, newest first; more do not change the picture."""
MIN_CHARS: Final = 300
"""Fewer say nothing about how somebody writes."""
SIZES: Final = (2, 3)
MAX_GRAMS: Final = 4_000
MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000

Place = tuple[int, int]
"""A group, and the number of a minute or an hour since 1970."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Portrait:
    """What is compared of one account."""

    chars: int
    grams: Mapping[str, float]
    """Weighted pieces of its texts, of length 1 together; empty where it wrote less than MIN_CHARS."""
    groups: frozenset[int]
    minutes: frozenset[Place]
    hours: frozenset[Place]
    first_ms: int
    last_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How alike two accounts are; `score` from 0 to 1, evidence in codes such as `writing:0.61`."""

    score: float
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """How common pieces of text are in this community, so that what everybody writes weighs little."""

    accounts: int
    holders: Mapping[str, int]
    """Accounts that use a piece."""

    def weight(self, gram: str) -> float:
        """Return the weight of a piece: log of all accounts over those who use it."""
        return log((1 + self.accounts) / (1 + self.holders.get(gram, 0)))


def grams(texts: Iterable[str]) -> tuple[Counter[str], int]:
    """Return how often each piece of two and three characters stands in the texts, and how many characters were read."""
    counts: Counter[str] = Counter()
    chars = 0
    for text in texts:
        folded = f" {fold(text)} "
        for size in SIZES:
            counts.update(folded[at : at + size] for at in range(len(folded) - size + 1))
        chars += len(folded) - 2
        if chars >= MAX_CHARS:
            break
    return counts, chars


def background(accounts: Iterable[Collection[str]]) -> Background:
    """Return the background of a community from its accounts' pieces."""
    holders: Counter[str] = Counter()
    number = 0
    for pieces in accounts:
        holders.update(set(pieces))
        number += 1
    return Background(accounts=number, holders=holders)


def portrait(
    counts: Mapping[str, int], chars: int, spoken: Iterable[Place], groups: Collection[int], known: Background
) -> Portrait:
    """Return the portrait of an account; `spoken` are its messages as (group, ms), `groups` all it is or was in."""
    moments = list(spoken)
    times = [ts_ms for _, ts_ms in moments]
    return Portrait(
        chars=chars,
        grams=_weighted(counts, known) if chars >= MIN_CHARS else {},
        groups=frozenset(groups),
        minutes=frozenset((group, ts_ms // MINUTE_MS) for group, ts_ms in moments),
        hours=frozenset((group, ts_ms // HOUR_MS) for group, ts_ms in moments),
        first_ms=min(times, default=0),
        last_ms=max(times, default=0),
    )


def _weighted(counts: Mapping[str, int], known: Background) -> dict[str, float]:
    weighted = {gram: (1 + log(count)) * known.weight(gram) for gram, count in counts.items()}
    kept = sorted(weighted.items(), key=lambda item: (-item[1], item[0]))[:MAX_GRAMS]
    length = sqrt(sum(value * value for _, value in kept)) or 1.0
    return {gram: value / length for gram, value in kept}


def writing(a: Portrait, b: Portrait) -> float | None:
    """Return how alike two accounts write, from 0 to 1; None where one of them wrote too little to say."""
    if not a.grams or not b.grams:
        return None
    small, large = (a.grams, b.grams) if len(a.grams) <= len(b.grams) else (b.grams, a.grams)
    return min(1.0, sum(value * large.get(gram, 0.0) for gram, value in small.items()))


Alike = Literal["name", "core", "near"]
"""How the names are alike: equal; equal without decorations, towns, jobs; one character apart."""
BASE: Final = -0.2
BASES: Final[dict[Alike, float]] = {"name": BASE, "core": -0.6, "near": -1.0}
"""Lower for names that are only alike: set by hand, since real chats tell no names that anybody changed."""
SILENT: Final = -0.6
"""Where one of them wrote too little to compare."""
WRITING: Final = 15.0
WRITING_MIDDLE: Final = 0.14
SHARED_GROUP: Final = 0.2
APART: Final = 0.2
TOGETHER: Final = 0.7
HANDOVER: Final = 0.3
SUREST: Final = 0.99
"""No likeness is a proof."""


def compare(a: Portrait, b: Portrait, alike: Alike = "name") -> Likeness:
    """Compare two accounts whose names are alike in this way. Without a group in common, names that differ score 0."""
    evidence: list[str] = [alike]
    logit = BASES[alike]
    shared = len(a.groups & b.groups)
    if not shared and alike != "name":
        return Likeness(score=0.0, evidence=(alike,))
    if shared:
        logit += SHARED_GROUP * min(shared, 3)
        evidence.append(f"groups:{shared}")
    style = writing(a, b)
    if style is not None:
        logit += WRITING * (style - WRITING_MIDDLE)
        evidence.append(f"writing:{style:.2f}")
    else:
        logit += SILENT
    together = len(a.minutes & b.minutes)
    hours = len(a.hours & b.hours)
    if together:
        logit -= TOGETHER * min(together, 5)
        evidence.append(f"together:{together}")
    elif hours:
        logit += APART * min(hours, 3)
        evidence.append(f"apart:{hours}")
    if a.minutes and b.minutes and (a.last_ms < b.first_ms or b.last_ms < a.first_ms):
        logit += HANDOVER
        evidence.append("handover")
    return Likeness(score=min(SUREST, 1 / (1 + exp(-logit))), evidence=tuple(evidence))
