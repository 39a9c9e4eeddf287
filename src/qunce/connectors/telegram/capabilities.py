"""What a Telegram bot can do in a group it administers."""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import Ability, Capabilities, Quota, abilities

_FAQ: Final = "Telegram Bots FAQ (broadcasting limits), second-hand"

CAPABILITIES: Final = Capabilities(
    kind="telegram",
    zh="Telegram",
    en="Telegram",
    abilities=abilities(
        "message.edits catch_up message.send member.unmute member.unban",
        Ability(
            name="message.read",
            how="automatic",
            zh="机器人须是管理员，或已关闭隐私模式",
            en="The bot must be an administrator, or have its privacy mode off",
        ),
        Ability(
            name="message.deletions",
            how="impossible",
            zh="平台不告知别人删除了哪些消息",
            en="The platform does not tell which messages others delete",
        ),
        Ability(name="reaction.read", how="automatic", zh="机器人须是管理员", en="The bot must be an administrator"),
        Ability(name="member.changes", how="automatic", zh="机器人须是管理员", en="The bot must be an administrator"),
        Ability(name="join.requests", how="automatic", zh="需要邀请用户的权限", en="Needs the right to invite users"),
        Ability(
            name="message.send_direct",
            how="automatic",
            zh="对方须先给机器人发过消息",
            en="Only to people who wrote to the bot before",
        ),
        Ability(
            name="message.delete",
            how="automatic",
            zh="一般只能删除 48 小时内的消息",
            en="In general only messages younger than 48 hours",
        ),
        Ability(name="member.mute", how="automatic", zh="仅限超级群", en="In supergroups only"),
        Ability(name="member.kick", how="automatic", zh="先封禁再解封", en="A ban that is lifted at once"),
        Ability(name="member.ban", how="automatic"),
        Ability(name="join.approve", how="automatic", zh="需要邀请用户的权限", en="Needs the right to invite users"),
    ),
    quotas=(
        Quota(name="message.send", limit=1, per_s=1, scope="conversation", source=_FAQ, stated="2026-11", is_certain=False),
        Quota(name="message.send", limit=20, per_s=60, scope="conversation", source=_FAQ, stated="2026-11", is_certain=False),
        Quota(name="message.send", limit=30, per_s=1, scope="account", source=_FAQ, stated="2026-11", is_certain=False),
    ),
)
