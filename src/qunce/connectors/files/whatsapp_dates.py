"""Read the line heads of a WhatsApp export and find out whether its days or its months come first.

A head is the date, the time and what follows them; its shape depends on the phone's language, see tests for examples. The order
of day and month is nowhere stated, so it is inferred over the whole file: an order that makes an impossible date is out; of
those left the one whose times run backwards less often wins; where both serve equally well and it matters, the person is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final, NamedTuple

from qunce.connectors.files.errors import Ambiguous, Unreadable
from qunce.connectors.files.times import hour_of_12, ordered

ORDERS: Final = ("dmy", "mdy", "ymd")
_HEAD: Final = re.compile(
    r"[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]*(?P<open>\[)?"
    r"(?P<a>\d{1,4})(?P<sep>[-/.])\s?(?P<b>\d{1,2})(?P=sep)\s?(?P<c>\d{1,4})[,.]?\s"
    r"(?:[^\W\d]{1,8}\s)??(?P<before>[^\W\d\s]{1,4}\s?)??"
    r"(?P<h>\d{1,2})[:.](?P<m>\d{2})(?:[:.](?P<s>\d{2}))?(?:\s?(?P<after>[ap]\.?\s?m\.?))?"
    r"(?(open)\]|(?:\s[-–—]|:))(?:\s(?P<rest>.*)|$)",
    re.IGNORECASE | re.DOTALL,
)


class Head(NamedTuple):
    """The head of a message: the three fields of its date as written, the time of day, and the rest of the line."""

    fields: tuple[str, str, str]
    dotted: bool
    clock: tuple[int, int, int]
    rest: str

    def moment(self, order: str) -> datetime | None:
        """Return the local time under an order of day and month; None when there is no such day."""
        year, month, day = ordered(*self.fields, order)
        try:
            return datetime(year, month, day, *self.clock)  # noqa: DTZ001 (the reader of the file adds its zone)
        except ValueError:
            return None


def read_head(line: str) -> Head | None:
    """Return the head a line begins with; None for a line that continues the message before it."""
    match = _HEAD.match(line)
    if not match:
        return None
    hour = hour_of_12(int(match["h"]), (match["before"] or "").strip() or match["after"] or "")
    if hour is None:  # a word such as klo or um
        hour = hour_of_12(int(match["h"]), match["after"] or "")
    if hour is None or hour > 23 or int(match["m"]) > 59:
        return None
    clock = (hour, int(match["m"]), min(int(match["s"] or 0), 59))
    return Head((match["a"], match["b"], match["c"]), match["sep"] == ".", clock, match["rest"] or "")


class _Candidate:
    """How well one order of day and month fits the file."""

    def __init__(self, order: str, latest: datetime) -> None:
        self.order = order
        self.impossible = 0
        """Dates that do not exist or lie in the future."""
        self.backwards = 0
        self._latest = latest
        self._last: datetime | None = None

    def add(self, head: Head) -> datetime | None:
        moment = head.moment(self.order)
        if moment is None or moment > self._latest:
            self.impossible += 1
            return None
        if self._last is not None and moment < self._last:
            self.backwards += 1
        self._last = moment
        return moment


def infer_order(heads: Iterable[Head], latest: datetime) -> str:
    """Return `dmy`, `mdy` or `ymd`; `latest` is the last local time that is no future date.

    Raises Ambiguous when the file does not tell, Unreadable when it holds no message.
    """
    candidates = [_Candidate(order, latest) for order in ORDERS]
    count, dotted, differs = 0, 0, False
    example = ""
    for head in heads:
        count += 1
        dotted += head.dotted
        day_first, month_first, _ = [candidate.add(head) for candidate in candidates]
        if day_first and month_first and day_first != month_first:
            differs = True
            example = example or "{}/{}/{}".format(*head.fields)
    if not count:
        raise Unreadable("No line begins with a date and a time.", "Choose the text file that WhatsApp's chat export made.")
    day, month, year = candidates
    best = min(day.impossible, month.impossible)
    if best * 5 > count and not year.impossible:
        return year.order
    fitting = [candidate for candidate in (day, month) if candidate.impossible == best]
    if len(fitting) == 1 or not differs:
        return fitting[0].order
    if day.backwards != month.backwards:
        return min(fitting, key=lambda one: one.backwards).order
    if dotted == count:
        return day.order  # no locale writes month.day.year; files that do are told by an impossible date above
    raise Ambiguous(
        f"The dates, such as {example}, can be read day first or month first, and nothing in the file decides.",
        "Say which with --date-order dmy or --date-order mdy.",
    )
