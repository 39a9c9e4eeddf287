"""A new installation starts, names the first login, and that login opens the console."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

pytestmark = pytest.mark.e2e
START_LIMIT_S = 60


@pytest.fixture
def started(tmp_path: Path) -> Iterator[tuple[str, str, str]]:
    """Address, name and password of a console that was started in an empty folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUNCE_", "DJANGO_", "DATABASE_URL"))}
    command = [
        sys.executable,
        "-m",
        "qunce.runtime.cli",
        "run",
        "--data",
        str(tmp_path / "data"),
        "--port",
        str(port),
        "--no-demo",
    ]
    said = tmp_path / "said"
    with said.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out, env=kept, cwd=tmp_path) as process:
        try:
            name, password = _first_login(process, said, port)
            yield f"http://127.0.0.1:{port}/", name, password
        finally:
            process.send_signal(signal.SIGINT)


def _first_login(process: subprocess.Popen[bytes], said: Path, port: int) -> tuple[str, str]:
    """Wait until the server answers; return the login it named."""
    give_up = time.monotonic() + START_LIMIT_S
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    else:
        pytest.fail(f"the console did not start:\n{said.read_text('utf-8')[-2000:]}")
    found = re.search(r"First login: (\S+)\s+password: (\S+)", said.read_text("utf-8"))
    assert found, said.read_text("utf-8")
    return found[1], found[2]


def test_the_first_login_opens_the_console(started: tuple[str, str, str], page: Page) -> None:
    address, name, password = started
    violations: list[str] = []
    page.on("console", lambda message: violations.append(message.text) if message.type == "error" else None)
    page.goto(address)
    page.locator("input[name=username]").fill(name)
    page.locator("input[name=password]").fill(password)
    page.locator("input[name=password]").press("Enter")
    expect(page.locator("nav").first).to_be_visible()
    expect(page).to_have_title(re.compile("群策"))
    assert not violations
