"""Read amounts of money exactly, as integers of the currency's minor unit (ISO 4217). No float is ever added or rounded.

¥1,234.50 → 123450 CNY    (1.234,56 €) → -123456 EUR    ￥１２元 → 1200 CNY    JPY 500 → 500    0.001 KWD → 1
"""

from __future__ import annotations

import re
import unicodedata
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

MAX_MINOR: Final = 10**15
"""A larger amount is an error of the file: ten trillion yuan."""

_NO_DECIMALS: Final = re.compile("BIF|CLP|DJF|GNF|ISK|JPY|KMF|KRW|PYG|RWF|UGX|VND|VUV|XAF|XOF|XPF")
_THREE_DECIMALS: Final = re.compile("BHD|IQD|JOD|KWD|LYD|OMR|TND")
_SYMBOLS: Final = {
    "¥": "CNY", "元": "CNY", "块": "CNY", "人民币": "CNY", "RMB": "CNY", "CN¥": "CNY", "$": "USD", "US$": "USD",
    "美元": "USD", "€": "EUR",
    "欧元": "EUR", "£": "GBP", "英镑": "GBP", "HK$": "HKD", "港币": "HKD", "港元": "HKD", "NT$": "TWD", "新台币": "TWD",
    "日元": "JPY",
    "円": "JPY", "JP¥": "JPY", "₩": "KRW", "韩元": "KRW",
}  # fmt: skip
_CODE: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(
    r"(?P<open>\()?(?P<sign>[-+]?)(?P<unit>[^\d\s.,()+\-]{0,4})\s*(?P<sign2>[-+]?)(?P<digits>\d[\d.,' ]*|[.,]\d+)"
    r"\s*(?P<tail>[^\d\s.,()]{0,4})(?(open)\))\s*(?P<after>[^\d\s.,()]{0,4})"
)
_GROUPED: Final = {mark: re.compile(rf"\d{{1,3}}(?:{re.escape(mark)}\d{{3}})+") for mark in ",.' "}
_INEXACT: Final = Decimal("0.000001")
"""A float that a program added up may miss the exact amount by so much; more is a different amount."""


def currency_of(text: str) -> str | None:
    """Return the ISO code a word, sign or code stands for; None for an unknown one."""
    word = unicodedata.normalize("NFKC", text).strip().upper()
    if word in _SYMBOLS:
        return _SYMBOLS[word]
    return word if _CODE.fullmatch(word) and word != "RMB" else None


def decimals_of(currency: str) -> int:
    """Return how many decimals a currency has."""
    return 0 if _NO_DECIMALS.fullmatch(currency) else 3 if _THREE_DECIMALS.fullmatch(currency) else 2


def read_amount(value: object) -> tuple[Decimal, str | None] | None:
    """Return (amount in major units, currency written with it or None); None when `value` is no amount."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, Decimal)):
        return (Decimal(value), None) if Decimal(value).is_finite() else None
    if isinstance(value, float):
        exact = Decimal(repr(value))
        return (exact, None) if exact.is_finite() else None
    return _read_text(value) if isinstance(value, str) else None


def _read_text(text: str) -> tuple[Decimal, str | None] | None:
    match = _AMOUNT.fullmatch(unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()) if len(text) < 64 else None
    if not match:
        return None
    digits = _plain_digits(match["digits"].strip())
    units = [unit for unit in (match["unit"], match["tail"], match["after"]) if unit]
    currencies = {currency_of(unit) for unit in units}
    if digits is None or len(currencies) > 1 or None in currencies:
        return None
    is_negative = (match["sign"] + match["sign2"]).count("-") % 2 == 1 or bool(match["open"])
    return (-Decimal(digits) if is_negative else Decimal(digits)), next(iter(currencies), None)


def _plain_digits(digits: str) -> str | None:
    """Return digits with a point for the decimals and nothing else; None where the marks make no sense."""
    whole, fraction = digits, ""
    last = max(digits.rfind(","), digits.rfind("."))
    if last >= 0:
        mark = digits[last]
        others = {char for char in digits[:last] if not char.isdigit()}
        is_grouping = mark in others or (not others and mark == "," and len(digits) - last - 1 == 3 and 0 < last <= 3)
        if not is_grouping:
            whole, fraction = digits[:last], digits[last + 1 :]
    marks = {char for char in whole if not char.isdigit()}
    if len(marks) > 1 or any(not _GROUPED[mark].fullmatch(whole) for mark in marks) or (not fraction.isdecimal() and fraction):
        return None
    bare = re.sub(r"\D", "", whole)
    return f"{bare or '0'}.{fraction or '0'}"


def to_minor(amount: Decimal, currency: str) -> int | None:
    """Return an amount in minor units; None when it is finer than the currency or absurdly large."""
    scaled = amount.scaleb(decimals_of(currency))
    nearest = scaled.to_integral_value(ROUND_HALF_UP)
    if abs(scaled - nearest) > _INEXACT or abs(nearest) > MAX_MINOR:
        return None
    return int(nearest)


def round_to_minor(amount: Decimal, currency: str) -> int | None:
    """Return a sum of quantities × unit prices in minor units, half a unit rounded away from zero; None when absurdly large."""
    nearest = amount.scaleb(decimals_of(currency)).to_integral_value(ROUND_HALF_UP)
    return int(nearest) if abs(nearest) <= MAX_MINOR else None
