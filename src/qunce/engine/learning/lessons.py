"""Learn from an operator's marks: each is a lesson that can be tried before it is given, and taken back.

A learnt model is a pure function of its lessons, made anew from all of them: taking one back leaves exactly what the others
teach, whatever the order in which they came. Half a thousand lessons take about a second.

Without enough lessons of both kinds nothing is learnt, because a model that has only seen spam finds it everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Final

import msgspec

from qunce.engine.learning.calibrating import Calibration, fit
from qunce.engine.learning.features import features
from qunce.engine.learning.linear import Linear, logistic
from qunce.engine.learning.training import Example, log_odds, train
from qunce.engine.text.views import Views

MIN_EACH: Final = 20
"""Fewest lessons of either kind from which a model is made."""
SHIPPED_SHARE: Final = 0.15
"""How much the shipped model still says beside the lessons. More of it lowers what is found (docs/algorithms/moderation.md)."""
FOLDS: Final = 5
DEVIATIONS: Final = 2.9
EPOCHS: Final = 10
RATE: Final = 0.3


class Lesson(msgspec.Struct, frozen=True, kw_only=True):
    """One mark of an operator."""

    lesson_id: str
    text: str
    label: bool
    """True = it is what the model looks for."""


class Learnt(msgspec.Struct, frozen=True, kw_only=True):
    """What the lessons made."""

    positive: int
    negative: int
    model: Linear | None
    """None = too few lessons; the shipped model stays in use."""
    threshold: float
    """Least score at which the model is believed: few of the harmless lessons, each judged by the others, come near it."""

    @property
    def missing(self) -> tuple[int, int]:
        """How many lessons of each kind (looked for, harmless) are still needed."""
        return max(0, MIN_EACH - self.positive), max(0, MIN_EACH - self.negative)


def learn(lessons: Sequence[Lesson], shipped: Linear, *, version: int = 1) -> Learnt:
    """Return the model made of `lessons` on top of `shipped`. A text marked twice counts by its last mark."""
    examples = _examples(lessons)
    positive = sum(label for _, label in examples)
    negative = len(examples) - positive
    if positive < MIN_EACH or negative < MIN_EACH:
        return Learnt(positive=positive, negative=negative, model=None, threshold=1.0)
    model = _train(examples, shipped, version)
    return Learnt(positive=positive, negative=negative, model=model, threshold=_threshold(examples, shipped))


def _examples(lessons: Sequence[Lesson]) -> list[Example]:
    latest = {lesson.text: lesson for lesson in lessons}
    examples = [(features(Views(lesson.text)), lesson.label) for lesson in latest.values()]
    examples.sort(key=lambda example: "\x00".join(example[0]))
    return examples


def calibrate(lessons: Sequence[Lesson], shipped: Linear) -> Calibration | None:
    """Return how sums of the model made of `lessons` become probabilities; None = too few lessons."""
    examples = _examples(lessons)
    positive = sum(label for _, label in examples)
    if positive < MIN_EACH or len(examples) - positive < MIN_EACH:
        return None
    return fit(_unseen(examples, shipped))


def _train(examples: Sequence[Example], shipped: Linear, version: int) -> Linear:
    weights, bias = train(examples, epochs=EPOCHS, rate=RATE, balance=True)
    known = {feature: shipped.weight(feature) * SHIPPED_SHARE for feature in shipped.features()}
    for feature, odds in log_odds(examples).items():
        known[feature] = known.get(feature, 0.0) + weights.get(feature, 0.0) + odds
    known = {feature: weight / 2 for feature, weight in known.items()}
    return Linear(known, (bias + shipped.bias * SHIPPED_SHARE) / 2, name=shipped.name, version=version)


def _threshold(examples: Sequence[Example], shipped: Linear) -> float:
    """Return a score that few harmless texts reach: mean + 2.9 deviations of the harmless lessons, each judged unseen.

    Measured on five draws of 100 + 100 marks: 1.8 % of other harmless texts reach it, 1.1 to 3.2 %. Single highest scores vary
    much more.
    """
    scores = [total for total, label in _unseen(examples, shipped) if not label]
    return round(max(0.5, logistic(mean(scores) + DEVIATIONS * stdev(scores))), 6)


def _unseen(examples: Sequence[Example], shipped: Linear) -> list[tuple[float, bool]]:
    """Return for each example its sum by a model that has not seen it, with its mark."""
    kinds = {label: [example for example in examples if example[1] == label] for label in (True, False)}
    judged: list[tuple[float, bool]] = []
    for fold in range(FOLDS):
        seen = [example for kind in kinds.values() for index, example in enumerate(kind) if index % FOLDS != fold]
        model = _train(seen, shipped, 0)
        for label, kind in kinds.items():
            judged += [(model.total(found), label) for index, (found, _) in enumerate(kind) if index % FOLDS == fold]
    return judged


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A text that would be judged otherwise."""

    text: str
    before: float
    after: float


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What a change of the lessons would bring."""

    before: Learnt
    after: Learnt
    found: tuple[Change, ...]
    """Texts of the sample that would be found and are not so far."""
    released: tuple[Change, ...]
    """Texts of the sample that are found so far and would not be."""


def preview(
    now: Sequence[Lesson], then: Sequence[Lesson], shipped: Linear, sample: Sequence[str], *, at_least: float
) -> Preview:
    """Return what replacing the lessons `now` by `then` would change on a sample of real texts.

    `at_least` is the threshold of the shipped model, which judges as long as there are too few lessons.
    """
    before, after = learn(now, shipped), learn(then, shipped)
    found: list[Change] = []
    released: list[Change] = []
    for text in sample:
        views = Views(text)
        old, new = _judge(before, shipped, views), _judge(after, shipped, views)
        was, will = old >= _limit(before, at_least), new >= _limit(after, at_least)
        if was != will:
            (found if will else released).append(Change(text=text, before=round(old, 4), after=round(new, 4)))
    return Preview(before=before, after=after, found=tuple(found), released=tuple(released))


def _judge(learnt: Learnt, shipped: Linear, views: Views) -> float:
    return (learnt.model or shipped).score(views)


def _limit(learnt: Learnt, at_least: float) -> float:
    return at_least if learnt.model is None else learnt.threshold


def taught(lessons: Sequence[Lesson], lesson: Lesson) -> tuple[Lesson, ...]:
    """Return the lessons with one more; the same id replaces the earlier mark."""
    return (*(known for known in lessons if known.lesson_id != lesson.lesson_id), lesson)


def taken_back(lessons: Sequence[Lesson], lesson_id: str) -> tuple[Lesson, ...]:
    """Return the lessons without one."""
    return tuple(lesson for lesson in lessons if lesson.lesson_id != lesson_id)
