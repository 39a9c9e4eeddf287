"""What a webhook brings: whatever the other system tells."""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import Ability, Capabilities, abilities

CAPABILITIES: Final = Capabilities(
    kind="webhook_in",
    zh="通用 Webhook（接收）",
    en="Generic webhook (inbound)",
    abilities=abilities(
        "",
        Ability(name="message.read", how="automatic", zh="对方系统发来的", en="What the other system sends"),
        Ability(name="reaction.read", how="automatic", zh="对方系统发来的", en="What the other system sends"),
        Ability(name="member.changes", how="automatic", zh="对方系统发来的", en="What the other system sends"),
        Ability(
            name="catch_up",
            how="automatic",
            zh="对方系统可以重发：同一条只记一次",
            en="The other system may send again: the same row is kept once",
        ),
    ),
)
