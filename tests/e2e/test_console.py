"""An operator in a real browser: sign in, import, look around in both languages, by keyboard, on a narrow screen, in the dark.

One server of its own with real workers; every page is watched for violations of the content policy and errors of scripts.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.e2e.consoles import open_page

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from tests.e2e.consoles import Console, Starter

pytestmark = pytest.mark.e2e
PAGES = (
    "/", "/groups", "/groups/1", "/groups/1/messages", "/groups/1/messages?q=发货", "/groups/1/people", "/groups/1/questions",
    "/groups/1/settings", "/members", "/members/1", "/messages", "/messages?q=发货", "/metrics", "/metrics/dau",
    "/metrics/retention", "/metrics/heat_map", "/imports", "/imports/1", "/staff", "/staff/new", "/staff/1",
    "/settings", "/audit", "/me", "/no/such/page",
)  # fmt: skip


@pytest.fixture(scope="module")
def console(start_console: Starter, chromium: Browser) -> Console:
    """A console in an empty folder, filled by importing a file through its own pages."""
    made = start_console("console")
    _import(made, chromium)
    return made


def _chat_file(folder: Path) -> Path:
    names, texts = (
        ("小红", "老王", "客服小丽", "阿强", "<b>坏人</b>"),
        ("什么时候发货？", "明天发", "收到，谢谢", "有活动吗？", "<img src=x>"),
    )
    rows = [
        {
            "time": f"2024-03-{1 + n // 20:02d} {9 + n % 12:02d}:{n % 60:02d}:00", "group": ("读书会", "晨跑团")[n % 3 == 2],
            "user": names[n % 5], "text": f"{texts[n % 5]} {n}", "id": str(n),
        }
        for n in range(300)
    ]  # fmt: skip
    path = folder / "chat.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
    return path


def _import(made: Console, chromium: Browser) -> None:
    page = open_page(made, chromium)
    page.set_default_timeout(60_000)
    page.goto(made.address)
    expect(page.get_by_role("heading", name="欢迎使用群策")).to_be_visible()
    page.get_by_role("main").get_by_role("link", name="导入聊天记录").click()
    page.locator("input[type=file]").set_input_files(_chat_file(made.folder))
    expect(page.locator("[data-files] li")).to_contain_text("chat.jsonl")
    page.get_by_label("员工的名字").fill("客服小丽")
    page.get_by_role("button", name="上传并试跑").click()
    expect(page.get_by_text("还没有导入任何东西")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="导入 300 条").click()
    expect(page.get_by_text(re.compile("导入完成，新增 300 条"))).to_be_visible(timeout=60_000)
    page.get_by_role("link", name="去看社群").click()
    expect(page.get_by_role("link", name="读书会")).to_be_visible()
    page.context.close()


@pytest.mark.parametrize(
    ("width", "language", "dark"),
    [
        pytest.param(1440, "zh-hans", False, id="wide in Chinese"),
        pytest.param(1920, "en", True, id="very wide in English, dark"),
        pytest.param(360, "zh-hans", True, id="narrow in Chinese, dark"),
        pytest.param(390, "en", False, id="narrow in English"),
    ],
)
def test_every_page_keeps_the_policy_the_width_and_its_names(
    console: Console, chromium: Browser, width: int, language: str, dark: bool
) -> None:
    page = open_page(console, chromium, width=width, language=language, dark=dark)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    for address in PAGES:
        page.goto(console.address + address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.__violations") == [], address
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (address, "is wider than the screen")
        assert page.evaluate(NAMELESS) == [], address
        assert page.locator("html").get_attribute("data-bs-theme") == ("dark" if dark else "light")
        if language == "en":
            assert page.evaluate(CHINESE_IN_FRAME) == [], address
    assert errors == []
    page.context.close()


NAMELESS = """() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, textarea, [role=img], img")]
  .filter((one) => one.offsetParent !== null && one.getAttribute("aria-hidden") !== "true")
  .filter((one) => !(one.getAttribute("aria-label") || one.textContent.trim() || one.labels?.length || one.alt || one.title))
  .map((one) => one.outerHTML.slice(0, 120))"""
CHINESE_IN_FRAME = """() => [...document.querySelectorAll("nav, th, .tabs, .card-head h2, .topbar-tools, label, dt")]
  .filter((one) => !one.closest("[lang]:not(html), .choices, .picks"))
  .map((one) => one.textContent.replace("群策 Qunce", "").replace(/^\\s*群\\s/, ""))
  .filter((text) => /[\\u4e00-\\u9fff]/.test(text)).map((text) => text.trim().slice(0, 60))"""


FAINT = """() => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, under) => under.map((value, at) => value * (1 - top[3]) + top[at] * top[3]);
  const light = (colour) => {
    const [r, g, b] = colour.map((value) => value / 255).map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0) layers.unshift(colour);
      if (colour[3] === 1) break;
    }
    return layers.reduce((under, top) => over(top, under), [255, 255, 255]);
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.offsetParent && !one.closest("svg, .sr, .brand, [aria-hidden=true]"))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()))
    .map((one) => {
      const style = getComputedStyle(one), under = ground(one), size = parseFloat(style.fontSize);
      const pair = [light(over(rgba(style.color), under)), light(under)].sort((a, b) => b - a);
      const large = size >= 24 || (size >= 18.6 && style.fontWeight >= 600);
      return [(pair[0] + 0.05) / (pair[1] + 0.05), large ? 3 : 4.5, one.className, one.textContent.trim().slice(0, 30)];
    })
    .filter(([ratio, wanted]) => ratio < wanted).map(([ratio, , css, text]) => `${ratio.toFixed(2)} ${css}: ${text}`);
}"""
"""Texts that stand out from their ground by less than WCAG AA asks (4.5 to 1, large ones 3 to 1)."""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(console: Console, chromium: Browser, dark: bool) -> None:
    page = open_page(console, chromium, dark=dark)
    chosen = (
        "/",
        "/groups",
        "/groups/1",
        "/groups/1/messages",
        "/members/1",
        "/messages?q=发货",
        "/metrics",
        "/imports/1",
        "/staff",
    )
    for address in chosen:
        page.goto(console.address + address)
        expect(page.locator("[aria-busy]")).to_have_count(0, timeout=60_000)
        assert page.evaluate(FAINT) == [], address
    page.context.close()


def test_the_dashboard_fills_itself_and_draws(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(console.address)
    expect(page.locator("[aria-busy]")).to_have_count(0, timeout=60_000)
    expect(page.locator(".chart[data-ready] canvas")).to_be_visible()
    expect(page.get_by_text("最近有数据的一天是 2024-03-15")).to_be_visible()
    expect(page.locator(".kpi b").first).not_to_be_empty()
    assert page.evaluate("window.__violations") == []
    page.context.close()


def test_a_transcript_is_read_upwards_and_from_a_hit(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(f"{console.address}/groups/1/messages")
    expect(page.get_by_text("已经是最新")).to_be_in_viewport()
    before = page.locator(".msg").count()
    page.locator("[data-older]").scroll_into_view_if_needed()
    expect(page.locator(".msg")).not_to_have_count(before)
    page.goto(f"{console.address}/messages")
    page.locator("#page-search").fill("发货")
    page.keyboard.press("Enter")
    expect(page.locator("mark").first).to_have_text("发货")
    page.locator(".hits .plain-link").last.click()
    expect(page.locator(".msg.target")).to_be_in_viewport()
    page.context.close()


def test_the_keyboard_goes_everywhere(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(f"{console.address}/members")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="跳到正文")).to_be_focused()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("[data-row]").nth(1).locator("a").first).to_be_focused()
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/members/\d+$"))
    page.keyboard.press("g")
    page.keyboard.press("g")
    expect(page).to_have_url(re.compile("/groups$"))
    page.keyboard.press("/")
    expect(page.locator("#page-search")).to_be_focused()
    page.keyboard.type("j?g")
    expect(page.locator("#page-search")).to_have_value("j?g")
    page.locator("body").click(position={"x": 700, "y": 880})
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.context.close()


def test_look_and_language_are_chosen_from_the_menu(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.goto(f"{console.address}/groups")
    page.get_by_role("button", name="账号菜单").click()
    page.get_by_role("button", name="深色").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.get_by_role("button", name="账号菜单").click()
    page.get_by_role("button", name="跟随系统").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.context.close()


def test_a_narrow_screen_reaches_every_section(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium, width=360)
    page.goto(f"{console.address}/groups")
    page.get_by_role("button", name="更多").click()
    page.locator("#more-menu").get_by_role("link", name="审计").click()
    expect(page).to_have_url(re.compile("/audit$"))
    page.context.close()


def test_an_answer_that_fails_is_said(console: Console, chromium: Browser) -> None:
    page = open_page(console, chromium)
    page.route("**/groups/1/messages?before=*", lambda route: route.fulfill(status=500, body="broken"))
    page.goto(f"{console.address}/groups/1/messages")
    page.locator("[data-older]").scroll_into_view_if_needed()
    expect(page.locator(".toast-note.error")).to_contain_text("出错了（500）")
    page.context.close()
