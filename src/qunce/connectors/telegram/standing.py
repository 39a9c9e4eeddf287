"""Tell from a bot's membership what it may do in a chat. Pure.

Source: core.telegram.org/bots/api, ChatMember, Chat and the methods' required rights.
"""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import DOING, READING, Obstacle, obstacles
from qunce.connectors.rows import Row, text_of

_HERE: Final = tuple(name for name in DOING if name != "message.send_direct")
NOT_IN: Final = obstacles(
    (*(name for name in READING if name != "message.deletions"), *_HERE),
    "机器人不在这个群里：请群管理员把它拉进群", "The bot is not in the group: let an administrator add it",
)  # fmt: skip
_ADMIN_ONLY: Final = (
    "reaction.read", "member.changes", "join.requests", "message.delete", "member.mute", "member.unmute", "member.kick",
    "member.ban", "member.unban", "join.approve",
)  # fmt: skip
_RIGHTS: Final = (
    (("message.delete",), "can_delete_messages", "删除消息", "delete messages"),
    (
        ("member.mute", "member.unmute", "member.kick", "member.ban", "member.unban"), "can_restrict_members", "封禁用户",
        "ban users",
    ),
    (("join.requests", "join.approve"), "can_invite_users", "邀请用户", "invite users"),
)  # fmt: skip


def standing(member: Row, chat: Row, me: Row) -> tuple[Obstacle, ...]:
    """Return what stands in the way: `member` is the bot's ChatMember, `chat` the chat, `me` the bot as `getMe` tells it."""
    status = text_of(member.get("status"))
    if status in ("left", "kicked", ""):
        return NOT_IN
    told: dict[str, Obstacle] = {}
    if status not in ("administrator", "creator"):
        found = obstacles(
            _ADMIN_ONLY, "机器人不是管理员：请群主设为管理员", "The bot is no administrator: let the owner make it one"
        )
        told = {one.name: one for one in found}
        if me.get("can_read_all_group_messages") is not True:
            told["message.read"] = Obstacle(
                name="message.read", zh="只听得到命令：设为管理员，或在 @BotFather 关掉隐私模式后重新进群",
                en="Hears commands only: make it an administrator, or switch privacy mode off at @BotFather and add it again",
            )  # fmt: skip
    else:
        for names, right, zh, en in _RIGHTS:
            if status == "administrator" and member.get(right) is not True:
                lack = obstacles(names, f"没有「{zh}」的权限：请群主勾上", f"Lacks the right to {en}: let the owner grant it")
                told |= {one.name: one for one in lack}
    if text_of(chat.get("type")) != "supergroup":
        for one in obstacles(
            ("member.mute", "member.unmute"), "普通群不能禁言：把群升级为超级群（例如公开群链接）",
            "Nobody can be muted in a basic group: turn it into a supergroup, for instance by a public link",
        ):  # fmt: skip
            told.setdefault(one.name, one)
    if member.get("can_send_messages") is False:
        told["message.send"] = Obstacle(
            name="message.send", zh="机器人被禁言：请管理员解除", en="The bot is muted: let an administrator lift it"
        )
    return tuple(told.values())
