"""Turn what a OneBot 11 implementation reports into events. Pure.

Source: botuniverse/onebot-11 `event/*.md`. Message ids are small integers that are unique only together with the group.
Direct conversations are named `private:<qq>`, because the numbers of people and groups overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from qunce.connectors.cleaning import live_event
from qunce.connectors.onebot11.message import Said
from qunce.connectors.rows import Chat, Row, bad_time, count_of, no_sender, read_each, text_of
from qunce.domain.events import (
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MemberRequested,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    MessageDeleted,
    Part,
    Party,
    Source,
)

KIND: Final = "onebot11"
PRIVATE: Final = "private:"
_LEFT: Final = {"leave": "left", "kick": "kicked", "kick_me": "kicked"}


def read_reports(rows: Iterable[Row], source: Source, now_ms: int) -> tuple[Event, ...]:
    """Return the events of some reports, in their order."""
    found = (live_event(event, now_ms) for event in read_each(rows, lambda row: read_report(row, source), KIND))
    return tuple(event for event in found if event)


def read_report(row: Row, source: Source) -> list[Event]:
    """Return the events of one report; heartbeats, pokes and unknown types tell nothing."""
    post_type = text_of(row.get("post_type"))
    if post_type not in ("message", "message_sent", "notice", "request"):
        return []
    if not isinstance(row.get("time"), int):
        raise bad_time(row.get("time"))
    us = text_of(row.get("self_id"))
    chat = _chat(row, source, us)
    if chat is None:
        return []
    ts_ms: int = row["time"] * 1000
    if post_type in ("message", "message_sent"):
        told = _message(chat, ts_ms, row)
    elif post_type == "notice":
        told = _notice(chat, ts_ms, row)
    else:
        told = _request(chat, ts_ms, row)
    return [_own(event, us) for event in told]


def _chat(row: Row, source: Source, us: str) -> Chat | None:
    """Return the conversation, or None where a report is about none (friends)."""
    if group := text_of(row.get("group_id")):
        return Chat(source, Conv(platform_id=group, name=text_of(row.get("group_name")) or None), "reported")
    person = text_of(row.get("user_id"))
    if row.get("message_type") != "private" or not person:
        return None
    if person == us:
        person = text_of(row.get("target_id")) or person  # what we wrote from another device
    return Chat(source, Conv(platform_id=PRIVATE + person, kind="direct"), "reported")


def _message(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    sender: Row = found if isinstance(found := row.get("sender"), dict) else {}
    person = text_of(row.get("user_id"))
    if not person:
        raise no_sender()
    message = row.get("message")
    said = Said(message if message is not None else row.get("raw_message"))
    name = text_of(sender.get("card")) or text_of(sender.get("nickname")) or None
    actor = Party(platform_id=person, name=name)
    message_id = text_of(row.get("message_id")) or None
    parts = (*said.parts, Part(type="system")) if row.get("sub_type") == "notice" else said.parts
    return [
        chat.message(ts_ms, actor, message_id, said.text, parts, reply_to=said.reply_to, mentions=said.mentions),
    ]


def _notice(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    kind, what = text_of(row.get("notice_type")), text_of(row.get("sub_type"))
    subject = Party(platform_id=text_of(row.get("user_id")))
    operator = text_of(row.get("operator_id"))
    actor = Party(platform_id=operator) if operator not in ("", "0", subject.platform_id) else None

    def key(family: str) -> str:
        return chat.native(family, subject.platform_id, str(ts_ms))

    if kind == "group_increase":
        scene: Final = "invited" if what == "invite" else "approved" if actor else "unknown"
        inviter = operator if scene == "invited" and actor else None
        return [chat.event(ts_ms, MemberJoined(scene=scene, inviter=inviter), key("join"), actor=actor, subject=subject)]
    if kind == "group_decrease":
        reason: Final = "left" if what == "leave" else "kicked" if what in ("kick", "kick_me") else "unknown"
        return [chat.event(ts_ms, MemberLeft(reason=reason), key("leave"), actor=actor, subject=subject)]
    if kind == "group_ban" and subject.platform_id not in ("", "0"):  # 0 = the whole group
        duration_s = count_of(row.get("duration")) or 0
        body = MemberUnrestricted() if what == "lift_ban" else MemberRestricted(until_ms=ts_ms + duration_s * 1000)
        return [chat.event(ts_ms, body, key("restrict"), actor=actor, subject=subject)]
    if kind == "group_admin":
        role = MemberUpdated(field="role", new="admin" if what == "set" else "member")
        return [chat.event(ts_ms, role, key("role"), subject=subject)]
    if kind == "group_card":
        card = MemberUpdated(field="card", old=text_of(row.get("card_old")), new=text_of(row.get("card_new")))
        return [chat.event(ts_ms, card, key("card"), subject=subject)]
    return _message_notice(chat, ts_ms, row, kind, subject, operator)


def _message_notice(chat: Chat, ts_ms: int, row: Row, kind: str, subject: Party, operator: str) -> list[Event]:
    if kind == "group_recall":
        message_id = text_of(row["message_id"])
        by: Final = "author" if operator == subject.platform_id else "moderator" if operator else "unknown"
        actor = Party(platform_id=operator) if operator else None
        deleted = MessageDeleted(message_id=message_id, by=by)
        return [chat.event(ts_ms, deleted, chat.native("delete", message_id), actor=actor)]
    if kind == "group_upload" and isinstance(file := row.get("file"), dict):
        part = Part(type="file", name=text_of(file.get("name")) or None, size_bytes=count_of(file.get("size")))
        return [chat.message(ts_ms, subject, f"file:{text_of(file.get('id'))}", "", (part,))]
    return []


def _request(chat: Chat, ts_ms: int, row: Row) -> list[Event]:
    """Return a request to join a group; an invitation of our own account is the operators' to answer."""
    flag = text_of(row.get("flag"))
    if row.get("request_type") != "group" or row.get("sub_type") != "add" or not flag:
        return []
    subject = Party(platform_id=text_of(row.get("user_id")))
    body = MemberRequested(request_ref=flag, comment=text_of(row.get("comment")))
    return [chat.event(ts_ms, body, chat.native("request", flag), subject=subject)]


def _own(event: Event, us: str) -> Event:
    """Mark what this account did itself."""
    if not us or event.actor is None or event.actor.platform_id != us:
        return event
    return replace(event, source=replace(event.source, origin="self"), actor=replace(event.actor, kind="bot"))
