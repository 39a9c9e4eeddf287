"""Do what the brand does by plan: opening groups, morning topics, promotions, member days, check-ins, notices."""

from __future__ import annotations

from qunce.domain.events import (
    BroadcastUpdated,
    Conv,
    GroupCreated,
    GroupDismissed,
    GroupUpdated,
    MemberJoined,
    MemberUpdated,
    Part,
)

from .groups import Group
from .rhythm import MINUTE, SECOND
from .stage import Stage
from .texts import common
from .texts.phrases import Phrases, speak_any


def open_group(stage: Stage, group: Group, ts_ms: int, flagged: set[str]) -> None:
    """Create a group: its community, its team with their roles, its first notice. `flagged` are personas already known."""
    team = group.team
    owner = team.staff["supervisor"]
    stage.record(ts_ms, group.source, GroupCreated(), key="group", conv=group.conv, actor=owner.party)
    community = GroupUpdated(field="community", new=group.theme.community)
    stage.record(ts_ms + SECOND, group.source, community, key="group", conv=group.conv)
    for place, own in enumerate(team.all(), start=2):
        own_at = ts_ms + place * 10 * SECOND
        body = MemberJoined(scene="invited", inviter=owner.party.platform_id)
        stage.record(own_at, group.source, body, key="join", conv=group.conv, actor=owner.party, subject=own.party)
        group.ids.add(own.party.platform_id)
    for role, name in (("supervisor", "owner"), ("manager", "admin")):
        stage.record(
            ts_ms + 2 * MINUTE, group.source, MemberUpdated(field="role", old="member", new=name), key="role", conv=group.conv,
            actor=owner.party, subject=team.staff[role].party,  # type: ignore[index]  # both are roles
        )  # fmt: skip
    persona = team.persona.party
    if persona.platform_id not in flagged:
        flagged.add(persona.platform_id)
        body_kind = MemberUpdated(field="kind", old="unknown", new="house_persona")
        stage.record(ts_ms + 2 * MINUTE, group.source, body_kind, key="kind", actor=owner.party, subject=persona)
    put_notice(stage, group, ts_ms + 3 * MINUTE)


def put_notice(stage: Stage, group: Group, ts_ms: int) -> None:
    """Change the group's notice."""
    notice = GroupUpdated(field="notice", new=stage.line(group, common.GROUP_NOTICES))
    owner = group.team.staff["supervisor"]
    stage.record(ts_ms, group.source, notice, key="group", conv=group.conv, actor=owner.party)


def rename(stage: Stage, group: Group, ts_ms: int, name: str) -> None:
    """Give a group another name."""
    old = group.conv.name
    group.conv = Conv(platform_id=group.conv.platform_id, name=name)
    body = GroupUpdated(field="name", old=old, new=name)
    owner = group.team.staff["supervisor"]
    stage.record(ts_ms, group.source, body, key="group", conv=group.conv, actor=owner.party)


def dismiss(stage: Stage, group: Group, ts_ms: int) -> None:
    """Say goodbye and dissolve a group whose time is over. Nothing may be agreed for it after `ts_ms`."""
    owner = group.team.staff["supervisor"]
    stage.say(group, owner, ts_ms, "本次快闪活动结束，感谢大家，今晚解散本群，欢迎加入常驻群继续交流")
    stage.record(ts_ms + 1, group.source, GroupDismissed(), key="group", conv=group.conv, actor=owner.party)
    group.dismissed = True


def topic(stage: Stage, group: Group, ts_ms: int) -> None:
    """Raise the topic of the day; members take part."""
    manager = group.team.staff["manager"]
    text = stage.line(group, group.theme.topics)
    poll = group.platform == "telegram" and stage.random() < 0.4
    content = (Part(type="poll", text=text),) if poll else ()
    message = stage.say(group, manager, ts_ms, text, content=content)
    for _ in range(int(stage.random() * 6 * group.mood(stage.day))):
        ts_ms += stage.pause(150)
        who = group.voice(stage.random, ts_ms)
        if who is not None:
            stage.chat(group, who, ts_ms, stage.line(group, group.theme.answers), message if stage.random() < 0.4 else None)


def _announce(stage: Stage, group: Group, ts_ms: int, phrases: Phrases) -> None:
    supervisor = group.team.staff["supervisor"]
    text = "@所有人 " + speak_any(stage.random, phrases, stage.slots(group))
    stage.say(group, supervisor, ts_ms, text, mentions=("@all",))


def festival_notice(stage: Stage, group: Group, ts_ms: int) -> None:
    """Announce the festival to everybody. Only for days with a festival."""
    _announce(stage, group, ts_ms, common.FESTIVAL_NOTICES)


def member_day(stage: Stage, group: Group, ts_ms: int) -> None:
    """Announce the member day, and follow the broadcast in WeCom, where staff must confirm each."""
    _announce(stage, group, ts_ms, common.MEMBER_DAY)
    if group.platform != "wecom":
        return
    manager, broadcast = group.team.staff["manager"].party, f"bc{stage.day.index}"
    recipient = group.conv.platform_id
    pending = BroadcastUpdated(broadcast_id=broadcast, recipient=recipient, status="pending")
    stage.record(ts_ms, group.source, pending, key="broadcast", conv=group.conv, actor=manager)
    draw = stage.random()
    at = ts_ms + stage.pause(900)
    if draw < 0.86:
        done = BroadcastUpdated(broadcast_id=broadcast, recipient=recipient, status="sent")
    elif draw < 0.94:
        done = BroadcastUpdated(broadcast_id=broadcast, recipient=recipient, status="skipped", reason="员工未确认")
    else:
        done = BroadcastUpdated(broadcast_id=broadcast, recipient=recipient, status="failed", reason="群发次数已达上限")
    stage.record(at, group.source, done, key="broadcast", conv=group.conv, actor=manager)


def promote(stage: Stage, group: Group, ts_ms: int) -> None:
    """Post an offer with a link."""
    product = group.theme.products[int(stage.random() * len(group.theme.products))]
    url = f"https://shop.chunfengli.example/p/{product.sku}?g={group.number}"
    text = stage.line(group, group.theme.promotions)
    content = (Part(text=text), Part(type="link", text=product.name, url=url))
    stage.say(group, group.team.staff["manager"], ts_ms, text, content=content)


def check_in(stage: Stage, group: Group, ts_ms: int) -> None:
    """Let members check in, one after another; the bot counts them."""
    seen = set()
    for _ in range(int((2 + stage.random() * 0.03 * group.size()) * min(group.mood(stage.day), 1.5))):
        ts_ms += stage.pause(100)
        who = group.voice(stage.random, ts_ms)
        if who is not None and who.party.platform_id not in seen:
            seen.add(who.party.platform_id)
            stage.say(group, who, ts_ms, stage.line(group, group.theme.checkins))
    if seen:
        stage.say(group, group.team.bot, ts_ms + 20 * SECOND, f"今日打卡 {len(seen)} 人，继续加油")


def welcome(stage: Stage, group: Group, ts_ms: int, names: list[str]) -> None:
    """Let the bot welcome newcomers by name."""
    text = " ".join(f"@{name}" for name in names[:5]) + " " + stage.line(group, common.WELCOMES)
    stage.say(group, group.team.bot, ts_ms, text)
