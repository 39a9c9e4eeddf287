"""Make happenings of events without a database.

Groups and people are numbered in order of appearance, as the read models do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from qunce.domain.events import Event, Party, Source
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.happening import Happening


def happenings(events: Iterable[Event]) -> Iterator[Happening]:
    """Yield the happenings of events in order; an event that comes twice is left out, as the journal does."""
    groups: dict[tuple[str, str, str], GroupId] = {}
    people: dict[tuple[str, str, str], IdentityId] = {}
    seen: set[tuple[str, str, str]] = set()

    def person(source: Source, party: Party | None) -> IdentityId | None:
        if party is None:
            return None
        return people.setdefault((source.connector, source.account, party.platform_id), IdentityId(len(people) + 1))

    for event in events:
        source = event.source
        key = (source.connector, source.account, event.dedupe_key)
        if key in seen:
            continue
        seen.add(key)
        group = None
        if event.conv is not None:
            conv = (source.connector, source.account, event.conv.platform_id)
            group = groups.setdefault(conv, GroupId(len(groups) + 1))
        yield Happening(
            len(seen),
            event,
            group=group,
            actor=person(source, event.actor),
            subject=person(source, event.subject),
            received_ms=event.ts_ms,
        )
