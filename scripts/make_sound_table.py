"""Write src/qunce/engine/text/data/sound.tsv: how each Chinese character sounds, without tones.

One line for each syllable: the syllable, the characters whose most usual reading it is, and the characters that can also be
read so. Readings come from the package `pypinyin` (MIT), which is needed only here: calling it for each message would be sixty
times slower than the table. Only characters that survive folding (domain.text) are listed.

Usage: python scripts/make_sound_table.py
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from pypinyin import Style, pinyin

from qunce.domain.text import fold_table

OUT = Path(__file__).parents[1] / "src/qunce/engine/text/data/sound.tsv"
RANGES = ((0x4E00, 0x9FFF), (0x3400, 0x4DBF))


def readings(char: str) -> list[str]:
    """Return the toneless readings of a character, most usual first, ü written as v; empty if there are none."""
    found = pinyin(char, style=Style.NORMAL, heteronym=True, errors="ignore")
    plain = [reading.replace("ü", "v") for reading in (found[0] if found else [])]
    return [reading for reading in dict.fromkeys(plain) if reading.isascii() and reading.isalpha()]


def main() -> None:
    folded = fold_table()
    first: dict[str, list[str]] = defaultdict(list)
    other: dict[str, list[str]] = defaultdict(list)
    for low, high in RANGES:
        for code in range(low, high + 1):
            if code in folded:
                continue
            usual, *others = readings(chr(code)) or [""]
            if usual:
                first[usual].append(chr(code))
                for reading in others:
                    other[reading].append(chr(code))
    syllables = sorted(first.keys() | other.keys())
    rows = [f"{syllable}\t{''.join(first[syllable])}\t{''.join(other[syllable])}" for syllable in syllables]
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(rows) + "\n", "utf-8")
    print(f"{len(syllables)} syllables, {sum(map(len, first.values()))} characters → {OUT.name}")


if __name__ == "__main__":
    main()
