"""Make trouble, as every group has it: complaints, quarrels, floods, advertisements; and let staff deal with it."""

from __future__ import annotations

from qunce.domain.events import MemberJoined, MessageDeleted

from .answers import answer, answer_ms
from .groups import Group, Role
from .people import Member, People
from .rhythm import MINUTE, SECOND
from .stage import Stage
from .texts import common


def complaint(stage: Stage, group: Group, ts_ms: int) -> None:
    """A member complains, others join in, staff soothe; now and then the complaint grows."""
    random = stage.random
    who = group.voice(random, ts_ms)
    if who is None:
        return
    message = stage.say(group, who, ts_ms, stage.line(group, common.COMPLAINTS))
    at = answer_ms(stage, group, ts_ms)
    if at is not None:
        role: Role = "executor" if random() < 0.4 else "support_agent"
        answer(stage, group, who, message, at, stage.line(group, common.SOOTHE), role)
    for _ in range(3):
        if random() < 0.5:
            ts_ms += stage.pause(90)
            other = group.voice(random, ts_ms)
            if other is not None:
                stage.say(group, other, ts_ms, stage.line(group, common.COMPLAINTS if random() < 0.3 else common.REPLIES))


def quarrel(stage: Stage, group: Group, ts_ms: int) -> None:
    """Two members fight; staff calm them, and mute one where the platform can."""
    random = stage.random
    one, two = group.voice(random, ts_ms), group.voice(random, ts_ms)
    if one is None or two is None or one is two:
        return
    message = None
    for turn in range(4 + int(random() * 7)):
        ts_ms += stage.pause(20)
        message = stage.say(group, (one, two)[turn % 2], ts_ms, stage.line(group, common.QUARREL), reply_to=message)
    executor = group.team.staff["executor"]
    at = answer_ms(stage, group, ts_ms)
    if at is None:
        return
    stage.say(group, executor, at, stage.line(group, common.CALM), mentions=(one.party.platform_id, two.party.platform_id))
    if group.moderates:
        stage.mute(group, one, at + 5 * SECOND, by=executor, minutes=60)
    elif random() < 0.3:
        stage.leave(group, two, at + stage.pause(600))


def flood(stage: Stage, group: Group, ts_ms: int) -> None:
    """A member writes the same line again and again."""
    who = group.voice(stage.random, ts_ms)
    if who is None:
        return
    text = stage.line(group, common.FLOODS)
    for _ in range(6 + int(stage.random() * 8)):
        ts_ms += 800 + int(stage.random() * 3_000)
        stage.say(group, who, ts_ms, text)
    manager = group.team.staff["manager"]
    if group.moderates:
        stage.mute(group, who, ts_ms + stage.pause(60), by=manager, minutes=10)
    else:
        stage.say(group, manager, ts_ms + stage.pause(180), stage.line(group, common.RULES_REMINDER))


def bargain(stage: Stage, group: Group, ts_ms: int) -> None:
    """A bargain hunter of the group posts an advertisement in disguise; staff remind of the rules."""
    who = group.pick(stage.random, "hunter", ts_ms)
    if who is None:
        return
    message = stage.say(group, who, ts_ms, stage.line(group, common.ADS))
    at = answer_ms(stage, group, ts_ms)
    if at is not None:
        answer(stage, group, who, message, at, stage.line(group, common.RULES_REMINDER), "manager")


def advertise(stage: Stage, group: Group, ts_ms: int, people: People) -> None:
    """Somebody joins only to advertise; staff take the message back and remove them, sooner or later."""
    random = stage.random
    party, archetype = people.new(group.platform, spammer=True)
    who = Member(party, archetype, joined_ms=ts_ms, fades_ms=0)
    stage.join(group, who, MemberJoined(scene="qr", channel_code="未知二维码"))
    who.archetype = "silent"
    group.add(who)
    messages = []
    for _ in range(1 + int(random() * 3)):
        ts_ms += stage.pause(400)
        messages.append(stage.say(group, who, ts_ms, stage.line(group, common.ADS)))
    at = answer_ms(stage, group, ts_ms)
    if at is None:
        return
    manager = group.team.staff["manager"]
    if group.moderates:
        for message in messages:
            body = MessageDeleted(message_id=message, by="moderator", reason="广告")
            stage.record(at, group.source, body, key="del", conv=group.conv, actor=manager.party)
    stage.leave(group, who, at + 20 * SECOND, reason="kicked", by=manager)
    if random() < 0.6:
        stage.say(group, manager, at + MINUTE, stage.line(group, common.RULES_REMINDER))
