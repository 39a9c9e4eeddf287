"""Play the scenes of a group: chatter, questions, praise, complaints, quarrels, ads, floods, check-ins, notices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from qunce.domain.events import MemberJoined, MessageDeleted, Part

from .groups import Group, Role
from .people import Member, People
from .rhythm import DAY, DUTY_HOURS, HOUR, MINUTE, OFFSET, SECOND, local_hour
from .stage import Stage
from .texts import common
from .texts.phrases import Phrases, speak, speak_any

Scene = Callable[[Stage, Group, int], None]


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
    text, mentions = speak(random, pair.question, group.slots), ()
    if random() < 0.15:
        text, mentions = f"@{support.party.name} {text}", (support.party.platform_id,)  # type: ignore[assignment]
    asked = stage.say(group, asker, ts_ms, text, mentions=mentions)
    if random() < 0.2:
        _helped(stage, group, asker, asked, ts_ms)
    at = answer_ms(stage, group, ts_ms)
    if at is None:
        return
    answer(stage, group, asker, asked, at, speak(random, pair.answer, group.slots))
    if random() < 0.45:
        stage.chat(group, asker, at + stage.pause(70), stage.line(group, common.THANKS))


def _helped(stage: Stage, group: Group, asker: Member, asked: str, ts_ms: int) -> None:
    at = ts_ms + stage.pause(100)
    koc = group.pick(stage.random, "koc", at)
    if koc is not None and koc is not asker:
        stage.say(group, koc, at, stage.line(group, group.theme.answers), reply_to=asked)


def answer(stage: Stage, group: Group, asker: Member, asked: str, at_ms: int, text: str, role: Role | None = None) -> None:
    """Let staff answer a member: as a reply, or by name."""
    role = role or ("support_agent" if stage.random() < 0.6 else "manager")
    staff = group.team.staff[role]
    if stage.random() < 0.72:
        stage.say(group, staff, at_ms, text, reply_to=asked)
    else:
        stage.say(group, staff, at_ms, f"@{asker.party.name} {text}", mentions=(asker.party.platform_id,))


def _thread(stage: Stage, group: Group, ts_ms: int, opening: Phrases, replies: Phrases, more: float) -> None:
    random = stage.random
    first = group.voice(random, ts_ms)
    if first is None:
        return
    message = stage.chat(group, first, ts_ms, stage.line(group, opening))
    previous = first
    for _ in range(14):
        if random() >= more:
            return
        ts_ms += stage.pause(45)
        who = first if random() < 0.22 and previous is not first else group.voice(random, ts_ms)
        if who is None:
            return
        lines = replies if random() < 0.6 else common.REPLIES
        reply = stage.chat(group, who, ts_ms, stage.line(group, lines), reply_to=message if random() < 0.15 else None)
        message, previous = reply, who


def chatter(stage: Stage, group: Group, ts_ms: int) -> None:
    """Members talk about what the group is for."""
    _thread(stage, group, ts_ms, group.theme.starters, group.theme.answers, 0.74)


def small_talk(stage: Stage, group: Group, ts_ms: int) -> None:
    """Members talk about this and that."""
    _thread(stage, group, ts_ms, common.CHATTER, common.REPLIES, 0.6)


def morning(stage: Stage, group: Group, ts_ms: int) -> None:
    """Members wish each other a good morning."""
    _thread(stage, group, ts_ms, common.MORNING, common.MORNING, 0.65)


def praise(stage: Stage, group: Group, ts_ms: int) -> None:
    """A member praises what they bought, often with a picture."""
    who = group.voice(stage.random, ts_ms)
    if who is None:
        return
    text = stage.line(group, common.PRAISE)
    content = (Part(text=text), Part(type="image", name="晒单.jpg")) if stage.random() < 0.5 else ()
    message = stage.say(group, who, ts_ms, text, content=content)
    if stage.random() < 0.5:
        answer(stage, group, who, message, ts_ms + stage.pause(200), "感谢支持，您的反馈是我们的动力", "manager")


def share(stage: Stage, group: Group, ts_ms: int) -> None:
    """A member shares a picture, a voice message, a video, a file or a link."""
    who = group.voice(stage.random, ts_ms)
    if who is None:
        return
    draw = stage.random()
    if draw < 0.45:
        stage.say(group, who, ts_ms, "", content=(Part(type="image", name="照片.jpg"),))
    elif draw < 0.6:
        stage.say(group, who, ts_ms, "", content=(Part(type="voice", duration_s=float(2 + int(stage.random() * 40))),))
    elif draw < 0.7:
        stage.say(group, who, ts_ms, "", content=(Part(type="video", duration_s=15.0),))
    elif draw < 0.8:
        stage.say(group, who, ts_ms, "", content=(Part(type="file", name="整理笔记.pdf", size_bytes=482_113),))
    else:
        text = stage.line(group, group.theme.starters)
        stage.say(group, who, ts_ms, text, content=(Part(type="link", text=text, url="https://mp.example/s/cfl"),))


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


def bargain(stage: Stage, group: Group, ts_ms: int) -> None:
    """A bargain hunter of the group posts an advertisement in disguise; staff remind of the rules."""
    who = group.pick(stage.random, "hunter", ts_ms)
    if who is None:
        return
    message = stage.say(group, who, ts_ms, stage.line(group, common.ADS))
    at = answer_ms(stage, group, ts_ms)
    if at is not None:
        answer(stage, group, who, message, at, stage.line(group, common.RULES_REMINDER), "manager")


def festive(stage: Stage, group: Group, ts_ms: int) -> None:
    """Members wish each other well on a festival; an ordinary chat on other days."""
    random = stage.random
    if stage.day.festival is None:
        small_talk(stage, group, ts_ms)
        return
    slots = stage.slots(group)
    for _ in range(2 + int(random() * 6)):
        who = group.voice(random, ts_ms)
        if who is None:
            return
        stage.chat(group, who, ts_ms, speak_any(random, common.FESTIVE, slots))
        ts_ms += stage.pause(40)
    if random() < 0.15:
        stage.say(group, group.team.staff["manager"], ts_ms, "", content=(Part(type="red_packet", text="恭喜发财，大吉大利"),))


def persona(stage: Stage, group: Group, ts_ms: int) -> None:
    """The house persona warms up, as its task says."""
    if local_hour(ts_ms) not in DUTY_HOURS:
        small_talk(stage, group, ts_ms)
        return
    message = stage.say(group, group.team.persona, ts_ms, stage.line(group, common.PERSONA))
    at = ts_ms + stage.pause(120)
    who = group.voice(stage.random, at)
    if who is not None:
        stage.chat(group, who, at, stage.line(group, common.REPLIES), message)


_MIX: Final[tuple[tuple[float, Scene], ...]] = (
    (0.43, chatter), (0.68, question), (0.80, small_talk), (0.87, praise), (0.93, share), (0.955, complaint), (0.961, quarrel),
    (0.965, flood), (0.975, bargain), (0.985, persona),
)  # fmt: skip


def play_any(stage: Stage, group: Group, ts_ms: int, people: People) -> None:
    """Play one scene, chosen by hour, day and the common mix."""
    draw = stage.random()
    if stage.day.festival is not None and draw < 0.2:
        festive(stage, group, ts_ms)
        return
    if draw < 0.25 and 5 <= local_hour(ts_ms) < 9:
        morning(stage, group, ts_ms)
        return
    draw = stage.random()
    for upto, scene in _MIX:
        if draw < upto:
            scene(stage, group, ts_ms)
            return
    advertise(stage, group, ts_ms, people)
