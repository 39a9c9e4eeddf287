"""Read the value of an attribute as people write it, and say it again."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Final

from qunce.domain.places import city_of
from qunce.domain.text import fold
from qunce.playbook.schema.profile import Attribute, Choice

Value = str | int | bool
"""A value as an event holds it: dates as ISO texts, money in the minor unit."""
LONGEST_TEXT: Final = 200
_YES: Final = frozenset({"是", "有", "对", "yes", "y", "true", "1", "√", "✓"})
_NO: Final = frozenset({"否", "无", "没有", "不是", "no", "n", "false", "0", "×"})
_NUMBER: Final = re.compile(r"-?\d{1,15}")
_MONEY: Final = re.compile(r"[¥￥]?(\d{1,10})(?:\.(\d{1,2}))?(万|千|k|w)?(?:元|块|块钱|rmb|cny)?", re.IGNORECASE)
_DATE: Final = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")
_FACTORS: Final = {"万": 10_000, "w": 10_000, "千": 1_000, "k": 1_000, "": 1}


class BadValue(Exception):
    """A text that is no value of the attribute; what is wrong, and the mend."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message, self.fix = message, fix


def read_value(attribute: Attribute, text: str) -> Value:
    """Return the value that a text means. Raises BadValue, also for an empty text: nothing is no value."""
    text = text.strip()
    if not text:
        raise BadValue("no value", "write one, or leave the attribute as it is")
    match attribute.type:
        case "text":
            return _text(text)
        case "choice":
            return _choice(attribute, text)
        case "number":
            return _number(attribute, text)
        case "money":
            return _money(text)
        case "date":
            return _date(text)
        case "bool":
            return _bool(text)
        case "city":
            found = city_of(text)
            if found is None:
                raise BadValue(
                    f"no city of the list: {text[:20]!r}", "write the city, such as 杭州; not the district or country"
                )
            return found


def choice_of(attribute: Attribute, text: str) -> Choice | None:
    """Return the choice whose value or word a text is, whatever the script or width; None = none is."""
    wanted = fold(text)
    for choice in attribute.choices:
        if wanted == fold(choice.value) or any(wanted == fold(word) for word in choice.words):
            return choice
    return None


def _text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise BadValue(f"{len(text)} characters are too many", f"write at most {LONGEST_TEXT}")
    return text


def _choice(attribute: Attribute, text: str) -> str:
    found = choice_of(attribute, text)
    if found is None:
        names = " | ".join(choice.value for choice in attribute.choices)
        raise BadValue(f"no choice of {attribute.title}: {text[:20]!r}", f"use {names}")
    return found.value


def _number(attribute: Attribute, text: str) -> int:
    plain = text.replace(",", "").replace("，", "").removesuffix(attribute.unit).strip()
    if _NUMBER.fullmatch(plain) is None:
        unit = f", in {attribute.unit}" if attribute.unit else ""
        raise BadValue(f"not a whole number: {text[:20]!r}", f"write digits{unit}")
    return int(plain)


def _money(text: str) -> int:
    match = _MONEY.fullmatch(text.replace(",", "").replace(" ", ""))
    if match is None:
        raise BadValue(f"not an amount: {text[:20]!r}", "write 300, 12.50 or 1.2万")
    amount = Decimal(f"{match[1]}.{match[2] or '0'}") * _FACTORS[(match[3] or "").lower()] * 100
    return int(amount)


def _date(text: str) -> str:
    match = _DATE.fullmatch(text)
    try:
        return date(*map(int, match.groups())).isoformat() if match else date.fromisoformat(text).isoformat()
    except (ValueError, OverflowError):
        raise BadValue(f"not a date: {text[:20]!r}", "write it as 2026-03-01") from None


def _bool(text: str) -> bool:
    word = text.lower()
    if word in _YES | _NO:
        return word in _YES
    raise BadValue(f"neither yes nor no: {text[:20]!r}", "write 是 or 否")


def fits(attribute: Attribute, value: object) -> bool:
    """Tell whether a stored value is still one of the attribute, whose type or choices may have changed since."""
    match attribute.type:
        case "bool":
            return isinstance(value, bool)
        case "number" | "money":
            return isinstance(value, int) and not isinstance(value, bool)
        case "choice":
            return isinstance(value, str) and any(choice.value == value for choice in attribute.choices)
        case _:
            return isinstance(value, str)
