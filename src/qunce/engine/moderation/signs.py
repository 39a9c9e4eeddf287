"""Tell by cheap signs which rules a message can set off at all: most messages set off none, and are done with.

Each check needs something to be there before it can hold: a term that was found, a mention, a link. The signs of a message are
worked out once, and only the rules whose needs they meet are asked. A sign says "may", never "does".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from qunce.domain.events import MessageCreated
from qunce.engine.happening import Happening
from qunce.engine.moderation import contacts, links
from qunce.engine.moderation.state import GroupState, Person, State
from qunce.engine.text.phrases import Scanner
from qunce.playbook.schema.checks import (
    Blocked,
    Check,
    Combination,
    ConceptCheck,
    Contact,
    Crisis,
    Duplicate,
    Flood,
    Length,
    Link,
    Media,
    Mention,
    Newcomer,
    QrCode,
    Quarrel,
    Report,
    SpeaksWhileMuted,
    Terms,
)  # fmt: skip

(
    HITS, LINKS, CONTACTS, CONTENT, MENTIONS, REPLIES, FINDINGS, RESTRICTED, JOINED, LONG, BUSY, BLOCKED,
    FOR_MEMBERS, FOR_STAFF, FOR_EVERYONE,
) = (1 << place for place in range(15))  # fmt: skip
FOR_ALL: Final = FOR_MEMBERS | FOR_STAFF | FOR_EVERYONE
BOUND: Final = {"members": FOR_MEMBERS, "staff": FOR_STAFF, "everyone": FOR_EVERYONE}
"""Signs of whom a rule applies to."""
_OF_PARTS: Final = CONTENT | LINKS | CONTACTS | MENTIONS | REPLIES
_OF_PAST: Final = FINDINGS | JOINED | RESTRICTED
_NEEDS: Final[dict[type[Check], int]] = {
    Terms: HITS, Combination: HITS, ConceptCheck: HITS | LINKS, Crisis: HITS, Link: LINKS, Contact: CONTACTS, Length: LONG,
    Media: CONTENT | LINKS, QrCode: CONTENT, Mention: MENTIONS, Report: REPLIES, Flood: BUSY, Duplicate: BUSY,
    Quarrel: FINDINGS, SpeaksWhileMuted: RESTRICTED, Blocked: BLOCKED,
}  # fmt: skip
"""Signs of which one must be there for a check to hold; a check that is not named must always be asked."""


def needs_of(checks: Iterable[Check]) -> tuple[int, ...]:
    """Return what must be there for all of these checks to hold: one sign of each."""
    needs = [_NEEDS.get(type(check), 0) for check in checks]
    needs += [JOINED for check in checks if isinstance(check, Newcomer) and _asks_for_joining(check)]
    return tuple(dict.fromkeys(need for need in needs if need))


def _asks_for_joining(check: Newcomer) -> bool:
    return check.joined_within_s is not None or check.first_messages is not None


class Reader:
    """Reads the signs of messages for one list of rules: those that no rule needs are not looked for."""

    __slots__ = ("_blocklist", "_earlier", "_over_chars", "_scanner", "_wanted", "_window_ms")

    def __init__(self, checks: Sequence[Check], needs: Iterable[tuple[int, ...]], scanner: Scanner, blocklist: frozenset[str]):
        self._scanner = scanner
        self._blocklist = blocklist
        self._wanted = 0
        for some in needs:
            for need in some:
                self._wanted |= need
        self._over_chars = min((check.over_chars for check in checks if isinstance(check, Length)), default=0)
        counted = [
            check.messages if isinstance(check, Flood) else check.times
            for check in checks
            if isinstance(check, Flood | Duplicate)
        ]
        self._earlier = min(counted, default=1) - 1
        self._window_ms = 1_000 * max((check.window_s for check in checks if isinstance(check, Flood | Duplicate)), default=0)

    def read(self, state: State, group: GroupState, person: Person, happening: Happening, body: MessageCreated) -> int:
        """Return those signs of a message that any rule needs."""
        wanted = self._wanted
        signs = 0
        if wanted & _OF_PARTS:
            if body.content:
                signs = CONTENT | LINKS
                if any(part.codes for part in body.content):
                    signs |= CONTACTS
            if body.mentions:
                signs |= MENTIONS
            if body.reply_to is not None:
                signs |= REPLIES
        if wanted & _OF_PAST:
            if group.findings:
                signs |= FINDINGS
            if person.joined_ms is not None:
                signs |= JOINED
            if person.muted_until_ms or person.strikes:
                signs |= RESTRICTED
        if wanted & BUSY and self._is_busy(group, happening.event.ts_ms):
            signs |= BUSY
        if wanted & HITS and self._scanner.scan(happening.views):
            signs |= HITS
        if wanted & LINKS and links.may_be_in(happening.views):
            signs |= LINKS
        if wanted & CONTACTS and contacts.may_be_in(happening.views):
            signs |= CONTACTS
        if wanted & LONG and len(happening.text) > self._over_chars:
            signs |= LONG
        if wanted & BLOCKED and self._may_be_blocked(state, happening):
            signs |= BLOCKED
        return signs & wanted

    def _is_busy(self, group: GroupState, ts_ms: int) -> bool:
        """Tell whether the group had as many messages before, in the longest window, as the least of its rules counts.

        Windows end at the first message that is too old, seen from the newest; so one look tells.
        """
        earlier, recent = self._earlier, group.recent
        return earlier < 1 or (len(recent) >= earlier and recent[-earlier].ts_ms > ts_ms - self._window_ms)

    def _may_be_blocked(self, state: State, happening: Happening) -> bool:
        """Tell whether any account of the person was ever removed for good, or anybody stands on the playbook's blocklist."""
        return bool(self._blocklist) or (bool(state.blocked) and not state.blocked.keys().isdisjoint(happening.accounts))
