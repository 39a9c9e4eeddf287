"""A process to be killed: feeds numbered messages to practice rooms, and runs the live loops on them.

Usage: python live_child.py DATA COUNT. What reaches the platform is appended to DATA/platform.log. Ends when all is done.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

DATA, COUNT = Path(sys.argv[1]), int(sys.argv[2])
os.environ["QUNCE_DATA"] = str(DATA)

from qunce.runtime.cli.main import make_ready  # noqa: E402

make_ready()

import msgspec  # noqa: E402
from asgiref.sync import sync_to_async  # noqa: E402

from qunce.connectors.base import Batch, Capabilities  # noqa: E402
from qunce.domain.commands import AnyCommand, Receipt, capability_of  # noqa: E402
from qunce.outbox import queue  # noqa: E402
from qunce.outbox.models import Delivery, State  # noqa: E402
from qunce.runtime.clock import now_ms  # noqa: E402
from qunce.runtime.commands import CommandRefused  # noqa: E402
from qunce.runtime.live import channels, leases, playbooks, practice, views, wiring, workers  # noqa: E402
from qunce.runtime.models import Channel  # noqa: E402
from qunce.testing.live import ACCOUNT, PLAYBOOK  # noqa: E402

AD_EVERY = 5
# A test cannot wait as long as a server.
leases.TERM_MS = 600  # type: ignore[misc]
queue.LEASE_MS = 1_500


class Platform(practice.Practice):
    """Writes down what it is asked before it answers; takes no key."""

    @property
    def capabilities(self) -> Capabilities:
        return msgspec.structs.replace(super().capabilities, idempotent="no")

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        with open(DATA / "platform.log", "a", encoding="ascii") as log:
            log.write(f"{capability_of(command)} {idem_key}\n")
        await asyncio.sleep(0.005)
        return await super().act(command, idem_key=idem_key)


def set_up() -> Channel:
    kind = replace(wiring.KINDS[practice.KIND], make=lambda s, _, life: Platform(s.name, life.now_ms))
    wiring.KINDS[practice.KIND] = kind  # type: ignore[index]  # a dictionary underneath
    with suppress(CommandRefused):
        channels.do_add_channel(actor=None, connector=practice.KIND, name="x", settings={"name": ACCOUNT}, mode="live")
    playbooks.do_publish(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="x", clock=lambda: 0)
    return Channel.objects.get()


def is_over() -> bool:
    if views.loop().behind:
        return False
    waiting = Delivery.objects.exclude(capability="member.unmute").filter(
        state__in=(State.READY, State.SENDING, State.RETRYING)
    )
    return not waiting.exists()


async def main() -> None:
    channel = await sync_to_async(set_up)()
    loops = asyncio.create_task(workers.live())
    while (board := workers.switchboard()) is None or board.connector(practice.KIND, ACCOUNT) is None:
        await asyncio.sleep(0.02)
    for number in range(COUNT):
        text = "代购返现" if number % AD_EVERY == 0 else f"大家好 {number}"
        event = practice.said(ACCOUNT, f"g{number}", f"u{number}", text, now_ms())
        # The channel reads everything again after each start, as one does that was never confirmed.
        await board.take(channel, Batch(events=(msgspec.structs.replace(event, dedupe_key=f"m:{number}"),)))
    while not await sync_to_async(is_over)():
        await asyncio.sleep(0.05)
    loops.cancel()
    with suppress(asyncio.CancelledError):
        await loops
    (DATA / "over").touch()


asyncio.run(main())
