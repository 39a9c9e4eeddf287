"""Run a server as people do, send it events, and tell when the decision on each was durable."""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.test import Client

from qunce.accounts.models import Staff
from qunce.accounts.staff import create_first_admin
from qunce.runtime.bench.work.chatter import playbook
from qunce.runtime.bench.work.loading import CHANNEL, HOST, SECRET, Load
from qunce.runtime.live import channels, playbooks
from qunce.runtime.live.memory import REACT

LOOK_S: Final = 0.005
"""How often the database is asked how far the decisions are; delays are known this exactly."""
START_S: Final = 180
QUIET_S: Final = 0.3
"""A server that needs less CPU a second has settled."""
TELLING_S: Final = 1.0
"""A shorter load shows that it works, not how fast, so that nothing is waited for."""
SETTLE_S: Final = 30
"""So long after the last request a decision is waited for."""


def measure(seconds: float, each: int, per_second: int) -> dict[str, Any]:
    """Start a server, load it for so long with requests of `each` rows, and stop it.

    `per_second` rows come whether they are answered or not; 0 = each connection sends as soon as it was answered.
    """
    channels.do_add_channel(
        actor=None, connector="webhook_in", name=CHANNEL, settings={"name": CHANNEL, "secrets": [SECRET]}, mode="simulated"
    )
    playbooks.do_publish(actor=None, files=playbook("whole"), reason="benchmark")
    create_first_admin()
    port = _free_port()
    load = Load(port, _cookie())
    with _server(port) as server, _watch() as seen:
        began, used_s = asyncio.run(_run(load, server, seconds, each, per_second))
        delays = _delays(load, seen)
        # Only what the server's own process needed for the load: starting, and the process beside it, are not the live path.
        cpu_s = _cpu_s(server) - used_s
    return {
        "seconds": [max(delays.values(), default=began) - began], "cpu": [cpu_s],
        "events": len(delays), "lost": len(load.due) - len(delays),
        "refused": load.refused, "pages": load.pages,
        "delay_ms": sorted((done - load.due[key]) * 1_000 for key, done in delays.items()),
    }  # fmt: skip


async def _run(load: Load, server: int, seconds: float, each: int, per_second: int) -> tuple[float, float]:
    """Send everything, with the console open, once the start has settled.

    Returns when the first row was due, and the CPU seconds the server had used by then.
    """
    give_up = time.monotonic() + START_S
    while not await load.is_open():
        if time.monotonic() > give_up:
            raise RuntimeError("the server does not take rows")
        await asyncio.sleep(0.2)
    watching = asyncio.create_task(load.look_at_the_console())
    if seconds >= TELLING_S:
        await _settled(server)
    used_s = _cpu_s(server)
    if per_second:
        await load.steadily(seconds, each, per_second)
    else:
        await load.flat_out(seconds, each)
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    return min(load.due.values()), used_s


async def _settled(server: int) -> None:
    """Wait until the server has made what it makes once after a start, and mostly waits itself; give up after a while."""
    quiet, give_up = 0, time.monotonic() + START_S
    while quiet < 2 and time.monotonic() < give_up:
        before = _cpu_s(server)
        await asyncio.sleep(1)
        quiet = quiet + 1 if _cpu_s(server) - before < QUIET_S else 0


def _cpu_s(server: int) -> float:
    """Return the CPU seconds a process has used; 0 where the system does not say."""
    known = Path(f"/proc/{server}/stat")
    if not known.exists():
        return 0.0
    fields = known.read_text("ascii", "replace").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _delays(load: Load, seen: list[tuple[int, float]]) -> dict[str, float]:
    """Return when the decision on each row was durable, by its key; rows that were never decided on are left out."""
    with closing(_open()) as database:
        rows = database.execute("SELECT dedupe_key, seq FROM journal_event").fetchall()
    places = {key: seq for key, seq in rows if key in load.due}
    last, give_up = max(places.values(), default=0), time.monotonic() + SETTLE_S
    while (not seen or seen[-1][0] < last) and time.monotonic() < give_up:
        time.sleep(LOOK_S)
    known = [seq for seq, _ in seen]
    found = {key: bisect_left(known, seq) for key, seq in places.items()}
    return {key: seen[place][1] for key, place in found.items() if place < len(seen)}


@contextmanager
def _watch() -> Iterator[list[tuple[int, float]]]:
    """Note, each time the decisions have come further, how far they are and when that was seen."""
    seen: list[tuple[int, float]] = []
    over = threading.Event()

    def look() -> None:
        with closing(_open()) as database:
            while not over.is_set():
                row = database.execute("SELECT seq FROM journal_cursor WHERE name = ?", (REACT,)).fetchone()
                if row is not None and (not seen or row[0] > seen[-1][0]):
                    seen.append((row[0], time.monotonic()))
                over.wait(LOOK_S)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


@contextmanager
def _server(port: int) -> Iterator[int]:
    command = [sys.executable, "-m", "qunce.runtime.cli", "run", "--no-demo", "--host", HOST, "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield server.pid
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _cookie() -> str:
    """Return the session of somebody who is signed in."""
    client = Client(SERVER_NAME=HOST)
    client.force_login(Staff.objects.get())
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


def _open() -> sqlite3.Connection:
    return sqlite3.connect(f"file:{Path(settings.DATA_DIR) / 'qunce.sqlite3'}?mode=ro", uri=True, timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
