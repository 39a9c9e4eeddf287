"""Keep how far the rules of tags have followed the events, and whom to look at again at which moment."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from qunce.journal.store import Journal
from qunce.playbook.schema.segments import Subject
from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.models import TagDue
from qunce.runtime.profile.rules import Seat

CURSOR: Final = "tag_rules"
"""Name of the journal cursor up to which rules have followed the events."""
LEASE: Final = "tag_rules"
_STATE: Final = "tag_rules"
_COLUMNS: Final = ("target", "subject_id", "group_id", "due_ms")
_BATCH: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How far following has come."""

    version: str
    """Rules and models that were run over everybody (`rules.version_of`)."""
    water: Mapping[str, int]
    """Newest member, membership and group that were looked at."""


def state() -> State | None:
    """Return how far following has come; None = nothing was ever run over everybody."""
    text = organisation.value(_STATE, "")
    if not text:
        return None
    stored = json.loads(text)
    return State(version=stored["version"], water=stored["water"])


def note(version: str, water: Mapping[str, int]) -> None:
    """Store how far following has come."""
    text = json.dumps({"version": version, "water": dict(water)}, sort_keys=True)
    if organisation.value(_STATE, "") != text:
        organisation.decide(_STATE, text)


def start_from(journal: Journal, version: str, head: int, water: Mapping[str, int]) -> None:
    """Let following begin behind `head`. Call in the transaction that ends a run over everybody."""
    journal.move_cursor(CURSOR, head)
    note(version, water)


def replace(database: Database, due: Mapping[Seat, int]) -> None:
    """Forget whom to look at again, and store this instead."""
    TagDue.objects.all().delete()
    rows = [(of, *key, until) for (of, key), until in due.items()]
    for start in range(0, len(rows), _BATCH):
        database.insert("tag_due", _COLUMNS, rows[start : start + _BATCH])


def due(now: int, limit: int) -> list[Seat]:
    """Return whom to look at, those who have waited longest first."""
    rows = TagDue.objects.filter(due_ms__lte=now).order_by("due_ms").values_list("target", "subject_id", "group_id")[:limit]
    return [(cast("Subject", of), (subject, group)) for of, subject, group in rows]


def store(database: Database, whole: Iterable[Seat], partly: Iterable[Seat], found: Mapping[Seat, int]) -> None:
    """Store when to look again at those who were looked at.

    `whole`: by all rules, so that what was stored is past. `partly`: by some, so that an earlier moment stays.
    """
    seats = list(partly)
    stored = _stored(database, seats)
    later = {seat: min(until for until in (stored.get(seat), found.get(seat)) if until is not None)
             for seat in seats if seat in stored or seat in found}  # fmt: skip
    for seat in whole:
        if seat in found:
            later[seat] = found[seat]
        else:
            later.pop(seat, None)
    gone = [(of, *key) for of, key in whole if (of, key) not in later]
    database.execute_many("DELETE FROM tag_due WHERE target = ? AND subject_id = ? AND group_id = ?", gone)
    database.upsert("tag_due", _COLUMNS, _COLUMNS[:3], [(of, *key, until) for (of, key), until in later.items()])


def _stored(database: Database, seats: list[Seat]) -> dict[Seat, int]:
    if not seats:
        return {}
    keys = [(of, *key) for of, key in seats]
    test, params = database.in_rows(_COLUMNS[:3], keys, ("text", "bigint", "bigint"))
    rows = database.query(f"SELECT target, subject_id, group_id, due_ms FROM tag_due WHERE {test}", params)
    return {(cast("Subject", of), (subject, group)): until for of, subject, group, until in rows}
