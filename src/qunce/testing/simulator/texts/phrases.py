"""Compile phrases with slots once, so that speaking one costs almost nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Phrase = str | tuple[str, ...]
"""A plain sentence, or literals and slot names in turn (literals at even places)."""
Phrases = tuple[Phrase, ...]
Slots = Mapping[str, tuple[str, ...]]

_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A question and the answer staff give to it."""

    question: Phrase
    answer: Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """Something the shop sells."""

    name: str
    sku: str
    amount_minor: int
    """Price of one, in fen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """What one community talks about and buys."""

    key: str
    community: str
    stem: str
    """Name of its groups, to which a number is added."""
    hours: Mapping[int, float]
    """Factors on the common daily rhythm, by local hour."""
    order_rate: float
    """Factor on the common rate of orders."""
    slots: Slots
    products: tuple[Product, ...]
    starters: Phrases
    answers: Phrases
    questions: tuple[Answered, ...]
    checkins: Phrases
    promotions: Phrases
    topics: Phrases
    dialogues: tuple[Phrases, ...]
    """Short talks of two or three members; a slot means the same thing in all lines of one."""


def compile_phrase(line: str) -> Phrase:
    """Return the phrase of one line."""
    pieces = tuple(_SLOT.split(line))
    return pieces[0] if len(pieces) == 1 else pieces


def compile_phrases(text: str) -> Phrases:
    """Return the phrases of a text, one a line; blank lines are skipped."""
    return tuple(compile_phrase(line.strip()) for line in text.splitlines() if line.strip())


def compile_questions(text: str) -> tuple[Answered, ...]:
    """Return the pairs of a text with lines `question => answer`. Raises ValueError for a line without an arrow."""
    pairs = []
    for line in filter(None, map(str.strip, text.splitlines())):
        question, arrow, answer = line.partition(" => ")
        if not arrow:
            raise ValueError(f"a question needs an answer: {line!r}")
        pairs.append(Answered(question=compile_phrase(question), answer=compile_phrase(answer)))
    return tuple(pairs)


def compile_dialogues(text: str) -> tuple[Phrases, ...]:
    """Return the dialogues of a text, one a line, its turns parted by ` / `."""
    lines = filter(None, map(str.strip, text.splitlines()))
    return tuple(tuple(compile_phrase(turn) for turn in line.split(" / ")) for line in lines)


def compile_products(prefix: str, text: str) -> tuple[Product, ...]:
    """Return the products of a text with lines `name price-in-yuan`."""
    products = []
    for number, line in enumerate(filter(None, map(str.strip, text.splitlines())), start=1):
        name, _, yuan = line.rpartition(" ")
        products.append(Product(name=name, sku=f"{prefix}{number:03d}", amount_minor=round(float(yuan) * 100)))
    return tuple(products)


def speak(random: Callable[[], float], phrase: Phrase, slots: Slots) -> str:
    """Return the phrase with its slots filled; `random` gives floats in [0, 1). Raises KeyError for an unknown slot."""
    if isinstance(phrase, str):
        return phrase
    words = list(phrase)
    for place in range(1, len(words), 2):
        choices = slots[words[place]]
        words[place] = choices[int(random() * len(choices))]
    return "".join(words)


def speak_together(random: Callable[[], float], phrases: Phrases, slots: Slots) -> list[str]:
    """Return the phrases spoken about the same things: each slot is filled once for all of them."""
    names = {phrase[place] for phrase in phrases if not isinstance(phrase, str) for place in range(1, len(phrase), 2)}
    chosen = {name: (slots[name][int(random() * len(slots[name]))],) for name in sorted(names)}
    return [speak(random, phrase, chosen) for phrase in phrases]


def speak_any(random: Callable[[], float], phrases: Phrases, slots: Slots) -> str:
    """Return one of the phrases, spoken."""
    return speak(random, phrases[int(random() * len(phrases))], slots)
