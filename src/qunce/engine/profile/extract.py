"""Find what members say of themselves, by the phrases of a playbook.

A message is cut into clauses. A phrase counts only where it stands at the beginning of a clause or behind a harmless lead, with
nothing behind it but a harmless tail, and where the clause neither asks, denies, supposes, remembers, quotes nor speaks of
somebody else. What is left is proposed with a confidence: 0.95 for a clause that is nothing but the phrase, less for each of:
words before it, words behind it, a city whose name means something else as well, a free text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec

from qunce.domain.places import CITIES, MEANS_MORE
from qunce.domain.text import fold
from qunce.playbook.schema.profile import Attribute
from qunce.playbook.values import BadValue, Value, read_value

SURE: Final = 0.95
LEAST: Final = 0.6
"""Less sure ones are not proposed."""
LONGEST_MESSAGE: Final = 400
_CLAUSE: Final = re.compile(r"[^，。！？!?,、；;\n…~～：:（）()「」“”\"]+[？?]?")
_WORDS: Final = re.compile(r"\s+")
_LEADS: Final = re.compile(
    r"(?:大家好|姐妹们好?|宝妈们好?|各位好?|你好|您好|哈喽|嗨|新人|报到|报道|新人报到|冒泡|打卡|我们家|其实|目前|现在|因为|"
    r"我|本人|嗯+|哈+|啊|对|是的|那|就|也|都|话说|可是|但是|不过|和你一样|同)*"
)
_TAILS: Final = re.compile(
    r"(?:了|的|呢|呀|啊|哦|哈+|啦|嘞|哟|喽|滴|大了?|多一点|多点|多|这边|这儿|本地|本地人|工作|上班|上学|读书|读大学|念书|生活|居住|定居|常住|住|人|市|市区|"
    r"左右|上下|以内|以下|之内|内|一个月|元|块|块钱|妈妈|爸爸|宝妈|宝爸|报到|报道|哒|嘻+|呐)*"
)
_ASKS: Final = re.compile(r"[吗么嘛][?？]?$|[?？]$|有没有|是不是|谁|哪|什么|怎么|多少|吧$")
_NOT_SO: Final = re.compile(
    r"不|没|别|非|如果|要是|假如|假设|万一|听说|据说|以为|好像|想去|想来|想到|打算|准备|计划|以前|之前|曾|原来|小时候|当年|当初|那年|去年|"
    r"以后|将来|未来|明年|下周|明天|昨天|希望|要去|去过|来过|路过|出差|旅游|旅行|玩|机场|高铁|火车|转机|见过|看到|看见|遇到|梦|假装|仿佛"
)
_OTHERS: Final = re.compile(
    r"朋友|同事|闺蜜|老公|老婆|男友|女友|对象|室友|舍友|姐|妹|哥|弟|爸|妈(?!妈$)|婆|公公|爷|奶|舅|姨|叔|姑|同学|邻居|亲戚|他|她|它|人家|别人|"
    r"你|您|楼主|洞主|有人|大家都|群主|老师|领导|老板|学长|学姐|师兄|师姐|某"
)
_DIGITS: Final = {"零": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_HAN_NUMBER: Final = re.compile(r"([一二两三四五六七八九])?(十)([一二三四五六七八九])?|([零一二两三四五六七八九])")


class Found(msgspec.Struct, frozen=True):
    """A value that a message says of its author."""

    attribute: str
    value: Value
    phrase: str
    confidence: float


class Phrases:
    """The phrases of attributes, ready to be looked for. The same attributes and text give the same findings."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self._patterns = [
            (attribute, phrase, _pattern(attribute, phrase))
            for attribute in attributes
            for phrase in attribute.chat_phrases
        ]  # fmt: skip
        # One cheap test for the many messages that hold none of the fixed words.
        pieces = {min(_pieces(phrase), key=len, default="") for attribute in attributes for phrase in attribute.chat_phrases}
        self._any = None if "" in pieces else re.compile("|".join(map(re.escape, sorted(pieces))) or r"(?!)")

    def find(self, text: str) -> tuple[Found, ...]:
        """Return what a message says of its author, the surest of each attribute and value."""
        if len(text) > LONGEST_MESSAGE:
            return ()
        folded = fold(text)
        together = _WORDS.sub("", folded)
        if self._any is not None and self._any.search(together) is None:
            return ()
        best: dict[tuple[str, Value], Found] = {}
        # People separate sentences by blanks, and numbers from words too: 坐标杭州 求推荐, 宝宝 8 个月.
        apart = _WORDS.sub("\n", folded.strip())
        for clause in dict.fromkeys([*_clauses(together), *(_clauses(apart) if apart != together else ())]):
            for found in self._clause(clause):
                known = best.get((found.attribute, found.value))
                if known is None or known.confidence < found.confidence:
                    best[found.attribute, found.value] = found
        return tuple(best.values())

    def _clause(self, clause: str) -> Iterator[Found]:
        asks = _ASKS.search(clause) is not None
        for attribute, phrase, pattern in self._patterns:
            if asks:
                return
            match = pattern.search(clause)
            if match is None:
                continue
            before, after = clause[: match.start()], clause[match.end() :]
            if _LEADS.fullmatch(before) is None or _TAILS.fullmatch(after) is None:
                continue
            if _NOT_SO.search(before + after) or _OTHERS.search(before):
                continue
            value = _value(attribute, match)
            if value is None:
                continue
            confidence = SURE - 0.05 * bool(before) - 0.05 * bool(after)
            confidence -= 0.15 * (attribute.type == "text") + 0.15 * (attribute.type == "city" and value in MEANS_MORE)
            if confidence >= LEAST:
                found = Found(attribute.attribute_id, value, phrase, round(confidence, 2))
                yield found


def _clauses(text: str) -> Iterator[str]:
    """Yield the clauses of a text that are no quotations."""
    for match in _CLAUSE.finditer(text):
        if not text[: match.start()].endswith(("「", "“", '"')):
            yield match.group()


def _pieces(phrase: str) -> list[str]:
    return [piece for piece in fold(phrase).replace(" ", "").split("{value}") if piece]


def _pattern(attribute: Attribute, phrase: str) -> re.Pattern[str]:
    plain = "".join(fold(phrase).split())
    before, slot, after = plain.partition("{value}")
    value = _slot(attribute) if slot else ""
    return re.compile(f"{re.escape(before)}(?P<value>{value}){re.escape(after)}")


def _slot(attribute: Attribute) -> str:
    match attribute.type:
        case "city":
            return f"(?:{'|'.join(sorted(map(re.escape, CITIES), key=lambda name: (-len(name), name)))})市?"
        case "number":
            return r"\d{1,4}|[一二两三四五六七八九]?十[一二三四五六七八九]?|[零一二两三四五六七八九]"
        case "money":
            return r"\d{1,8}(?:\.\d{1,2})?(?:万|千|k|w)?(?:元|块钱?)?"
        case "date":
            return r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?"
        case "choice":
            words = [fold(word) for choice in attribute.choices for word in (choice.value, *choice.words)]
            return "|".join(sorted(map(re.escape, words), key=lambda word: (-len(word), word)))
        case "bool":
            return "是|有|不是|没有"
        case _:
            return r"(?!的|得|地)[\w·]{2,12}(?<![的地得了吧呢])"


def _value(attribute: Attribute, match: re.Match[str]) -> Value | None:
    text = match["value"]
    if not text:
        return True if attribute.type == "bool" else None
    if attribute.type == "number":
        text = str(_number(text))
    if attribute.type == "text" and (_NOT_SO.search(text) or _OTHERS.search(text) or _ASKS.search(text)):
        return None
    try:
        return read_value(attribute, text)
    except BadValue:
        return None


def _number(text: str) -> int:
    if text.isdecimal():
        return int(text)
    match = _HAN_NUMBER.fullmatch(text)
    if match is None:
        return -1
    tens, ten, ones, single = match.groups()
    if single:
        return _DIGITS[single]
    return (_DIGITS[tens] if tens else 1) * (10 if ten else 1) + (_DIGITS[ones] if ones else 0)


def strongest(found: Sequence[Found]) -> Mapping[str, Found]:
    """Return the surest finding of each attribute."""
    best: dict[str, Found] = {}
    for item in found:
        if item.attribute not in best or best[item.attribute].confidence < item.confidence:
            best[item.attribute] = item
    return best
