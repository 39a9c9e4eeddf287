"""Turn the lines of one connection into events.

A person is who had the nick at joining: changing the nick keeps the person, for as long as both are on line with us. Lines have
no ids, so the key of a happening is a fingerprint of it and the moment it came in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from qunce.connectors.cleaning import live_event
from qunce.connectors.irc.lines import Line, plain
from qunce.connectors.rows import Chat
from qunce.domain.events import (
    AnyBody,
    Conv,
    Event,
    GroupUpdated,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    Part,
    Party,
    Source,
)

KIND: Final = "irc"
CHANNEL: Final = "#&+!"
_KEPT: Final = 10_000
"""So many conversations are remembered; everybody may write to us."""
_WITH_WORD: Final = "ovhaqbeI"
"""Modes that are followed by a nick or a mask, whether set or lifted."""
_ACTION: Final = "\x01ACTION "


class Reader:
    """Knows who is in which channel."""

    def __init__(self, source: Source, nick: str) -> None:
        self.nick = nick
        self._source = source
        self._chats: dict[str, Chat] = {}
        self._people: dict[str, str] = {}
        self._inside: dict[str, set[str]] = {}
        self.hosts: dict[str, str] = {}
        """Host by nick in lower case, as last seen."""
        self._readers: dict[str, Callable[[Line, int], list[Event]]] = {
            "PRIVMSG": self._said,
            "NOTICE": self._said,
            "JOIN": self._joined,
            "PART": self._parted,
            "KICK": self._kicked,
            "QUIT": self._quit,
            "NICK": self._renamed,
            "TOPIC": self._topic,
            "MODE": self._mode,
            "353": self._names,
        }

    def read(self, line: Line, now_ms: int) -> tuple[Event, ...]:
        """Return the events of one line; most lines tell nothing."""
        read = self._readers.get(line.command)
        if read is None:
            return ()
        if line.host:
            self.hosts[line.nick.lower()] = line.host
        try:
            found = read(line, now_ms)
        except (IndexError, ValueError):  # fewer words than the protocol says
            return ()
        return tuple(event for event in (live_event(event, now_ms) for event in found) if event)

    def nick_of(self, member_id: str) -> str:
        """Return the nick somebody goes by now."""
        return next((nick for nick, person in self._people.items() if person == member_id), member_id)

    def is_inside(self, channel: str, nick: str) -> bool:
        """Tell whether somebody is in a channel."""
        return nick.lower() in self._inside.get(channel.lower(), ())

    def chat(self, name: str) -> Chat:
        """Return the conversation of a channel, or with a person."""
        kind: Final = "group" if name[:1] in CHANNEL else "direct"
        key = name.lower()
        if key not in self._chats:
            if len(self._chats) >= _KEPT:
                self._chats.clear()
            self._chats[key] = Chat(self._source, Conv(platform_id=key, kind=kind, name=name), "reported")
        return self._chats[key]

    def _party(self, nick: str) -> Party:
        person = self._people.get(nick.lower(), nick.lower())
        return Party(platform_id=person, name=nick, kind="bot" if nick.lower() == self.nick.lower() else "unknown")

    def _said(self, line: Line, now_ms: int) -> list[Event]:
        target, text = line.params[0].lstrip("@+%"), line.params[1]
        if not line.host or target == "*":
            return []  # the server itself
        parts: tuple[Part, ...] = ()
        if text.startswith(_ACTION):
            text = f"* {line.nick} {text.removeprefix(_ACTION).rstrip(chr(1))}"
        elif text.startswith("\x01"):
            return []  # a client asking another for its version and the like
        chat = self.chat(target if target[:1] in CHANNEL else line.nick)
        return [chat.message(now_ms, self._party(line.nick), None, plain(text), parts)]

    def _joined(self, line: Line, now_ms: int) -> list[Event]:
        told = []
        for channel in line.params[0].split(","):
            self._enter(channel, line.nick)
            told.append(self._happening(channel, now_ms, MemberJoined(scene="self"), line.nick, "join"))
        return told

    def _names(self, line: Line, now_ms: int) -> list[Event]:
        """Read who was there before us; that is new to us, though nobody came now."""
        channel, told = line.params[2], []
        for word in line.params[3].split():
            nick = word.lstrip("~&@%+")
            if nick and not self.is_inside(channel, nick):
                self._enter(channel, nick)
                event = self._happening(channel, now_ms, MemberJoined(), nick, "join")
                told.append(replace(event, confidence="derived"))
            if word[:1] in "~&@" and nick:
                told.append(self._happening(channel, now_ms, MemberUpdated(field="role", new="admin"), nick, "role"))
        return told

    def _parted(self, line: Line, now_ms: int) -> list[Event]:
        told = []
        for channel in line.params[0].split(","):
            told.append(self._happening(channel, now_ms, MemberLeft(reason="left"), line.nick, "leave"))
            self._leave(channel, line.nick)
        return told

    def _kicked(self, line: Line, now_ms: int) -> list[Event]:
        channel, nick = line.params[0], line.params[1]
        event = self._happening(channel, now_ms, MemberLeft(reason="kicked"), nick, "leave", by=line.nick)
        self._leave(channel, nick)
        return [event]

    def _quit(self, line: Line, now_ms: int) -> list[Event]:
        """Going off line is leaving every channel; coming back is joining again."""
        told = []
        for channel in [name for name in sorted(self._inside) if self.is_inside(name, line.nick)]:
            told.append(self._happening(channel, now_ms, MemberLeft(reason="left"), line.nick, "leave"))
            self._leave(channel, line.nick)
        return told

    def _renamed(self, line: Line, now_ms: int) -> list[Event]:
        old, new = line.nick, line.params[0]
        told = []
        for channel in [name for name in sorted(self._inside) if self.is_inside(name, old)]:
            body = MemberUpdated(field="nickname", old=old, new=new)
            event = self._happening(channel, now_ms, body, old, "nick")
            told.append(event)
        self._rename(old, new)
        return told

    def _topic(self, line: Line, now_ms: int) -> list[Event]:
        body = GroupUpdated(field="notice", new=plain(line.params[1]))
        chat = self.chat(line.params[0])
        return [self._own(chat.event(now_ms, body, chat.fingerprint(now_ms, line.nick, "topic"), actor=self._party(line.nick)))]

    def _mode(self, line: Line, now_ms: int) -> list[Event]:
        """Read who was made operator, or is none any more; other modes take their words and tell nothing."""
        channel, told, sign = line.params[0], [], "+"
        words = iter(line.params[2:])
        if channel[:1] not in CHANNEL:
            return []
        for mode in line.params[1]:
            if mode in "+-":
                sign = mode
            elif mode in _WITH_WORD or (mode in "lk" and sign == "+"):
                nick = next(words, "")
                if mode == "o" and nick:
                    role = MemberUpdated(field="role", new="admin" if sign == "+" else "member")
                    told.append(self._happening(channel, now_ms, role, nick, "role", by=line.nick))
        return told

    def _happening(self, channel: str, now_ms: int, body: AnyBody, nick: str, kind: str, *, by: str | None = None) -> Event:
        chat, subject = self.chat(channel), self._party(nick)
        actor = self._party(by) if by else None
        key = chat.fingerprint(now_ms, subject.platform_id, kind)
        return self._own(chat.event(now_ms, body, key, actor=actor, subject=subject))

    def _own(self, event: Event) -> Event:
        """Mark what this bot did itself."""
        if event.actor is None or event.actor.kind != "bot":
            return event
        return replace(event, source=replace(event.source, origin="self"))

    def _enter(self, channel: str, nick: str) -> None:
        key = nick.lower()
        if key not in self._people:
            taken = key in self._people.values()  # by somebody who goes by another nick meanwhile
            self._people[key] = f"{key}!{self.hosts.get(key, '')}" if taken else key
        self._inside.setdefault(channel.lower(), set()).add(key)

    def _leave(self, channel: str, nick: str) -> None:
        key = nick.lower()
        self._inside.get(channel.lower(), set()).discard(key)
        if key == self.nick.lower():
            self._inside.pop(channel.lower(), None)
        if not any(key in people for people in self._inside.values()):
            self._people.pop(key, None)

    def _rename(self, old: str, new: str) -> None:
        before, after = old.lower(), new.lower()
        if before == self.nick.lower():
            self.nick = new
        for people in self._inside.values():
            if before in people:
                people.discard(before)
                people.add(after)
        if before in self._people:
            self._people[after] = self._people.pop(before)
        if before in self.hosts:
            self.hosts[after] = self.hosts[before]
