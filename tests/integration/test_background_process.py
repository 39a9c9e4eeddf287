"""A process beside the server is started, started again when it dies, and ends with the server; one at a time works."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from qunce.runtime import jobs
from qunce.runtime.background import supervisor
from qunce.runtime.background.line import LINE, Line
from qunce.runtime.background.seat import Seat

ECHO = """
import os, sys
with open(sys.argv[1], "a") as log:
    log.write(f"{os.getpid()} began\\n"); log.flush()
    while rings := os.read(0, 100):
        log.write(f"{os.getpid()} heard\\n"); log.flush()
    log.write(f"{os.getpid()} alone\\n")
"""
HOLD = """
import sys, time
from pathlib import Path
from qunce.runtime.background.seat import Seat
with Seat(Path(sys.argv[1])).taken(7) as ours:
    print(ours, flush=True)
    time.sleep(60)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


def told(log: Path, what: str) -> list[int]:
    """Return the processes that wrote `what`."""
    lines = log.read_text("ascii").splitlines() if log.exists() else []
    return [int(line.split()[0]) for line in lines if line.endswith(what)]


async def until(log: Path, what: str, times: int = 1) -> list[int]:
    for _ in range(3_000):
        if len(found := told(log, what)) >= times:
            return found
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody wrote {what!r}")


@asynccontextmanager
async def supervised(log: Path, program: str = ECHO) -> AsyncIterator[None]:
    command = (sys.executable, "-c", program, str(log))
    task = asyncio.create_task(supervisor.supervise(command, first_pause_s=0.01, longest_pause_s=0.02))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_the_process_hears_rings_and_ends_when_the_server_ends(log: Path) -> None:
    async with supervised(log):
        await until(log, "began")
        jobs.wake()
        await until(log, "heard")
    assert len(told(log, "alone")) == 1
    LINE.ring()


async def test_a_process_that_dies_is_started_again_and_the_log_says_so(log: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, supervisor.logger.name):
        async with supervised(log):
            for times in (1, 2):
                os.kill((await until(log, "began", times))[-1], 9)
            began = await until(log, "began", 3)
            jobs.wake()
            await until(log, "heard")
    assert len(set(began)) == 3
    assert [(record.__dict__["action"], record.__dict__["code"]) for record in caplog.records] == [("background.ended", -9)] * 2
    assert [record.__dict__["again_s"] for record in caplog.records] == [0.01, 0.02], "pauses grow up to a limit"


async def test_a_process_that_does_not_listen_is_killed_when_the_server_ends(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "LAST_WORD_S", 0.05)
    deaf = "import os, sys, time; open(sys.argv[1], 'a').write(f'{os.getpid()} began\\n'); time.sleep(600)"
    async with supervised(log, deaf):
        [pid] = await until(log, "began")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_figures_are_left_to_the_process_as_long_as_it_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[object] = []

    class Known:
        def leave_to(self, ring: object) -> None:
            left.append(ring)

    async def ends(*_: Any) -> None:
        assert left == [supervisor.ring]

    monkeypatch.setattr(supervisor, "results", Known)
    monkeypatch.setattr(supervisor, "supervise", ends)
    await supervisor.keep()
    assert left == [supervisor.ring, None]


def test_a_line_nobody_listens_to_and_a_full_one_hold_nobody_up() -> None:
    line = Line()
    line.ring()
    theirs, ours = os.pipe()
    line.connect(ours)
    for _ in range(70_000):
        line.ring()
    os.close(theirs)
    line.ring()
    line.hang_up()
    line.hang_up()


def test_one_process_at_a_time_works_in_a_data_folder_and_its_death_frees_the_seat(tmp_path: Path) -> None:
    import subprocess

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    assert Seat(tmp_path).holder() is None
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None
            assert other.stdout.readline() == "True\n"
            holder = Seat(tmp_path).holder()
            assert holder is not None
            assert (holder.pid, holder.since_ms) == (other.pid, 7)
            with Seat(tmp_path).taken(8) as ours:
                assert not ours
        finally:
            other.kill()
    assert Seat(tmp_path).holder() is None
    with Seat(tmp_path).taken(9) as ours:
        assert ours
