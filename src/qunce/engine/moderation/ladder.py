"""Choose the sanction: count offences on a ladder, take the step, write what is to be done and said.

docs/algorithms/moderation.md works an example.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from qunce.domain.decisions import Action, Evidence, Mode, Verdict
from qunce.domain.ids import IdentityId
from qunce.engine.moderation.look import Look
from qunce.engine.moderation.state import Person, Strike
from qunce.playbook.schema import Info, Ladder, Rule, Step
from qunce.playbook.units import parse_hours, say_duration


class Sanction(NamedTuple):
    """What follows from a finding."""

    verdict: Verdict
    offence: int
    """Which offence it is, from 1; 0 = it belongs to an earlier sanction, `covered_by`, or no ladder counts it."""
    covered_by: str | None
    actions: tuple[Action, ...]


def counting(person: Person, ladder: Ladder, ts_ms: int, mode: Mode) -> list[Strike]:
    """Return the offences that count at `ts_ms`, oldest first: real ones, and for an observing rule the observed ones too."""
    since = ts_ms - ladder.forget_after_s * 1_000
    strikes = [
        strike
        for strike in person.strikes
        if strike.ladder == ladder.ladder_id and strike.ts_ms > since and (strike.real or mode == "observe")
    ]
    return sorted(strikes, key=lambda strike: (strike.ts_ms, strike.decision_id))


def sanction(
    rule: Rule,
    ladder: Ladder | None,
    info: Info,
    look: Look,
    person_id: IdentityId | None,
    person: Person,
    mode: Mode,
    evidence: tuple[Evidence, ...],
    name: str,
) -> Sanction:
    """Return the sanction for a finding about `person`, called `name`."""
    deletions = _deletions(rule, look, evidence)
    if ladder is None:
        review = Action(do="review", text=rule.reason)
        return Sanction("review", 0, None, (*deletions, review))
    strikes = counting(person, ladder, look.ts_ms, mode)
    if strikes and look.ts_ms - strikes[-1].ts_ms <= ladder.grace_s * 1_000:
        index = min(len(strikes), len(ladder.steps)) - 1
        return Sanction(ladder.steps[index].do, 0, strikes[-1].decision_id, deletions)
    offence = len(strikes) + 1
    step = ladder.steps[min(offence, len(ladder.steps)) - 1]
    if step.clear_s is not None:
        deletions = _cleared(deletions, look, person_id, step.clear_s)
    return Sanction(step.do, offence, None, (*deletions, *_step_actions(rule, step, info, look, offence, name)))


def _cleared(deletions: tuple[Action, ...], look: Look, person_id: IdentityId | None, clear_s: int) -> tuple[Action, ...]:
    """Return the deletions widened by what the person wrote in the time before, as far as it is remembered."""
    events = {seq for action in deletions for seq in action.events}
    events |= {sent.seq for sent in look.sent(clear_s, person_id)} if person_id is not None else set()
    return (Action(do="delete", events=tuple(sorted(events))),) if events else ()


def _deletions(rule: Rule, look: Look, evidence: tuple[Evidence, ...]) -> tuple[Action, ...]:
    """Return the deletion of the message and of the same person's messages the finding rests on; of a report, its target."""
    shown = look.shown
    if not rule.delete or shown is None:
        return ()
    report = next((item for item in evidence if item.check == "report"), None)
    if report is not None:
        return (Action(do="delete", events=report.events[:1]),)
    own = {sent.seq for sent in look.group.recent if sent.person == look.person_id}
    events = {seq for item in evidence for seq in item.events if seq in own}
    return (Action(do="delete", events=tuple(sorted({*events, shown}))),)


def _step_actions(rule: Rule, step: Step, info: Info, look: Look, offence: int, name: str) -> tuple[Action, ...]:
    def say(template: str) -> str:
        return template.format(
            name=name,
            reason=rule.reason,
            rule=rule.title,
            duration=say_duration(step.for_s, "zh") if step.for_s else "",
            count=offence,
            group=look.group.name or "",
        )

    wait = quiet_until(info, look.ts_ms)
    if step.do == "talk":
        return (Action(do="talk", text=say(step.notice or "{reason}"), private=True),)
    if step.do == "warn":
        return (Action(do="warn", text=say(step.notice or info.warning), private=step.private),)
    why = say(step.notice or info.notice)
    told = Action(do="warn", text=why, private=True) if step.private else Action(do="notice", text=why, not_before_ms=wait)
    if step.do == "mute":
        return (Action(do="mute", duration_s=step.for_s), told)
    if step.do == "remove":
        return (Action(do="remove"), told)
    return (Action(do="ban"), told)


def local_time(info: Info, ts_ms: int) -> datetime:
    """Return the local time of the playbook at `ts_ms`."""
    return datetime.fromtimestamp(ts_ms / 1_000, ZoneInfo(info.time_zone))


def quiet_until(info: Info, ts_ms: int) -> int | None:
    """Return when the quiet hours that hold at `ts_ms` end; None outside them."""
    if info.quiet_hours is None:
        return None
    hours = parse_hours(info.quiet_hours)
    local = local_time(info, ts_ms)
    minute = local.hour * 60 + local.minute
    if not hours.holds(local.weekday(), minute):
        return None
    end = local.replace(second=0, microsecond=0) + timedelta(minutes=hours.minutes_left(minute))
    return int(end.timestamp() * 1_000)
