"""What an IRC bot can do in a channel."""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import Ability, Capabilities, Quota, abilities

_OP_ZH: Final = "机器人须是频道管理员（@）"
_OP_EN: Final = "The bot must be a channel operator (@)"

CAPABILITIES: Final = Capabilities(
    kind="irc",
    zh="IRC",
    en="IRC",
    abilities=abilities(
        "message.read member.changes",
        Ability(
            name="catch_up",
            how="impossible",
            zh="断线期间的消息不会补发，会记为缺口",
            en="What is said while the bot is away is not sent later; it is recorded as a gap",
        ),
        Ability(
            name="message.send",
            how="automatic",
            zh="长消息会拆成几行；没有引用和加粗",
            en="A long message becomes several lines; there are no replies and no markup",
        ),
        Ability(name="message.send_direct", how="automatic", zh="对方在线才收得到", en="Only while the person is on line"),
        Ability(name="member.kick", how="automatic", zh=_OP_ZH, en=_OP_EN),
        Ability(
            name="member.ban",
            how="automatic",
            zh="按昵称和主机封禁；" + _OP_ZH,
            en="By host where it is known, else by nick. " + _OP_EN,
        ),
        Ability(name="member.unban", how="automatic", zh=_OP_ZH, en=_OP_EN),
        Ability(
            name="member.mute",
            how="human",
            zh="各服务器的禁言方式不同，须管理员自己设置频道模式",
            en="Servers differ; an operator has to set the channel's modes",
        ),
        Ability(name="member.unmute", how="human", zh="同上", en="As above"),
    ),
    quotas=(
        Quota(
            name="message.send",
            limit=1,
            per_s=2,
            scope="account",
            source="RFC 1459 §8.10 (one message in two seconds after a burst)",
            stated="2026-11",
        ),
    ),
)
