"""Make happenings of events without a database.

Groups and people are numbered in order of appearance, as the read models do. Links between accounts count from the first event
on, as they do where stored events are read: the past is seen with the links that stand today.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from qunce.domain.events import Event, IdentityLinked, IdentityUnlinked, Party, Source
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.happening import NO_OTHERS, Happening, Other
from qunce.engine.identity.ways import by_end, ways

_Key = tuple[str, str, str]
"""(connector, account, platform id)"""


def happenings(events: Iterable[Event]) -> Iterator[Happening]:
    """Yield the happenings of events in order; an event that comes twice is left out, as the journal does."""
    events = list(events)
    groups: dict[_Key, GroupId] = {}
    people = _numbered(events)
    others = _others(events, people)
    seen: set[tuple[str, str, str]] = set()

    def person(source: Source, party: Party | None) -> IdentityId | None:
        if party is None:
            return None
        return people[source.connector, source.account, party.platform_id]

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
        actor, subject = person(source, event.actor), person(source, event.subject)
        about = subject if subject is not None else actor
        yield Happening(
            len(seen),
            event,
            group=group,
            actor=actor,
            subject=subject,
            received_ms=event.ts_ms,
            others=others.get(about, NO_OTHERS) if about is not None else NO_OTHERS,
        )


def _numbered(events: Sequence[Event]) -> dict[_Key, IdentityId]:
    people: dict[_Key, IdentityId] = {}
    for event in events:
        source, body = event.source, event.body
        named = [(source.connector, source.account, party.platform_id) for party in (event.actor, event.subject) if party]
        if isinstance(body, IdentityLinked):
            named.append((body.other_connector, body.other_account, body.other_platform_id))
        for key in named:
            people.setdefault(key, IdentityId(len(people) + 1))
    return people


def _others(events: Sequence[Event], people: dict[_Key, IdentityId]) -> dict[IdentityId, dict[IdentityId, Other]]:
    """Return the further accounts of each, by the links that stand at the end."""
    links = {}
    for event in events:
        source, body = event.source, event.body
        if isinstance(body, IdentityLinked) and event.subject is not None:
            first = people[source.connector, source.account, event.subject.platform_id]
            second = people[body.other_connector, body.other_account, body.other_platform_id]
            links[body.link_id] = (body.link_id, first, second)
        elif isinstance(body, IdentityUnlinked):
            links.pop(body.link_id, None)
    names = {pk: platform_id for (_, _, platform_id), pk in people.items()}
    ends = by_end(links.values())
    return {pk: {other: Other(names[other], way) for other, way in ways(pk, ends).items()} for pk in ends}
