"""Gather what a check may look at: the happening, the past of its group, and the finds in its text, each worked out once."""

from __future__ import annotations

from typing import Final, Literal

from qunce.domain.events import MessageCreated
from qunce.domain.ids import IdentityId
from qunce.engine.happening import Happening
from qunce.engine.moderation.state import GroupState, Person, Sent, State
from qunce.engine.text.phrases import Hit, Scanner
from qunce.engine.text.views import Views
from qunce.playbook.schema.checks import Trigger

NOBODY: Final = Person()


class Look:
    """One happening, as all the rules see it."""

    __slots__ = (
        "_hits",
        "blocklist",
        "group",
        "happening",
        "message",
        "person",
        "person_id",
        "scanner",
        "state",
        "trigger",
        "ts_ms",
    )

    def __init__(
        self,
        state: State,
        group: GroupState,
        happening: Happening,
        trigger: Trigger,
        scanner: Scanner,
        blocklist: frozenset[str],
    ) -> None:
        self.state = state
        self.group = group
        self.happening = happening
        self.trigger: Literal["message", "join", "profile"] = trigger
        self.scanner = scanner
        self.blocklist = blocklist
        self.ts_ms = happening.event.ts_ms
        body = happening.event.body
        self.message = body if isinstance(body, MessageCreated) else None
        self.person_id = happening.person
        self.person = group.people.get(self.person_id, NOBODY) if self.person_id is not None else NOBODY
        self._hits: dict[str, list[Hit]] | None = None

    @property
    def views(self) -> Views:
        """The views of the text."""
        return self.happening.views

    def hits(self, source: str) -> list[Hit]:
        """Return what was found in the text for one source of phrases."""
        if self._hits is None:
            self._hits = {}
            for hit in self.scanner.scan(self.happening.views):
                self._hits.setdefault(hit.phrase.source, []).append(hit)
        return self._hits.get(source, _NONE)

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
