"""Take in what channels report: events, where to go on reading, and what is missing, in one transaction.

Reports that arrive while another transaction is being written are stored together in the next one, so that many small reports
cost little more than one large one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from django.db import DataError, OperationalError, transaction

from qunce.connectors.base import Batch, Gap
from qunce.domain.events import ConnectorStatus, Event, Source
from qunce.runtime.clock import now_ms
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import surveys
from qunce.runtime.live.threads import DatabaseThread
from qunce.runtime.models import Channel

logger = logging.getLogger(__name__)

_CONNECTED: Final = ("up", "limited")
TOGETHER: Final = 100
"""So many reports at most share a transaction."""
_BEYOND_LIMITS: Final = "54"
"""SQLSTATE class of values PostgreSQL cannot index or hold."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one channel reported at once."""

    channel_id: int
    source: Source
    batch: Batch


class Store:
    """The database half. For one thread."""

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        self._clock = clock
        self.ingest = Ingest(clock)
        self._heard: set[int] = set()
        """Channels that are known to have been heard before."""

    def store(self, reports: Sequence[Report]) -> None:
        """Store reports together or not at all. Raises what the database raises."""
        moment = self._clock()
        try:
            with transaction.atomic():
                self.ingest.take([event for report in reports for event in report.batch.events])
                self._note(reports, moment)
        except BaseException:
            self.ingest.forget()
            raise
        self._heard |= {report.channel_id for report in reports if report.batch.events}

    def store_what_can_be(self, report: Report) -> None:
        """Store a report. Events no database holds are left out and noted as a gap: one of them must not stop a channel."""
        try:
            self.store([report])
        except (DataError, ValueError, OperationalError) as error:
            if not _is_about_values(error):
                raise
            bad = [event for event in report.batch.events if not self._is_storable(event)]
            kept = tuple(event for event in report.batch.events if event not in bad)
            gap = Gap(reason="unstorable", lost=len(bad), from_ms=bad[0].ts_ms if bad else None)
            logger.exception(
                "events cannot be stored",
                extra={"action": "intake.unstorable", "channel_id": report.channel_id, "lost": len(bad)},
            )
            batch = Batch(events=kept, since=report.batch.since, gaps=(*report.batch.gaps, gap))
            self.store([Report(report.channel_id, report.source, batch)])

    def _is_storable(self, event: Event) -> bool:
        try:
            with transaction.atomic():
                self.ingest.take([event])
                transaction.set_rollback(True)
        except (DataError, ValueError, OperationalError) as error:
            if not _is_about_values(error):
                raise
            return False
        finally:
            self.ingest.forget()
        return True

    def _note(self, reports: Sequence[Report], moment: int) -> None:
        """Record where to go on, what is missing, and how each channel is: one update a channel."""
        changes: dict[int, dict[str, object]] = {}
        for report in reports:
            batch, of_channel = report.batch, changes.setdefault(report.channel_id, {})
            for gap in batch.gaps:
                self.ingest.journal.note_gap(
                    report.source, reason=gap.reason, noted_ms=moment, conv_id=gap.conv_id or "", from_ms=gap.from_ms,
                    until_ms=gap.until_ms, lost=gap.lost,
                )  # fmt: skip
            if batch.since is not None:
                of_channel["since"] = batch.since
            if batch.events:
                of_channel["heard_ms"] = moment
                surveys.forget(report.channel_id, report.source.account, batch.events)
            for event in batch.events:
                if isinstance(event.body, ConnectorStatus):
                    of_channel |= _away(report.channel_id, of_channel, event.body.state, event.ts_ms)
                    of_channel |= {"status": event.body.state, "code": event.body.code or "", "status_ms": event.ts_ms}
        for channel_id, values in changes.items():
            if values:
                Channel.objects.filter(pk=channel_id).update(**values)
        # What is told to us without a connection of ours is up when it is first heard.
        heard = {pk for pk, values in changes.items() if "heard_ms" in values and "status" not in values} - self._heard
        if heard:
            Channel.objects.filter(pk__in=heard, status="new").update(status="up", status_ms=moment)


def _away(channel_id: int, known: Mapping[str, object], state: str, ts_ms: int) -> dict[str, object]:
    """Return what a new state says about the last time the channel was away. `known` holds what this transaction has found."""
    before = known.get("status") or Channel.objects.filter(pk=channel_id).values_list("status", flat=True).first()
    if before in _CONNECTED and state not in _CONNECTED:
        return {"away_ms": ts_ms, "back_ms": None}
    return {"back_ms": ts_ms} if state in _CONNECTED and before not in (*_CONNECTED, "new") else {}


def _is_about_values(error: Exception) -> bool:
    """Tell whether a database refused a value it cannot hold, whatever is tried, and not because it is busy or away."""
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return not isinstance(error, OperationalError) or str(state).startswith(_BEYOND_LIMITS)


class Intake:
    """The way in for all channels of a process."""

    def __init__(self, store: Callable[[], Store], thread: DatabaseThread, stored: Callable[[], None]) -> None:
        """`store` returns the database half, in the thread; `stored` is called when something new is durable."""
        self._store = store
        self._thread = thread
        self._stored = stored
        self._pending: list[tuple[Report, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def take(self, report: Report) -> None:
        """Return when the report is durable. Raises what the database raises; then nothing of it is stored."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.append((report, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        await future

    async def _write(self) -> None:
        while self._pending:
            group = list(islice(self._pending, TOGETHER))
            del self._pending[: len(group)]
            try:
                await self._thread.do(self._together, [report for report, _ in group])
            except Exception:  # who of them it was is found out one by one
                for report, future in group:
                    await self._alone(report, future)
            else:
                for _, future in group:
                    if not future.done():
                        future.set_result(None)
            self._stored()

    async def _alone(self, report: Report, future: asyncio.Future[None]) -> None:
        try:
            await self._thread.do(self._one, report)
        except Exception as error:
            if not future.done():
                future.set_exception(error)
        else:
            if not future.done():
                future.set_result(None)

    def _together(self, reports: Sequence[Report]) -> None:
        self._store().store(reports)

    def _one(self, report: Report) -> None:
        self._store().store_what_can_be(report)
