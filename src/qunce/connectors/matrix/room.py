"""Turn the events of one Matrix room into ours: messages, edits, redactions, reactions and changes of membership."""

from __future__ import annotations

from typing import Any, Final

from qunce.connectors.rows import BadRow, Chat, Row, bad_time, count_of, no_sender, text_of
from qunce.domain.events import (
    Conv,
    Event,
    GroupCreated,
    GroupDismissed,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRequested,
    MemberUpdated,
    MessageDeleted,
    MessageEdited,
    Part,
    PartType,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Source,
)

SOURCE: Final = Source(connector="matrix")

_MEDIA: Final[dict[str, PartType]] = {
    "m.image": "image",
    "m.video": "video",
    "m.audio": "voice",
    "m.file": "file",
    "m.location": "location",
    "m.sticker": "sticker",
}
_IN: Final = frozenset({"", "join"})
"""Who was a member before. A person the log has not named yet came before it begins."""
_KEPT: Final = 200_000
"""So many reactions and redacted events are remembered, to know a withdrawn reaction from a deleted message."""


class RoomReader:
    """Reads the events of one room in their order; knows who is in it and what was a reaction."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._chat = Chat(SOURCE, Conv(platform_id=name, name=name))
        self._names: dict[str, str] = {}
        self._memberships: dict[str, str] = {}
        self._reactions: dict[str, tuple[str, str]] = {}
        self._settled: set[str] = set()

    def read(self, row: Row) -> list[Event]:
        """Return the events of one room event."""
        ts_ms, event_id = row.get("origin_server_ts"), text_of(row.get("event_id"))
        if not isinstance(ts_ms, int):
            raise bad_time(ts_ms)
        if not event_id:
            raise BadRow("bad_row", "The room event has no event_id.", "Export the room again.")
        sender = self._party(text_of(row.get("sender")))
        self._follow_room(row)
        content = row.get("content")
        content = content if isinstance(content, dict) else {}
        kind = text_of(row.get("type"))
        if kind in ("m.room.message", "m.sticker", "m.room.encrypted", "m.poll.start", "org.matrix.msc3381.poll.start"):
            return [*self._message(kind, content, ts_ms, event_id, sender), *self._redacted(row, event_id, sender)]
        if kind == "m.reaction":
            return self._reaction(content, ts_ms, event_id, sender)
        if kind == "m.room.redaction":
            return self._redaction(row, content, ts_ms, event_id, sender)
        if kind == "m.room.member":
            return self._member(row, content, ts_ms, event_id, sender)
        return self._room(kind, row, content, ts_ms, event_id, sender)

    def _follow_room(self, row: Row) -> None:
        """Element's events say their room; raw lines may not, then the file's name stands for it."""
        room = text_of(row.get("room_id"))
        if room and room != self._chat.conv.platform_id:
            self._chat = Chat(SOURCE, Conv(platform_id=room, name=self._name))

    def _party(self, platform_id: str) -> Party:
        if not platform_id:
            raise no_sender()
        return Party(platform_id=platform_id, name=self._names.get(platform_id))

    def _message(self, kind: str, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        relation = content.get("m.relates_to")
        relation = relation if isinstance(relation, dict) else {}
        if relation.get("rel_type") == "m.replace" and isinstance(content.get("m.new_content"), dict):
            return [self._edit(relation, content["m.new_content"], ts_ms, event_id, sender)]
        text, parts = _content(kind, content)
        reply = relation.get("m.in_reply_to")
        reply_to = text_of(reply.get("event_id")) or None if isinstance(reply, dict) else None
        if reply_to:
            text = _without_quote(text)
        mentioned = content.get("m.mentions")
        return [
            self._chat.message(ts_ms, sender, event_id, text, parts, reply_to=reply_to, mentions=_mentions(mentioned)),
        ]

    def _edit(self, relation: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> Event:
        text, parts = _content("m.room.message", content)
        body = MessageEdited(message_id=text_of(relation["event_id"]), text=text, content=parts)
        return self._chat.event(ts_ms, body, self._chat.native("edit", event_id), actor=sender)

    def _reaction(self, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        relation = content.get("m.relates_to")
        target, emoji = (text_of(relation.get(k)) for k in ("event_id", "key")) if isinstance(relation, dict) else ("", "")
        if not target or not emoji:
            self._settle(event_id)
            return []  # withdrawn before the export: what it was is gone
        if len(self._reactions) >= _KEPT:
            self._reactions.clear()
        self._reactions[event_id] = (target, emoji)
        key = self._chat.native("reaction", event_id)
        return [self._chat.event(ts_ms, ReactionAdded(message_id=target, emoji=emoji), key, actor=sender)]

    def _redaction(self, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        target = text_of(row.get("redacts")) or text_of(content.get("redacts"))
        if not target or target in self._settled:
            return []
        key = self._chat.native("delete", event_id)
        if target in self._reactions:
            message_id, emoji = self._reactions.pop(target)
            return [self._chat.event(ts_ms, ReactionRemoved(message_id=message_id, emoji=emoji), key, actor=sender)]
        body = MessageDeleted(message_id=target, reason=text_of(content.get("reason")) or None)
        return [self._chat.event(ts_ms, body, key, actor=sender)]

    def _redacted(self, row: Row, event_id: str, sender: Party) -> list[Event]:
        """Return the deletion that a message itself tells of; the redaction, if it comes too, then tells nothing new."""
        holders = (row, row.get("unsigned"))
        because = next((h["redacted_because"] for h in holders if isinstance(h, dict) and "redacted_because" in h), None)
        if not isinstance(because, dict) or not isinstance(because.get("origin_server_ts"), int):
            return []
        self._settle(event_id)
        actor = self._party(text_of(because.get("sender")))
        reason = because["content"].get("reason") if isinstance(because.get("content"), dict) else None
        by: Final = "author" if actor.platform_id == sender.platform_id else "moderator"
        body = MessageDeleted(message_id=event_id, by=by, reason=text_of(reason) or None)
        key = self._chat.native("delete", text_of(because.get("event_id")))
        return [self._chat.event(because["origin_server_ts"], body, key, actor=actor)]

    def _settle(self, event_id: str) -> None:
        if len(self._settled) >= _KEPT:
            self._settled.clear()
        self._settled.add(event_id)

    def _member(self, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        person, new = text_of(row.get("state_key")), text_of(content.get("membership"))
        if not person:
            raise no_sender()
        old, old_name = self._memberships.get(person) or _previous(row), self._names.get(person)
        name = text_of(content.get("displayname"))
        if name:
            self._names[person] = name
        self._memberships[person] = new
        subject = Party(platform_id=person, name=name or old_name)
        actor = sender if sender.platform_id != person else None
        if new == "join" and old == "join":
            if not name or not old_name or name == old_name:
                return []
            body = MemberUpdated(field="nickname", old=old_name, new=name)
            return [self._chat.event(ts_ms, body, self._chat.native("update", event_id), subject=subject)]
        if new == "join":
            joined = MemberJoined(scene="invited" if old == "invite" else "self")
            return [self._chat.event(ts_ms, joined, self._chat.native("join", event_id), subject=subject)]
        if new in ("leave", "ban"):
            return self._leave(content, ts_ms, event_id, actor, subject, was_in=old in _IN, is_ban=new == "ban")
        if new == "knock":
            request = MemberRequested(request_ref=event_id, comment=text_of(content.get("reason")))
            return [self._chat.event(ts_ms, request, self._chat.native("request", event_id), subject=subject)]
        return []

    def _leave(
        self, content: Row, ts_ms: int, event_id: str, actor: Party | None, subject: Party, *, was_in: bool, is_ban: bool
    ) -> list[Event]:
        if not was_in:
            return []  # an invitation declined, a ban lifted, a ban of one who had left: nobody goes
        body = MemberLeft(reason="banned" if is_ban else "kicked" if actor else "left")
        return [self._chat.event(ts_ms, body, self._chat.native("leave", event_id), actor=actor, subject=subject)]

    def _room(self, kind: str, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        key = self._chat.native("update", event_id)
        if kind == "m.room.create":
            return [self._chat.event(ts_ms, GroupCreated(), key, actor=sender)]
        if kind == "m.room.tombstone":
            return [self._chat.event(ts_ms, GroupDismissed(), key, actor=sender)]
        if kind == "m.room.name":
            self._name = text_of(content.get("name")) or self._name
            self._chat = Chat(SOURCE, Conv(platform_id=self._chat.conv.platform_id, name=self._name))
            return [self._chat.event(ts_ms, GroupUpdated(field="name", new=self._name), key, actor=sender)]
        if kind == "m.room.topic":
            return [self._chat.event(ts_ms, GroupUpdated(field="notice", new=text_of(content.get("topic"))), key, actor=sender)]
        if kind == "m.room.avatar":
            return [self._chat.event(ts_ms, GroupUpdated(field="avatar"), key, actor=sender)]
        return []  # power levels, aliases, widgets: settings of the room that no screen shows


def _previous(row: Row) -> str:
    """Return the membership before, where the event itself tells."""
    for holder in (row.get("unsigned"), row):
        if isinstance(holder, dict) and isinstance(previous := holder.get("prev_content"), dict):
            return text_of(previous.get("membership"))
    return ""


def _content(kind: str, content: Row) -> tuple[str, tuple[Part, ...]]:
    if kind == "m.room.encrypted":
        return "", (Part(type="other", text="encrypted"),)
    msgtype = "m.sticker" if kind == "m.sticker" else text_of(content.get("msgtype"))
    body = text_of(content.get("body"))
    if msgtype in _MEDIA:
        return _media(_MEDIA[msgtype], body, content)
    if "poll" in kind:
        poll = content.get("m.poll") or content.get("org.matrix.msc3381.poll.start") or {}
        question = poll.get("question") or {}
        asked = text_of(question.get("m.text")) or text_of(question.get("org.matrix.msc1767.text")) or body
        return "", (Part(type="poll", text=asked or None),)
    return body, ()


def _media(kind: PartType, body: str, content: Row) -> tuple[str, tuple[Part, ...]]:
    """Return caption and part: the body is the caption where a file name stands beside it, else it is the name."""
    info: Any = content.get("info") if isinstance(content.get("info"), dict) else {}
    name = text_of(content.get("filename"))
    duration_ms = count_of(info.get("duration"))
    part = Part(
        type=kind,
        name=name or body or None,
        size_bytes=count_of(info.get("size")),
        duration_s=duration_ms / 1000 if duration_ms is not None else None,
    )
    return (body if name and name != body else ""), (part,)


def _without_quote(text: str) -> str:
    """Take away the quoted message that older clients put before a reply."""
    if not text.startswith("> "):
        return text
    quote, blank, rest = text.partition("\n\n")
    return rest if blank and all(line.startswith(">") for line in quote.split("\n")) else text


def _mentions(mentioned: object) -> tuple[str, ...]:
    if not isinstance(mentioned, dict):
        return ()
    ids = [text_of(item) for item in mentioned.get("user_ids") or ()]
    if mentioned.get("room") is True:
        ids.append("@all")
    return tuple(dict.fromkeys(filter(None, ids)))
