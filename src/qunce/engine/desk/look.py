"""See one message as the desk needs it: who speaks, to whom, and whose matter it touches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from qunce.domain.events import Event, MessageCreated, Party
from qunce.domain.ids import IdentityId
from qunce.engine.desk.fold import staff_key
from qunce.engine.desk.program import Clock, DeskProgram
from qunce.engine.desk.state import GroupDesk, State, Thread
from qunce.engine.happening import Happening

Side = Literal["staff", "member", "other"]
"""`other` = bots, house personas and systems: they neither ask nor answer."""
EVERYBODY: Final = "@all"
_CALLED: Final = re.compile(r"@(\S{1,40})")
_MAX_NAME: Final = 20
_NEITHER: Final = frozenset({"bot", "house_persona", "system"})


class Look:
    """One happening in its group, with the rule that holds there."""

    __slots__ = ("clock", "event", "group", "happening", "now_ms", "program", "state", "threads", "ts_ms")

    def __init__(
        self, state: State, group: GroupDesk, happening: Happening, program: DeskProgram, clock: Clock, now_ms: int
    ) -> None:
        self.state = state
        self.group = group
        self.happening = happening
        self.event: Event = happening.event
        self.ts_ms = happening.event.ts_ms
        self.program = program
        self.clock = clock
        self.now_ms = now_ms
        self.threads: dict[IdentityId, Thread] = group.threads
        """The threads after the moments that passed before this happening; replaced, never changed."""

    def side(self, person: IdentityId, party: Party | None = None) -> Side:
        """Return on which side of the desk a person is."""
        return side_of(self.state, self.group, self.program, self.clock, person, party)

    def is_peer(self, person: IdentityId, party: Party | None) -> bool:
        """Tell whether a member is one whose answers count as informed."""
        return person in self.state.peers or (party is not None and party.platform_id in self.clock.peer_members)

    def waiting(self, person: IdentityId | None) -> Thread | None:
        """Return a person's thread if a clock runs in it."""
        thread = self.threads.get(person) if person is not None else None
        return thread if thread is not None and thread.waits else None

    def talk(self, person: IdentityId) -> Thread | None:
        """Return a person's answered thread while it takes follow-ups."""
        thread = self.threads.get(person)
        return thread if thread is not None and not thread.waits and thread.timer_ms >= self.ts_ms else None


def side_of(
    state: State, group: GroupDesk, program: DeskProgram, clock: Clock, person: IdentityId, party: Party | None
) -> Side:
    """Return on which side of the desk a person is. The playbook's rosters and roles count beside flags."""
    kind = state.kinds.get(person) or (party.kind if party is not None else "unknown")
    if kind == "staff" or (party is not None and party.platform_id in program.staff):
        return "other" if kind in _NEITHER else "staff"
    if kind in _NEITHER:
        return "other"
    return "staff" if clock.staff_roles and group.roles.get(person) in clock.staff_roles else "member"


class Address:
    """To whom a message is said. People that are named but not known count as members."""

    __slots__ = ("everybody", "people", "replies", "to_member", "to_staff")

    def __init__(self, look: Look, body: MessageCreated, speaker: IdentityId) -> None:
        self.to_staff = self.to_member = self.everybody = False
        self.replies = body.reply_to is not None
        people: list[IdentityId] = []
        if body.reply_to is not None:
            author = _author(look, body.reply_to)
            if author is not None and author != speaker:
                self._add(look, people, author)
        for name in body.mentions:
            self._mention(look, people, name)
        if not body.mentions and "@" in body.text:
            for name in _called(body.text):
                self._call(look, people, name)
        self.people = tuple(dict.fromkeys(people))

    def _add(self, look: Look, people: list[IdentityId], person: IdentityId) -> None:
        people.append(person)
        side = look.side(person)
        if side == "staff":
            self.to_staff = True
        elif side == "member":
            self.to_member = True

    def _mention(self, look: Look, people: list[IdentityId], name: str) -> None:
        if name == EVERYBODY:
            self.everybody = True
            return
        if name in look.program.staff or staff_key(look.event, name) in look.state.staff or f"@{name}" in look.clock.brands:
            self.to_staff = True
        elif name in look.group.speakers:
            self._add(look, people, look.group.speakers[name])
        else:
            self.to_member = True

    def _call(self, look: Look, people: list[IdentityId], called: str) -> None:
        """Read a name after @ in plain text; the text may go on without a space."""
        if called.startswith(("所有人", "all ", "全体成员")) or called == "all":
            self.everybody = True
            return
        for size in range(min(len(called), _MAX_NAME), 0, -1):
            name = f"@{called[:size]}"
            if name in look.clock.brands or name in look.state.staff:
                self.to_staff = True
                return
            if name in look.group.speakers:
                self._add(look, people, look.group.speakers[name])
                return
        self.to_member = True


def _author(look: Look, message_id: str) -> IdentityId | None:
    """Return who wrote a message; those who wait are known however long ago they asked."""
    author = look.group.authors.get(message_id)
    if author is not None or not look.threads:
        return author
    return next((thread.person for thread in look.threads.values() if message_id in thread.lines), None)


def _called(text: str) -> Iterator[str]:
    return (match[1] for match in _CALLED.finditer(text[:400]))
