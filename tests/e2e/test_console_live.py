"""An operator keeps order in a real browser: decide by keyboard, undo, mend rules, replay them, publish.

One server of its own over a folder with a case in it; every page is watched for violations of the content policy.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.consoles import open_page
from tests.e2e.test_console import CHINESE_IN_FRAME, NAMELESS

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.e2e.consoles import Console, Starter

pytestmark = pytest.mark.e2e
PAGES = (
    "/cases", "/cases?state=all", "/cases?show=appeals", "/cases?show=tasks", "/cases/2:ads.terms",
    "/cases/2:ads.terms/teach?model=spam&label=yes", "/channels", "/channels/1", "/channels/new/matrix",
    "/channels/new/webhook_in", "/channels/1/groups", "/practice", "/lessons", "/messages/2/teach",
    "/playbook", "/playbook/edit", "/playbook/edit/text", "/playbook/edit/rules/ads.terms",
    "/playbook/versions", "/playbook/replay", "/playbook/replay/1",
)  # fmt: skip
SEED = """
import django
django.setup()
from pathlib import Path
from qunce.runtime import jobs
from qunce.runtime.clock import now_ms
from qunce.runtime.replay import job
from qunce.testing.live import PLAYBOOK, Stage
import sys
stage = Stage(Path(sys.argv[1]), mode="simulated")
stage.now_ms = now_ms() - 60_000
stage.publish(PLAYBOOK.replace("mode: act", "mode: suggest"))
stage.say("老王", "大家好，请问什么时候发货？" * 8)
stage.say("老王", "代 购·返 现，<b>私聊我</b> https://example.org/" + "a" * 120)
stage.say("阿强", "代购返现")
stage.react()
files = {"playbook.yaml": PLAYBOOK}
job.start(actor=None, files=files, source="1", against=files, against_source="1", since_ms=None, until_ms=None, group_ids=None)
jobs.run_next()
"""


@pytest.fixture(scope="module")
def console(start_console: Starter) -> Console:
    return start_console("live", SEED)


@pytest.mark.parametrize(
    ("width", "language", "dark"),
    [
        pytest.param(1440, "zh-hans", True, id="wide in Chinese, dark"),
        pytest.param(360, "zh-hans", False, id="narrow in Chinese"),
        pytest.param(360, "en", True, id="narrow in English, dark"),
    ],
)
def test_every_page_keeps_the_policy_the_width_and_its_names(
    console: Console, chromium: Browser, width: int, language: str, dark: bool
) -> None:
    page = open_page(console, chromium, width=width, language=language, dark=dark)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for address in PAGES:
        answer = page.goto(console.address + address)
        page.wait_for_load_state("networkidle")
        assert answer is not None
        assert answer.status == 200, address
        assert page.evaluate("window.__violations") == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, "is wider than the screen")
        assert page.evaluate(NAMELESS) == [], address
        if language == "en":
            assert page.evaluate(CHINESE_IN_FRAME) == [], address
    assert errors == []
    page.context.close()


def test_a_case_is_decided_and_undone_by_keyboard(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(console.address + "/cases")
    expect(page.locator("tr[data-row]")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.get_by_text("已批准，正在执行。")).to_be_visible()
    expect(page.locator("tr[data-row]")).to_have_count(1)
    page.goto(console.address + "/cases?state=done")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".evidence-text mark")).to_be_visible()
    page.keyboard.press("u")
    dialog = page.get_by_role("dialog", name="撤销这个处理")
    expect(dialog).to_be_visible()
    dialog.get_by_label("理由").fill("误伤")
    dialog.get_by_role("button", name="撤销").click()
    expect(page.get_by_text("已撤销，正在恢复原状。")).to_be_visible()
    page.context.close()


def test_rules_are_mended_replayed_and_published(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(console.address + "/playbook/edit/text")
    editor = page.get_by_label("playbook.yaml")
    whole = editor.input_value()
    editor.fill(whole.replace("mode: suggest", "mode: wild"))
    page.get_by_role("button", name="保存并检查").click()
    expect(page.get_by_role("heading", name="要改的地方")).to_be_visible()
    expect(page.locator(".problem-lines .hit")).to_contain_text("mode: wild")
    page.get_by_label("playbook.yaml").fill(whole.replace("mode: suggest", "mode: observe"))
    page.get_by_role("button", name="保存并检查").click()
    page.get_by_role("link", name="表单").click()
    expect(page.get_by_role("heading", name="发布后会变的")).to_be_visible()
    page.get_by_role("link", name="先回放一遍").click()
    page.get_by_role("button", name="开始回放").click()
    expect(page.get_by_text("看了 3 条消息")).to_be_visible()
    expect(page.get_by_role("heading", name=re.compile("的不同"))).to_be_visible()
    page.get_by_text("例子", exact=False).locator("visible=true").first.click()
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="规则").click()
    page.get_by_role("link", name="打开草稿").click()
    page.get_by_label("为什么改").fill("先观察")
    page.get_by_role("button", name="发布", exact=True).click()
    expect(page.get_by_text("第 2 版已发布")).to_be_visible()
    assert page.evaluate("window.__violations") == []
    page.context.close()
