"""Decide which days a page talks about: the last 7, 30 or 90 local days that end with the newest day of data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from django.http import HttpRequest

LENGTHS: Final = (7, 30, 90)
COOKIE: Final = "qunce_days"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """`days` local days, `until` included. Days are numbers since 1970-01-01."""

    days: int
    until: int

    @property
    def since(self) -> int:
        """First day."""
        return self.until - self.days + 1

    def before(self) -> Period:
        """Return the equally long period right before this one."""
        return Period(days=self.days, until=self.since - 1)


def period_of(request: HttpRequest, newest_day: int) -> Period:
    """Return the period a request asks for (`?days=`), else the one asked for last, else 30 days."""
    asked = request.GET.get("days") or request.COOKIES.get(COOKIE, "")
    days = int(asked) if asked.isdecimal() and int(asked) in LENGTHS else 30
    return Period(days=days, until=newest_day)
