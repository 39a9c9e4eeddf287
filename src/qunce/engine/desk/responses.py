"""Find canned responses for a message: by what it needs, then by how alike the words are.

Similarity is BM25 over single characters and pairs (k1 = 1.2, b = 0.6), which needs no segmentation of Chinese and no model.
A document is a response's title, twice the questions it answers, and its text. Deterministic: ties go by id.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from qunce.domain.text import fold
from qunce.playbook.responses import fits_group
from qunce.playbook.schema.replies import Response, TalkStyle

K1: Final = 1.2
B: Final = 0.6
NEED: Final = 0.35
"""What fitting the need adds, as a share of the best score among the words."""
SURE: Final = 1.0
"""What it adds where the need alone says what to answer."""
STYLE: Final = 0.15
LEAST: Final = 0.25
"""A response whose words share less than this part of the message's weight is beside the point.

So 90 % of the right answers of real scripts stay, and nothing is said to 90 % of unrelated talk.
"""


SPEAKING: Final = ("complaint", "first_post")
"""Needs that say by themselves what to answer; the others need words that are alike."""


class Scored(NamedTuple):
    """A response with how well it fits, from 0."""

    response: Response
    score: float


class Index:
    """Canned responses made ready for searching. Immutable."""

    def __init__(self, responses: Sequence[Response]) -> None:
        self.responses = tuple(responses)
        self._grams = [Counter(grams(_document(response))) for response in self.responses]
        self._sizes = [sum(counts.values()) for counts in self._grams]
        self._mean = sum(self._sizes) / len(self._sizes) if self._sizes else 1.0
        known = Counter(gram for counts in self._grams for gram in counts)
        count = len(self.responses)
        self._weights = {gram: math.log(1 + (count - n + 0.5) / (n + 0.5)) for gram, n in known.items()}

    def search(self, text: str, *, group: tuple[str | None, ...] = (), limit: int = 20) -> list[Scored]:
        """Return the responses whose words are like `text`, best first; all of them by id when it is blank."""
        asked = list(dict.fromkeys(grams(text)))
        scores = [self._score(asked, at) if asked else 0.0 for at in range(len(self.responses))]
        found = [
            Scored(response, score)
            for response, score in zip(self.responses, scores, strict=True)
            if (score > 0 or not asked) and (not group or fits_group(response, group))
        ]
        return sorted(found, key=lambda one: (-one.score, one.response.response_id))[:limit]

    def suggest(
        self, text: str, need: str, *, group: tuple[str | None, ...] = (), styles: Collection[TalkStyle] = (), limit: int = 3
    ) -> list[Scored]:
        """Return what to answer a message with: answers that fit the need or the words; a welcome for a newcomer's first words.

        Nothing is better than something beside the point, so there may be none.
        """
        asked = list(dict.fromkeys(grams(text)))
        weight = sum(self._weights.get(gram, math.log(1 + 2 * len(self.responses))) for gram in asked) or 1.0
        found: list[Scored] = []
        for at, response in enumerate(self.responses):
            wanted = ("welcome", "rules") if need == "first_post" else ("answer",)
            alike = self._score(asked, at) / weight
            fits = need in response.needs
            told = fits and need in SPEAKING and response.kind in wanted
            if (group and not fits_group(response, group)) or (alike < LEAST and not told):
                continue
            bonus = (SURE if told and response.kind == wanted[0] else NEED) if fits and response.kind in wanted else 0.0
            bonus += STYLE if set(response.styles) & set(styles) else 0.0
            found.append(Scored(response, alike + bonus))
        return sorted(found, key=lambda one: (-one.score, one.response.response_id))[:limit]

    def _score(self, asked: Sequence[str], at: int) -> float:
        counts, size = self._grams[at], self._sizes[at]
        norm = K1 * (1 - B + B * size / self._mean)
        return sum(self._weights[gram] * counts[gram] * (K1 + 1) / (counts[gram] + norm) for gram in asked if gram in counts)


def grams(text: str) -> list[str]:
    """Return the characters and pairs of a text, folded, without what is neither letter nor digit; Latin words stay whole."""
    found: list[str] = []
    before = ""
    word = ""
    for char in f"{fold(text)} ":
        if char.isascii() and char.isalnum():
            word += char
            continue
        if word:
            found.append(word)
            word = ""
        if not char.isalnum():
            before = ""
            continue
        found.append(char)
        if before:
            found.append(before + char)
        before = char
    return found


def _document(response: Response) -> str:
    return "\n".join((response.title, response.title_en, *response.asks, *response.asks, response.text))
