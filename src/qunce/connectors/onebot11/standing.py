"""Tell from our own entry in a group's list what the account may do there. Pure.

Source: OneBot 11, `get_group_member_info`: `role` is owner, admin or member; `shut_up_timestamp` is an extension several
implementations give.
"""

from __future__ import annotations

from typing import Final

from qunce.connectors.base import DOING, Obstacle, obstacles
from qunce.connectors.rows import Row, text_of

_HERE: Final = tuple(name for name in DOING if name not in ("message.send_direct", "member.unban"))
NOT_IN: Final = obstacles(
    ("message.read", "message.deletions", "member.changes", "join.requests", *_HERE),
    "账号不在这个群里：请群管理员把它拉进群", "The account is not in the group: let an administrator add it",
)  # fmt: skip
_ADMIN_ONLY: Final = (
    "join.requests", "message.delete", "member.mute", "member.unmute", "member.kick", "member.ban", "join.approve",
)  # fmt: skip


def standing(info: Row, now_ms: int) -> tuple[Obstacle, ...]:
    """Return what stands in the way; an empty `info` = we are not in the group."""
    if not info:
        return NOT_IN
    told: list[Obstacle] = []
    if text_of(info.get("role")) not in ("owner", "admin"):
        told += obstacles(
            _ADMIN_ONLY, "账号不是管理员：请群主设为管理员", "The account is no administrator: let the owner make it one"
        )
    until = info.get("shut_up_timestamp")
    if isinstance(until, int) and until * 1_000 > now_ms:
        told.append(
            Obstacle(
                name="message.send", zh="账号被禁言：请管理员解除", en="The account is muted: let an administrator lift it"
            )
        )
    return tuple(told)
