"""Duty time: shifts less breaks, holidays, nights, summer time."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.engine.desk.hours import NEVER, DutyHours
from qunce.playbook.schema import Duty, Holidays
from qunce.playbook.schema.desk import Closed, Shift, Workday

SHANGHAI = "Asia/Shanghai"
DAY = Duty(
    duty_id="day", title="日班",
    shifts=(
        Shift(title="早", hours="mon-fri 09:00-18:00", breaks=("12:00-13:00",), staff=("zhang",)),
        Shift(title="晚", hours="mon-fri 17:00-21:00", staff=("li",)),
    ),
)  # fmt: skip
NIGHT = Duty(duty_id="night", title="夜班", shifts=(Shift(title="夜", hours="22:00-06:00", breaks=("02:00-03:00",)),))
HOLIDAYS = Holidays(
    holidays_id="cn", title="节假日", closed=(Closed(first="2026-10-01", last="2026-10-07", title="国庆节"),),
    workdays=(Workday(date="2026-10-10", like="fri", title="调休"),),
)  # fmt: skip


def at(text: str, zone: str = SHANGHAI) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1_000)


BETWEEN = {
    "inside a shift every minute counts": (DAY, None, "2026-03-02 09:00", "2026-03-02 09:05", 5),
    "a break does not count": (DAY, None, "2026-03-02 11:50", "2026-03-02 13:10", 20),
    "shifts that overlap count once": (DAY, None, "2026-03-02 16:30", "2026-03-02 18:30", 120),
    "before the first shift nothing counts": (DAY, None, "2026-03-02 05:00", "2026-03-02 08:59", 0),
    "a weekend does not count": (DAY, None, "2026-03-06 20:50", "2026-03-09 09:10", 20),
    "a holiday does not count": (DAY, HOLIDAYS, "2026-09-30 20:50", "2026-10-08 09:10", 20),
    "a day worked in place of another counts": (DAY, HOLIDAYS, "2026-10-10 09:00", "2026-10-10 10:00", 60),
    "a night belongs to the day it starts on": (NIGHT, None, "2026-03-02 21:00", "2026-03-03 07:00", 420),
    "the end is not earlier than the start": (DAY, None, "2026-03-02 10:00", "2026-03-02 09:00", 0),
    "a whole week": (DAY, None, "2026-03-02 00:00", "2026-03-09 00:00", 5 * 11 * 60),
}


@pytest.mark.parametrize(("duty", "holidays", "start", "end", "minutes"), BETWEEN.values(), ids=BETWEEN.keys())
def test_between(duty: Duty, holidays: Holidays | None, start: str, end: str, minutes: int) -> None:
    assert DutyHours(duty, holidays, SHANGHAI).between(at(start), at(end)) == minutes * 60_000


ADD = {
    "inside a shift": (DAY, None, "2026-03-02 09:00", 3, "2026-03-02 09:03"),
    "over a break": (DAY, None, "2026-03-02 11:58", 3, "2026-03-02 13:01"),
    "from before duty": (DAY, None, "2026-03-02 03:00", 3, "2026-03-02 09:03"),
    "over a weekend": (DAY, None, "2026-03-06 20:58", 3, "2026-03-09 09:01"),
    "over a holiday": (DAY, HOLIDAYS, "2026-09-30 20:58", 3, "2026-10-08 09:01"),
    "exactly to the end of a shift": (DAY, None, "2026-03-02 20:57", 3, "2026-03-02 21:00"),
    "over midnight": (NIGHT, None, "2026-03-02 23:58", 3, "2026-03-03 00:01"),
}


@pytest.mark.parametrize(("duty", "holidays", "start", "minutes", "due"), ADD.values(), ids=ADD.keys())
def test_add(duty: Duty, holidays: Holidays | None, start: str, minutes: int, due: str) -> None:
    assert DutyHours(duty, holidays, SHANGHAI).add(at(start), minutes * 60_000) == at(due)


def test_a_roster_that_is_always_closed_is_never_due() -> None:
    closed = tuple(Closed(first=f"{year}-01-01", last=f"{year}-12-31", title="停") for year in (2026, 2027, 2028))
    hours = DutyHours(DAY, Holidays(holidays_id="x", title="停", closed=closed), SHANGHAI)
    assert hours.add(at("2026-03-02 09:00"), 1) == NEVER


def test_who_is_on_duty() -> None:
    hours = DutyHours(DAY, HOLIDAYS, SHANGHAI)
    told = {
        text: hours.on_duty(at(text))
        for text in ("2026-03-02 10:00", "2026-03-02 12:30", "2026-03-02 17:30", "2026-10-02 10:00")
    }
    assert list(told.values()) == [("zhang",), (), ("zhang", "li"), ()]


def test_summer_time_skips_an_hour_of_a_night_shift() -> None:
    hours = DutyHours(Duty(duty_id="n", title="夜", shifts=(Shift(title="夜", hours="22:00-06:00"),)), None, "Europe/Berlin")
    start, end = at("2026-03-28 22:00", "Europe/Berlin"), at("2026-03-29 06:00", "Europe/Berlin")
    assert hours.between(start, end) == end - start == 7 * 3_600_000


MOMENTS = st.integers(at("2026-09-01 00:00"), at("2026-11-01 00:00"))


@given(start=MOMENTS, duration=st.integers(1, 40 * 3_600_000), duty=st.sampled_from([DAY, NIGHT]))
def test_adding_and_measuring_agree(start: int, duration: int, duty: Duty) -> None:
    hours = DutyHours(duty, HOLIDAYS, SHANGHAI)
    assert hours.between(start, hours.add(start, duration)) == duration


@given(moments=st.lists(MOMENTS, min_size=3, max_size=3), duty=st.sampled_from([DAY, NIGHT]))
def test_stretches_of_time_add_up(moments: list[int], duty: Duty) -> None:
    first, middle, last = sorted(moments)
    hours = DutyHours(duty, HOLIDAYS, SHANGHAI)
    assert hours.between(first, middle) + hours.between(middle, last) == hours.between(first, last)
