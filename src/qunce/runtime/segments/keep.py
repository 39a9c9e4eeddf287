"""Keep memberships close behind the events: judge again whom something touched, and whose time has come.

    a turn:  read events ─▶ mark whom they could move ─┐
             whose time has come ──────────────────────┴─▶ judge ─▶ one transaction: events, memberships, times, cursor

Correctness never depends on it: a full run every night finds the difference, if there is one.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, cast

from django.db import connection

from qunce.analytics.segments.one import Known
from qunce.analytics.segments.plan import Plan
from qunce.analytics.subjects import Reader, asked_of
from qunce.domain.localtime import HOUR_MS
from qunce.engine.segments.moment import Moment
from qunce.engine.segments.wheel import earliest, judge
from qunce.journal.store import Journal
from qunce.playbook.schema.segments import Subject
from qunce.readmodels.rows import Database
from qunce.runtime import organisation
from qunce.runtime.as_of import moment_of
from qunce.runtime.clock import now_ms
from qunce.runtime.models import SegmentDue, SegmentState
from qunce.runtime.segments import lease, mirrors, runs
from qunce.runtime.segments.dirty import Dirty, Marker, high_water, mentions
from qunce.runtime.segments.moves import Key, Move, Overtaken, Writer
from qunce.runtime.segments.rules import InForce, to_run
from qunce.runtime.segments.runs import CURSOR, Why
from qunce.runtime.segments.turning import AGAIN_MS, BATCH, keep_turning

logger = logging.getLogger(__name__)

LOOK_S: Final = 1.0
FAR_BEHIND: Final = 20_000
"""Events after which a full run is cheaper than following."""
REST_S: Final = 20.0
SHARE: Final = 10
"""A run that took n seconds is followed by n × SHARE seconds, and `REST_S` at least, in which events only gather."""
NIGHT_MS: Final = 3 * HOUR_MS
"""Local time of the nightly run."""
FRESH_MS: Final = 60_000
"""How often it is noted that nothing changed."""
_WATER: Final = "segments_water"


class Keeper:
    """The loop, for one thread and one database connection; `turn` is one round."""

    def __init__(self, clock: Callable[[], int] = now_ms, steady: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._steady = clock, steady
        self._next_s = float("-inf")
        self._journal, self._database = Journal(connection), Database(connection)
        self._marker = Marker(self._database)
        self._currency = organisation.currency()
        self._days = mirrors.clock()
        self._engine = mirrors.engine()
        self._reader = Reader(connection, self._engine, organisation.zone(), self._currency)
        self._holds: Callable[[], bool] = lambda: True
        self._writer = Writer(self._days, lambda: self._holds())
        self._failed_ms = 0

    def turn(self) -> int:
        """Do one round; return how many events and people were looked at, 0 = nothing was to do.

        Raises InvalidPlaybook when the playbook in force cannot be read by this version, and Overtaken when the organisation
        has another currency than this began with.
        """
        if self._currency != organisation.currency():
            raise Overtaken
        rules, wall = to_run(), self._clock()
        now = moment_of(wall)
        why = self._wanted(rules, now)
        before = self._journal.cursor_position(CURSOR)
        head = self._journal.head()
        if why is None and head - before > FAR_BEHIND:
            if self._steady() < self._next_s:
                return 0  # an import goes on; a run now would be old at once
            why = "behind"
        due = self._due(now)
        if why is None and before == head and not due:
            self._note_fresh(now)
            return 0
        if why is not None and wall - self._failed_ms < AGAIN_MS:
            return 0
        with lease.kept() as holds:
            if holds is None:
                return 0
            self._holds = holds
            if why is not None:
                return self._run(rules, why)
            return self._follow(rules, before, due, now, wall)

    def _wanted(self, rules: InForce, now: int) -> Why | None:
        """Return why a full run is due; None = it is not."""
        states = list(SegmentState.objects.values_list("segment_id", "definition", "full_ms"))
        if {name: definition for name, definition, _ in states} != rules.definitions:
            return "changed"
        times = [full_ms for _, _, full_ms in states if full_ms is not None]
        if len(times) < len(states):
            return "again"
        return "nightly" if times and now >= self._next_night(min(times)) else None

    def _next_night(self, full_ms: int) -> int:
        day = self._days.day(full_ms)
        tonight = self._days.start_ms(day) + NIGHT_MS
        return tonight if full_ms < tonight else self._days.start_ms(day + 1) + NIGHT_MS

    def _run(self, rules: InForce, why: Why) -> int:
        self._note_water(high_water(self._database))
        started = self._steady()
        try:
            runs.run(rules, why, self._writer, clock=self._clock)
        except Exception:
            self._failed_ms = self._clock()
            raise
        self._failed_ms = 0
        self._next_s = self._steady() + max(REST_S, SHARE * (self._steady() - started))
        return 1

    def _follow(self, rules: InForce, before: int, due: Sequence[tuple[Subject, Key]], now: int, wall: int) -> int:
        asked = mentions(rules.rules)
        batch = self._journal.read(before, BATCH)
        dirty = self._marker.mark(batch, asked)
        if dirty.wide:
            return self._run(rules, "behind")
        water = self._marker.new_since(self._water(), asked, dirty)
        for of, key in due:
            dirty.add(of, key)
        moves, times = self._judged(rules, dirty, now)
        last = batch[-1].seq if batch else before

        def also() -> None:
            if not self._journal.advance_cursor(CURSOR, before, last):
                raise Overtaken
            self._store_times(times)
            self._note_water(water)
            SegmentState.objects.update(as_of_ms=now)

        self._writer.write(moves, version=rules.version, ts_ms=now, found_ms=wall, also=also)
        if moves:
            logger.info("segments moved", extra={"action": "segments.moved", "moves": len(moves), "judged": len(dirty)})
        return len(batch) + len(due)

    def _judged(self, rules: InForce, dirty: Dirty, now: int) -> tuple[list[Move], dict[tuple[Subject, int, int], int | None]]:
        moment = Moment(now, self._days)
        moves: list[Move] = []
        times: dict[tuple[Subject, int, int], int | None] = {}
        kinds = {of: asked_of(of, keys, self._first_day(rules, of, moment)) for of, keys in dirty.keys.items() if keys}
        known = self._reader.read(kinds)
        for of, keys in dirty.keys.items():
            names = [name for name, rule in rules.rules.items() if rule.of == of]
            stored = self._stored(names, keys)
            for key in sorted(keys):
                inside, until = self._one(rules, names, known[of], key, moment)
                times[of, *key] = until
                moves += [Move(name, of, *key, entered=True) for name in inside if (name, *key) not in stored]
                outside = [name for name in names if name not in inside]
                moves += [Move(name, of, *key, entered=False) for name in outside if (name, *key) in stored]
        return moves, times

    @staticmethod
    def _one(rules: InForce, names: Iterable[str], known: Known, key: Key, moment: Moment) -> tuple[list[str], int | None]:
        subject = known.subjects.get(key)
        if subject is None:
            return [], None
        history = known.history(key)
        judged = {name: judge(rules.rules[name], subject, history, moment, rules.rules) for name in names}
        return [name for name, one in judged.items() if one.holds], earliest(one.until_ms for one in judged.values())

    @staticmethod
    def _first_day(rules: InForce, of: Subject, moment: Moment) -> int | None:
        names = [name for name, rule in rules.rules.items() if rule.of == of]
        return Plan(rules.rules, names, moment, "").first_day()

    def _stored(self, names: Sequence[str], keys: Iterable[Key]) -> set[tuple[str, int, int]]:
        test, params = self._database.in_list("subject_id", sorted({key[0] for key in keys}))
        chosen, more = self._database.in_list("segment_id", list(names))
        sql = f"SELECT segment_id, subject_id, group_id FROM segment_member WHERE {test} AND {chosen}"
        return {(name, subject, group) for name, subject, group in self._database.query(sql, [*params, *more])}

    def _due(self, now: int) -> list[tuple[Subject, Key]]:
        rows = SegmentDue.objects.filter(due_ms__lte=now).order_by("due_ms").values_list("of", "subject_id", "group_id")[:BATCH]
        return [(cast("Subject", of), (subject, group)) for of, subject, group in rows]

    def _store_times(self, times: Mapping[tuple[Subject, int, int], int | None]) -> None:
        gone = [key for key, until in times.items() if until is None]
        self._database.execute_many("DELETE FROM segment_due WHERE of = ? AND subject_id = ? AND group_id = ?", gone)
        kept = [(*key, until) for key, until in times.items() if until is not None]
        self._database.upsert("segment_due", ("of", "subject_id", "group_id", "due_ms"), ("of", "subject_id", "group_id"), kept)

    def _water(self) -> dict[str, int]:
        stored: dict[str, int] = json.loads(organisation.value(_WATER, "{}"))
        return stored or high_water(self._database)

    def _note_water(self, water: Mapping[str, int]) -> None:
        text = json.dumps(water, sort_keys=True)
        if organisation.value(_WATER, "") != text:
            organisation.decide(_WATER, text)

    def _note_fresh(self, now: int) -> None:
        """Say that memberships are of now, where no event came for a while."""
        SegmentState.objects.filter(as_of_ms__lt=now - FRESH_MS).update(as_of_ms=now)


async def follow() -> None:
    """Keep segments until cancelled, in a thread."""
    await keep_turning(Keeper, what="segments", look_s=LOOK_S)
