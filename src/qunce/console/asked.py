"""Read what an address asks for, forgivingly: a parameter that makes no sense counts as not given."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from qunce.accounts.access import visible_group_ids
from qunce.accounts.models import Staff
from qunce.console import formats
from qunce.runtime.clock import now_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from django.http import HttpRequest

_LARGEST: Final = 2**63 - 1
_DAY_MS: Final = 86_400_000


def number(request: HttpRequest, name: str) -> int | None:
    """Return a whole number from 0 to 2^63-1; None = not given."""
    text = request.GET.get(name, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 19:
        return None
    value = int(text)
    return value if value <= _LARGEST else None


def choice(request: HttpRequest, name: str, choices: Collection[str], default: str) -> str:
    """Return one of `choices`."""
    asked = request.GET.get(name, "")
    return asked if asked in choices else default


def text(request: HttpRequest, name: str = "q", longest: int = 100) -> str:
    """Return a text without outer blanks; empty = not given."""
    return request.GET.get(name, "").strip().replace("\x00", "")[:longest]


def posted(request: HttpRequest, name: str) -> str | None:
    """Return what a field of a form says, without outer blanks; None = the form had none, so nothing is to change."""
    return request.POST[name].strip().replace("\x00", "") if name in request.POST else None


def end_of_day(data: Mapping[str, str], name: str = "at") -> int | None:
    """Return the end of the local day written in a field, or now on that day, in ms UTC; None = not asked, or ahead."""
    try:
        day = datetime.strptime(data.get(name, ""), "%Y-%m-%d").replace(tzinfo=formats.zone())
    except ValueError:
        return None
    start_ms = int(day.timestamp() * 1000)
    return min(start_ms + _DAY_MS - 1, now_ms()) if start_ms <= now_ms() + _DAY_MS else None


def keyset(request: HttpRequest, name: str) -> tuple[int, int] | None:
    """Return a place in a list, written `<milliseconds>.<id>`; None = not given."""
    first, dot, second = request.GET.get(name, "").partition(".")
    if not dot or not all(part.isascii() and part.isdecimal() and len(part) <= 18 for part in (first, second)):
        return None
    return int(first), int(second)


def staff_of(request: HttpRequest) -> Staff:
    """Return who asks. Raises TypeError for somebody who has not signed in, which the guards have ruled out."""
    if not isinstance(request.user, Staff):
        raise TypeError("nobody has signed in")
    return request.user


def visible(request: HttpRequest) -> frozenset[int] | None:
    """Return the groups the asking person may see; None = all."""
    return visible_group_ids(staff_of(request))
