"""A server that is killed again and again, at moments nobody chose, loses nothing and says nothing twice."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.deep

COUNT = 200
KILLS = 4
LIMIT_S = 90.0
CHILD = Path(__file__).with_name("live_child.py")


def start(data: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "qunce.config.settings",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "DATABASE_URL": "",
    }
    return subprocess.Popen([sys.executable, str(CHILD), str(data), str(COUNT)], env=environment, start_new_session=True)


def asked(data: Path) -> list[list[str]]:
    log = data / "platform.log"
    return [line.split() for line in log.read_text("ascii").splitlines()] if log.exists() else []


def run_until(data: Path, lines: int) -> bool:
    """Run the server until the platform was asked so many things, then kill it; return True when it was over before."""
    child = start(data)
    deadline = time.monotonic() + LIMIT_S
    try:
        while child.poll() is None and len(asked(data)) < lines:
            if time.monotonic() > deadline:
                raise AssertionError("the server does not come to its end")
            time.sleep(0.003)
        return child.poll() is not None
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_kill_9_at_any_moment_loses_nothing_and_says_nothing_twice(tmp_path: Path) -> None:
    chance = random.Random(9)
    for _ in range(KILLS):
        assert not run_until(tmp_path, len(asked(tmp_path)) + chance.randint(1, 25)), "it was over too soon to be killed"
    assert run_until(tmp_path, 10**9)
    assert (tmp_path / "over").exists()
    with sqlite3.connect(tmp_path / "qunce.sqlite3") as database:
        said = database.execute("SELECT count(*) FROM message WHERE text LIKE '大家好%' OR text = '代购返现'").fetchone()
        cases = database.execute("SELECT decision_id, verdict FROM decision WHERE area = 'moderation'").fetchall()
        ends = database.execute(
            "SELECT idem_key, capability, state FROM delivery WHERE capability <> 'member.unmute'"
        ).fetchall()
        holes = database.execute("SELECT max(seq) - count(*) FROM journal_event").fetchone()
    database.close()
    assert (said, holes) == ((COUNT,), (0,))
    assert Counter(verdict for _, verdict in cases) == {"mute": COUNT // 5}
    assert Counter(capability for _, capability, _ in ends) == dict.fromkeys(
        ("message.delete", "member.mute", "message.send"), COUNT // 5
    )
    times = Counter(key for _, key in asked(tmp_path))
    for key, capability, state in ends:
        assert state == "done" or (capability == "message.send" and state == "unknown"), (capability, state)
        assert times[key] >= 1 or state == "unknown"
        assert times[key] == 1 or capability != "message.send" or (state == "unknown" and times[key] <= 1)
