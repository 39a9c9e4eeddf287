"""Hold look-alike characters (形近) and characters written as their parts (拆字).

Both are data files written for this project: `shapes.txt` has one family of look-alikes in a line, `splits.txt` a character
and its parts, with the parts as people type them (微信 → 微亻言).
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from qunce.domain.text import fold


def _lines(name: str) -> list[str]:
    text = files("qunce.engine.text").joinpath("data", name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


@cache
def shape_table() -> dict[int, str]:
    """Return the table that maps each look-alike to the first character of its family."""
    table: dict[int, str] = {}
    for line in _lines("shapes.txt"):
        family = "".join(dict.fromkeys(fold(line.replace(" ", ""))))
        for char in family[1:]:
            table[ord(char)] = family[0]
    return table


@cache
def splits() -> dict[str, tuple[str, ...]]:
    """Return the ways to write a character as its parts."""
    table: dict[str, tuple[str, ...]] = {}
    for line in _lines("splits.txt"):
        char, *ways = line.split()
        table[fold(char)] = tuple(dict.fromkeys(fold(way) for way in ways))
    return table
