"""What a QQ account behind a OneBot 11 implementation can do."""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import Ability, Capabilities, Quota, abilities

_ADMIN_ZH: Final = "账号须是群主或管理员"
_ADMIN_EN: Final = "The account must own or administer the group"


def _needs_admin(name: str) -> Ability:
    return Ability(name=name, how="automatic", zh=_ADMIN_ZH, en=_ADMIN_EN)


CAPABILITIES: Final = Capabilities(
    kind="onebot11",
    zh="QQ（OneBot 11）",
    en="QQ (OneBot 11)",
    abilities=abilities(
        "message.read message.deletions member.changes message.send",
        Ability(name="join.requests", how="automatic", zh=_ADMIN_ZH, en=_ADMIN_EN),
        Ability(
            name="reaction.read",
            how="impossible",
            zh="标准里没有；各实现的扩展未接入",
            en="Not in the standard; extensions of implementations are not read",
        ),
        Ability(
            name="catch_up",
            how="impossible",
            zh="断线期间的消息不会补发，会记为缺口",
            en="What happens while nobody is connected is not sent later; it is recorded as a gap",
        ),
        Ability(
            name="message.send_direct",
            how="automatic",
            zh="对方须是好友，或所在群允许临时会话",
            en="To friends, or where the group allows temporary sessions",
        ),
        _needs_admin("message.delete"),
        _needs_admin("member.mute"),
        _needs_admin("member.unmute"),
        _needs_admin("member.kick"),
        Ability(
            name="member.ban",
            how="automatic",
            zh="移出并拒绝此人再次申请；" + _ADMIN_ZH,
            en="Removes and refuses further requests of that person. " + _ADMIN_EN,
        ),
        Ability(
            name="member.unban",
            how="human",
            zh="须在 QQ 客户端里解除",
            en="Must be lifted in the QQ client",
        ),
        _needs_admin("join.approve"),
    ),
    quotas=(
        Quota(
            name="message.send",
            limit=1,
            per_s=1,
            scope="account",
            source="none published; a careful pace, because accounts are banned for less",
            stated="2026-11",
            is_certain=False,
        ),
    ),
    warnings=(
        (
            "账号运行的是非官方客户端，可能被 QQ 封号；请使用专门的账号，不要群发。",
            "The account runs an unofficial client and may be banned by QQ: use one of its own, and do not broadcast.",
        ),
    ),
)
