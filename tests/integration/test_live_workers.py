"""The loops as they run beside the server: channels start and stop, reports are durable when taken, webhooks come in."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError

from qunce.api.inbound import with_doors
from qunce.connectors.base import Batch, Gap
from qunce.connectors.webhook_in.signature import SIGNATURE, TIMESTAMP, sign
from qunce.domain.events import Event, MessageCreated, Source
from qunce.journal.models import JournalEvent, JournalGap
from qunce.outbox.models import Delivery, State
from qunce.runtime.clock import now_ms
from qunce.runtime.live import channels, leases, playbooks, views, workers
from qunce.runtime.live.intake import Intake, Report, Store
from qunce.runtime.live.threads import DatabaseThread
from qunce.runtime.models import Case, Channel, Lease
from qunce.testing.builders import said
from qunce.testing.live import ACCOUNT, PLAYBOOK

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "sixteen-characters-or-more"
T = TypeVar("T")


def in_thread(work: Callable[..., T]) -> Callable[..., Awaitable[T]]:
    return sync_to_async(work, thread_sensitive=True)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(400):
        if await in_thread(holds)():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came to be")


@asynccontextmanager
async def running() -> AsyncIterator[None]:
    task = asyncio.create_task(workers.live())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def connected(connector: str, account: str) -> bool:
    board = workers.switchboard()
    return board is not None and board.connector(connector, account) is not None


def add(connector: str, **settings: Any) -> int:
    return channels.do_add_channel(actor=None, connector=connector, name=connector, settings=settings, mode="live")


def ad(number: int = 1) -> Event:
    event = said("演练一群", "老王", "代购返现", at="09:00", id=f"m{number}")
    body = MessageCreated(message_id=f"m{number}", text="代购返现")
    return Event(
        ts_ms=now_ms(), source=Source(connector="practice", account=ACCOUNT, origin="callback"), body=body,
        dedupe_key=event.dedupe_key, conv=event.conv, actor=event.actor,
    )  # fmt: skip


async def test_a_message_on_a_channel_is_answered_by_the_loops_alone() -> None:
    pk = await in_thread(add)("practice", name=ACCOUNT)
    await in_thread(playbooks.do_publish)(actor=None, files={"playbook.yaml": PLAYBOOK}, reason="first")
    async with running():
        await until(lambda: Channel.objects.get(pk=pk).status == "up")
        board = workers.switchboard()
        assert board is not None
        line = board.connector("practice", ACCOUNT)
        assert line is not None
        await board.take(line[0], Batch(events=(ad(),)))
        await until(lambda: Delivery.objects.filter(state=State.DONE).count() == 3)
        assert (await in_thread(views.loop)()).version.startswith("1-")
    assert await in_thread(lambda: Case.objects.get().verdict)() == "mute"
    assert await in_thread(lambda: set(Lease.objects.values_list("holder", flat=True)))() == {""}
    assert workers.switchboard() is None


async def test_a_channel_that_is_switched_off_stops_and_one_that_is_switched_on_starts() -> None:
    pk = await in_thread(add)("practice", name=ACCOUNT)
    async with running():
        await until(lambda: Channel.objects.get(pk=pk).since == "up")
        board = workers.switchboard()
        assert board is not None
        await in_thread(channels.do_change_channel)(actor=None, channel_id=pk, enabled=False)
        await board._look()
        assert board.connector("practice", ACCOUNT) is None
        await in_thread(channels.do_change_channel)(actor=None, channel_id=pk, enabled=True)
        await board._look()
        assert board.connector("practice", ACCOUNT) is not None


async def request(path: str, body: bytes, headers: dict[str, str], method: str = "POST") -> tuple[int, dict[str, Any]]:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: Any) -> None:
        sent.append(message)

    async def inner(*_: object) -> None:
        raise AssertionError("the doors let it through")

    pairs = [(name.encode(), value.encode()) for name, value in headers.items()]
    await with_doors(inner)({"type": "http", "method": method, "path": path, "headers": pairs}, receive, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    moment_s = now_ms() // 1_000
    return {TIMESTAMP: str(moment_s), SIGNATURE: sign(secret, moment_s, body)}


async def test_a_signed_webhook_is_durable_when_it_is_answered() -> None:
    await in_thread(add)("webhook_in", name="商城", secrets=[SECRET])
    row = {"group": "演练一群", "sender": "老王", "text": "在吗", "time": now_ms()}
    body = json.dumps(row, ensure_ascii=False).encode() + b"\nnot json\n"
    path = "/in/webhook/商城"
    assert (await request(path, body, signed(body)))[0] == 404
    async with running():
        await until(lambda: connected("webhook_in", "商城"))
        assert await request(path, body, signed(body, "another-secret-than-ours")) == (
            401,
            {"taken": 0, "rejected": [], "error": "bad_signature"},
        )
        status, answer = await request(path, body, signed(body))
        assert (status, answer["taken"], len(answer["rejected"])) == (200, 1, 1)
        assert await in_thread(JournalEvent.objects.count)() == 1
        assert (await request(path, body, signed(body)))[1]["taken"] == 1
        assert await in_thread(JournalEvent.objects.count)() == 1, "sent again, it is the same"
        assert (await request(path, b"", {}, method="GET"))[0] == 405
        await until(lambda: Channel.objects.get().status == "up")


@pytest.fixture
async def thread() -> AsyncIterator[DatabaseThread]:
    thread = DatabaseThread("test")
    yield thread
    await thread.close()


def reports(channel_id: int, count: int) -> list[Report]:
    source = Source(connector="practice", account=ACCOUNT)
    return [Report(channel_id, source, Batch(events=(ad(n),), since=str(n))) for n in range(count)]


async def test_reports_that_come_together_share_transactions(thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = await in_thread(add)("practice", name=ACCOUNT)
    store = await thread.do(Store)
    sizes: list[int] = []
    real = Store.store

    def watched(self: Store, given: Sequence[Report]) -> None:
        sizes.append(len(given))
        real(self, given)

    monkeypatch.setattr(Store, "store", watched)
    way_in = Intake(lambda: store, thread, lambda: None)
    await asyncio.gather(*(way_in.take(report) for report in reports(pk, 250)))
    assert sizes == [100, 100, 50]
    assert await in_thread(JournalEvent.objects.count)() == 250
    assert await in_thread(lambda: Channel.objects.get().since)() == "249"


async def test_one_report_that_cannot_be_stored_does_not_hold_the_others_up(
    thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    pk = await in_thread(add)("practice", name=ACCOUNT)
    store = await thread.do(Store)
    real = store.ingest.take

    def take(events: list[Event]) -> Any:
        if any(event.dedupe_key.endswith("m2") for event in events):
            raise ValueError("a value no database holds")
        return real(events)

    monkeypatch.setattr(store.ingest, "take", take)
    way_in = Intake(lambda: store, thread, lambda: None)
    gap = Report(pk, Source(connector="practice", account=ACCOUNT), Batch(gaps=(Gap(reason="backfill_limit", lost=7),)))
    await asyncio.gather(*(way_in.take(report) for report in [*reports(pk, 5), gap]))
    keys = await in_thread(lambda: list(JournalEvent.objects.order_by("seq").values_list("dedupe_key", flat=True)))()
    assert [key[-2:] for key in keys] == ["m0", "m1", "m3", "m4"]
    gaps = await in_thread(lambda: set(JournalGap.objects.values_list("reason", "lost")))()
    assert gaps == {("unstorable", 1), ("backfill_limit", 7)}


async def test_a_database_that_is_away_is_the_channels_to_know(thread: DatabaseThread, monkeypatch: pytest.MonkeyPatch) -> None:
    pk = await in_thread(add)("practice", name=ACCOUNT)
    store = await thread.do(Store)

    def away(*_: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(store.ingest, "take", away)
    way_in = Intake(lambda: store, thread, lambda: None)
    with pytest.raises(OperationalError):
        await way_in.take(reports(pk, 1)[0])
    assert await in_thread(lambda: Channel.objects.get().since)() == "", "what was not stored is asked for again"


def test_a_lease_is_held_by_one_and_passes_on_when_its_holder_dies() -> None:
    start = 1_800_000_000_000
    assert leases.take("react", "a", start)
    assert not leases.take("react", "b", start + leases.TERM_MS - 1)
    assert leases.take("react", "a", start + leases.TERM_MS - 1), "renewed in time"
    assert leases.take("react", "b", start + 3 * leases.TERM_MS)
    assert not leases.renew("react", "a", start + 3 * leases.TERM_MS)
    assert leases.take("react", "a", start - 86_400_000), "a clock set back locks nobody out"
    leases.drop("react", "a")
    assert leases.take("react", "b", start)
