"""Write numbers, times and money the way people read them, in the language and the zone of the page.

Every function takes None for "not known" and writes it as an en dash.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from datetime import time as clock_time
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

NOTHING: Final = "–"
EPOCH: Final = date(1970, 1, 1)
_SYMBOLS: Final = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "HKD": "HK$", "TWD": "NT$", "JPY": "¥"}
_WITHOUT_MINOR: Final = {"JPY", "KRW", "VND"}

Number = int | float | Decimal


def zone() -> tzinfo:
    """Return the zone of the organisation's days and hours, which the middleware has made Django's current one."""
    return timezone.get_current_timezone()


def english() -> bool:
    """Tell whether the page is in English."""
    return (get_language() or "").startswith("en")


def number(value: Number | None, digits: int = 0) -> str:
    """Write a number with thousands separators and `digits` decimals."""
    return NOTHING if value is None else f"{_rounded(value, digits):,.{digits}f}"


def percent(ratio: Number | None, digits: int = 1) -> str:
    """Write a ratio as a percentage: 0.416 is 41.6%."""
    return NOTHING if ratio is None else f"{_rounded(Decimal(str(ratio)) * 100, digits):.{digits}f}%"


def duration(seconds: Number | None) -> str:
    """Write a length of time with its two largest units."""
    if seconds is None:
        return NOTHING
    left = round(seconds)
    units = (
        (86_400, _("%(n)s 天")),
        (3_600, _("%(n)s 小时")),
        (60, _("%(n)s 分")),
        (1, _("%(n)s 秒")),
    )
    parts: list[str] = []
    for size, text in units:
        count, left = divmod(left, size)
        if count or (size == 1 and not parts):
            parts.append(text % {"n": count})
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts)


def countdown(seconds: Number) -> str:
    """Write a length of time as a clock does: 5:08, 1:02:03."""
    hours, rest = divmod(int(seconds), 3_600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def money(minor: int | None, currency: str = "CNY", *, cents: bool = True) -> str:
    """Write an amount of the currency's minor unit: 1250 fen is ¥12.50."""
    if minor is None:
        return NOTHING
    whole = Decimal(minor) if currency in _WITHOUT_MINOR else Decimal(minor) / 100
    digits = 2 if cents and currency not in _WITHOUT_MINOR else 0
    sign = "-" if whole < 0 else ""
    return f"{sign}{_SYMBOLS.get(currency, currency + ' ')}{number(abs(whole), digits)}"


def size(count: int | None) -> str:
    """Write a number of bytes."""
    if count is None:
        return NOTHING
    value = float(count)
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def moment(ms: int | None) -> datetime | None:
    """Return milliseconds UTC as a time in the organisation's zone."""
    return None if ms is None else datetime.fromtimestamp(ms / 1000, zone())


def when(ms: int | None) -> str:
    """Write a moment as date and time."""
    at = moment(ms)
    return NOTHING if at is None else at.strftime("%Y-%m-%d %H:%M")


def stamp(at: datetime | None) -> str:
    """Write a datetime as date and time in the organisation's zone."""
    return NOTHING if at is None else at.astimezone(zone()).strftime("%Y-%m-%d %H:%M")


def clock(ms: int | None) -> str:
    """Write a moment as time of day."""
    at = moment(ms)
    return NOTHING if at is None else at.strftime("%H:%M")


def on_date(ms: int | None) -> str:
    """Write a moment as a date."""
    at = moment(ms)
    return NOTHING if at is None else at.strftime("%Y-%m-%d")


def iso(ms: int | None) -> str:
    """Write a moment for machines (the `datetime` attribute)."""
    at = moment(ms)
    return "" if at is None else at.isoformat(timespec="seconds")


def day(number_of_day: int | None) -> str:
    """Write a day (days since 1970-01-01) as a date."""
    return NOTHING if number_of_day is None else (EPOCH + timedelta(days=number_of_day)).isoformat()


def short_day(number_of_day: int) -> str:
    """Write a day as month and day."""
    return (EPOCH + timedelta(days=number_of_day)).strftime("%m-%d")


def long_day(ms: int) -> str:
    """Write the day of a moment with its weekday, as a heading."""
    at = datetime.fromtimestamp(ms / 1000, zone())
    if english():
        return f"{at:%a}, {at.day} {at:%b} {at.year}"
    return f"{at.year} 年 {at.month} 月 {at.day} 日 周{'一二三四五六日'[at.weekday()]}"


def weekdays() -> list[str]:
    """Return the days of the week, Monday first."""
    return [_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日")]


def day_of(ms: int) -> int:
    """Return the local day of a moment, in days since 1970-01-01."""
    return (datetime.fromtimestamp(ms / 1000, zone()).date() - EPOCH).days


def start_of(number_of_day: int) -> int:
    """Return the first millisecond of a local day."""
    first = datetime.combine(EPOCH + timedelta(days=number_of_day), clock_time(), zone())
    return int(first.timestamp() * 1000)


def ago(ms: int | None, now_ms: int) -> str:
    """Write how long ago a moment was; older than 30 days it is a date."""
    if ms is None:
        return NOTHING
    passed = (now_ms - ms) // 1000
    if passed < 60:
        return _("刚刚") if passed > -60 else when(ms)
    if passed >= 30 * 86_400:
        return on_date(ms)
    for size_s, text in ((86_400, _("%(n)s 天前")), (3_600, _("%(n)s 小时前")), (60, _("%(n)s 分钟前"))):
        if passed >= size_s:
            return text % {"n": passed // size_s}
    return when(ms)


def _rounded(value: Number, digits: int) -> Decimal:
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def today() -> int:
    """Return the local day it is now."""
    return (timezone.localdate() - EPOCH).days


def in_unit(value: Number | None, unit: str, currency: str = "CNY") -> str:
    """Write a metric's value in the unit the registry names."""
    if value is None:
        return NOTHING
    match unit:
        case "ratio":
            return percent(value)
        case "seconds":
            return duration(value)
        case "minor":
            return money(round(value), currency)
        case "score":
            return number(value, 1)
        case "per_day" | "per_month":
            return number(value, 2)
        case _:
            whole = value == int(value) or abs(float(value)) >= 100
            return number(value, 0 if whole else 1)


def value(known: object, kind: str = "", unit: str = "", currency: str = "CNY") -> str:
    """Return the value of an attribute as people write it; None = there is none."""
    if known is None:
        return NOTHING
    if isinstance(known, bool):
        return _("是") if known else _("否")
    if kind == "money" and isinstance(known, int):
        return money(known, currency, cents=known % 100 != 0)
    return f"{known} {unit}".strip()
