"""Measure how much wording of a crisis is found, and how often ordinary chat is taken for one (specs/moderation.md §6).

The sentences (crisis_set.txt) were written for this project, before the signs and by the same hand; what the signs missed
was mended with one half in view only. So the figure of the other half shows that the signs reach a little beyond the sentences
they were mended with. It does not show how other people word a crisis, and is too good for that: only real, marked messages
could.

Usage: python -m scripts.moderation.crisis [--data ../shared/data] [--show]
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

from qunce.engine.moderation.clues import likelihood
from qunce.engine.moderation.concepts import crisis_phrases
from qunce.engine.text.phrases import Scanner
from qunce.engine.text.views import Views
from scripts.moderation.data import DATA, ORDINARY, ordinary_messages, rows

SENTENCES = Path(__file__).with_name("crisis_set.txt")
AT_LEAST = 0.6
"""The check's own default."""


def sentences() -> list[tuple[str, str, bool]]:
    """Return the sentences: kind or `none`, text, and whether it is of the half held out."""
    found = []
    kind = ""
    for line in SENTENCES.read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line and not line.startswith("#"):
            found.append((kind, line, crc32(line.encode()) % 2 == 1))
    return found


def kinds_of(scanner: Scanner, text: str) -> set[str]:
    """Return the kinds of crisis that the check would find in a text."""
    weights: dict[str, dict[str, float]] = defaultdict(dict)
    for hit in scanner.scan(Views(text)):
        weights[hit.phrase.source.removeprefix("crisis:")][hit.phrase.what] = hit.phrase.weight
    return {kind for kind, signs in weights.items() if likelihood(signs.values()) >= AT_LEAST}


def halves(scanner: Scanner, *, show: bool) -> dict[bool, tuple[float, float]]:
    """Print and return, for either half, the share found and the share of harmless look-alikes flagged."""
    figures = {}
    for held_out in (False, True):
        some = [(kind, text) for kind, text, held in sentences() if held == held_out]
        crises = [(kind, text, kinds_of(scanner, text)) for kind, text in some if kind != "none"]
        harmless = [(text, kinds_of(scanner, text)) for kind, text in some if kind == "none"]
        found = sum(bool(kinds) for _, _, kinds in crises)
        right = sum(kind in kinds for kind, _, kinds in crises)
        flagged = sum(bool(kinds) for _, kinds in harmless)
        name = "held out" if held_out else "seen"
        print(
            f"crisis wording, half {name}: {found} of {len(crises)} found ({found / len(crises):.1%}), {right} as their own"
            f" kind; harmless look-alikes flagged: {flagged} of {len(harmless)}"
        )
        if show and not held_out:
            print(*[f"   missed {kind}: {text}" for kind, text, kinds in crises if not kinds], sep="\n")
            print(*[f"   flagged {kinds}: {text}" for text, kinds in harmless if kinds], sep="\n")
        figures[held_out] = found / len(crises), flagged / len(harmless)
    return figures


def false_alarms(scanner: Scanner, texts: Sequence[str], *, show: bool = False) -> int:
    """Return how many of some ordinary messages are flagged."""
    found = [(kinds, text) for text in texts if (kinds := kinds_of(scanner, text))]
    if show:
        print(*[f"   {sorted(kinds)} {text[:120]!r}" for kinds, text in found[:80]], sep="\n")
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--show", action="store_true", help="print what the seen half misses")
    arguments = parser.parse_args()
    scanner = Scanner(crisis_phrases())
    halves(scanner, show=arguments.show)
    ordinary = ordinary_messages(arguments.data)
    if ordinary:
        flagged = false_alarms(scanner, ordinary, show=arguments.show)
        print(f"ordinary chat flagged: {flagged} of {ORDINARY} ({flagged / len(ordinary):.3%})")
    for name in ("sentiment_shopping", "sentiment_hotel"):
        reviews = [(str(row["text"]), bool(row["positive"])) for row in rows(arguments.data / f"moderation/{name}.jsonl.zst")]
        for positive in (False, True):
            some = [text for text, label in reviews if label == positive][:3_000]
            if some:
                share = false_alarms(scanner, some) / len(some)
                print(f"{name}, {'good' if positive else 'bad'} reviews flagged: {share:.2%} of {len(some)}")


if __name__ == "__main__":
    main()
