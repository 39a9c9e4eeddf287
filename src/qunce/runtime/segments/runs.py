"""Run all segments in force over everybody: compile, run, compare with who belonged, write the difference.

Always possible, so what is kept between runs never has to be trusted for long. All segments share one pass, so all are run
when one has changed.

The very first run of a segment writes memberships and no events: nobody moved, a question was asked for the first time, and
whoever waits for somebody to enter (a SOP, a tag) must not be flooded by publishing a segment. From then on every difference
is an event, also when the definition changed: the version in the event tells which.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from qunce.analytics.columns import read_columns
from qunce.analytics.segments.run import Found
from qunce.journal.store import Journal
from qunce.playbook.schema.segments import Subject
from qunce.runtime.as_of import moment_of
from qunce.runtime.clock import now_ms
from qunce.runtime.models import (
    SegmentDay,
    SegmentDue,
    SegmentMember,
    SegmentMove,
    SegmentRun,
    SegmentState,
)
from qunce.runtime.segments import lease, mirrors
from qunce.runtime.segments.moves import Move, Writer
from qunce.runtime.segments.rules import InForce, to_run

logger = logging.getLogger(__name__)

Why = Literal["first", "changed", "nightly", "behind", "asked", "again"]
Keys = npt.NDArray[np.int64]
"""Columns subject and group, one row per subject."""
CURSOR: Final = "segments"
"""Name of the journal cursor up to which memberships follow the events."""
HORIZON_MS: Final = 48 * 3_600_000
"""How far ahead a run says whom to look at again; the next one comes within half of it."""
JOB_KIND: Final = "segments"
WAIT_S: Final = 120.0
KEEP_RUNS_DAYS: Final = 400
_DUE_BATCH: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a run did."""

    as_of_ms: int
    took_ms: int
    segments: int
    entered: int
    left: int


@dataclass(slots=True)
class _Tally:
    entered: int = 0
    left: int = 0
    size: int = 0


class Busy(Exception):
    """Another run has been going on for too long to wait for it; `reason` and `fix` are shown with the job."""

    reason = "segments are being run already"
    fix = "Look at the list in a minute; the run that goes on covers the same."


def perform(params: dict[str, Any], beat: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    """Run all segments as a job. Raises Busy."""
    with lease.kept(WAIT_S) as holds:
        if holds is None:
            raise Busy
        ran = run(to_run(), "asked", Writer(mirrors.clock(), holds), progress=beat)
    return {"segments": ran.segments, "entered": ran.entered, "left": ran.left, "took_ms": ran.took_ms}


def run(
    rules: InForce, why: Why, writer: Writer, *, clock: Callable[[], int] = now_ms,
    progress: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Ran:  # fmt: skip
    """Run all segments in force, as of what `moment_of` makes of the clock. Call with the lease held."""
    began, started = clock(), time.monotonic()
    states = _begin(rules)
    if not rules.rules:
        Journal(connection).advance_cursor(CURSOR, 0, 0)
        return Ran(as_of_ms=began, took_ms=0, segments=0, entered=0, left=0)
    reasons = {name: _why(state, rules.definitions[name], why) for name, state in states.items()}
    try:
        head = Journal(connection).head()
        mirrors.bring_up_to_date()
        as_of_ms = moment_of(clock())
        engine = mirrors.engine()
        found = engine.run(rules.rules, as_of_ms, tuple(rules.rules), as_of_ms + HORIZON_MS)
        ahead = engine.ahead(as_of_ms)
        tallies = {
            name: _store(name, rules.rules[name].of, states[name], found, writer, as_of_ms, began, rules.version, progress)
            for name in rules.rules
        }
        _store_due(writer, pa.concat_tables([found.due, ahead]))
    except Exception as error:
        _failed(states, reasons, rules, began, str(error) or type(error).__name__)
        raise
    took_ms = round((time.monotonic() - started) * 1000)
    ran = _Ended(rules, reasons, tallies, began, as_of_ms, took_ms, found.facts, head)
    with transaction.atomic():
        ran.write(writer, states)
    total = Ran(
        as_of_ms=as_of_ms, took_ms=took_ms, segments=len(tallies), entered=sum(tally.entered for tally in tallies.values()),
        left=sum(tally.left for tally in tallies.values()),
    )  # fmt: skip
    logger.info(
        "ran segments",
        extra={"action": "segments.run", "segments": total.segments, "entered": total.entered, "left": total.left},
    )
    return total


def _begin(rules: InForce) -> dict[str, SegmentState]:
    """Make the rows of segments that are new, forget those that are gone, and mark all as unfinished."""
    with transaction.atomic():
        gone = list(SegmentState.objects.exclude(pk__in=list(rules.rules)).values_list("pk", flat=True))
        other = [
            state.pk for state in SegmentState.objects.all()
            if state.pk in rules.rules and state.of != rules.rules[state.pk].of
        ]  # fmt: skip
        for table in (SegmentMember, SegmentMove, SegmentDay):
            table.objects.filter(segment_id__in=gone + other).delete()
        SegmentState.objects.filter(pk__in=gone + other).delete()
        for place, segment in enumerate(rules.segments):
            fields = {"place": place, "title": segment.title, "title_en": segment.title_en, "of": segment.of}
            SegmentState.objects.update_or_create(
                segment_id=segment.segment_id, defaults={**fields, "full_ms": None},
                create_defaults={**fields, "definition": "", "version": rules.version},
            )  # fmt: skip
        if not rules.rules:
            SegmentDue.objects.all().delete()
        return {state.pk: state for state in SegmentState.objects.order_by("place")}


def _why(state: SegmentState, definition: str, why: Why) -> Why:
    if state.as_of_ms is None:
        return "first"
    return "changed" if state.definition != definition else why


def _store(
    name: str, of: Subject, state: SegmentState, found: Found, writer: Writer, as_of_ms: int, began: int, version: str,
    progress: Callable[[dict[str, Any]], None],
) -> _Tally:  # fmt: skip
    inside = found.belongs.filter(pc.equal(found.belongs["segment_id"], name))
    new = np.column_stack([inside["subject_id"].to_numpy(), inside["group_id"].to_numpy()]).astype(np.int64)
    old = stored_keys(name)
    entered, left = difference(new, old), difference(old, new)
    if state.size != len(old):
        # A first run that was killed has written some; what is there is the truth.
        SegmentState.objects.filter(pk=name).update(size=len(old))
    first = state.as_of_ms is None
    tally = _Tally(entered=0 if first else len(entered), left=len(left), size=len(new))

    def moves() -> Iterator[Move]:
        for keys, into in ((left, False), (entered, True)):
            for place in range(0, len(keys), 10_000):
                progress({"segment": name, "written": place})
                for subject_id, group_id in keys[place : place + 10_000].tolist():
                    yield Move(name, of, subject_id, group_id, into)

    writer.write(moves(), version=version, ts_ms=as_of_ms, found_ms=began, told=not first)
    return tally


def stored_keys(segment_id: str) -> Keys:
    """Return who belongs by the newest run, in order."""
    quoted = segment_id.replace("'", "''")
    sql = f"select subject_id, group_id from segment_member where segment_id = '{quoted}' order by subject_id, group_id"
    columns = read_columns(connection, sql, ("subject_id", "group_id"))
    return np.column_stack([columns["subject_id"], columns["group_id"]])


def difference(some: Keys, others: Keys) -> Keys:
    """Return the rows of `some` that are not in `others`, in order."""
    kind = [("subject", np.int64), ("group", np.int64)]
    left, right = (np.ascontiguousarray(keys).view(kind).reshape(-1) for keys in (some, others))
    return np.setdiff1d(left, right, assume_unique=True).view(np.int64).reshape(-1, 2)


def _store_due(writer: Writer, due: pa.Table) -> None:
    """Replace whom to look at again. A run that is broken off here is repeated, since it has not ended."""
    once = due.group_by(["of", "subject_id", "group_id"]).aggregate([("until_ms", "min")])
    SegmentDue.objects.all().delete()
    for batch in once.to_batches(max_chunksize=_DUE_BATCH):
        columns = [batch.column(name).to_pylist() for name in ("of", "subject_id", "group_id", "until_ms_min")]
        with transaction.atomic():
            writer.database.insert("segment_due", ("of", "subject_id", "group_id", "due_ms"), list(zip(*columns, strict=True)))


@dataclass(frozen=True, slots=True)
class _Ended:
    rules: InForce
    reasons: Mapping[str, Why]
    tallies: Mapping[str, _Tally]
    began: int
    as_of_ms: int
    took_ms: int
    facts: int
    head: int
    day_columns: tuple[str, ...] = field(default=("segment_id", "day", "size", "entered", "left"))

    def write(self, writer: Writer, states: Mapping[str, SegmentState]) -> None:
        """Write the end of a run: the rows of runs, the states, the sizes of the day, the cursor."""
        day = mirrors.clock().day(self.as_of_ms)
        rows = [(name, day, tally.size, 0, 0) for name, tally in self.tallies.items()]
        writer.database.upsert("segment_day", self.day_columns, ("segment_id", "day"), rows, add=("entered", "left"))
        SegmentRun.objects.filter(batch__lt=self.began - KEEP_RUNS_DAYS * 86_400_000).delete()
        SegmentRun.objects.bulk_create(
            SegmentRun(
                batch=self.began, segment_id=name, why=self.reasons[name], version=self.rules.version, as_of_ms=self.as_of_ms,
                took_ms=self.took_ms, rows_scanned=self.facts, size=tally.size, entered=tally.entered, left=tally.left,
            )
            for name, tally in self.tallies.items()
        )  # fmt: skip
        for name, state in states.items():
            state.definition, state.version, state.size = (
                self.rules.definitions[name],
                self.rules.version,
                self.tallies[name].size,
            )
            state.as_of_ms = state.full_ms = self.as_of_ms
            state.error = ""
        fields = ["definition", "version", "size", "as_of_ms", "full_ms", "error"]
        SegmentState.objects.bulk_update(states.values(), fields)
        Journal(connection).move_cursor(CURSOR, self.head)


def _failed(states: Mapping[str, SegmentState], reasons: Mapping[str, Why], rules: InForce, began: int, error: str) -> None:
    with transaction.atomic():
        SegmentState.objects.filter(pk__in=list(states)).update(error=error[:500])
        SegmentRun.objects.bulk_create(
            SegmentRun(
                batch=began, segment_id=name, why=reasons[name], version=rules.version, as_of_ms=began, error=error[:500]
            )
            for name in states
        )
