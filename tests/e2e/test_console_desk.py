"""An operator answers a member in a real browser by keyboard alone: choose, take a canned response, send, the clock stops."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.test_console import Console
from tests.e2e.test_console_live import _open, _sign_in, _wait

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = pytest.mark.e2e
SEED = """
import django
django.setup()
import sys
from pathlib import Path
from qunce.playbook import gallery
from qunce.runtime.clock import now_ms
from qunce.testing.live import Stage
stage = Stage(Path(sys.argv[1]))
stage.now_ms = now_ms() - 30_000
shop = gallery.texts("dianshang")
files = {name: shop[name] for name in ("playbook.yaml", "replies.yaml")}
files["answers.yaml"] = "schema_version: 1\\nanswers: [{rule_id: sla, title: 三分钟应答, mode: suggest}]\\n"
stage.publish(files)
stage.say("小红", "可以开发票吗？公司抬头")
stage.say("老王", "已经付款两天了还没有发货，麻烦帮我看看", group="二群")
stage.react()
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[Console]:
    folder = tmp_path_factory.mktemp("desk")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUNCE_", "DJANGO_", "DATABASE_URL"))}
    run = [sys.executable, "-m", "qunce.runtime.cli", "run", "--data", str(folder / "data"), "--no-demo"]
    said = subprocess.run([*run, "--no-serve"], env=kept, cwd=folder, check=True, capture_output=True, text=True).stdout
    found = re.search(r"First login: (\S+)\s+password: (\S+)", said)
    assert found, said
    seeding = kept | {"QUNCE_DATA": str(folder / "data"), "DJANGO_SETTINGS_MODULE": "qunce.config.settings"}
    subprocess.run([sys.executable, "-c", SEED, str(folder)], env=seeding, cwd=folder, check=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen([*run, "--port", str(port)], stdout=out, stderr=out, env=kept) as process:
        try:
            _wait(process, port, log)
            made = Console(f"http://127.0.0.1:{port}", found[1], found[2])
            _sign_in(made, chromium)
            yield made
        finally:
            process.terminate()


def test_a_member_is_answered_by_keyboard_and_the_clock_stops(console: Console, chromium: Browser) -> None:
    page = _open(console, chromium)
    page.goto(f"{console.address}/desk")
    expect(page.locator(".desk-row")).to_have_count(2)
    expect(page.locator(".desk-row .due").first).to_contain_text("还剩")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".desk-who h2")).to_have_text("小红")
    page.keyboard.press("/")
    page.keyboard.type("发票")
    expect(page.locator("#found .response").first).to_contain_text("开发票")
    page.keyboard.press("Enter")
    expect(page.locator("#reply")).to_have_value(re.compile("可以开电子发票"))
    page.keyboard.press("Enter")
    expect(page.locator(".desk-over")).to_contain_text("已回复", timeout=20_000)
    expect(page.locator(".msg.ours .words").first).to_contain_text("可以开电子发票")
    expect(page.locator(".desk-row")).to_have_count(1, timeout=10_000)
    assert page.evaluate("window.__violations") == []
    page.context.close()
