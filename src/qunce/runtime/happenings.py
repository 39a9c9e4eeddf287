"""Turn stored events into what the engine sees: the platform's names for groups and people become our ids.

One query a kind and batch, for names that were not met before; ids never change, a rebuild gives the same ones. Who belongs
together does change, so it is asked for each batch: past events are seen with the links that stand today.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from qunce.domain.ids import GroupId, IdentityId
from qunce.engine.happening import Happening, Other
from qunce.engine.identity.ways import Ends, by_end, ways
from qunce.journal.store import Stored
from qunce.readmodels.rows import Database

Key = tuple[str, str, str]
"""(connector, account, platform id)"""
Id = TypeVar("Id")
Known = dict[tuple[str, str], dict[str, Id]]
"""Ids by platform id, for each (connector, account)."""
MAX_KNOWN: Final = 300_000
_NAMED: Final = ("connector", "account", "platform_id")
_TEXT3: Final = ("text", "text", "text")


class Resolver:
    """Looks ids up and remembers them. One for each database connection; the read models must hold what it is asked about."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._groups: Known[GroupId] = {}
        self._people: Known[IdentityId] = {}

    def happenings(self, batch: Sequence[Stored]) -> list[Happening]:
        """Return the happenings of a batch of events, in its order."""
        self._learn_names(batch)
        made: list[Happening] = []
        source, groups, people = None, {}, {}
        for stored in batch:
            event = stored.event
            if event.source is not source:  # neighbours mostly share one record
                source = event.source
                groups = self._groups.get((source.connector, source.account), {})
                people = self._people.get((source.connector, source.account), {})
            conv, actor, subject = event.conv, event.actor, event.subject
            made.append(
                Happening(
                    stored.seq,
                    event,
                    group=groups.get(conv.platform_id) if conv is not None else None,
                    actor=people.get(actor.platform_id) if actor is not None else None,
                    subject=people.get(subject.platform_id) if subject is not None else None,
                    received_ms=stored.received_ms,
                )
            )
        self._join_accounts(made)
        return made

    def _join_accounts(self, made: Sequence[Happening]) -> None:
        others = self._others(list({happening.person: None for happening in made if happening.person is not None}))
        if others:
            for happening in made:
                if happening.person in others:
                    happening.others = others[happening.person]

    def _learn_names(self, batch: Sequence[Stored]) -> None:
        """Look up the names in a batch that were not met before."""
        if sum(map(len, self._people.values())) > MAX_KNOWN:
            self._people.clear()
        groups: dict[Key, None] = {}
        people: dict[Key, None] = {}
        source, known_groups, known_people = None, {}, {}
        for stored in batch:
            event = stored.event
            if event.source is not source:
                source = event.source
                known_groups = self._groups.setdefault((source.connector, source.account), {})
                known_people = self._people.setdefault((source.connector, source.account), {})
            conv, actor, subject = event.conv, event.actor, event.subject
            if conv is not None and conv.platform_id not in known_groups:
                groups[source.connector, source.account, conv.platform_id] = None
            if actor is not None and actor.platform_id not in known_people:
                people[source.connector, source.account, actor.platform_id] = None
            if subject is not None and subject.platform_id not in known_people:
                people[source.connector, source.account, subject.platform_id] = None
        for connector, account, platform_id, pk in self._query("chat_group", groups):
            self._groups[connector, account][platform_id] = GroupId(pk)
        for connector, account, platform_id, pk in self._query("identity", people):
            self._people[connector, account][platform_id] = IdentityId(pk)

    def _query(self, table: str, wanted: Iterable[Key]) -> list[tuple[str, str, str, int]]:
        keys = list(wanted)
        if not keys:
            return []
        test, params = self._database.in_rows(_NAMED, keys, _TEXT3)
        return self._database.query(f"SELECT connector, account, platform_id, id FROM {table} WHERE {test}", params)

    def _others(self, ids: Sequence[int]) -> dict[IdentityId, dict[IdentityId, Other]]:
        """Return, for those of the accounts that share a member with others, these others and how links lead to them."""
        if not ids:
            return {}
        test, params = self._database.in_list("i.id", ids)
        sql = (
            "SELECT i.id, o.id, o.platform_id FROM identity i JOIN identity o ON o.member_id = i.member_id AND o.id <> i.id "
            f"WHERE i.linked AND {test} ORDER BY i.id, o.id"
        )
        found: dict[IdentityId, dict[IdentityId, str]] = {}
        for pk, other, platform_id in self._database.query(sql, params):
            found.setdefault(IdentityId(pk), {})[IdentityId(other)] = platform_id
        ends = self._links(sorted({account for pk, others in found.items() for account in (pk, *others)}))
        made = {}
        for pk, others in found.items():
            led = ways(pk, ends)
            made[pk] = {other: Other(platform_id, led.get(other, ())) for other, platform_id in others.items()}
        return made

    def _links(self, accounts: Sequence[IdentityId]) -> Ends:
        """Return the standing links among accounts, all of their persons, by either end, oldest first."""
        if not accounts:
            return {}
        in_a, params = self._database.in_list("a_id", accounts)
        in_b, more = self._database.in_list("b_id", accounts)
        sql = f"SELECT link_id, a_id, b_id FROM identity_link WHERE undone_ms IS NULL AND {in_a} AND {in_b} ORDER BY seq"
        return by_end(self._database.query(sql, [*params, *more]))
