"""A console of its own for a module of tests: set up in an empty folder, seeded, served, signed in to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

START_LIMIT_S: Final = 90
WATCH: Final = """
window.__violations = [];
const note = (event) => window.__violations.push(`${event.violatedDirective} ${event.sourceFile}`);
document.addEventListener("securitypolicyviolation", note);
"""


@dataclass(slots=True)
class Console:
    """A running console and the state of a browser that has signed in."""

    address: str
    name: str
    password: str
    folder: Path
    state: dict[str, object] = field(default_factory=dict)


Starter = Callable[..., Console]
"""The fixture `start_console`: the folder's name and a script that fills it (empty = none) → a console signed in to."""


@contextmanager
def running(folder: Path, seed: str, chromium: Browser) -> Iterator[Console]:
    """Serve a console from `folder` until the block ends; `seed` is Python that fills it and is given the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUNCE_", "DJANGO_", "DATABASE_URL"))}
    run = [sys.executable, "-m", "qunce.runtime.cli", "run", "--data", str(folder / "data"), "--no-demo"]
    said = subprocess.run([*run, "--no-serve"], env=kept, cwd=folder, check=True, capture_output=True, text=True).stdout
    found = re.search(r"First login: (\S+)\s+password: (\S+)", said)
    assert found, said
    if seed:
        seeding = kept | {"QUNCE_DATA": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "qunce.config.settings"}
        subprocess.run([sys.executable, "-c", seed, str(folder)], env=seeding, cwd=folder, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen([*run, "--port", str(port)], stdout=out, stderr=out, env=kept) as process:
        try:
            _wait(process, port, log)
            made = Console(f"http://127.0.0.1:{port}", found[1], found[2], folder)
            _sign_in(made, chromium)
            yield made
        finally:
            process.send_signal(signal.SIGINT)


def open_page(console: Console, chromium: Browser, *, width: int = 1440, language: str = "zh-hans", dark: bool = False) -> Page:
    """Return a page of a browser that has signed in; it watches for violations of the content policy."""
    context = chromium.new_context(
        storage_state=console.state,  # type: ignore[arg-type]  # as Playwright gave it
        locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": width, "height": 900},
        color_scheme="dark" if dark else "light",
    )  # fmt: skip
    context.set_default_timeout(20_000)
    context.add_cookies([{"name": "django_language", "value": language, "url": console.address}])
    context.add_init_script(WATCH)
    return context.new_page()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_LIMIT_S
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the console did not start:\n{log.read_text('utf-8')[-2000:]}")


def _sign_in(made: Console, chromium: Browser) -> None:
    context = chromium.new_context(locale="zh-CN")
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(made.address)
    page.get_by_label("登录名").fill(made.name)
    page.get_by_label("密码").fill(made.password)
    page.get_by_role("button", name="登录").click()
    expect(page.get_by_role("navigation", name="主导航")).to_be_visible()
    made.state = dict(context.storage_state())
    context.close()
