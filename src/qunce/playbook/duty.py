"""Find what makes no sense in holidays, duty rosters and answer rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from qunce.playbook.schema.desk import AnswerRule, Duty, Holidays, Shift
from qunce.playbook.schema.rules import Playbook
from qunce.playbook.units import Hours, format_duration, parse_hours

Found = tuple[str, str, str, str]
"""Path below the item, message, fix, code."""
MAX_CLOSED_DAYS = 366


def check_holidays(playbook: Playbook, holidays: Holidays) -> Iterator[Found]:
    """Yield what is wrong with a table of holidays."""
    if not holidays.closed and not holidays.workdays:
        yield "closed", "a table without days does nothing", "add days under “closed:” or delete it", "no_op"
    closed: dict[date, int] = {}
    for index, item in enumerate(holidays.closed):
        first, last = date.fromisoformat(item.first), date.fromisoformat(item.last or item.first)
        if item.last is not None and last <= first:
            yield f"closed[{index}].last", "it does not end after it begins", "write a later day or leave it out", "order"
        if (last - first).days >= MAX_CLOSED_DAYS:
            yield f"closed[{index}].last", "closed for more than a year", "write a nearer day", "bounds"
            continue
        days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
        twice = next((day for day in days if day in closed), None)
        if twice is not None:
            yield f"closed[{index}]", f"{twice} is closed by closed[{closed[twice]}] too", "keep one of them", "duplicate_day"
        closed.update((day, index) for day in days)
    worked: set[str] = set()
    for index, workday in enumerate(holidays.workdays):
        if date.fromisoformat(workday.date) in closed:
            yield f"workdays[{index}].date", f"{workday.date} is closed and worked", "keep one of them", "impossible"
        if workday.date in worked:
            yield f"workdays[{index}].date", f"{workday.date} stands twice", "keep one of them", "duplicate_day"
        worked.add(workday.date)
    if holidays.holidays_id not in {duty.holidays for duty in playbook.duties}:
        yield "holidays_id", f"no duty follows {holidays.holidays_id!r}", "name it in a duty or delete it", "no_op"


def check_duty(playbook: Playbook, duty: Duty) -> Iterator[Found]:
    """Yield what is wrong with a duty roster."""
    if not duty.shifts:
        yield (
            "shifts",
            "a roster without shifts never answers",
            "add a shift such as {title: 早班, hours: 09:00-18:00}",
            "no_op",
        )
    for index, shift in enumerate(duty.shifts):
        for path, message, fix, code in _check_shift(shift):
            yield f"shifts[{index}].{path}", message, fix, code
    if duty.holidays is not None and duty.holidays not in {item.holidays_id for item in playbook.holidays}:
        yield "holidays", f"no table of holidays {duty.holidays!r}", "add it under “holidays:” or name another", "reference"
    if duty.duty_id not in {rule.duty for rule in playbook.answers}:
        yield "duty_id", f"no answer rule follows {duty.duty_id!r}", "name it in “answers:” or delete it", "no_op"


def _check_shift(shift: Shift) -> Iterator[Found]:
    hours = _hours(shift.hours)
    if hours is None:
        yield "hours", f"not hours: {shift.hours!r}", "write them as 09:00-18:00 or mon-fri 09:00-18:00", "hours"
    rest: set[int] = set()
    for index, text in enumerate(shift.breaks):
        pause = _hours(text)
        if pause is None:
            yield f"breaks[{index}]", f"not hours: {text!r}", "write them as 12:00-13:00", "hours"
        elif hours is not None and not _minutes(hours) & _minutes(pause):
            yield f"breaks[{index}]", f"{text} lies outside {shift.hours}", "move it inside the shift or delete it", "no_op"
        else:
            rest |= _minutes(pause)
    if hours is not None and rest >= _minutes(hours):
        yield "breaks", "the breaks leave nothing of the shift", "shorten them", "impossible"
    if len(set(shift.staff)) < len(shift.staff):
        yield "staff", "somebody stands here twice", "name each person once", "duplicate_id"


def check_answers(playbook: Playbook, rule: AnswerRule) -> Iterator[Found]:
    """Yield what is wrong with an answer rule."""
    if not rule.needs:
        yield "needs", "a rule that waits for nothing does nothing", "name kinds of messages or set enabled: false", "no_op"
    if rule.rule_id in {other.rule_id for other in playbook.rules}:
        yield "rule_id", f"{rule.rule_id!r} is the id of a rule already", "give one of them another id", "duplicate_id"
    for index, item in enumerate(rule.sooner):
        if item.need not in rule.needs:
            yield f"sooner[{index}].need", f"{item.need!r} is not among the needs", "add it there or delete this", "no_op"
        if item.need in [other.need for other in rule.sooner[:index]]:
            yield f"sooner[{index}].need", f"{item.need!r} stands twice", "keep one of them", "duplicate_id"
        if item.within_s >= min(rule.first_within_s, rule.next_within_s):
            limit = format_duration(min(rule.first_within_s, rule.next_within_s))
            yield f"sooner[{index}].within", f"not sooner than {limit}", f"write less than {limit}, or delete it", "no_op"
    previous = 0
    for index, step in enumerate(rule.escalate):
        if step.after_s <= previous:
            yield f"escalate[{index}].after", "not later than the step before", "order the steps by time", "order"
        if not step.to:
            yield f"escalate[{index}].to", "nobody is called", "name a role or a person", "no_op"
        previous = step.after_s
    if rule.notify and not rule.escalate:
        yield "notify", "nothing is told, since nothing escalates", "add steps under “escalate:” or delete it", "no_op"
    if rule.notify and rule.mode == "observe":
        yield "notify", "a rule that only measures tells nobody", "set mode: suggest, or delete it", "no_op"
    if rule.duty is not None and rule.duty not in {duty.duty_id for duty in playbook.duties}:
        yield "duty", f"no duty {rule.duty!r}", "add it under “duties:” or name another", "reference"
    if rule.enabled:
        yield from _check_reach(playbook, rule)


def _check_reach(playbook: Playbook, rule: AnswerRule) -> Iterator[Found]:
    before = playbook.answers[: next(i for i, other in enumerate(playbook.answers) if other is rule)]
    hides = next((other for other in before if other.enabled and (not other.groups or "*" in other.groups)), None)
    if hides is not None:
        message = f"{hides.rule_id!r} stands before it and holds in all groups, so this one never does"
        yield "groups", message, "put this rule first", "no_op"


def _hours(text: str) -> Hours | None:
    try:
        return parse_hours(text)
    except ValueError:
        return None


def _minutes(hours: Hours) -> set[int]:
    """Return the minutes of the week that lie inside."""
    length = (hours.end_min - hours.start_min) % 1_440
    starts = [day * 1_440 + hours.start_min for day in hours.days]
    return {(start + step) % 10_080 for start in starts for step in range(length)}
