"""Waiting, telling how a connector is, and reading on after errors."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.base import Batch
from qunce.connectors.errors import AuthFailed, ConnectorError, Permanent, Retryable
from qunce.connectors.pace import Health, Life, poll
from qunce.domain.events import ConnectorStatus, Source
from tests.unit.connectors.harness import Clock, Store, running

SOURCE = Source(connector="x", account="a", origin="poll")


@given(failures=st.integers(1, 10_000), chance=st.floats(0, 1), asked=st.none() | st.floats(0, 3600))
def test_a_wait_is_never_shorter_than_asked_and_never_longer_than_the_limit_unless_asked(
    failures: int, chance: float, asked: float | None
) -> None:
    life = Life(now_ms=lambda: 0, sleep=asyncio.sleep, chance=lambda: chance)
    wait_s = life.wait_s(failures, asked)
    assert wait_s >= (asked or 0)
    assert life.first_wait_s / 2 <= wait_s <= max(life.longest_wait_s, asked or 0)


def test_waits_double_up_to_the_limit() -> None:
    life = Clock().life()
    assert [life.wait_s(failures) for failures in (1, 2, 3, 7, 100)] == [1, 2, 4, 60, 60]


def test_each_change_of_state_is_told_once_with_its_code() -> None:
    health = Health(SOURCE, Clock().life())
    told = [
        *health.up(), *health.up(),
        *health.failed(Retryable("http_500"))[0], *health.failed(Retryable("http_500"))[0],
        *health.failed(Retryable("http_429", after_s=5))[0],
        *health.up(),
        *health.refused("401"),
    ]  # fmt: skip
    bodies = [event.body for event in told]
    assert bodies == [
        ConnectorStatus(state="up"),
        ConnectorStatus(state="down", code="http_500"),
        ConnectorStatus(state="limited", code="http_429"),
        ConnectorStatus(state="up"),
        ConnectorStatus(state="auth_failed", code="401"),
    ]
    assert len({event.dedupe_key for event in told}) == 4, "two changes to the same state in one millisecond are one"


class Script:
    """Answers each reading with the next of what was written down."""

    def __init__(self, *steps: Batch | ConnectorError) -> None:
        self._steps: Iterator[Batch | ConnectorError] = iter(steps)
        self.asked: list[str | None] = []

    async def read(self, since: str | None) -> Batch:
        self.asked.append(since)
        step = next(self._steps, None)
        if step is None:
            await asyncio.Event().wait()
        if isinstance(step, ConnectorError):
            raise step
        assert step is not None
        return step


async def test_reading_goes_on_where_it_stopped_after_every_passing_error() -> None:
    clock, store = Clock(), Store()
    script = Script(
        Batch(since="1"), Retryable("http_500"), Retryable("http_429", after_s=90), Permanent("400"), Batch(since="2")
    )
    await running(poll(script.read, store.emit, None, Health(SOURCE, clock.life()), clock.life()), lambda: store.since == "2")
    assert script.asked[:5] == [None, "1", "1", "1", "1"]
    assert clock.slept_s == [1, 90, 4]
    assert store.states() == ["up", "down", "limited", "down", "up"]


async def test_nothing_new_is_not_emitted() -> None:
    clock, store = Clock(), Store()
    script = Script(Batch(since="1"), Batch(since="1"), Batch(since="1"), Batch(since="2"))
    await running(poll(script.read, store.emit, None, Health(SOURCE, clock.life()), clock.life()), lambda: store.since == "2")
    assert [batch.since for batch in store.batches] == ["1", "2"]


async def test_a_batch_that_cannot_be_stored_ends_the_run_and_is_not_passed() -> None:
    clock, store = Clock(), Store(fails_at=1)
    script = Script(Batch(since="1"), Batch(since="2"))
    with pytest.raises(OSError, match="disk"):
        await poll(script.read, store.emit, None, Health(SOURCE, clock.life()), clock.life())
    assert store.since == "1"


async def test_refused_credentials_are_told_and_end_the_run() -> None:
    clock, store = Clock(), Store()
    with pytest.raises(AuthFailed):
        await poll(Script(AuthFailed("401")).read, store.emit, None, Health(SOURCE, clock.life()), clock.life())
    assert store.states() == ["auth_failed"]
