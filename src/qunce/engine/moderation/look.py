"""Gather what a check may look at: the happening, the past of its group, and the finds in its text, each worked out once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from qunce.domain.events import MessageCreated, MessageEdited
from qunce.domain.ids import IdentityId
from qunce.engine.happening import Happening
from qunce.engine.learning.lessons import Learnt
from qunce.engine.moderation import links
from qunce.engine.moderation.state import GroupState, Person, Sent, State
from qunce.engine.text.phrases import Hit, Scanner
from qunce.engine.text.views import Views
from qunce.playbook.schema.checks import ModelName

NOBODY: Final = Person()


class Tools(NamedTuple):
    """What a program gives its checks."""

    scanner: Scanner
    blocklist: frozenset[str]
    """Platform ids on the playbook's own blocklist."""
    learnt: Mapping[ModelName, Learnt]
    """What the models have learnt here, by name; a model that is not in it judges as shipped."""


class Look:
    """One happening, as all the rules see it."""

    __slots__ = (
        "_hits",
        "_links",
        "group",
        "happening",
        "message",
        "parts",
        "person",
        "person_id",
        "state",
        "tools",
        "ts_ms",
    )

    def __init__(self, state: State, group: GroupState, happening: Happening, tools: Tools) -> None:
        self.state = state
        self.group = group
        self.happening = happening
        self.tools = tools
        self.ts_ms = happening.event.ts_ms
        body = happening.event.body
        self.message = body if isinstance(body, MessageCreated) else None
        self.parts = body.content if isinstance(body, MessageCreated | MessageEdited) else ()
        self.person_id = happening.person
        self.person = group.people.get(self.person_id, NOBODY) if self.person_id is not None else NOBODY
        self._hits: dict[str, list[Hit]] | None = None
        self._links: list[links.Link] | None = None

    @property
    def views(self) -> Views:
        """The views of the text."""
        return self.happening.views

    def hits(self, source: str) -> list[Hit]:
        """Return what was found in the text for one source of phrases."""
        return self.all_hits.get(source, _NONE)

    @property
    def all_hits(self) -> dict[str, list[Hit]]:
        """What was found in the text, by source of phrases."""
        if self._hits is None:
            self._hits = {}
            for hit in self.tools.scanner.scan(self.happening.views):
                self._hits.setdefault(hit.phrase.source, []).append(hit)
        return self._hits

    @property
    def shown(self) -> int | None:
        """Journal position of the message that shows the text: this one, or the one it edits; None when there is none known."""
        body = self.happening.event.body
        if isinstance(body, MessageEdited):
            return next((sent.seq for sent in reversed(self.group.recent) if sent.message_id == body.message_id), None)
        return self.happening.seq if self.message is not None else None

    @property
    def links(self) -> list[links.Link]:
        """The links in the text and in the other parts of the message."""
        if self._links is None:
            self._links = links.find(self.happening.views, self.parts)
        return self._links

    def are_enough(self, window_s: int, count: int) -> bool:
        """Tell at one look whether the group had `count` messages before this one within a window; `sent` finds no more."""
        recent = self.group.recent
        return count < 1 or (len(recent) >= count and recent[-count].ts_ms > self.ts_ms - window_s * 1_000)

    def sent(self, window_s: int, person: IdentityId | None = None) -> list[Sent]:
        """Return the messages before this one within a time window, newest first; of one person, or None = of all.

        Stops at the first message that is too old: one that came late may hide older ones, which is accepted for speed.
        """
        since = self.ts_ms - window_s * 1_000
        found = []
        for sent in reversed(self.group.recent):
            if sent.ts_ms <= since:
                break
            if (person is None or sent.person == person) and sent.ts_ms <= self.ts_ms:
                found.append(sent)
        return found


_NONE: Final[list[Hit]] = []
