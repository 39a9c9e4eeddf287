"""Tell from a room's state what its rules let our account do. Pure.

Source: Matrix client-server specification, `m.room.power_levels`: defaults are 50 to redact, kick, ban and change state, 0 to
invite and to speak.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from qunce.connectors.base import DOING, READING, Obstacle, obstacles
from qunce.connectors.matrix.power import creators, level_needed, level_of, speaking_level
from qunce.connectors.rows import Row, text_of

MEMBER: Final = "m.room.member"
_LEVELS: Final = "m.room.power_levels"
_ENCRYPTED: Final = "m.room.encryption"
_JOINING: Final = "m.room.join_rules"
STATES: Final = (_LEVELS, _ENCRYPTED, _JOINING)
"""What has to be known beside our own membership and the event that created the room."""
NOT_IN: Final = obstacles(
    (*READING, *(name for name in DOING if name != "message.send_direct")),
    "账号不在这个房间里：请房间里的人邀请它，再在渠道设置里写上房间",
    "The account is not in the room: invite it, and name the room in the channel's settings",
)
_NEEDED: Final = (
    ("message.delete", "redact", 50), ("member.kick", "kick", 50), ("member.ban", "ban", 50), ("member.unban", "ban", 50),
    ("join.approve", "invite", 0),
)  # fmt: skip


def standing(state: Iterable[Row], us: str) -> tuple[Obstacle, ...]:
    """Return what stands in the way of the account `us` in a room with this state."""
    found = {(text_of(row.get("type")), text_of(row.get("state_key"))): row for row in state}
    if text_of(_content(found, MEMBER, us).get("membership")) != "join":
        return NOT_IN
    told = _too_low(found, us)
    if _content(found, _ENCRYPTED):
        told["message.read"] = obstacles(
            ("message.read",), "房间开了加密，看不到内容：加密关不掉，请另建一个不加密的房间",
            "The room is encrypted and its messages cannot be read: encryption cannot be switched off, open another room",
        )[0]  # fmt: skip
    if text_of(_content(found, _JOINING).get("join_rule")) not in ("knock", "knock_restricted"):
        for name in ("join.requests", "join.approve"):
            told[name] = Obstacle(
                name=name, zh="房间没有开「申请加入」：在房间设置里把加入方式改为申请",
                en="Nobody can ask to be let in: set the room's join rule to knock",
            )  # fmt: skip
    return tuple(told.values())


def _too_low(found: dict[tuple[str, str], Row], us: str) -> dict[str, Obstacle]:
    levels, created = _content(found, _LEVELS), found.get(("m.room.create", ""), {})
    content = created.get("content")
    if us in creators(created, content if isinstance(content, dict) else {}):
        return {}
    if not levels:
        # A room without levels: its creator may do everything, everybody else may speak.
        levels = {"users": {text_of(created.get("sender")): 100}}
    ours = level_of(levels, us)
    needed = {name: level_needed(levels, key, default) for name, key, default in _NEEDED}
    needed["message.send"] = speaking_level(levels)
    state = level_needed(levels, "state_default", 50)
    events = levels.get("events")
    needed["member.mute"] = level_needed(events, _LEVELS, state) if isinstance(events, dict) else state
    needed["member.unmute"] = needed["member.mute"]
    return {name: _low(name, ours, level) for name, level in needed.items() if ours < level}


def _low(name: str, ours: int, needed: int) -> Obstacle:
    return Obstacle(
        name=name, zh=f"权力等级 {ours}，这里要 {needed}：请房间管理员把账号提到 {needed} 级",
        en=f"Power level {ours}, {needed} is needed: let an administrator give the account level {needed}",
    )  # fmt: skip


def _content(found: dict[tuple[str, str], Row], kind: str, key: str = "") -> Row:
    content = found.get((kind, key), {}).get("content")
    return content if isinstance(content, dict) else {}
