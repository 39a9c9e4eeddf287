"""Train a linear model by stochastic descent with a step size of its own for each feature (AdaGrad).

The same function makes the shipped models and learns from an operator's marks. The order of the examples is shuffled by a fixed
arithmetic, so that the same examples give the same model on every machine.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log, sqrt
from typing import Final

from qunce.engine.learning.linear import logistic

Example = tuple[list[str], bool]
"""Features of a text, and whether it is what the model looks for."""

FIRST_SQUARE: Final = 0.1
SURE: Final = 0.01
"""Examples judged nearly right already teach nothing more."""


def shuffled(count: int, epoch: int) -> list[int]:
    """Return 0 … count - 1 in an order that depends on nothing but the two numbers."""
    state = (epoch + 1) * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
    order = list(range(count))
    for index in range(count - 1, 0, -1):
        state = (state * 6364136223846793005 + 1442695040888963407) & 0xFFFFFFFFFFFFFFFF
        other = (state >> 33) % (index + 1)
        order[index], order[other] = order[other], order[index]
    return order


def train(
    examples: Sequence[Example],
    *,
    epochs: int = 6,
    rate: float = 0.3,
    balance: bool = False,
) -> tuple[dict[str, float], float]:
    """Return weights and bias learnt from `examples`. With `balance` both classes weigh the same in all."""
    weights: dict[str, float] = {}
    squares: dict[str, float] = {}
    bias, bias_square = 0.0, 1.0
    positives = sum(label for _, label in examples)
    negatives = len(examples) - positives
    share = {True: 1.0, False: 1.0}
    if balance and positives and negatives:
        share = {True: len(examples) / (2 * positives), False: len(examples) / (2 * negatives)}
    for epoch in range(epochs):
        for index in shuffled(len(examples), epoch):
            found, label = examples[index]
            if not found:
                continue
            size = 1 / sqrt(len(found))
            total = bias + size * sum([weights.get(feature, 0.0) for feature in found])
            error = logistic(total) - label
            if abs(error) < SURE:
                continue
            error *= share[label]
            slope = error * size
            square = slope * slope
            step = rate * slope
            for feature in found:
                known = squares.get(feature, FIRST_SQUARE) + square
                squares[feature] = known
                weights[feature] = weights.get(feature, 0.0) - step / sqrt(known)
            bias_square += error * error
            bias -= rate * error / sqrt(bias_square)
    return weights, bias


def log_odds(examples: Sequence[Example], least: float = 0.3) -> dict[str, float]:
    """Return of each feature the logarithm of its share among texts looked for to that among the others.

    Each count is raised by `least`, so that a feature of one kind only has a finite weight. Of few examples this says more than
    descent alone, which stops at the features that suffice to tell them apart.
    """
    counts: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
    texts = [0, 0]
    for found, label in examples:
        counts[label].update(found)
        texts[label] += 1
    harmless, wanted = (number + 2 * least for number in texts)
    features = sorted(counts[0].keys() | counts[1].keys())
    return {x: log((counts[1][x] + least) / wanted * harmless / (counts[0][x] + least)) for x in features}
