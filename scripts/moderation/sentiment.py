"""Measure how well discontent is told from content in reviews (specs/moderation.md §6): within a domain, and in one never seen.

What is trained here on the reviews is thrown away. The shipped `mood` model was made of texts written for this project and has
seen neither domain. Besides accuracy the speed of features and score is printed, in messages a second of CPU time of one core.

Usage: python -m scripts.moderation.sentiment [--data ../shared/data]
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from time import process_time

from qunce.engine.learning.features import features
from qunce.engine.learning.linear import Linear
from qunce.engine.learning.shipped import shipped
from qunce.engine.learning.training import log_odds, train
from qunce.engine.text.views import Views
from scripts.moderation.data import DATA, ORDINARY, ordinary_messages
from scripts.moderation.evaluate import Figures, Labelled, labelled, show, split
from scripts.moderation.train import readable

DOMAINS = ("sentiment_shopping", "sentiment_hotel")


def reviews(data: Path, name: str) -> list[Labelled]:
    """Return reviews with True for a bad one, in an order drawn once and for all."""
    found = [(text, not positive) for text, positive in labelled(data, name, "positive")]
    return random.Random(1).sample(found, len(found))


def own(texts: list[Labelled]) -> Linear:
    """Return a model of some reviews: learnt step by step, with a share of the log odds of each feature."""
    examples = [(readable(features(Views(text))), label) for text, label in texts]
    weights, bias = train(examples, epochs=4, balance=True)
    odds = log_odds(examples)
    return Linear({feature: weights.get(feature, 0.0) + 0.3 * odd for feature, odd in odds.items()}, bias)


def speed(texts: list[str]) -> float:
    model = shipped("mood")
    begin = process_time()
    for text in texts:
        model.score(Views(text))
    return len(texts) / (process_time() - begin)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    sets = {name: reviews(data, name) for name in DOMAINS}
    for name, texts in sets.items():
        if not texts:
            continue
        known, held_out = split(texts)
        show(f"{name}, four fifths → the fifth", Figures(own(known), held_out))
        for other in DOMAINS:
            if other != name and sets[other]:
                show(f"{name} → {other}, never seen", Figures(own(texts), sets[other]))
        figures = Figures(shipped("mood"), texts)
        show(f"{name}, shipped mood at 0.5", figures)
        show(f"{name}, shipped mood at 0.8", figures, 0.8)
    ordinary = ordinary_messages(data)
    if ordinary:
        model = shipped("mood")
        for threshold in (0.8, 0.9):
            flagged = sum(len((views := Views(text)).stripped) >= 6 and model.score(views) >= threshold for text in ordinary)
            print(f"ordinary chat flagged by mood at {threshold}: {flagged} of {ORDINARY}")
        print(f"mood: {speed(ordinary[:10_000]):,.0f} messages/s")


if __name__ == "__main__":
    main()
