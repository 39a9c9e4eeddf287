"""Measure how many disguises of a term are found, and how many ordinary messages are flagged by the same terms.

The terms and the way they are hidden are written here, apart from the tables the engine uses: sounds come from `pypinyin` with
tones dropped and any character of that sound, so that other readings and rare characters occur.

Usage: python scripts/moderation/variants.py [--data ../shared/data] [--show KIND]
"""

# word lists are long lines, and disguises use look-alikes

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

from opencc import OpenCC
from pypinyin import Style, lazy_pinyin

from qunce.engine.text.phrases import Phrase, Scanner
from qunce.engine.text.shapes import shape_table, splits
from qunce.engine.text.tables import near_sound
from qunce.engine.text.views import Views
from scripts.moderation.data import DATA, ORDINARY, ordinary_messages

TERMS = [
    "加微信",
    "加QQ群",
    "代购返现",
    "刷单兼职",
    "兼职日结",
    "日赚千元",
    "拼多多砍价",
    "帮我砍一刀",
    "免费领取",
    "扫码进群",
    "私聊我",
    "加我好友",
    "返利群",
    "优惠券群",
    "内部价",
    "高仿包包",
    "原单包包",
    "微商代理",
    "诚招代理",
    "一件代发",
    "厂家直销",
    "低价批发",
    "时时彩",
    "包赢计划",
    "北京赛车",
    "棋牌平台",
    "百家乐",
    "真人视讯",
    "上分下分",
    "套现",
    "花呗套现",
    "信用卡提额",
    "无抵押贷款",
    "黑户可贷",
    "当日放款",
    "网贷口子",
    "代开发票",
    "办理证件",
    "刻章办证",
    "代写论文",
    "减肥瘦身",
    "祛斑美白",
    "丰胸产品",
    "壮阳药",
    "约炮",
    "裸聊",
    "成人视频",
    "色情网站",
    "迷药",
    "买卖枪支",
    "私服传奇",
    "游戏代练",
    "点卡充值",
    "红包群",
    "薅羊毛",
    "羊毛线报",
    "领红包",
    "复制口令",
    "淘宝客",
    "VIP资源",
    "网盘资源",
    "VX联系",
    "免费送礼",
    "抽奖活动",
    "投资理财",
    "炒股群",
    "荐股老师",
]
FRAMES = ("大家看看{}，有需要的", "今天发现{}真的不错")
DRAWS = 5
"""How often each term is hidden anew in each sentence."""
GAP_PUNCTUATION = ".-_,*/|~"
GAP_SYMBOLS = "丶ᚰ々。、·★♪〇丨"  # without letters and hanzi that carry meaning
GAP_EMOJI = "😊🔥❤️👍✨"
ZERO_WIDTH = "\u200b\u200d\u2060\ufeff"
NOISE_HANZI = "的了在是我有和就"


def homophones() -> dict[str, list[str]]:
    by_sound: dict[str, list[str]] = defaultdict(list)
    for code in range(0x4E00, 0x9FA6):
        by_sound[lazy_pinyin(chr(code))[0]].append(chr(code))
    return by_sound


def is_han(char: str) -> bool:
    return "\u4e00" <= char <= "\u9fff"


def han_places(term: str) -> list[int]:
    return [index for index, char in enumerate(term) if is_han(char)]


class Disguises:
    """Hide terms in all the ways of specs §4.2, and some more. None = this way does not apply to the term."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.by_sound = homophones()
        self.by_near: dict[str, list[str]] = defaultdict(list)
        for sound, chars in self.by_sound.items():
            self.by_near[near_sound(sound)] += chars
        self.traditional = OpenCC("s2t")
        self.shapes: dict[str, list[str]] = defaultdict(list)
        for code, usual in shape_table().items():
            self.shapes[usual].append(chr(code))
            self.shapes[chr(code)].append(usual)

    def between(self, term: str, fillers: str) -> str:
        return "".join(char + self.random.choice(fillers) for char in term[:-1]) + term[-1]

    def swap(self, term: str, count: int, table: Callable[[str], list[str]], *, every: bool = False) -> str | None:
        places = han_places(term)
        if len(places) < (count if every else max(3, count + 1)):
            return None
        chars = list(term)
        changed = 0
        for place in self.random.sample(places, len(places)):
            others = [other for other in table(term[place]) if other != term[place]]
            if others:
                chars[place] = self.random.choice(others)
                changed += 1
            if changed == count:
                return "".join(chars)
        return None

    def same_sound(self, char: str) -> list[str]:
        return self.by_sound[lazy_pinyin(char)[0]]

    def near_sound(self, char: str) -> list[str]:
        sound = lazy_pinyin(char)[0]
        return [other for other in self.by_near[near_sound(sound)] if lazy_pinyin(other)[0] != sound]

    def pinyin(self, term: str, *, whole: bool) -> str | None:
        places = han_places(term)
        if len(places) < 3:
            return None
        chosen = set(places) if whole else {self.random.choice(places)}
        return "".join(lazy_pinyin(char, style=Style.NORMAL)[0] if index in chosen else char for index, char in enumerate(term))

    def split(self, term: str) -> str | None:
        places = [index for index in han_places(term) if term[index] in splits()]
        if not places:
            return None
        place = self.random.choice(places)
        return term[:place] + self.random.choice(splits()[term[place]]) + term[place + 1 :]

    def latin(self, term: str, change: Callable[[str], str]) -> str | None:
        hidden = "".join(change(char) if char.isascii() else char for char in term)
        return hidden if hidden != term else None

    def all_of(self, term: str) -> Iterator[tuple[str, str | None]]:
        yield "exact", term
        yield "mixed case", self.latin(term, lambda c: c.lower() if self.random.random() < 0.7 else c)
        yield "full width Latin", self.latin(term, lambda c: chr(ord(c) + 0xFEE0))
        yield "mathematical Latin", self.latin(term, lambda c: chr(0x1D400 + ord(c.upper()) - 65))
        yield "zero width inserted", self.between(term, ZERO_WIDTH)
        yield "spaces inserted", self.between(term, " ")
        yield "ASCII punctuation inserted", self.between(term, GAP_PUNCTUATION)
        yield "CJK and rare symbols inserted", self.between(term, GAP_SYMBOLS)
        yield "emoji inserted", self.between(term, GAP_EMOJI)
        traditional = self.traditional.convert(term)
        yield "traditional", traditional if traditional != term else None
        yield "each character doubled", "".join(char * 2 for char in term)
        yield "same sound, 1 character", self.swap(term, 1, self.same_sound)
        yield "same sound, 2 characters", self.swap(term, 2, self.same_sound)
        yield "near sound, 1 character", self.swap(term, 1, self.near_sound)
        yield "look-alike, 1 character", self.swap(term, 1, lambda c: self.shapes.get(c, []))
        yield "one character as pinyin", self.pinyin(term, whole=False)
        yield "all as pinyin", self.pinyin(term, whole=True)
        yield "one character split", self.split(term)
        yield "reversed", term[::-1] if len(han_places(term)) >= 4 else None
        yield "meaningless hanzi inserted", self.between(term, NOISE_HANZI)
        yield "same sound, every character", self.swap(term, max(3, len(han_places(term))), self.same_sound, every=True)


def scanner() -> Scanner:
    return Scanner([Phrase(source="ads", what=term, groups=((term,),)) for term in TERMS])


def measure(show: str = "") -> tuple[dict[str, tuple[int, int]], Scanner]:
    """Return, for each disguise, how many were found of how many."""
    scan = scanner()
    figures: dict[str, tuple[int, int]] = {}
    hide = Disguises(1)
    for term, frame, _ in product(TERMS, FRAMES, range(DRAWS)):
        for kind, hidden in hide.all_of(term):
            if hidden is None:
                continue
            found = any(hit.phrase.what == term for hit in scan.scan(Views(frame.format(hidden))))
            if not found and kind == show:
                print("   missed", term, hidden)
            hits, total = figures.get(kind, (0, 0))
            figures[kind] = (hits + found, total + 1)
    return figures, scan


def ordinary_flagged(scan: Scanner, texts: Sequence[str]) -> tuple[int, list[tuple[str, str]]]:
    """Return how many texts hold a term letter by letter, and how (label, term) each of the others is flagged."""
    written = 0
    disguised = []
    for text in texts:
        hits = scan.scan(Views(text))
        if any(term.lower() in text.lower() for term in TERMS):
            written += 1
        elif hits:
            disguised.append((hits[0].label, hits[0].phrase.what))
    return written, disguised


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--show", default="", help="name of a disguise whose misses are printed")
    arguments = parser.parse_args()
    figures, scan = measure(arguments.show)
    for kind, (found, total) in figures.items():
        print(f"{kind:32} {found / total:.3f}  ({found}/{total})")
    texts = ordinary_messages(arguments.data, most=10**9)
    for name, some in (("ordinary messages", texts[:ORDINARY]), ("all the other ones", texts[ORDINARY:])):
        if some:
            written, disguised = ordinary_flagged(scan, some)
            print(f"{name}: {len(some)}, with a term as written: {written}, flagged besides: {len(disguised)} {disguised}")


if __name__ == "__main__":
    main()
