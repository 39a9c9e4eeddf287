"""Rules are made, mended, tried, replayed, published and taken back in a real browser: by forms, without a line of YAML."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.consoles import open_page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

    from tests.e2e.consoles import Console, Starter

pytestmark = pytest.mark.e2e
SEED = """
import django
django.setup()
from pathlib import Path
from qunce.runtime.clock import now_ms
from qunce.testing.live import Stage
import sys
stage = Stage(Path(sys.argv[1]), mode="simulated")
stage.now_ms = now_ms() - 3_600_000
stage.say("老王", "请问什么时候发货？")
stage.say("阿强", "一件代发，诚招代理，有需要加我")
stage.say("小美", "今天的水蜜桃真甜")
"""


@pytest.fixture(scope="module")
def console(start_console: Starter) -> Console:
    expect.set_options(timeout=30_000)  # pages with every rule of a playbook take their time on a busy machine
    return start_console("forms", SEED)


def _field(page: Page, path: str) -> Locator:
    return page.locator(f"#p-{path}")


def _save(page: Page) -> None:
    page.keyboard.press("Control+s")
    expect(page.get_by_text("已存进草稿，发布后才生效。")).to_be_visible()


def _publish(page: Page, reason: str) -> None:
    page.get_by_label("为什么改").fill(reason)
    page.keyboard.press("Enter")


def _draft(page: Page, section: str) -> None:
    page.locator("a.back").click()
    expect(page.locator(f"#{section}")).to_be_visible()


def test_a_rule_goes_from_the_gallery_into_force_and_back_by_form(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(console.address + "/playbook")
    page.locator("form.kind", has_text="电商社群").get_by_role("button", name="作为草稿打开").click()
    expect(page.get_by_text("这是第一次发布")).to_be_visible()
    _publish(page, "从电商样板开始")
    expect(page.get_by_text("第 1 版已发布")).to_be_visible()

    page.get_by_role("link", name="草稿", exact=True).click()
    page.get_by_role("link", name="商业广告", exact=True).click()
    expect(page.locator(".sentence")).to_contain_text("广告")
    _field(page, "severity").fill("9")
    page.keyboard.press("Control+s")
    expect(page.locator("#p-severity-e")).to_have_text(re.compile("9 太大了 → 最多写 5"))
    expect(_field(page, "severity")).to_have_attribute("aria-invalid", "true")
    _field(page, "severity").fill("4")
    _field(page, "mode").focus()
    page.keyboard.press("ArrowDown")
    expect(_field(page, "mode")).to_have_value("suggest")
    page.get_by_label("给成员的理由").fill("群里不发广告，想合作请先找群主。")
    page.get_by_role("button", name="试一试").click()
    expect(page.locator("#trial .samples")).to_contain_text("诚招代理")
    expect(page.locator("#trial .tried")).to_contain_text("1")
    _save(page)

    _draft(page, "rules")
    changes = page.locator("section.card", has=page.get_by_role("heading", name="发布后会变的"))
    expect(changes.locator("tbody tr")).to_have_count(3)
    page.get_by_role("link", name="先回放一遍").click()
    page.get_by_role("button", name="开始回放").click()
    expect(page.get_by_text("看了 3 条消息")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("heading", name=re.compile("的不同"))).to_be_visible()
    page.get_by_role("navigation", name="主导航").get_by_role("link", name="规则").click()
    page.get_by_role("link", name="打开草稿").click()
    _publish(page, "广告先请同事决定")
    expect(page.get_by_text("第 2 版已发布")).to_be_visible()
    expect(page.locator("#rule-ads\\.advert .chip.warn")).to_have_text("建议")

    page.get_by_role("link", name="历史版本").click()
    expect(page.locator("tr[data-row]")).to_have_count(2)
    expect(page.locator("tr[data-row]").first).to_contain_text("广告先请同事决定")
    page.locator("tr[data-row]", has_text="从电商样板开始").get_by_role("button", name="作为草稿打开").click()
    expect(changes.locator("tbody tr")).to_have_count(3)
    _publish(page, "改回来")
    expect(page.get_by_text("第 3 版已发布")).to_be_visible()
    expect(page.locator("#rule-ads\\.advert .chip.warn")).to_have_count(0)
    assert page.evaluate("window.__violations") == []
    page.context.close()


def test_a_rule_holidays_a_duty_and_a_reply_are_made_by_form(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)

    def fill(section: str, **values: str) -> None:
        page.goto(f"{console.address}/playbook/edit/{section}/+")
        for name, value in values.items():
            _field(page, name).fill(value)

    def add(path: str) -> None:
        page.locator(f'button[name="_op"][value="add:{path}"]').click()

    page.goto(console.address + "/playbook/edit")
    start = page.locator("form.kind", has_text="电商社群").get_by_role("button")
    if start.count():  # nothing was published yet
        start.click()
        expect(page.get_by_text("这是第一次发布")).to_be_visible()

    fill("rules", rule_id="flood.mine", title="刷屏太快", category="flood", reason="慢一点，大家都看得清。")
    page.get_by_text("加一个条件").click()
    page.locator('button[value="add:when:flood"]').click()
    page.locator("[id^='p-when-'][id$='-messages']").fill("7")
    expect(page.locator(".sentence")).to_contain_text("7 条")
    _save(page)

    fill("holidays", holidays_id="cn2027", title="2027 年节假日")
    add("closed")
    page.locator("[id^='p-closed-'][id$='-first']").fill("2027-10-01")
    page.locator("[id^='p-closed-'][id$='-last']").fill("2027-10-07")
    page.locator("[id^='p-closed-'][id$='-title']").fill("国庆节")
    _save(page)
    expect(page.get_by_text("没有值班表用到“cn2027” → 用到值班表里，或删掉它")).to_be_visible()

    fill("duties", duty_id="night", title="晚班组")
    add("shifts")
    page.locator("[id^='p-shifts-'][id$='-title']").fill("晚班")
    page.locator("[id^='p-shifts-'][id$='-hours']").fill("18:00-23:00")
    page.locator("[id^='p-shifts-'][id$='-breaks']").fill("12:00-13:00")
    _field(page, "holidays").select_option("cn2027")
    page.keyboard.press("Control+s")
    expect(page.get_by_text("12:00-13:00 不在班次 18:00-23:00 里面 → 移到班次里面，或去掉")).to_be_visible()
    page.locator("[id^='p-shifts-'][id$='-breaks']").fill("20:00-20:30")
    _save(page)

    page.goto(console.address + "/playbook/edit")
    page.locator("#answers article a").first.click()
    _field(page, "duty").select_option("night")
    _save(page)

    fill("replies", response_id="answer.mine", title="几点直播", text="{name} 今晚八点，群里提前十分钟发链接～")
    _field(page, "kind").select_option("answer")
    _field(page, "asks").fill("几点直播\n今晚直播吗")
    _save(page)

    assert page.evaluate("window.__violations") == []
    page.context.close()
