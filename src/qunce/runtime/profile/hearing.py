"""Tell what of a batch rules could listen to: words, what a model finds, messages that were edited or taken back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qunce.domain.events import MessageCreated, MessageDeleted, MessageEdited
from qunce.domain.keys import message_key
from qunce.engine.happening import Happening
from qunce.journal.store import Journal, Stored
from qunce.playbook.schema.profile import TagRule
from qunce.readmodels.rows import Database
from qunce.runtime.profile.rules import Seat
from qunce.runtime.profile.words import Ear, Heard

Place = tuple[int, int]
"""Account and group."""


def heard(
    database: Database, journal: Journal, happenings: Sequence[Happening], rules: Sequence[tuple[TagRule, bool]]
) -> Mapping[Seat, int]:
    """Return whom the words of rules could have changed for, with the newest moment it is about.

    `rules` as of `words.spoken`. Only the events themselves are read, and the messages that edits and deletions are about.
    """
    ears = [Ear.of(rule) for rule, _per_group in rules if rule.listens]
    if not ears:
        return {}
    found: dict[Place, int] = {}
    changed: list[Happening] = []
    for happening in happenings:
        body = happening.event.body
        if isinstance(body, MessageEdited | MessageDeleted):
            changed.append(happening)
        elif isinstance(body, MessageCreated) and happening.actor is not None and happening.group is not None:
            message = Heard(body.text)
            if any(ear.sure(message) for ear in ears):
                place: Place = (happening.actor, happening.group)
                found[place] = max(happening.event.ts_ms, found.get(place, 0))
    for author, ts_ms in _authors(database, journal, changed):
        found[author] = max(ts_ms, found.get(author, 0))
    return _seats(database, found, rules)


def _authors(database: Database, journal: Journal, changed: Iterable[Happening]) -> Iterable[tuple[Place, int]]:
    by_source: dict[tuple[str, str], list[Happening]] = {}
    for happening in changed:
        source = happening.event.source
        by_source.setdefault((source.connector, source.account), []).append(happening)
    seqs: set[int] = set()
    for happenings in by_source.values():
        keys = [
            message_key(item.event.conv.platform_id, item.event.body.message_id)
            for item in happenings
            if item.event.conv is not None and isinstance(item.event.body, MessageEdited | MessageDeleted)
        ]
        seqs.update(journal.positions(happenings[0].event.source, keys).values())
    if not seqs:
        return
    test, params = database.in_list("seq", sorted(seqs))
    sql = f"SELECT identity_id, group_id, ts_ms FROM message WHERE identity_id IS NOT NULL AND {test}"
    for account, group, ts_ms in database.query(sql, params):
        yield (account, group), ts_ms


def _seats(database: Database, found: Mapping[Place, int], rules: Sequence[tuple[TagRule, bool]]) -> Mapping[Seat, int]:
    if not found:
        return {}
    test, params = database.in_list("id", sorted({account for account, _group in found}))
    members: dict[int, int] = dict(database.query(f"SELECT id, member_id FROM identity WHERE {test}", params))
    kinds = {per_group for rule, per_group in rules if rule.listens}
    seats: dict[Seat, int] = {}
    for (account, group), ts_ms in found.items():
        for per_group in kinds:
            seat: Seat = ("membership", (members[account], group)) if per_group else ("member", (members[account], 0))
            seats[seat] = max(ts_ms, seats.get(seat, 0))
    return seats


def is_of_rules(stored: Stored) -> bool:
    """Tell whether a rule itself put or took a tag: no colleague, file or platform, and no undoing."""
    body = stored.event.body
    by_itself = getattr(body, "kept", "") in ("rule", "model")
    return by_itself and not getattr(body, "colleague", "") and not getattr(body, "undoes", "")
