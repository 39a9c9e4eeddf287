"""Show the engine what happened: an event with its place in the journal, its group and its people.

The runtime resolves platform ids to ours; the engine never looks anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from qunce.domain.events import Event, MemberUpdated, MessageCreated, MessageEdited
from qunce.domain.ids import GroupId, IdentityId, MemberId
from qunce.engine.text.views import Views, views_of


class Other(NamedTuple):
    """A further account of a person."""

    platform_id: str
    links: tuple[str, ...] = ()
    """Ids of the links that lead to it from the account of the happening, one after the other."""


NO_OTHERS: Final[Mapping[IdentityId, Other]] = MappingProxyType({})
_TEXT_BODIES = (MessageCreated, MessageEdited)


class Happening:
    """One event as the engine sees it. Equal inputs give equal views, so it may be shared between areas."""

    __slots__ = ("_views", "actor", "event", "group", "others", "person", "received_ms", "seq", "subject")

    def __init__(
        self,
        seq: int,
        event: Event,
        *,
        group: GroupId | None = None,
        actor: IdentityId | None = None,
        subject: IdentityId | None = None,
        received_ms: int | None = None,
        others: Mapping[IdentityId, Other] = NO_OTHERS,
    ) -> None:
        """`seq` is the journal position. None for `group` = the event concerns no group; for people = the event names none.

        `received_ms` is when we learnt of it, None = unknown; only delays are told by it, nothing is decided.
        `others` are the further accounts of `person`, by links that stand when the engine is asked.
        """
        self.seq = seq
        self.event = event
        self.group = group
        self.actor = actor
        self.subject = subject
        self.person = subject if subject is not None else actor
        """Whom the event is about: its subject where there is one, else its actor."""
        self.received_ms = received_ms
        self.others = others
        self._views: Views | None = None

    @property
    def text(self) -> str:
        """What people read: a message's text and, a line each, the titles in its other parts; or the name of who joined."""
        body = self.event.body
        if isinstance(body, _TEXT_BODIES):
            if not body.content:
                return body.text
            titles = [part.text or part.name for part in body.content if part.type != "text"]
            return "\n".join([body.text, *(title for title in titles if title and title not in body.text)])
        if isinstance(body, MemberUpdated):
            return body.new or ""
        person = self.event.subject or self.event.actor
        return (person.name if person else None) or ""

    @property
    def views(self) -> Views:
        """The views of `text`."""
        if self._views is None:
            self._views = views_of(self.text)
        return self._views

    @property
    def accounts(self) -> tuple[IdentityId, ...]:
        """All accounts of `person`, the one of this event first; empty where there is no person."""
        person = self.person
        return () if person is None else (person, *self.others)

    @property
    def member(self) -> MemberId | None:
        """The member `person` belongs to: the smallest of the accounts' ids."""
        accounts = self.accounts
        return MemberId(min(accounts)) if accounts else None

    @property
    def person_name(self) -> str:
        """The name of that person as the event tells it; their platform id when it tells none."""
        party = self.event.subject or self.event.actor
        return (party.name or party.platform_id) if party else ""
