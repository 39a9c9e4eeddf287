"""Make the answer rules of a playbook ready: one rule for each group, with its duty hours and targets."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Final

from qunce.domain.desk import Need, Stage
from qunce.engine.desk.hours import DutyHours
from qunce.engine.learning.lessons import Learnt
from qunce.playbook.schema import AnswerRule, Playbook

ORDER: Final[tuple[Need, ...]] = ("complaint", "order_trouble", "question", "mention", "first_post")


class Clock:
    """An answer rule with all it needs to run clocks."""

    def __init__(self, rule: AnswerRule, hours: DutyHours | None) -> None:
        self.rule = rule
        self._hours = hours
        self.needs = frozenset(rule.needs)
        self.staff_roles = frozenset(rule.staff_roles)
        self.peer_members = frozenset(rule.peer_members)
        self.brands = tuple(f"@{name}" for name in rule.brands)
        self._sooner = {item.need: item.within_s for item in rule.sooner}

    def target_s(self, need: Need, stage: Stage) -> int:
        """Return how many seconds of duty time an answer may take."""
        return self._sooner.get(need) or (self.rule.first_within_s if stage == "first" else self.rule.next_within_s)

    def add(self, start_ms: int, seconds: int) -> int:
        """Return the moment when that much duty time has passed since `start_ms`."""
        return start_ms + seconds * 1_000 if self._hours is None else self._hours.add(start_ms, seconds * 1_000)

    def waited_ms(self, start_ms: int, end_ms: int) -> int:
        """Return the duty time between two moments; never negative."""
        return max(0, end_ms - start_ms) if self._hours is None else self._hours.between(start_ms, end_ms)

    def on_duty(self, ts_ms: int) -> tuple[str, ...]:
        """Return the platform ids of who is rostered."""
        return () if self._hours is None else self._hours.on_duty(ts_ms)

    def next_timer(self, asked_ms: int, due_ms: int, *, late: bool, level: int) -> int:
        """Return the next moment at which a waiting thread must be looked at."""
        moments = [due_ms + self.rule.give_up_after_s * 1_000]
        if not late:
            moments.append(due_ms)
        if level < len(self.rule.escalate):
            moments.append(self.add(asked_ms, self.rule.escalate[level].after_s))
        return min(moments)


class DeskProgram:
    """The answer rules of a playbook, compiled. Immutable but for what is cached."""

    def __init__(self, playbook: Playbook, version: str, learnt: Learnt | None = None) -> None:
        """`learnt` is what marks taught about messages that need an answer; None = nothing."""
        self.version = version
        self.judge = learnt.model if learnt is not None else None
        """Judges questions beside the words, once there are enough marks; None = the words alone."""
        self.judge_from = learnt.threshold if learnt is not None else 1.0
        holidays = {item.holidays_id: item for item in playbook.holidays}
        zone = playbook.playbook.time_zone
        hours = {
            duty.duty_id: DutyHours(duty, holidays[duty.holidays] if duty.holidays else None, zone) for duty in playbook.duties
        }
        self._clocks = tuple(Clock(rule, hours[rule.duty] if rule.duty else None) for rule in playbook.answers if rule.enabled)
        self.staff = frozenset(name for duty in playbook.duties for shift in duty.shifts for name in shift.staff)
        """Platform ids on any roster: they are colleagues, flagged or not."""
        self._chosen: dict[tuple[str | None, str | None], Clock | None] = {}

    @property
    def has_rules(self) -> bool:
        """Whether any rule in use wants answers."""
        return bool(self._clocks)

    def clock(self, platform_id: str | None, name: str | None) -> Clock | None:
        """Return the first rule that fits a group; None when no rule does."""
        names = (platform_id, name)
        try:
            return self._chosen[names]
        except KeyError:
            chosen = self._chosen[names] = next((clock for clock in self._clocks if _fits(clock.rule, names)), None)
            return chosen


def _fits(rule: AnswerRule, names: tuple[str | None, ...]) -> bool:
    return not rule.groups or any(fnmatchcase(name, pattern) for pattern in rule.groups for name in names if name)
