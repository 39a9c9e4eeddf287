"""Turn stored events into what the engine sees: the platform's names for groups and people become our ids.

One query a kind and batch, for names that were not met before; ids never change, a rebuild gives the same ones. Who belongs
together does change, so it is asked for each batch: past events are seen with the links that stand today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from qunce.domain.events import Event
from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.happening import NO_OTHERS, Happening
from qunce.journal.store import Stored
from qunce.readmodels.rows import Database

Key = tuple[str, str, str]
"""(connector, account, platform id)"""
MAX_KNOWN: Final = 300_000
_NAMED: Final = ("connector", "account", "platform_id")
_TEXT3: Final = ("text", "text", "text")


class Resolver:
    """Looks ids up and remembers them. One for each database connection; the read models must hold what it is asked about."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: dict[Key, int] = {}
        self._people: dict[Key, int] = {}

    def happenings(self, batch: Sequence[Stored]) -> list[Happening]:
        """Return the happenings of a batch of events, in its order."""
        groups: dict[Key, None] = {}
        people: dict[Key, None] = {}
        for stored in batch:
            event = stored.event
            source = event.source
            if event.conv is not None:
                groups[source.connector, source.account, event.conv.platform_id] = None
            for party in (event.actor, event.subject):
                if party is not None:
                    people[source.connector, source.account, party.platform_id] = None
        self._learn("chat_group", self._groups, groups)
        self._learn("identity", self._people, people)
        others = self._others([pk for key in people if (pk := self._people.get(key)) is not None])
        return [self._happening(stored.seq, stored.event, stored.received_ms, others) for stored in batch]

    def _happening(self, seq: int, event: Event, received_ms: int, others: Mapping[int, Mapping[IdentityId, str]]) -> Happening:
        connector, account = event.source.connector, event.source.account
        conv, actor, subject = event.conv, event.actor, event.subject
        group_id = self._groups.get((connector, account, conv.platform_id)) if conv is not None else None
        actor_id = self._people.get((connector, account, actor.platform_id)) if actor is not None else None
        subject_id = self._people.get((connector, account, subject.platform_id)) if subject is not None else None
        person_id = subject_id if subject_id is not None else actor_id
        return Happening(
            seq,
            event,
            group=None if group_id is None else GroupId(group_id),
            actor=None if actor_id is None else IdentityId(actor_id),
            subject=None if subject_id is None else IdentityId(subject_id),
            received_ms=received_ms,
            others=NO_OTHERS if person_id is None else others.get(person_id, NO_OTHERS),
        )

    def _others(self, ids: Sequence[int]) -> dict[int, dict[IdentityId, str]]:
        """Return, for those of the accounts that share a member with others, these others and their platform ids."""
        if not ids:
            return {}
        test, params = self._database.in_list("i.id", ids)
        sql = (
            "SELECT i.id, o.id, o.platform_id FROM identity i JOIN identity o ON o.member_id = i.member_id AND o.id <> i.id "
            f"WHERE i.linked AND {test} ORDER BY i.id, o.id"
        )
        found: dict[int, dict[IdentityId, str]] = {}
        for pk, other, platform_id in self._database.query(sql, params):
            found.setdefault(pk, {})[IdentityId(other)] = platform_id
        return found

    def _learn(self, table: str, known: dict[Key, int], wanted: Iterable[Key]) -> None:
        missing = [key for key in wanted if key not in known]
        if not missing:
            return
        if len(known) + len(missing) > MAX_KNOWN:
            known.clear()
            missing = list(wanted)
        test, params = self._database.in_rows(_NAMED, missing, _TEXT3)
        rows = self._database.query(f"SELECT connector, account, platform_id, id FROM {table} WHERE {test}", params)
        known.update(((connector, account, platform_id), pk) for connector, account, platform_id, pk in rows)
