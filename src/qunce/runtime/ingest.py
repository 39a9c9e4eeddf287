"""Take events in: append, fold, move the cursor, in one transaction a batch; settle afterwards.

Settling links accounts by the keys they share, and pairs questions with answers.

There is one way in, for imports, connectors and operators' own actions alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, TypeVar

from django.db import connection, transaction

from qunce.domain.events import Event, Source
from qunce.domain.localtime import LocalClock
from qunce.journal.store import Appended, Journal
from qunce.readmodels import search
from qunce.readmodels.projector import Projector, settle
from qunce.readmodels.rows import Database
from qunce.runtime.clock import now_ms
from qunce.runtime.garbage import fewer_collections
from qunce.runtime.identity.keys import link_by_keys
from qunce.runtime.models import Channel
from qunce.runtime.organisation import currency, zone

READMODELS = "readmodels"
"""Name of the read models' cursor."""
BATCH = 12_000
"""Events a transaction: large enough for the disk; others wait for their turn to write half a second at most."""
GIVING_WAY: Final = 2_000
"""The same where live channels write, too."""
GAP_S: Final = 0.06
"""How long a long run leaves the database to others then. Who has waited a while for SQLite asks again every 50 ms."""

CACHE_MB = 96
"""Database pages kept in memory while taking events in; the indexes of a large installation are touched everywhere."""

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    """How many events were read, and how many of them were new."""

    read: int = 0
    added: int = 0

    @property
    def already_there(self) -> int:
        return self.read - self.added


class Ingest:
    """The way in, for one thread. Its caches make the second batch cheaper than the first: keep it for a whole import."""

    def __init__(self, clock: Callable[[], int] = now_ms, *, gives_way: bool = False) -> None:
        """With `gives_way`, long runs write little at once and leave gaps, so that others come in between."""
        self._clock = clock
        self.batch = GIVING_WAY if gives_way else BATCH
        self._gap_s = GAP_S if gives_way else 0.0
        self.journal = Journal(connection)
        self.database = Database(connection)
        self.database.work_in_memory(CACHE_MB)
        self._projector = Projector(self.database, LocalClock(zone()), self.journal.positions, currency())
        self._folded = -1
        """How far the read models were when this one last looked."""

    def take(self, events: Sequence[Event]) -> Appended:
        """Append and fold one batch, durably. Raises what the database raises; then nothing of the batch is kept."""
        try:
            with transaction.atomic():
                self.database.prefer_indexes()
                appended = self.journal.append(events, self._clock())
                if appended.events:
                    if self.journal.cursor_position(READMODELS) != self._folded:
                        # Somebody else has folded in between: an import, a connector, a click. The rows kept here are old.
                        self._projector.forget()
                    self._projector.apply(appended.events)
                    self._folded = appended.events[-1].seq
                    self.journal.move_cursor(READMODELS, self._folded)
        except BaseException:
            self.forget()
            raise
        return appended

    def forget(self) -> None:
        """Drop the caches. Call when a transaction around `take` was rolled back."""
        self._projector.forget()
        self._folded = -1

    def give_way(self) -> None:
        """Leave the database to others for a moment, where they want it. Call between the batches of a long run."""
        if self._gap_s:
            time.sleep(self._gap_s)

    def take_all(self, events: Iterable[Event], batch: int | None = None) -> Tally:
        """Take any number of events in batches (None = as large as is good for others), then settle."""
        tally = Tally()
        with fewer_collections():
            for chunk in batches(events, batch or self.batch):
                appended = self.take(chunk)
                self.give_way()
                tally.read += len(chunk)
                tally.added += len(appended.events)
            self.settle()
        return tally

    def note_gap(
        self, source: Source, reason: str, lost: int | None, from_ms: int | None, until_ms: int | None, noted_ms: int
    ) -> None:
        """Record that something of `source` is known to be missing; `lost` events, None = unknown."""
        with transaction.atomic():
            self.journal.note_gap(source, reason=reason, lost=lost, from_ms=from_ms, until_ms=until_ms, noted_ms=noted_ms)

    def settle(self) -> int:
        """Link accounts by new keys, then pair questions with answers where something changed; return how many groups."""
        link_by_keys(self, self._clock)
        with transaction.atomic():
            groups = settle(self.database, self.journal.positions)
            if groups:
                search.tidy(self.database)
            return groups


def meets_channels() -> bool:
    """Return whether live channels want to write into the same database, which takes one writer at a time."""
    return connection.vendor == "sqlite" and Channel.objects.filter(enabled=True).exists()


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Cut a stream into lists of `size`, the last one shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk
