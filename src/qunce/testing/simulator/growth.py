"""Let people come and go: joins by source, members of several groups, leaves, cards, contacts, consent."""

from __future__ import annotations

from random import Random
from typing import Final, Literal

from qunce.domain.events import (
    ConsentChanged,
    ContactAdded,
    ContactRemoved,
    MemberJoined,
    MemberRequested,
    MemberUpdated,
    Party,
)

from .groups import Group
from .people import Member, People
from .rhythm import MINUTE, SECOND
from .routines import welcome
from .stage import Stage
from .texts import common

_CHANNELS: Final = tuple((scene, code) for scene, code, weight in common.CHANNELS for _ in range(weight))
_CARDS: Final = ("·老会员", "（{city}）", "-已下单", "·打卡中", " 🌸")


def newcomer(stage: Stage, group: Group, ts_ms: int, people: People, neighbours: list[Group]) -> str:
    """Let one person join at about `ts_ms`; some bring a friend who is already in another group. Return the name."""
    party, archetype = people.new(group.platform)
    who = Member(party, archetype, ts_ms, ts_ms + people.fades_after_ms(archetype))
    _arrive(stage, group, who)
    if group.platform == "wecom":
        _befriend(stage, group, who)
    if stage.random() < 0.13 and len(neighbours) > 1:
        _follow(stage, group, neighbours, ts_ms + stage.pause(600), people)
    return party.name or ""


def _follow(stage: Stage, group: Group, neighbours: list[Group], ts_ms: int, people: People) -> None:
    """Let a member of another group of the same platform join this one too."""
    other = neighbours[int(stage.random() * len(neighbours))]
    friend = other.voice(stage.random, ts_ms) if stage.random() < 0.4 else other.pick(stage.random, "silent", ts_ms)
    if other is group or friend is None or friend.party.platform_id in group.ids:
        return
    who = Member(friend.party, friend.archetype, ts_ms, ts_ms + people.fades_after_ms(friend.archetype))
    _arrive(stage, group, who)


def _arrive(stage: Stage, group: Group, who: Member) -> None:
    random = stage.random
    scene, code = _CHANNELS[int(random() * len(_CHANNELS))]
    asks = group.moderates and random() < 0.4
    inviter = group.pick(random, "koc", who.joined_ms) or group.voice(random, who.joined_ms) if scene == "invited" else None
    if asks:
        request = MemberRequested(request_ref=stage.serial(), comment=common.REQUESTS[int(random() * len(common.REQUESTS))])
        stage.record(who.joined_ms, group.source, request, key="request", conv=group.conv, actor=who.party)
        who.joined_ms = who.busy_ms = who.joined_ms + stage.pause(15 * 60)
        body = MemberJoined(scene="approved", channel_code=code)
        stage.join(group, who, body, actor=group.team.staff["manager"].party)
    elif inviter is not None:
        inviter.busy_ms = max(inviter.busy_ms, who.joined_ms)
        body = MemberJoined(scene="invited", inviter=inviter.party.platform_id, channel_code=code)
        stage.join(group, who, body, actor=inviter.party)
    else:
        way: Literal["qr", "join_way", "invite_link", "unknown"] = "unknown" if scene == "invited" else scene  # type: ignore[assignment]
        stage.join(group, who, MemberJoined(scene=way, channel_code=code))
    group.add(who)
    if who.archetype != "silent" and random() < 0.3:
        stage.chat(group, who, who.joined_ms + stage.pause(240), stage.line(group, common.NEWCOMERS))


def greet(stage: Stage, group: Group, ts_ms: int, names: list[str]) -> None:
    """Let the bot welcome the newcomers of the hour, most times."""
    if names and stage.random() < 0.7:
        welcome(stage, group, ts_ms, names)


def _befriend(stage: Stage, group: Group, who: Member) -> None:
    """Let a part of the newcomers add the support agent as a contact, and some agree to the message archive."""
    draw = stage.random()
    if draw < 0.3:
        staff = group.team.staff["support_agent"].party.platform_id
        at = who.joined_ms + stage.pause(1_800)
        added = ContactAdded(staff=staff, way="group", pending=draw < 0.02)
        stage.record(at, group.source, added, key="contact", subject=who.party)
        if draw < 0.06:
            stage.record(
                at + MINUTE, group.source, ConsentChanged(scope="archive", granted=True), key="consent", subject=who.party
            )
        elif draw > 0.29:
            at += stage.pause(3 * 86_400)
            removed = ContactRemoved(by="contact", staff=staff)
            stage.record(at, group.source, removed, key="contact", subject=who.party)
    elif draw > 0.99:
        refused = ConsentChanged(scope="marketing", granted=False)
        stage.record(who.joined_ms + MINUTE, group.source, refused, key="consent", subject=who.party)


def goodbye(stage: Stage, group: Group, ts_ms: int, rng: Random) -> None:
    """Let one member leave: mostly quiet ones, and rather those who came lately."""
    draw = rng.random()
    pool = group.pools["silent" if draw < 0.72 else "lurker" if draw < 0.9 else "hunter" if draw < 0.97 else "chatter"]
    if not pool:
        return
    recent = 1 - rng.random() ** 2
    who = pool[min(int(len(pool) * recent), len(pool) - 1)]
    if who.joined_ms < ts_ms:
        stage.leave(group, who, ts_ms)


def new_card(stage: Stage, group: Group, ts_ms: int) -> None:
    """Let a member change the name they carry in this group."""
    who = group.voice(stage.random, ts_ms)
    if who is None:
        return
    old = who.party.name or ""
    city = common.SLOTS["city"][int(stage.random() * len(common.SLOTS["city"]))]
    new = old.partition("·")[0][:12] + _CARDS[int(stage.random() * len(_CARDS))].replace("{city}", city)
    if ts_ms <= who.busy_ms:
        ts_ms = who.busy_ms + SECOND
    who.busy_ms = ts_ms
    who.party = Party(platform_id=who.party.platform_id, kind="member", name=new)
    stage.record(
        ts_ms, group.source, MemberUpdated(field="card", old=old, new=new), key="card", conv=group.conv, subject=who.party
    )
