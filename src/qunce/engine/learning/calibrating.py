"""Turn the scores of a model into probabilities, by marks it has not seen (docs/algorithms/tags.md).

A score says which of two texts is more like what the model looks for; how often it is right with a score of .9 has to be
measured. A probability here is logistic(slope · sum + offset), fitted to marks that were each judged by a model of the others
(Platt 1999); what was never marked is guessed from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log
from typing import Final

import msgspec

from qunce.engine.learning.linear import logistic

STEPS: Final = 100
_RIDGE: Final = 1e-6
_FAR: Final = 2.0
"""Longest step: a longer one overshoots where marks are few."""
_STILL: Final = 1e-9


class Calibration(msgspec.Struct, frozen=True, kw_only=True):
    """How sums of a model become probabilities."""

    slope: float
    offset: float

    def probability(self, total: float) -> float:
        """Return from 0 to 1 how likely a text with this sum is what the model looks for."""
        return logistic(self.slope * total + self.offset)


def fit(judged: Sequence[tuple[float, bool]]) -> Calibration:
    """Return the calibration of (sum, mark) pairs. Raises ValueError unless there are marks of both kinds.

    Newton's method on two numbers. Marks count as (n + 1) / (n + 2) and 1 / (n + 2) instead of 1 and 0, so that few of them
    never make sure of anything.
    """
    positive = sum(label for _total, label in judged)
    negative = len(judged) - positive
    if not positive or not negative:
        raise ValueError("marks of one kind only tell no probability")
    targets = [(total, (positive + 1) / (positive + 2) if label else 1 / (negative + 2)) for total, label in judged]
    slope, offset = _newton(targets)
    if slope < 0:  # a higher sum would be less likely: the model has learnt nothing, only how many there are of each
        share = sum(target for _total, target in targets) / len(targets)
        slope, offset = 0.0, log(share / (1 - share))
    return Calibration(slope=round(slope, 6), offset=round(offset, 6))


def _newton(targets: Sequence[tuple[float, float]]) -> tuple[float, float]:
    slope, offset = 0.0, 0.0
    for _ in range(STEPS):
        grade = [0.0, 0.0]
        bent = [_RIDGE, 0.0, _RIDGE]
        for total, target in targets:
            guess = logistic(slope * total + offset)
            wrong, weight = guess - target, guess * (1 - guess)
            grade[0] += wrong * total
            grade[1] += wrong
            bent[0] += weight * total * total
            bent[1] += weight * total
            bent[2] += weight
        size = bent[0] * bent[2] - bent[1] * bent[1]
        if size <= 0:
            break
        step = (bent[2] * grade[0] - bent[1] * grade[1]) / size, (bent[0] * grade[1] - bent[1] * grade[0]) / size
        far = max(1.0, max(abs(step[0]), abs(step[1])) / _FAR)
        slope, offset = slope - step[0] / far, offset - step[1] / far
        if abs(step[0]) + abs(step[1]) < _STILL:
            break
    return slope, offset


def loss(calibration: Calibration, judged: Sequence[tuple[float, bool]]) -> float:
    """Return the mean squared difference between probabilities and marks (Brier); .25 is what knowing nothing gives."""
    return sum((calibration.probability(total) - label) ** 2 for total, label in judged) / len(judged)
