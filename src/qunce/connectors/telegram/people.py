"""Read changes of people in a Telegram group: who came, went, may not speak, or has another role."""

from __future__ import annotations

from typing import Final

from qunce.connectors.rows import Chat, Row, text_of
from qunce.domain.events import (
    Event,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    Party,
)

_INSIDE: Final = frozenset({"creator", "administrator", "member"})
_ROLES: Final = {"creator": "owner", "administrator": "admin"}


def party_of(user: Row) -> Party:
    """Return a user or chat as a party."""
    name = " ".join(filter(None, (text_of(user.get("first_name")), text_of(user.get("last_name")))))
    name = name or text_of(user.get("title")) or text_of(user.get("username"))
    is_bot = user.get("is_bot") is True
    return Party(platform_id=text_of(user.get("id")), kind="bot" if is_bot else "unknown", name=name or None)


def joined(chat: Chat, ts_ms: int, subject: Party, body: MemberJoined, actor: Party | None = None) -> Event:
    """Return a joining. A service message and a `chat_member` update may tell of the same one in the same second."""
    return chat.event(ts_ms, body, _key(chat, "join", subject, ts_ms), actor=actor, subject=subject)


def left(chat: Chat, ts_ms: int, subject: Party, body: MemberLeft, actor: Party | None) -> Event:
    """Return a leaving; told twice like a joining."""
    return chat.event(ts_ms, body, _key(chat, "leave", subject, ts_ms), actor=actor, subject=subject)


def changed(chat: Chat, ts_ms: int, update: Row) -> list[Event]:
    """Return what a ChatMemberUpdated means; nothing where nobody sees a difference."""
    old, new = update["old_chat_member"], update["new_chat_member"]
    subject, actor = party_of(new["user"]), party_of(update["from"])
    by_other = actor if actor.platform_id != subject.platform_id else None
    if not _is_in(old) and _is_in(new):
        return [joined(chat, ts_ms, subject, _joining(update, by_other), by_other)]
    if _is_in(old) and not _is_in(new):
        return [left(chat, ts_ms, subject, _leaving(new, by_other), by_other)]
    if not _is_in(new):
        return []
    told = []
    if _is_mute(old) != _is_mute(new):
        body = MemberRestricted(until_ms=_until_ms(new)) if _is_mute(new) else MemberUnrestricted()
        told.append(chat.event(ts_ms, body, _key(chat, "restrict", subject, ts_ms), actor=by_other, subject=subject))
    if _role(old) != _role(new):
        role = MemberUpdated(field="role", old=_role(old), new=_role(new))
        told.append(chat.event(ts_ms, role, _key(chat, "role", subject, ts_ms), actor=by_other, subject=subject))
    return told


def _joining(update: Row, by_other: Party | None) -> MemberJoined:
    link = update.get("invite_link")
    code = text_of(link.get("name")) or text_of(link.get("invite_link")) if isinstance(link, dict) else ""
    if update.get("via_join_request") is True:
        return MemberJoined(scene="approved", channel_code=code or None)
    if code:
        return MemberJoined(scene="invite_link", channel_code=code)
    if by_other:
        return MemberJoined(scene="invited", inviter=by_other.platform_id)
    return MemberJoined(scene="self")


def _leaving(new: Row, by_other: Party | None) -> MemberLeft:
    if new.get("status") == "kicked":
        return MemberLeft(reason="banned", until_ms=_until_ms(new))
    return MemberLeft(reason="kicked" if by_other else "left")


def _is_in(member: Row) -> bool:
    return member.get("status") in _INSIDE or (member.get("status") == "restricted" and member.get("is_member") is True)


def _is_mute(member: Row) -> bool:
    return member.get("status") == "restricted" and member.get("can_send_messages") is False


def _role(member: Row) -> str:
    return _ROLES.get(text_of(member.get("status")), "member")


def _until_ms(member: Row) -> int | None:
    """Return the end of a restriction; the platform writes 0 for one without end."""
    until_s = member.get("until_date")
    return until_s * 1000 if isinstance(until_s, int) and until_s > 0 else None


def _key(chat: Chat, kind: str, subject: Party, ts_ms: int) -> str:
    return chat.native(kind, subject.platform_id, str(ts_ms))
