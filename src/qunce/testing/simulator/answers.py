"""Let members ask and staff answer, with the delays of real duty."""

from __future__ import annotations

from .groups import Group, Role
from .people import Member
from .rhythm import DAY, DUTY_HOURS, HOUR, OFFSET, SECOND, local_hour
from .stage import Stage
from .texts import common
from .texts.phrases import speak_together


def answer_ms(stage: Stage, group: Group, ts_ms: int) -> int | None:
    """Return when staff answer something said at `ts_ms`; None = never.

    On duty: log-normal with a median of about 2.7 minutes, slower in slow groups and on days of sales. At night a quarter is
    answered by somebody who is awake, most of the rest the next morning.
    """
    random, rng = stage.random, stage.rng
    if local_hour(ts_ms) in DUTY_HOURS:
        if random() < 0.05 * group.slowness:
            return None
        busy = 2.0 if stage.day.festival else 1.0
        return ts_ms + int(rng.lognormvariate(5.08, 0.8) * group.slowness * busy * SECOND)
    if random() < 0.25:
        return ts_ms + int(rng.lognormvariate(7.2, 0.7) * SECOND)
    if random() < 0.25:
        return None
    midnight = (ts_ms + OFFSET) // DAY * DAY - OFFSET
    morning = midnight + DUTY_HOURS.start * HOUR + (DAY if local_hour(ts_ms) >= DUTY_HOURS.stop else 0)
    return morning + stage.pause(25 * 60)


def answer(stage: Stage, group: Group, asker: Member, asked: str, at_ms: int, text: str, role: Role | None = None) -> None:
    """Let staff answer a member: as a reply, or by name."""
    role = role or ("support_agent" if stage.random() < 0.6 else "manager")
    staff = group.team.staff[role]
    if stage.random() < 0.72:
        stage.say(group, staff, at_ms, text, reply_to=asked)
    else:
        stage.say(group, staff, at_ms, f"@{asker.party.name} {text}", mentions=(asker.party.platform_id,))


def question(stage: Stage, group: Group, ts_ms: int) -> None:
    """A member asks; a KOC may help; staff answer; the member may say thanks."""
    random = stage.random
    wanted = group.pick(random, "asker", ts_ms) if random() < 0.6 else None
    asker = wanted or group.voice(random, ts_ms)
    if asker is None:
        return
    pairs = group.theme.questions if random() < 0.55 else common.QUESTIONS
    pair = pairs[int(random() * len(pairs))]
    support = group.team.staff["support_agent"]
    text, told = speak_together(random, (pair.question, pair.answer), group.slots)
    if random() < 0.15:
        mentions = (support.party.platform_id,)
        asked = stage.say(group, asker, ts_ms, f"@{support.party.name} {text}", mentions=mentions)
    else:
        asked = stage.say(group, asker, ts_ms, text)
    if random() < 0.2:
        _helped(stage, group, asker, asked, ts_ms)
    at = answer_ms(stage, group, ts_ms)
    if at is None:
        return
    answer(stage, group, asker, asked, at, told)
    if random() < 0.45:
        stage.chat(group, asker, at + stage.pause(70), stage.line(group, common.THANKS))


def _helped(stage: Stage, group: Group, asker: Member, asked: str, ts_ms: int) -> None:
    at = ts_ms + stage.pause(100)
    koc = group.pick(stage.random, "koc", at)
    if koc is not None and koc is not asker:
        stage.say(group, koc, at, stage.line(group, group.theme.answers), reply_to=asked)
