"""Fold text, and cut it into search tokens that find two-character Chinese words.

Folding makes spellings of one word equal (full width, case, 繁简, invisible characters); the table is data made by
scripts/make_fold_table.py. Search tokens of a run of Han characters are its overlapping pairs plus its last character, so that
发货 is found inside 什么时候发货呀, and one single character is found by prefix. Words of other scripts are one token each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Final

MAX_WORD: Final = 32
"""Longer words are cut into pieces for the index; the final comparison is made on the text itself."""

_HAN: Final = r"\u3400-\u9fff\uf900-\ufaff\u3040-\u30ff\uac00-\ud7af\U00020000-\U0003ffff"
_RUNS: Final = re.compile(rf"([{_HAN}]+)|([^\W_{_HAN}]{{1,{MAX_WORD}}})")
_ASCII: Final = re.compile(rf"[a-z0-9]{{1,{MAX_WORD}}}")


@cache
def fold_table() -> dict[int, str]:
    """Return the folding as a `str.translate` table (about 10,700 entries)."""
    lines = files("qunce.domain").joinpath("data/fold.tsv").read_text("ascii").splitlines()
    table = {}
    for line in lines:
        code, _, folded = line.partition("\t")
        table[int(code, 16)] = "".join(chr(int(c, 16)) for c in folded.split(" ") if c)
    return table


def characters(codes: Iterable[int]) -> str:
    """Return the inside of a regular expression's brackets for these characters, and for all beyond the basic plane.

    Python looks the basic plane up in a table; a long list of others it would compare one by one.
    """
    return re.escape("".join(chr(code) for code in sorted(codes) if code < 0x10000)) + "\U00010000-\U0010ffff"


_FOLDED: Final = re.compile(f"[{characters(fold_table())}]")
"""Sign that folding may change a text; most Chinese messages hold none and stay as they are."""


def fold(text: str) -> str:
    """Return `text` with equal spellings made equal. Length may change."""
    if text.isascii():
        return text.lower()
    return text.translate(fold_table()) if _FOLDED.search(text) else text


def index_tokens(text: str) -> str:
    """Return the search tokens of a message, separated by spaces; repeated tokens are kept once, in order."""
    if text.isascii():
        return " ".join(dict.fromkeys(_ASCII.findall(text.lower())))
    tokens: dict[str, None] = {}
    for han, word in _RUNS.findall(fold(text)):
        if han:
            for pair in map("".join, pairwise(han)):
                tokens[pair] = None
            tokens[han[-1]] = None
        else:
            tokens[word] = None
    return " ".join(tokens)


def query_tokens(query: str) -> tuple[tuple[str, bool], ...]:
    """Return the tokens every hit must have, as (token, is prefix). Empty when the query holds nothing searchable."""
    tokens: dict[tuple[str, bool], None] = {}
    for han, word in _RUNS.findall(fold(query)):
        if len(han) == 1:
            tokens[han, True] = None
        elif han:
            for pair in map("".join, pairwise(han)):
                tokens[pair, False] = None
        else:
            tokens[word, True] = None
    return tuple(tokens)


def contains(text: str, query: str) -> bool:
    """Tell whether every blank-separated word of `query` stands in `text`, both folded: the truth behind the index."""
    folded = fold(text)
    return all(word in folded for word in fold(query).split())


_QUESTION: Final = re.compile(
    r"[?？]|(?:吗|嘛|么|呢)[\s。.!！~～…]*$|怎么|怎样|如何|什么|啥时|为啥|为什么|多少|几点|哪里|哪个|哪款|哪儿|能不能|可不可以|是不是|有没有|"
    r"可以.{0,6}吗|请问|求问|求助|想问|问一下|问下|咨询"
)
_ENGLISH_QUESTION: Final = re.compile(
    r"\?|^(?:how|what|why|when|where|who|which|can|could|does|do|is|are|any(?:one|body))\b", re.IGNORECASE
)


def is_question(text: str) -> bool:
    """Tell whether a message reads like a question (Chinese and English); rhetorical ones count too.

    A simple, explainable rule for counting first responses. The desk uses the engine's finer judgement.
    """
    if not 2 <= len(text) <= 2_000:
        return False
    if text.isascii():
        return bool(_ENGLISH_QUESTION.search(text)) and "://" not in text.partition("?")[0][-200:]
    return bool(_QUESTION.search(text))
