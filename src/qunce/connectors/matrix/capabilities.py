"""What a Matrix account can do in a room, given the power level for it."""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import Ability, Capabilities, Quota, abilities

_SPEC: Final = "Matrix client-server specification"

CAPABILITIES: Final = Capabilities(
    kind="matrix",
    zh="Matrix",
    en="Matrix",
    abilities=abilities(
        "message.edits message.deletions reaction.read member.changes join.requests catch_up message.send",
        Ability(
            name="message.read",
            how="automatic",
            zh="加密房间只能看到有人发言，看不到内容",
            en="In encrypted rooms only that somebody spoke, not what was said",
        ),
        Ability(
            name="message.send_direct",
            how="automatic",
            zh="会先新建两人房间并发出邀请，对方接受后才看得到",
            en="Opens a room for two and invites; it is read once the person accepts",
        ),
        Ability(
            name="message.delete",
            how="automatic",
            zh="需要撤回权限（默认 50 级）",
            en="Needs the level to redact",
        ),
        Ability(
            name="member.mute",
            how="automatic",
            zh="把对方的权力等级降到发言所需之下，需要修改等级的权限（默认 100 级）；到期由系统解除",
            en="Lowers the person's power level below the one to speak; needs the level to change levels (100 by default). "
            "We lift it when it ends",
        ),
        Ability(
            name="member.unmute", how="automatic", zh="需要修改等级的权限（默认 100 级）", en="Needs the level to change levels"
        ),
        Ability(
            name="member.kick", how="automatic", zh="只能移出权力等级低于自己的人", en="Only people of a lower power level"
        ),
        Ability(name="member.ban", how="automatic", zh="只能封禁权力等级低于自己的人", en="Only people of a lower power level"),
        Ability(name="member.unban", how="automatic"),
        Ability(
            name="join.approve", how="automatic", zh="房间要开启「申请加入」(knock)", en="The room's join rule must be knock"
        ),
    ),
    quotas=(
        Quota(
            name="message.send",
            limit=10,
            per_s=50,
            scope="account",
            source="Synapse configuration manual, rc_message (per_second 0.2, burst_count 10); other servers differ",
            stated="2026-11",
            is_certain=False,
        ),
    ),
    idempotent="yes",
)
