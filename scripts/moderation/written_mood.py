"""Write discontented and contented sentences to train the shipped mood model on. Every word was written for this project
(mood_words.txt)."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

Words = dict[str, list[str]]


@cache
def words() -> Words:
    """Return the phrases of mood_words.txt by section."""
    found: Words = {}
    section = ""
    for line in Path(__file__).with_name("mood_words.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            found.setdefault(section, []).extend(line.split("|"))
    return found


SMALL: Final = ("有点", "真的", "确实", "感觉", "实在", "", "", "", "非常", "特别", "也", "还是", "都", "就是")
JOIN: Final = ("，", "，", "。", "！", " ", "，而且", "，另外", "。还有", "，关键是", "；")
OPEN: Final = (
    "",
    "",
    "",
    "买了一个月了，",
    "第一次买，",
    "住了两晚，",
    "用了几次，",
    "说实话，",
    "总的来说，",
    "朋友推荐来的，",
    "收到货了，",
    "刚到，",
    "个人觉得",
)
END: Final = ("", "", "", "。", "！", "！！", "～", "…", "。。。", "吧", "啊", "了")
FEW: Final = 0.18
"""Share of sentences with one clause of the other mood."""


def _clause(pick: random.Random, mood: str) -> str:
    drawn = pick.random()
    if drawn < 0.45:
        return pick.choice(words()[f"{mood}_alone"])
    thing = pick.choice(words()["things"])
    if drawn < 0.6:
        return thing + _turned(pick, mood)
    return f"{thing}{pick.choice(SMALL)}{pick.choice(words()[mood])}"


def _turned(pick: random.Random, mood: str) -> str:
    """Return a mood said by its contrary: 不怎么好用 is bad, 一点都不贵 is good; or, for a bad one, 怎么这么贵."""
    if mood == "good":
        return pick.choice(words()["not_bad"]) + pick.choice(words()["bad_adj"])
    if pick.random() < 0.5:
        return f"{pick.choice(words()['too'])}{pick.choice(words()['bad_adj'])}{pick.choice(('', '了', '了吧'))}"
    return pick.choice(words()["not_good"]) + pick.choice(words()["good_adj"])


def moods(count: int, *, bad: bool, seed: int = 11) -> Iterator[str]:
    """Yield sentences of one mood, one to four clauses long, now and then with a clause of the other mood before 但是."""
    pick = random.Random(f"{seed}{bad}")
    own, other = ("bad", "good") if bad else ("good", "bad")
    for _ in range(count):
        clauses = [_clause(pick, own) for _ in range(pick.choice((1, 1, 2, 2, 3, 4)))]
        text = clauses[0]
        for clause in clauses[1:]:
            text += pick.choice(JOIN) + clause
        if pick.random() < FEW:
            text = f"{_clause(pick, other)}，{pick.choice(('但是', '不过', '可惜', '就是', '只是'))}{text}"
        yield pick.choice(OPEN) + text + pick.choice(END)


def neutral(count: int, seed: int = 12) -> Iterator[str]:
    """Yield everyday sentences of no mood."""
    pick = random.Random(seed)
    for _ in range(count):
        yield pick.choice(words()["neutral"]).format(t=pick.choice(words()["things"])) + pick.choice(END)
