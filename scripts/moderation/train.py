"""Train the shipped models and write them to src/qunce/engine/learning/data.

`spam` learns from texts written for this project (scripts/moderation/written.py) and, as ordinary text, from comments of COLD.
`abuse` learns from COLD (thu-coai/COLDataset, Apache-2.0). `mood` learns from texts written for this project
(scripts/moderation/written_mood.py). Nothing else may be used for what is shipped.

Usage: python -m scripts.moderation.train [--data ../shared/data] [--only mood]
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection
from pathlib import Path

from qunce.engine.learning.features import features
from qunce.engine.learning.linear import Linear, write_model
from qunce.engine.learning.training import Example, train
from qunce.engine.text.views import Views
from scripts.moderation.data import DATA, rows
from scripts.moderation.written import adverts, numbers, ordinary
from scripts.moderation.written_mood import moods, neutral

OUT = Path(__file__).parents[2] / "src/qunce/engine/learning/data"
MODELS = ("spam", "abuse", "mood")
COLD = "comments of COLD (thu-coai/COLDataset, Apache-2.0)"


def examples(texts: list[str], *, label: bool) -> list[Example]:
    return [(features(Views(text)), label) for text in dict.fromkeys(texts)]


def without_rare(found: list[Example], least: int) -> list[Example]:
    """Drop features of fewer than `least` texts: names and accidents."""
    counts = Counter(feature for features_of, _ in found for feature in features_of)
    return [([feature for feature in features_of if counts[feature] >= least], label) for features_of, label in found]


def readable(found: list[str]) -> list[str]:
    """Keep what a text says and how it sounds; its form and length tell one shop from another, not a mood."""
    return [feature for feature in found if feature >= " "]


def train_spam(cold: list[str]) -> tuple[Linear, dict[str, float]]:
    found = examples(list(adverts(6_000)), label=True)
    found += examples([*ordinary(9_000), *numbers(1_500), *cold[:6_000]], label=False)
    weights, bias = train(without_rare(found, 2))
    return Linear(weights, bias, name="spam", version=1), weights


def train_abuse(labelled: list[tuple[str, bool]]) -> tuple[Linear, dict[str, float]]:
    found = [(features(Views(text)), label) for text, label in labelled]
    weights, bias = train(without_rare(found, 3), epochs=4, rate=0.2)
    return Linear(weights, bias, name="abuse", version=1), weights


def train_mood() -> tuple[Linear, dict[str, float]]:
    found = examples(list(moods(9_000, bad=True)), label=True)
    found += examples([*moods(8_000, bad=False), *neutral(1_500), *ordinary(2_500)], label=False)
    found = [(readable(of_text), label) for of_text, label in found]
    weights, bias = train(without_rare(found, 2), epochs=4, balance=True)
    return Linear(weights, bias, name="mood", version=2), weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--only", choices=MODELS, help="train one model; the others stay as they are")
    arguments = parser.parse_args()
    wanted = (arguments.only,) if arguments.only else MODELS
    OUT.mkdir(exist_ok=True)
    if "mood" in wanted:
        mood, weights = train_mood()
        (OUT / "mood.json.gz").write_bytes(write_model(mood, weights, "texts written for this project", most=30_000))
    if wanted != ("mood",):
        _train_with_cold(arguments.data, wanted)
    for path in sorted(OUT.glob("*.json.gz")):
        print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def _train_with_cold(data: Path, wanted: Collection[str]) -> None:
    labelled = [(str(row["text"]), bool(row["offensive"])) for row in rows(data / "moderation/cold_train.jsonl.zst")]
    if not labelled:
        raise SystemExit("COLD is needed to train these; they were not written")
    if "spam" in wanted:
        spam, weights = train_spam([text for text, _ in labelled])
        (OUT / "spam.json.gz").write_bytes(write_model(spam, weights, f"texts written for this project; {COLD}", most=40_000))
    if "abuse" in wanted:
        abuse, weights = train_abuse(labelled)
        (OUT / "abuse.json.gz").write_bytes(write_model(abuse, weights, COLD, most=50_000))


if __name__ == "__main__":
    main()
