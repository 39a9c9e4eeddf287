"""An operator gets to know members in a real browser: tags one, takes the tag back, confirms what a member said."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.consoles import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

    from tests.e2e.consoles import Console, Starter

pytestmark = pytest.mark.e2e
SEED = """
import django
django.setup()
from qunce.runtime.ingest import Ingest
from qunce.runtime.profile import proposals
from qunce.testing import builders as b
Ingest().take_all([
    b.said("读书会", "小红", "我家宝宝6个月，什么时候发货？", at="09:00"),
    b.said("读书会", "老王", "早上好", at="09:01"),
    b.said("晨跑团", "阿强", "今天的水蜜桃真甜", at="09:02"),
])
proposals.perform({}, lambda progress: None)
"""


@pytest.fixture(scope="module")
def console(start_console: Starter) -> Console:
    return start_console("members", SEED)


def _member(page: Page, console: Console, name: str) -> None:
    page.goto(f"{console.address}/members?q={name}")
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def test_a_tag_is_put_by_keyboard_with_its_end_and_taken_back(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    _member(page, console, "小红")
    page.get_by_label("标签", exact=True).select_option("意向/强")
    page.get_by_label("理由（可不填）").fill("问了发货时间")
    page.get_by_label("有效期").select_option("7")
    page.get_by_role("button", name="打上").press("Enter")
    tag = page.locator("details.tag-more")
    expect(tag).to_have_count(1)
    tag.locator("summary").press("Enter")
    expect(tag.locator(".tag-card")).to_contain_text("问了发货时间")
    expect(tag.locator(".tag-card")).to_contain_text(re.compile("到 "))
    page.goto(f"{console.address}/members/changes")
    page.get_by_role("button", name=re.compile("撤销")).first.press("Enter")
    _member(page, console, "小红")
    expect(page.locator("details.tag-more")).to_have_count(0)
    assert page.evaluate("window.__violations") == []
    page.context.close()


def test_what_a_member_said_is_confirmed_with_the_message_beside_it(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium, width=390)
    page.goto(f"{console.address}/members/proposals")
    row = page.locator("[data-row]", has_text="小红").first
    expect(row).to_contain_text("6 个月")
    expect(row).to_contain_text("什么时候发货")
    row.get_by_label("选择 小红").press("Space")
    page.get_by_role("button", name="采纳", exact=True).press("Enter")
    _member(page, console, "小红")
    expect(page.locator("#profile .portrait")).to_contain_text("6 个月")
    assert page.evaluate("window.__violations") == []
    page.context.close()
