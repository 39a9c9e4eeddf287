"""Write src/qunce/engine/text/data/sound.tsv: how each Chinese character sounds, without tones.

One line for each syllable: the syllable, the characters whose most usual reading it is, and the characters that are also
read so every day (`readings.txt` beside the table, written for this project). Usual readings come from the package `pypinyin`
(MIT), which is needed only here: calling it for each message would be sixty times slower than the table. Only characters that
survive folding (domain.text) are listed. A rare character that folding makes of a better known one sounds like that one.

Usage: python scripts/make_sound_table.py
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pypinyin import Style, pinyin

from qunce.domain.text import fold_table

DATA = Path(__file__).parents[1] / "src/qunce/engine/text/data"
OUT = DATA / "sound.tsv"
RANGES = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF))
RARE = "\U00020000"
"""From here on characters are rare, and most have no reading of their own in the package."""


def usual_reading(char: str) -> str:
    """Return the toneless usual reading of a character, ü written as v; empty if there is none."""
    reading = pinyin(char, style=Style.NORMAL, errors="ignore")
    plain = reading[0][0].replace("ü", "v") if reading else ""
    return plain if plain.isascii() and plain.isalpha() else ""


def usual_readings() -> dict[str, str]:
    """Return the usual reading of every character that folding leaves as it is or makes of another."""
    folded = fold_table()
    found = {}
    for low, high in RANGES:
        for char in map(chr, range(low, high + 1)):
            reading = usual_reading(char)
            shown = folded.get(ord(char), char)
            if reading and (shown == char or (len(shown) == 1 and shown >= RARE and not usual_reading(shown))):
                found.setdefault(shown, reading)
    return found


def further_readings() -> dict[str, list[str]]:
    """Return the other everyday readings of characters."""
    lines = (DATA / "readings.txt").read_text("utf-8").splitlines()
    return {line.split()[0]: line.split()[1:] for line in lines if line and not line.startswith("#")}


def main() -> None:
    first: dict[str, list[str]] = defaultdict(list)
    other: dict[str, list[str]] = defaultdict(list)
    for char, reading in usual_readings().items():
        first[reading].append(char)
    for char, readings in further_readings().items():
        for reading in readings:
            other[reading].append(char)
    syllables = sorted(first.keys() | other.keys())
    rows = [f"{syllable}\t{''.join(sorted(first[syllable]))}\t{''.join(sorted(other[syllable]))}" for syllable in syllables]
    OUT.write_text("\n".join(rows) + "\n", "utf-8")
    print(f"{len(syllables)} syllables, {sum(map(len, first.values()))} characters → {OUT.name}")


if __name__ == "__main__":
    main()
