"""Write src/qunce/domain/data/fold.tsv: one line per character that text folding changes.

Folding makes spellings of the same word equal: NFKC (full width → half width, mathematical letters → plain), lower case,
Traditional → Simplified, and nothing at all for characters that cannot be seen. Traditional → Simplified comes from OpenCC's
TSCharacters (Apache-2.0), shipped in the package `opencc-python-reimplemented`; only that package is needed, and only here.

Usage: python scripts/make_fold_table.py
"""

from __future__ import annotations

import sys
import unicodedata
from importlib.resources import files
from pathlib import Path

OUT = Path(__file__).parents[1] / "src/qunce/domain/data/fold.tsv"


def simplified() -> dict[str, str]:
    """Return Traditional → Simplified for single characters, first reading."""
    text = files("opencc").joinpath("dictionary/TSCharacters.txt").read_text("utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if "\t" in line)
    return {src: dst.split(" ")[0] for src, dst in pairs if len(src) == 1}


def fold_char(char: str, to_simplified: dict[str, str]) -> str:
    if unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef":
        return ""
    plain = unicodedata.normalize("NFKC", char).lower()
    return "".join(to_simplified.get(c, c) for c in plain)


def main() -> None:
    to_simplified = simplified()
    rows = []
    for code in range(sys.maxunicode + 1):
        if 0xD800 <= code <= 0xDFFF:
            continue
        char = chr(code)
        folded = fold_char(char, to_simplified)
        if folded != char:
            rows.append(f"{code:x}\t{' '.join(f'{ord(c):x}' for c in folded)}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join(rows) + "\n", "ascii")
    print(f"{len(rows)} characters → {OUT.name}")


if __name__ == "__main__":
    main()
