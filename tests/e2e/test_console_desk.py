"""An operator answers a member in a real browser by keyboard alone: choose, take a canned response, send, the clock stops."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.consoles import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.consoles import Console, Starter

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
def console(start_console: Starter) -> Console:
    return start_console("desk", SEED)


def test_a_member_is_answered_by_keyboard_and_the_clock_stops(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
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
