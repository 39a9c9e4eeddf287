"""Read conditions as people write them: `3`, `">=3"`, `[3, 5]`, `set`, `missing`, `"<=7d"`, `today`.

What can never hold, or always holds, is refused: such a condition says something else than its author believes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, get_args

from qunce.playbook.segments.catalogue import Kind
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    Between,
    Compare,
    InPeriod,
    IsMissing,
    IsSet,
    OneOf,
    OneOfIds,
    Operator,
    Test,
    Word,
)  # fmt: skip
from qunce.playbook.units import parse_duration

WORDS: Final[tuple[Word, ...]] = get_args(Word)
_FORM: Final = re.compile(r"\s*(>=|<=|!=|=|>|<)?\s*(\S.*?)\s*")
_EXPECTED: Final[dict[Kind, str]] = {
    "number": 'write a whole number: 3, ">=3", or [3, 5] for 3 to 5',
    "money": 'write an amount with at most two decimals: ">=500", ">=12.50", or [100, 500]',
    "moment": 'write an age: "<=7d", ">30d", [3d, 10d]; or today, this_week, this_month, set, missing',
    "word": "write a word or a list of words, or set, or missing",
    "id": "write a number or a list of numbers",
}
Written = str | tuple[str, ...]
_OPERATORS: Final[dict[str, Operator]] = {op: op for op in get_args(Operator)}


class BadCondition(Exception):
    """A condition that cannot be used: message, mend and stable code."""

    def __init__(self, message: str, fix: str, code: str = "condition") -> None:
        super().__init__(message)
        self.message, self.fix, self.code = message, fix, code


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """The values that can occur at all; None = no bound. In the unit of the tree: milliseconds for ages."""

    low: int | None = None
    high: int | None = None


LONGEST_MS: Final = 36_500 * 86_400_000
"""Longest age and window: calendars do not reach back any number of days."""
ANYTHING: Final = Domain()
COUNT: Final = Domain(low=0)


def read(written: Written, kind: Kind, domain: Domain = ANYTHING, choices: Sequence[str] = ()) -> Test:
    """Return the test of a condition on a value of `kind`. Raises BadCondition."""
    if kind == "moment":
        return _moment(written, domain)
    if kind == "word":
        return _word(written, choices)
    if kind == "id":
        return _ids(written)
    return _number(written, kind, domain)


def _number(written: Written, kind: Kind, domain: Domain) -> Test:
    if isinstance(written, tuple):
        low, high = _pair(written, kind)
        test: Test = Between(_value(low, kind), _value(high, kind))
        span: tuple[int | None, int | None] | None = (_value(low, kind), _value(high, kind))
    else:
        if written in {"set", "missing"}:
            raise BadCondition(f"a count is always there, so {written!r} says nothing", _EXPECTED[kind], "no_op")
        op, text = _split(written, kind)
        value = _value(text, kind)
        test = Compare(_OPERATORS[op or "="], value)
        span = _span(test.op, value)
    _possible(written, test, span, domain)
    return test


def _value(text: str, kind: Kind) -> int:
    pattern = r"-?\d{1,12}(?:\.\d{1,2})?" if kind == "money" else r"-?\d{1,15}"
    if re.fullmatch(pattern, text) is None:
        raise BadCondition(f"not {'an amount' if kind == 'money' else 'a whole number'}: {text!r}", _EXPECTED[kind])
    if kind != "money":
        return int(text)
    whole, _, cents = text.lstrip("-").partition(".")
    return (-1 if text.startswith("-") else 1) * (int(whole) * 100 + int(cents.ljust(2, "0")))


def _moment(written: Written, domain: Domain) -> Test:
    if isinstance(written, tuple):
        low, high = _pair(written, "moment")
        test: Test = AgeBetween(_duration(low), _duration(high))
        _possible(written, test, (_duration(low), _duration(high)), domain)
        return test
    if written in {"set", "missing"}:
        return IsSet() if written == "set" else IsMissing()
    for word in WORDS:
        if written == word:
            return InPeriod(word)
    op, text = _split(written, "moment")
    if op not in {">=", "<=", ">", "<"}:
        fix = f'write "<={text}" for not longer ago, or ">={text}" for at least as long ago'
        raise BadCondition(f"{written!r} would ask for one exact moment", fix)
    span_ms = _duration(text)
    _possible(written, None, _span(_OPERATORS[op], span_ms), domain)
    return Age(op, span_ms)  # type: ignore[arg-type]  # one of the four, checked above


def _duration(text: str) -> int:
    try:
        span_ms = parse_duration(text) * 1000
    except ValueError:
        raise BadCondition(f"not an age: {text!r}", _EXPECTED["moment"]) from None
    if span_ms > LONGEST_MS:
        raise BadCondition(f"{text!r} is more than a hundred years", "write at most 36500d", "bounds")
    return span_ms


def _word(written: Written, choices: Sequence[str]) -> Test:
    if written in {"set", "missing"}:
        return IsSet() if written == "set" else IsMissing()
    words = written if isinstance(written, tuple) else (written,)
    if not words:
        raise BadCondition("an empty list never holds", "name at least one word", "no_op")
    for word in words:
        if choices and word not in choices:
            raise BadCondition(f"{word!r} never occurs here", f"use {' | '.join(choices)}", "choice")
    return OneOf(tuple(dict.fromkeys(words)))


def _ids(written: Written) -> Test:
    texts = written if isinstance(written, tuple) else (written,)
    if not texts:
        raise BadCondition("an empty list never holds", "name at least one id", "no_op")
    for text in texts:
        if re.fullmatch(r"[1-9]\d{0,17}", text) is None:
            raise BadCondition(f"not an id: {text!r}", _EXPECTED["id"])
    return OneOfIds(tuple(dict.fromkeys(map(int, texts))))


def _split(written: str, kind: Kind) -> tuple[str, str]:
    match = _FORM.fullmatch(written)
    if match is None:
        raise BadCondition(f"nothing to compare with: {written!r}", _EXPECTED[kind])
    return match[1] or "", match[2]


def _pair(written: tuple[str, ...], kind: Kind) -> tuple[str, str]:
    if len(written) != 2:
        raise BadCondition(f"a range has two ends, found {len(written)}", _EXPECTED[kind])
    return written[0], written[1]


def _span(op: Operator, value: int) -> tuple[int | None, int | None] | None:
    """Return the values that pass, both ends inclusive; None = all but one."""
    match op:
        case "=":
            return value, value
        case ">=":
            return value, None
        case ">":
            return value + 1, None
        case "<=":
            return None, value
        case "<":
            return None, value - 1
        case _:
            return None


def _possible(written: Written, test: Test | None, span: tuple[int | None, int | None] | None, domain: Domain) -> None:
    shown = f"[{', '.join(written)}]" if isinstance(written, tuple) else repr(written)
    if span is None:
        return
    low, high = span
    if low is not None and high is not None and low > high:
        raise BadCondition(f"{shown} ends before it begins", "write the smaller end first", "impossible")
    if (low is not None and domain.high is not None and low > domain.high) or (
        high is not None and domain.low is not None and high < domain.low
    ):
        raise BadCondition(f"{shown} can never hold here", "write a value that can occur", "impossible")
    open_below = low is None or (domain.low is not None and low <= domain.low)
    open_above = high is None or (domain.high is not None and high >= domain.high)
    if open_below and open_above:
        raise BadCondition(f"{shown} always holds here", "write a narrower condition, or delete it", "no_op")
