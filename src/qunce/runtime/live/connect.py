"""Keep the channels running: one connector each, reading and doing, in whichever process holds the channel's lease.

Reading and doing share a connector, because many platforms allow an account one connection only.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from qunce.connectors.base import Batch, Connector, Surveyor
from qunce.connectors.errors import AuthFailed
from qunce.domain.events import ConnectorStatus, Event, Source
from qunce.domain.keys import native_key
from qunce.runtime.clock import now_ms
from qunce.runtime.live import leases, surveys, wiring
from qunce.runtime.live.bell import Bell
from qunce.runtime.live.deliver import Deliverer, Hand
from qunce.runtime.live.intake import Intake, Report, Store
from qunce.runtime.live.threads import DatabaseThread
from qunce.runtime.live.wiring import BadSettings
from qunce.runtime.models import Channel

logger = logging.getLogger(__name__)

LOOK_S: Final = 2.0
"""How often channels that were added, changed or switched off are looked for; also renews the leases."""
IDLE_S: Final = 0.5
"""How often deliveries are looked for when nobody rings."""
SETTLE_S: Final = 2.0
SURVEY_S: Final = 3.0
"""How often groups are looked for of which it is not known what may be done there."""


@dataclass(slots=True)
class _Line:
    """A channel that runs here."""

    channel: Channel
    platform: Connector
    """The connector itself, whatever the channel's mode makes of what it is asked."""
    client: httpx.AsyncClient
    tasks: list[asyncio.Task[None]]


class Switchboard:
    """All channels of this process."""

    def __init__(
        self, holder: str, thread: DatabaseThread, stored: Callable[[], None], planned: Bell,
        clock: Callable[[], int] = now_ms,
    ) -> None:  # fmt: skip
        """`stored` is called when events are durable; `planned` rings when something may be due."""
        self._holder = holder
        self._clock = clock
        self._thread = thread
        self._store: Store | None = None
        self.intake = Intake(self._database, self._thread, stored)
        self._planned = planned
        self._life = wiring.life()
        self._lines: dict[int, _Line] = {}

    def connector(self, kind: str, account: str) -> tuple[Channel, Connector] | None:
        """Return a channel that runs here with its connector; None = it does not. For platforms that call us."""
        for line in self._lines.values():
            if (line.channel.connector, line.channel.account) == (kind, account):
                return line.channel, line.platform
        return None

    async def run(self) -> None:
        """Run all channels until cancelled."""
        settled_s = asyncio.get_running_loop().time()
        try:
            while True:
                await self._look()
                if asyncio.get_running_loop().time() >= settled_s + SETTLE_S:
                    await self._thread.do(self._settle)
                    settled_s = asyncio.get_running_loop().time()
                await asyncio.sleep(LOOK_S)
        finally:
            await asyncio.gather(*(self._hang_up(pk) for pk in list(self._lines)))
            await self._thread.do(self._drop_leases)

    async def take(self, channel: Channel, batch: Batch) -> None:
        """Store what a channel reported; return when it is durable."""
        source = Source(connector=channel.connector, account=channel.account, origin="callback")
        await self.intake.take(Report(channel.pk, source, batch))

    async def _look(self) -> None:
        ours = await self._thread.do(self._ours)
        for pk, line in list(self._lines.items()):
            if pk not in ours or ours[pk].revision != line.channel.revision:
                await self._hang_up(pk)
        for pk, channel in ours.items():
            if pk not in self._lines:
                await self._dial(channel)

    async def _dial(self, channel: Channel) -> None:
        client = httpx.AsyncClient(follow_redirects=False)
        try:
            platform = wiring.connector_of(channel, client, self._life)
        except (BadSettings, AuthFailed, KeyError) as error:
            await client.aclose()
            code = error.code if isinstance(error, AuthFailed) else "bad_settings"
            if channel.code != code:
                await self._tell(channel, "auth_failed", code)
            return
        connector = wiring.WRAPPERS[channel.mode](platform)
        hand = await self._thread.do(self._hand, channel, connector)
        deliverer = Deliverer(connector, hand, self._thread)
        tasks = [
            asyncio.create_task(self._read(channel, connector), name=f"read:{channel.pk}"),
            asyncio.create_task(self._deliver(channel, deliverer), name=f"deliver:{channel.pk}"),
        ]
        if isinstance(platform, Surveyor):
            tasks.append(asyncio.create_task(self._survey(channel, platform), name=f"survey:{channel.pk}"))
        self._lines[channel.pk] = _Line(channel, platform, client, tasks)

    async def _hang_up(self, pk: int) -> None:
        line = self._lines.pop(pk)
        for task in line.tasks:
            task.cancel()
        await asyncio.gather(*line.tasks, return_exceptions=True)
        await line.client.aclose()

    async def _read(self, channel: Channel, connector: Connector) -> None:
        failures = 0

        async def emit(batch: Batch) -> None:
            nonlocal failures
            await self.take(channel, batch)
            failures = 0

        while True:
            try:
                since = await self._thread.do(_since, channel.pk)
                await connector.run(emit, since)
                return
            except AuthFailed:
                return  # it has said so; new settings start it again
            except Exception as error:  # a loop border: the channel is seen to be down, and tries again
                failures += 1
                logger.exception("channel failed", extra={"action": "channel.failed", "channel_id": channel.pk})
                await self._tell(channel, "down", type(error).__name__)
                await asyncio.sleep(self._life.wait_s(failures))

    async def _deliver(self, channel: Channel, deliverer: Deliverer) -> None:
        while True:
            try:
                done = await deliverer.turn()
            except Exception:  # a loop border: the database may be away for a moment
                logger.exception("delivering failed", extra={"action": "deliver.loop_failed", "channel_id": channel.pk})
                await asyncio.sleep(LOOK_S)
                continue
            if not done:
                await self._planned.wait(IDLE_S)

    async def _survey(self, channel: Channel, platform: Surveyor) -> None:
        while True:
            try:
                wanted = await self._thread.do(surveys.due, channel, self._clock())
                if wanted:
                    answers = await surveys.ask(platform, wanted)
                    await self._thread.do(surveys.store, channel.pk, answers, self._clock())
            except Exception:  # a loop border: what is not known is shown as such, and reading and doing go on
                logger.exception("survey failed", extra={"action": "survey.failed", "channel_id": channel.pk})
            await asyncio.sleep(SURVEY_S)

    async def _tell(self, channel: Channel, state: str, code: str) -> None:
        moment = self._clock()
        source = Source(connector=channel.connector, account=channel.account, origin="self")
        body = ConnectorStatus(state=state, code=code)  # type: ignore[arg-type]  # one of the four states
        event = Event(ts_ms=moment, source=source, body=body, dedupe_key=native_key("status", str(moment), state))
        try:
            await self.take(channel, Batch(events=(event,)))
        except Exception:  # that the database is away is in the log already
            logger.warning("status not stored", extra={"action": "channel.status", "channel_id": channel.pk})

    # ── in the thread ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _database(self) -> Store:
        if self._store is None:
            self._store = Store(self._clock)
        return self._store

    def _hand(self, channel: Channel, connector: Connector) -> Hand:
        return Hand(
            channel.connector, channel.account, connector.capabilities, self._holder, self._database().ingest, self._clock
        )

    def _ours(self) -> dict[int, Channel]:
        """Return the channels that are to run here, their leases taken or renewed."""
        moment = self._clock()
        return {
            channel.pk: channel
            for channel in Channel.objects.filter(enabled=True).order_by("pk")
            if leases.take(f"channel:{channel.pk}", self._holder, moment)
        }

    def _settle(self) -> None:
        self._database().ingest.settle()

    def _drop_leases(self) -> None:
        for pk in Channel.objects.values_list("pk", flat=True):
            leases.drop(f"channel:{pk}", self._holder)


def _since(channel_id: int) -> str | None:
    return Channel.objects.values_list("since", flat=True).get(pk=channel_id) or None
