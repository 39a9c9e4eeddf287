"""A real server with its process beside it: jobs are done there; killed it comes back; it goes when the server is killed."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from qunce.runtime.background.seat import Seat

pytestmark = pytest.mark.deep
LIMIT_S = 120.0
T = TypeVar("T")


def wait_for(what: str, found: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + LIMIT_S
    while time.monotonic() < deadline:
        if (value := found()) is not None:
            return value
        time.sleep(0.1)
    raise AssertionError(f"{what} never came to be")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {
        **os.environ, "DJANGO_SETTINGS_MODULE": "qunce.config.settings", "DATABASE_URL": "", "QUNCE_DATA": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }  # fmt: skip
    command = [sys.executable, "-m", "qunce.runtime.cli", "run", "--no-demo", "--port", str(port)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def enqueued(data: Path) -> int:
    """Queue a comparison as the settings page does; return the job's id."""
    with sqlite3.connect(data / "qunce.sqlite3", timeout=20) as database:
        added = database.execute(
            "INSERT INTO job (kind, params, state, progress, result, error, fix, created_ms, beat_ms) "
            "VALUES ('rebuild', '{\"keep\": false}', 'queued', '{}', '{}', '', '', 1, 0)"
        ).lastrowid
    database.close()
    assert added is not None
    return added


def state_of(data: Path, job: int) -> str:
    with sqlite3.connect(data / "qunce.sqlite3", timeout=20) as database:
        [state] = database.execute("SELECT state FROM job WHERE id = ?", (job,)).fetchone()
    database.close()
    return str(state)


def test_the_process_does_jobs_comes_back_after_a_kill_and_goes_with_the_server(
    server: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    seat = Seat(tmp_path)
    first = wait_for("the process", seat.holder)
    assert first.pid != server.pid
    job = enqueued(tmp_path)
    wait_for("the job", lambda: state_of(tmp_path, job) == "done" or None)

    os.kill(first.pid, signal.SIGKILL)
    again = wait_for("another process", lambda: found if (found := seat.holder()) and found.pid != first.pid else None)
    assert server.poll() is None
    job = enqueued(tmp_path)
    wait_for("the job of the second", lambda: state_of(tmp_path, job) == "done" or None)

    server.kill()
    server.wait()
    wait_for("the end of the process", lambda: None if is_there(again.pid) else True)
    assert seat.holder() is None
