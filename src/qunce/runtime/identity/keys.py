"""Link accounts that carry the same key, and notice keys that too many accounts share.

    new keys since the cursor ─▶ accounts whose own platform id is such a key get it too
                              ─▶ by key: at most `most_accounts` accounts → links to the first; more → left for suggestion

A link is named by its key and its two ends, so the same is never made twice, and one that was taken back stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from django.db import transaction

from qunce.accounts.digests import digest_key
from qunce.domain.events import Event, IdentityKeyed, IdentityLinked, Party, Source
from qunce.domain.identity_keys import OWN_KEYS
from qunce.domain.keys import native_key
from qunce.journal.store import Appended, Journal
from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.identity.settings import LINKED, merge_settings

CURSOR: Final = "identity_keys"
_SEEN: Final = "identity_own_keys"
"""Setting: the newest identity whose own platform id was looked at."""
_STRETCH: Final = 5_000
_IN_PERSON: Final = ("member", "unknown")


class WayIn(Protocol):
    """What this needs of `runtime.ingest.Ingest`."""

    journal: Journal
    database: Database

    def take(self, events: Sequence[Event]) -> Appended: ...


@dataclass(frozen=True, slots=True)
class Account:
    """An account that carries a key."""

    id: int
    connector: str
    account: str
    platform_id: str
    kind: str
    member_id: int


Shared = tuple[str, str, list[Account]]
"""Kind of key, digest, and the accounts of members that carry it, oldest first."""


def link_by_keys(ingest: WayIn, moment: Callable[[], int]) -> int:
    """Link accounts by the keys learnt since the last call; return how many links were made. Cheap when there are none."""
    database, journal = ingest.database, ingest.journal
    after = journal.cursor_position(CURSOR)
    linked = journal.cursor_position(LINKED)
    newest = _newest_key(database)
    if newest == 0 or (newest <= min(after, linked) and not _strangers(database)):
        return 0
    fresh = {row[0] for row in database.query("SELECT DISTINCT key FROM identity_key WHERE seq > ?", (after,))}
    for events in _own_keys(database, fresh, moment()):
        ingest.take(events)
    newest = _newest_key(database)
    settings = merge_settings()
    links = 0
    if settings.by_keys and newest > linked:
        for events in _links(database, linked, settings.most_accounts, moment()):
            links += len(ingest.take(events).events)
    with transaction.atomic():
        if newest > after:
            journal.move_cursor(CURSOR, newest)
        if settings.by_keys and newest > linked:
            journal.move_cursor(LINKED, newest)
    return links


def shared_keys(database: Database, *, after: int = 0) -> Iterator[Shared]:
    """Yield the keys that several accounts of members carry, where one of them was learnt after a position."""
    keys = database.query("SELECT DISTINCT key, digest FROM identity_key WHERE seq > ? ORDER BY key, digest", (after,))
    for start in range(0, len(keys), _STRETCH):
        test, params = database.in_rows(("key", "digest"), keys[start : start + _STRETCH], ("text", "text"))
        rows = database.query(
            "SELECT k.key, k.digest, i.id, i.connector, i.account, i.platform_id, i.kind, i.member_id "
            f"FROM identity_key k JOIN identity i ON i.id = k.identity_id WHERE {test} ORDER BY k.key, k.digest, i.id",
            params,
        )
        found: dict[tuple[str, str], list[Account]] = {}
        for key, digest, *rest in rows:
            account = Account(*rest)
            if account.kind in _IN_PERSON:
                found.setdefault((key, digest), []).append(account)
        yield from ((*pair, accounts) for pair, accounts in found.items() if len(accounts) > 1)


def link_id_of(key: str, digest: str, first: int, second: int) -> str:
    """Return the id of the link that a key makes between two accounts, in either order."""
    return f"key:{key}:{digest[:16]}:{min(first, second)}-{max(first, second)}"


def link_event(first: Account, second: Account, body: IdentityLinked, moment: int) -> Event:
    """Return the event of a link between two accounts."""
    return Event(
        ts_ms=moment, source=Source(connector=first.connector, account=first.account, origin="self"),
        subject=Party(platform_id=first.platform_id), body=body, dedupe_key=native_key("linked", body.link_id),
    )  # fmt: skip


def _newest_key(database: Database) -> int:
    return int(database.query("SELECT coalesce(max(seq), 0) FROM identity_key")[0][0])


def _strangers(database: Database) -> bool:
    """Tell whether there are accounts whose own platform id was not looked at yet."""
    seen = int(organisation.value(_SEEN, "0"))
    test, params = database.in_list("connector", list(OWN_KEYS.values()))
    return bool(database.query(f"SELECT 1 FROM identity WHERE id > ? AND {test} LIMIT 1", [seen, *params]))


def _own_keys(database: Database, fresh: set[str], moment: int) -> Iterator[list[Event]]:
    """Give accounts the key that their own id on the platform is, where another account carries it.

    Accounts that came since the last look are looked at; all of them when a kind of key got new values. The rest of a large
    platform gets no events that would help nobody.
    """
    seen = int(organisation.value(_SEEN, "0"))
    newest = int(database.query("SELECT coalesce(max(id), 0) FROM identity")[0][0])
    for key, connector in OWN_KEYS.items():
        after = 0 if key in fresh else seen
        while rows := database.query(
            f"SELECT id, account, platform_id FROM identity WHERE id > ? AND connector = ? ORDER BY id LIMIT {_STRETCH}",
            (after, connector),
        ):
            after = rows[-1][0]
            yield _matching(database, key, connector, rows, moment)
    organisation.decide(_SEEN, str(newest))


def _matching(database: Database, key: str, connector: str, rows: Iterable[tuple[int, str, str]], moment: int) -> list[Event]:
    digests = {pk: (digest_key(key, platform_id), account, platform_id) for pk, account, platform_id in rows}
    test, params = database.in_list("digest", sorted({digest for digest, _, _ in digests.values() if digest}))
    known = {row[0] for row in database.query(f"SELECT digest FROM identity_key WHERE key = ? AND {test}", [key, *params])}
    return [
        Event(
            ts_ms=moment, source=Source(connector=connector, account=account, origin="self"),
            subject=Party(platform_id=platform_id), body=IdentityKeyed(key=key, digest=digest),
            dedupe_key=native_key("keyed", platform_id, key, digest), confidence="derived",
        )
        for digest, account, platform_id in digests.values()
        if digest is not None and digest in known
    ]  # fmt: skip


def _links(database: Database, after: int, most_accounts: int, moment: int) -> Iterator[list[Event]]:
    waiting: list[Event] = []
    for key, digest, accounts in shared_keys(database, after=after):
        if len(accounts) > most_accounts:
            continue
        first = accounts[0]
        for other in accounts[1:]:
            body = IdentityLinked(
                link_id=link_id_of(key, digest, first.id, other.id), other_connector=other.connector,
                other_account=other.account, other_platform_id=other.platform_id, by="key", evidence=(f"key:{key}",),
            )  # fmt: skip
            waiting.append(link_event(first, other, body, moment))
        if len(waiting) >= _STRETCH:
            yield waiting
            waiting = []
    if waiting:
        yield waiting
