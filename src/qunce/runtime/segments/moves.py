"""Write who entered and who left: the event, the membership, the history, in one transaction a batch.

A batch that was written is no difference any more, so a run that was killed goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, cast

from django.db import connection, transaction

from qunce.domain.events import Conv, Event, Party, SegmentEntered, SegmentLeft, Source
from qunce.domain.keys import native_key
from qunce.domain.localtime import LocalClock
from qunce.playbook.schema.segments import Subject
from qunce.readmodels.rows import Database
from qunce.runtime.ingest import Ingest, batches
from qunce.runtime.models import SegmentState

BATCH: Final = 12_000
"""Moves a transaction."""
Key = tuple[int, int]
"""(subject, group of a membership or 0)."""


class Move(NamedTuple):
    """One change of membership."""

    segment_id: str
    of: Subject
    subject_id: int
    group_id: int
    entered: bool


class Overtaken(Exception):
    """Another worker keeps the segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    source: Source
    conv: Conv | None
    subject: Party | None


class Writer:
    """Writes moves, for one thread. Keep it: its way in has caches."""

    def __init__(self, clock: LocalClock, holds: Callable[[], bool] = lambda: True) -> None:
        """`clock` is the organisation's; `holds` tells, inside a transaction, whether this still keeps the segments."""
        self._clock, self._holds = clock, holds
        self.database = Database(connection)
        self._ingest: Ingest | None = None

    def write(
        self, moves: Iterable[Move], *, version: str, ts_ms: int, found_ms: int, told: bool = True,
        also: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """Write moves that happened at `ts_ms` and were found at `found_ms`; `also` runs in the last transaction.

        In an archive time stands still: the same move may be found twice as of one moment, where conditions changed between.

        `told` False: memberships only, without events, history and a moment of entering: how a segment begins.
        """
        pending = also
        chunks = batches(moves, BATCH)
        chunk = next(chunks, [])
        while True:
            following = next(chunks, [])
            with transaction.atomic():
                if not self._holds():
                    raise Overtaken
                if chunk:
                    self._write(chunk, version, ts_ms, found_ms, told)
                if not following and pending is not None:
                    pending()
            if not following:
                return
            chunk = following

    def _write(self, moves: Sequence[Move], version: str, ts_ms: int, found_ms: int, told: bool) -> None:
        if told:
            self._tell(moves, version, ts_ms, found_ms)
            self.database.insert(
                "segment_move", ("segment_id", "subject_id", "group_id", "entered", "ts_ms"),
                [(move.segment_id, move.subject_id, move.group_id, move.entered, ts_ms) for move in moves],
            )  # fmt: skip
        since = ts_ms if told else None
        self.database.upsert(
            "segment_member", ("segment_id", "subject_id", "group_id", "since_ms"), ("segment_id", "subject_id", "group_id"),
            [(move.segment_id, move.subject_id, move.group_id, since) for move in moves if move.entered],
        )  # fmt: skip
        self.database.execute_many(
            "DELETE FROM segment_member WHERE segment_id = ? AND subject_id = ? AND group_id = ?",
            [(move.segment_id, move.subject_id, move.group_id) for move in moves if not move.entered],
        )
        self._count(moves, ts_ms, told)

    def _count(self, moves: Sequence[Move], ts_ms: int, told: bool) -> None:
        counted: dict[str, list[int]] = {}
        for move in moves:
            counted.setdefault(move.segment_id, [0, 0])[0 if move.entered else 1] += 1
        states = {state.segment_id: state for state in SegmentState.objects.filter(pk__in=list(counted))}
        day = self._clock.day(ts_ms)
        rows = []
        for name, (entered, left) in counted.items():
            state = states.get(name)
            if state is None:
                continue
            state.size = (state.size or 0) + entered - left
            rows.append((name, day, state.size, entered if told else 0, left if told else 0))
        SegmentState.objects.bulk_update(states.values(), ["size"])
        columns = ("segment_id", "day", "size", "entered", "left")
        self.database.upsert("segment_day", columns, ("segment_id", "day"), rows, add=("entered", "left"))

    def _tell(self, moves: Sequence[Move], version: str, ts_ms: int, found_ms: int) -> None:
        places = self._places(moves)
        events = []
        for move in moves:
            place = places.get((move.of, move.subject_id, move.group_id))
            if place is None:  # the account or the group is gone from the read models
                continue
            kind = SegmentEntered if move.entered else SegmentLeft
            key = native_key(
                "segment", move.segment_id, place.subject.platform_id if place.subject else "",
                place.conv.platform_id if place.conv else "", "in" if move.entered else "out", str(found_ms),
            )  # fmt: skip
            body = kind(segment_id=move.segment_id, version=version)
            events.append(
                Event(ts_ms=ts_ms, source=place.source, body=body, dedupe_key=key, conv=place.conv, subject=place.subject)
            )
        if self._ingest is None:
            self._ingest = Ingest()
        self._ingest.take(events)

    def _places(self, moves: Sequence[Move]) -> Mapping[tuple[str, int, int], _Place]:
        found: dict[tuple[str, int, int], _Place] = {}
        by_kind: dict[str, set[Key]] = {}
        for move in moves:
            by_kind.setdefault(move.of, set()).add((move.subject_id, move.group_id))
        for of, keys in by_kind.items():
            for key, place in getattr(self, f"_places_of_{of}s")(sorted(keys)):
                found.setdefault((of, *key), place)
        return found

    def _places_of_members(self, keys: Sequence[Key]) -> Iterable[tuple[Key, _Place]]:
        test, params = self.database.in_list("member_id", [key[0] for key in keys])
        sql = f"SELECT member_id, connector, account, platform_id FROM identity WHERE {test} ORDER BY member_id, id"
        for member_id, connector, account, platform_id in self.database.query(sql, params):
            yield (member_id, 0), _Place(source=_own(connector, account), conv=None, subject=Party(platform_id=platform_id))

    def _places_of_memberships(self, keys: Sequence[Key]) -> Iterable[tuple[Key, _Place]]:
        test, params = self.database.in_list("i.member_id", sorted({key[0] for key in keys}))
        sql = f"""SELECT i.member_id, m.group_id, i.connector, i.account, i.platform_id, g.platform_id, g.kind
            FROM identity i JOIN membership m ON m.identity_id = i.id JOIN chat_group g ON g.id = m.group_id
            WHERE {test} ORDER BY i.member_id, m.group_id, i.id"""
        for member_id, group_id, connector, account, person, group, kind in self.database.query(sql, params):
            conv = Conv(platform_id=group, kind=cast("Literal['group', 'direct', 'channel']", kind))
            yield (member_id, group_id), _Place(source=_own(connector, account), conv=conv, subject=Party(platform_id=person))

    def _places_of_groups(self, keys: Sequence[Key]) -> Iterable[tuple[Key, _Place]]:
        test, params = self.database.in_list("id", [key[0] for key in keys])
        sql = f"SELECT id, connector, account, platform_id, kind FROM chat_group WHERE {test} ORDER BY id"
        for group_id, connector, account, platform_id, kind in self.database.query(sql, params):
            conv = Conv(platform_id=platform_id, kind=cast("Literal['group', 'direct', 'channel']", kind))
            yield (group_id, 0), _Place(source=_own(connector, account), conv=conv, subject=None)


def _own(connector: str, account: str) -> Source:
    return Source(connector=connector, account=account, origin="self")
