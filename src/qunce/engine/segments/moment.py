"""Hold the moment of an evaluation: windows and ages are reckoned from it, and nothing else reads a clock."""

from __future__ import annotations

from datetime import timedelta

from qunce.domain.localtime import LocalClock, date_day, day_date
from qunce.playbook.segments.tree import Age, AgeBetween, InPeriod, Period, Test, Within, Word


class Moment:
    """`now_ms` in the organisation's zone. Equal arguments give equal answers.

    `heard_ms`: events after it are not known yet, for a moment that lies ahead; None = all up to now are.
    """

    def __init__(self, now_ms: int, clock: LocalClock, heard_ms: int | None = None) -> None:
        self.now_ms = now_ms
        self.heard_ms = now_ms if heard_ms is None else heard_ms
        self.clock = clock
        self.day = clock.day(now_ms)
        """Number of the local day."""

    def start_day(self, word: Word) -> int:
        """Return the first local day of the current day, week (from Monday) or month."""
        if word == "today":
            return self.day
        today = day_date(self.day)
        first = today - timedelta(days=today.weekday()) if word == "this_week" else today.replace(day=1)
        return date_day(first)

    def next_start_ms(self, word: Word) -> int:
        """Return the moment at which the current local day, week or month is over."""
        first = self.start_day(word)
        if word == "this_month":
            start = day_date(first)
            return self.clock.start_ms(date_day((start + timedelta(days=31)).replace(day=1)))
        return self.clock.start_ms(first + (1 if word == "today" else 7))

    def window_start_ms(self, window: Within | Period) -> int:
        """Return the first moment of a window; it ends at `now_ms`, both inclusive."""
        if isinstance(window, Within):
            return self.now_ms - window.span_ms
        return self.clock.start_ms(self.start_day(window.word))

    def bounds(self, test: Test) -> tuple[int | None, int]:
        """Return the earliest and the latest moment that pass a test on a moment, both inclusive; None = any time before.

        Raises ValueError for a test that is not about moments.
        """
        now = self.now_ms
        match test:
            case Age(op="<=", span_ms=span_ms):
                return now - span_ms, now
            case Age(op="<", span_ms=span_ms):
                return now - span_ms + 1, now
            case Age(op=">=", span_ms=span_ms):
                return None, now - span_ms
            case Age(span_ms=span_ms):
                return None, now - span_ms - 1
            case AgeBetween(low_ms=low_ms, high_ms=high_ms):
                return now - high_ms, now - low_ms
            case InPeriod(word=word):
                return self.clock.start_ms(self.start_day(word)), now
            case _:
                raise ValueError(f"not about a moment: {test!r}")
