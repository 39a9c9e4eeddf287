"""Let members talk: chatter, dialogues, greetings, praise, pictures; the house persona warms up."""

from __future__ import annotations

from qunce.domain.events import Part

from .answers import answer
from .groups import Group
from .rhythm import DUTY_HOURS, local_hour
from .stage import Stage
from .texts import common
from .texts.phrases import Phrases, speak_any, speak_together


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
        if who is previous:
            who = group.voice(random, ts_ms)
        if who is None:
            return
        # Who raised the matter reacts; the others have something to say about it.
        lines = replies if who is not first and random() < 0.65 else common.REPLIES
        reply = stage.chat(group, who, ts_ms, stage.line(group, lines), reply_to=message if random() < 0.15 else None)
        message, previous = reply, who


def chatter(stage: Stage, group: Group, ts_ms: int) -> None:
    """Members talk about what the group is for."""
    _thread(stage, group, ts_ms, group.theme.starters, group.theme.answers, 0.74)


def dialogue(stage: Stage, group: Group, ts_ms: int) -> None:
    """Two or three members talk something through: who raised it asks back and has the last word."""
    random = stage.random
    first, *others = (group.voice(random, ts_ms) for _ in range(3))
    helpers = [who for who in others if who is not None and who is not first]
    if first is None or not helpers:
        return
    lines = group.theme.dialogues[int(random() * len(group.theme.dialogues))]
    who, message = first, None
    for turn, text in enumerate(speak_together(random, lines, group.slots), start=1):
        own = message is None or (who is not first and (turn == len(lines) or text.endswith(("？", "怎么样", "多少"))))
        who = first if own else helpers[turn % len(helpers)]
        message = stage.say(group, who, ts_ms, text, reply_to=message if random() < 0.15 else None)
        ts_ms += stage.pause(40)


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
