"""Turn the events of one Matrix room into ours: messages, edits, redactions, reactions and changes of membership."""

from __future__ import annotations

from typing import Final

from qunce.connectors.matrix.content import content_of, mentions_of, without_quote
from qunce.connectors.matrix.power import changes, creators, previous_content
from qunce.connectors.rows import BadRow, Chat, Row, bad_time, no_sender, text_of
from qunce.domain.events import (
    Confidence,
    Conv,
    ConvKind,
    Event,
    GroupCreated,
    GroupDismissed,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberRequested,
    MemberRestricted,
    MemberUnrestricted,
    MemberUpdated,
    MessageDeleted,
    MessageEdited,
    Party,
    ReactionAdded,
    ReactionRemoved,
    Source,
)

SOURCE: Final = Source(connector="matrix")

_IN: Final = frozenset({"", "join"})
"""Who was a member before. A person the log has not named yet came before it begins."""
_KEPT: Final = 200_000
"""So many reactions and redacted events are remembered, to know a withdrawn reaction from a deleted message."""


class RoomReader:
    """Reads the events of one room in their order; knows who is in it and what was a reaction."""

    def __init__(self, name: str | None, room_id: str | None = None, *, source: Source = SOURCE, is_live: bool = False) -> None:
        """`name` as known so far; None = not yet. `room_id` where the events do not say it."""
        self._name = name
        self._source = source
        self._confidence: Confidence = "reported" if is_live else "imported"
        self._kind: ConvKind = "group"
        self._chat = self._chat_of(room_id or name or "")
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

    def learn(self, row: Row) -> None:
        """Take names from an event that is known already."""
        content = row.get("content")
        if not isinstance(content, dict):
            return
        if row.get("type") == "m.room.member" and (name := text_of(content.get("displayname"))):
            self._names[text_of(row.get("state_key"))] = name
        elif row.get("type") == "m.room.name" and (name := text_of(content.get("name"))):
            self._rename(name)

    def make_direct(self) -> None:
        """Take the room for a conversation of two."""
        self._kind = "direct"
        self._chat = self._chat_of(self._chat.conv.platform_id)

    def _chat_of(self, room_id: str) -> Chat:
        return Chat(self._source, Conv(platform_id=room_id, name=self._name, kind=self._kind), self._confidence)

    def _rename(self, name: str) -> None:
        self._name = name
        self._chat = self._chat_of(self._chat.conv.platform_id)

    def _follow_room(self, row: Row) -> None:
        """Element's events say their room; raw lines may not, then the file's name stands for it."""
        room = text_of(row.get("room_id"))
        if room and room != self._chat.conv.platform_id:
            self._chat = self._chat_of(room)

    def _party(self, platform_id: str) -> Party:
        if not platform_id:
            raise no_sender()
        return Party(platform_id=platform_id, name=self._names.get(platform_id))

    def _message(self, kind: str, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        relation = content.get("m.relates_to")
        relation = relation if isinstance(relation, dict) else {}
        if relation.get("rel_type") == "m.replace" and isinstance(content.get("m.new_content"), dict):
            return [self._edit(relation, content["m.new_content"], ts_ms, event_id, sender)]
        text, parts = content_of(kind, content)
        reply = relation.get("m.in_reply_to")
        reply_to = text_of(reply.get("event_id")) or None if isinstance(reply, dict) else None
        if reply_to:
            text = without_quote(text)
        mentioned = content.get("m.mentions")
        return [
            self._chat.message(ts_ms, sender, event_id, text, parts, reply_to=reply_to, mentions=mentions_of(mentioned)),
        ]

    def _edit(self, relation: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> Event:
        text, parts = content_of("m.room.message", content)
        body = MessageEdited(message_id=text_of(relation["event_id"]), text=text, content=parts)
        return self._chat.event(ts_ms, body, self._chat.native("edit", event_id), actor=sender)

    def _reaction(self, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        relation = content.get("m.relates_to")
        target, emoji = (text_of(relation.get(k)) for k in ("event_id", "key")) if isinstance(relation, dict) else ("", "")
        if not target or not emoji:
            self.settle(event_id)
            return []  # withdrawn before the export: what it was is gone
        if len(self._reactions) >= _KEPT:
            self._reactions.clear()
        self._reactions[event_id] = (target, emoji)
        key = self._chat.native("reaction", event_id)
        return [self._chat.event(ts_ms, ReactionAdded(message_id=target, emoji=emoji), key, actor=sender)]

    def _redaction(self, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        target = redacted_id(row)
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
        self.settle(event_id)
        actor = self._party(text_of(because.get("sender")))
        reason = because["content"].get("reason") if isinstance(because.get("content"), dict) else None
        by: Final = "author" if actor.platform_id == sender.platform_id else "moderator"
        body = MessageDeleted(message_id=event_id, by=by, reason=text_of(reason) or None)
        key = self._chat.native("delete", text_of(because.get("event_id")))
        return [self._chat.event(because["origin_server_ts"], body, key, actor=actor)]

    def settle(self, event_id: str) -> None:
        """Remember that a redaction of this event tells nothing new."""
        if len(self._settled) >= _KEPT:
            self._settled.clear()
        self._settled.add(event_id)

    def _member(self, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        person, new = text_of(row.get("state_key")), text_of(content.get("membership"))
        if not person:
            raise no_sender()
        old, old_name = _previous(row) or self._memberships.get(person), self._names.get(person)
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
            return self._leave(content, ts_ms, event_id, actor, subject, was_in=(old or "") in _IN, is_ban=new == "ban")
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
            created = self._chat.event(ts_ms, GroupCreated(), key, actor=sender)
            return [created, *(self._role(ts_ms, event_id, person, None, "owner") for person in creators(row, content))]
        if kind == "m.room.tombstone":
            return [self._chat.event(ts_ms, GroupDismissed(), key, actor=sender)]
        if kind == "m.room.name":
            self._rename(text_of(content.get("name")) or self._name or "")
            return [self._chat.event(ts_ms, GroupUpdated(field="name", new=self._name), key, actor=sender)]
        if kind == "m.room.topic":
            return [self._chat.event(ts_ms, GroupUpdated(field="notice", new=text_of(content.get("topic"))), key, actor=sender)]
        if kind == "m.room.avatar":
            return [self._chat.event(ts_ms, GroupUpdated(field="avatar"), key, actor=sender)]
        if kind == "m.room.power_levels":
            return self._powers(row, content, ts_ms, event_id, sender)
        return []  # aliases, widgets: settings of the room that no screen shows

    def _powers(self, row: Row, content: Row, ts_ms: int, event_id: str, sender: Party) -> list[Event]:
        """Return what a change of power levels means for people: a role, a mute, or its end."""
        told: list[Event] = []
        for change in changes(previous_content(row), content):
            subject = Party(platform_id=change.person, name=self._names.get(change.person))
            if change.is_mute is not None:
                body = MemberRestricted() if change.is_mute else MemberUnrestricted()
                key = self._chat.native("restrict", event_id, change.person)
                told.append(self._chat.event(ts_ms, body, key, actor=sender, subject=subject))
            if change.new_role != change.old_role:
                told.append(self._role(ts_ms, event_id, change.person, change.old_role, change.new_role, sender))
        return told

    def _role(self, ts_ms: int, event_id: str, person: str, old: str | None, new: str, actor: Party | None = None) -> Event:
        subject = Party(platform_id=person, name=self._names.get(person))
        key = self._chat.native("role", event_id, person)
        return self._chat.event(ts_ms, MemberUpdated(field="role", old=old, new=new), key, actor=actor, subject=subject)


def redacted_id(row: Row) -> str:
    """Return what a redaction is about: it stands in the content from room version 11 on, beside it before."""
    content = row.get("content")
    return text_of(row.get("redacts")) or (text_of(content.get("redacts")) if isinstance(content, dict) else "")


def _previous(row: Row) -> str:
    """Return the membership before, where the event itself tells."""
    return text_of(previous_content(row).get("membership"))
