"""Make the pictures of the documents from a fresh demonstration community.

    .venv/bin/python -m scripts.screenshots [NAME…]

Starts a console of its own in a temporary folder and photographs it with Chromium. The machine needs fonts for Chinese and
emoji (Debian: fonts-noto-cjk, fonts-noto-color-emoji).
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import Error, expect, sync_playwright

from scripts.setup.checks import find_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "images"
MOST_BYTES = 300_000
COMMUNITY = ("--groups", "24", "--members", "3000", "--days", "120", "--seed", "2026")
"""As large as the one `qunce run` makes."""


class Shot(NamedTuple):
    """One picture: where, how wide, how high, in which language."""

    name: str
    path: str
    width: int = 1440
    height: int = 900
    locale: str = "zh-CN"
    replays: str = ""
    """Playbook that is replayed from the page first; the picture shows what came of it."""


SHOTS = (
    Shot("dashboard", "/"),
    Shot("dashboard-en", "/", locale="en-US"),
    Shot("narrow", "/", width=390, height=844),
    Shot("groups", "/groups"),
    Shot("replay", "/playbook/replay", replays="gallery:muying"),
    Shot("replay-en", "/playbook/replay", locale="en-US", replays="gallery:muying"),
)


def main() -> None:
    """Write every picture, or those named; raise when one is too large for the documents."""
    shots = [shot for shot in SHOTS if shot.name in (sys.argv[1:] or [each.name for each in SHOTS])]
    chromium = find_chromium()
    if chromium is None:
        raise SystemExit("Chromium is not here; apt install chromium fonts-noto-cjk")
    PICTURES.mkdir(exist_ok=True)
    with demonstration() as (address, name, password), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for shot in shots:
            take(browser, shot, address, name, password)
        browser.close()
    for shot in shots:
        size = (PICTURES / f"{shot.name}.png").stat().st_size
        print(f"{shot.name:<14} {size:>9,} bytes")
        if size >= MOST_BYTES:
            raise SystemExit(f"{shot.name}.png has {size:,} bytes, {MOST_BYTES:,} are too many")


@contextmanager
def demonstration() -> Iterator[tuple[str, str, str]]:
    """Yield address, name and password of a console with a fresh demonstration."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {key: value for key, value in os.environ.items() if not key.startswith(("QUNCE_", "DATABASE_URL"))}
    env["PYTHONPATH"] = str(ROOT / "src")
    with tempfile.TemporaryDirectory() as folder:
        qunce = [sys.executable, "-m", "qunce.runtime.cli", "--data", folder]
        chats = str(Path(folder) / "demonstration.jsonl.zst")
        subprocess.run([*qunce, "simulate", *COMMUNITY, "--end", last_evening(), "--out", chats], env=env, check=True)
        subprocess.run([*qunce, "import", "--quiet", chats], env=env, check=True, stdout=subprocess.DEVNULL)
        command = [*qunce, "run", "--no-demo", "--port", str(port)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=env, text=True) as process:
            try:
                name, password = _first_login(process)
                yield f"http://127.0.0.1:{port}", name, password
            finally:
                process.terminate()


def last_evening() -> str:
    """Return the newest ten o'clock at night in China: a chart that ends in the small hours ends with an empty day."""
    passed = datetime.now(timezone(timedelta(hours=8))) - timedelta(hours=22)
    return f"{passed:%Y-%m-%d}T22:00"


def _first_login(process: subprocess.Popen[str]) -> tuple[str, str]:
    said = ""
    for line in process.stdout or ():
        said += line
        if login := re.search(r"First login: (\S+)\s+password: (\S+)", line):
            return login[1], login[2]
    raise SystemExit(f"the console did not start:\n{said}")


def take(browser: Browser, shot: Shot, address: str, name: str, password: str) -> None:
    """Sign in, wait until no figure is in the making any more, and photograph the page."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height}, locale=shot.locale, timezone_id="Asia/Shanghai"
    )
    page = context.new_page()
    for attempt in range(50):
        try:
            page.goto(address + "/login")
            break
        except Error:  # the server says its address a moment before it answers
            if attempt == 49:
                raise
            page.wait_for_timeout(200)
    page.fill("input[name=username]", name)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(address + "/")
    expect(page.locator(".wait")).to_have_count(0, timeout=60_000)
    page.goto(address + shot.path)
    if shot.replays:
        page.select_option("#source", shot.replays)
        page.click("main form button.btn-primary")
        page.wait_for_url("**/replay/*")
        expect(page.locator("table")).not_to_have_count(0, timeout=300_000)
        page.reload()  # the heading still tells how it stood when the page was opened
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1_500)  # charts draw themselves in
    page.screenshot(path=PICTURES / f"{shot.name}.png")
    context.close()


if __name__ == "__main__":
    main()
