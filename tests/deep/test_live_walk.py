"""The whole walk of an operator, through the console of a running server and a real Matrix homeserver.

A room is connected; an ad in disguise becomes a case with its evidence; it is undone, another is appealed against; the rule is
changed in the draft, replayed over a real chat, compared with the version in force, published, and then acts in the room.
"""

from __future__ import annotations

import html
import os
import re
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx
import pytest

from tests.deep.test_connector_matrix_synapse import Person
from tests.unit.connectors.drawing import code, file_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.deep.conftest import Homeserver

pytestmark = pytest.mark.deep

LIMIT_S = 90.0
REASON = "群里不发广告，谢谢理解。"
CHAT = "chat/zh_threads_as_groups.jsonl.zst"
MENTIONED = 17
"""So many messages of that chat hold the word the rule is widened by, as plain text."""
RULES = f"""\
schema_version: 1
playbook: {{playbook_id: walk, title: 团长群}}
ladders:
  - {{ladder_id: strict, title: 先禁言, steps: [{{do: mute, for: 30m}}, {{do: ban}}]}}
lexicons:
  - {{lexicon_id: ads, title: 广告, terms: [代购返现]}}
rules:
  - rule_id: ads.terms
    title: 广告词
    category: ads
    reason: {REASON}
    mode: suggest
    ladder: strict
    delete: true
    when: [{{check: terms, lexicons: [ads]}}]
"""
WIDER = RULES.replace("[代购返现]", "[代购返现, 兼职]")


@dataclass(frozen=True, slots=True)
class Console:
    """Somebody signed in, who uses pages only."""

    web: httpx.Client

    def see(self, address: str) -> str:
        """Return a page as its reader sees it: unescaped."""
        answer = self.web.get(address)
        assert answer.status_code == 200, (address, answer.status_code)
        return html.unescape(answer.text)

    def send(
        self, address: str, form: dict[str, str], *, page: str = "/", files: dict[str, tuple[str, bytes]] | None = None
    ) -> str:
        """Send a form as the page `page` holds it, follow where it leads, and return that page's address."""
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.web.get(page).text)
        assert found is not None, page
        answer = self.web.post(address, data=form | {"csrfmiddlewaretoken": found[1]}, files=files)
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:500])
        return str(answer.url.raw_path.decode())

    def until(self, address: str, holds: Callable[[str], bool]) -> str:
        """Look at a page again and again until it shows something."""
        give_up = time.monotonic() + LIMIT_S
        while not holds(page := self.see(address)):
            assert time.monotonic() < give_up, (address, _words(page)[:2_000])
            time.sleep(0.3)
        return page


@contextmanager
def running(folder: Path) -> Iterator[Console]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("QUNCE_", "DJANGO_", "DATABASE_URL"))}
    run = [sys.executable, "-m", "qunce.runtime.cli", "run", "--data", str(folder / "data"), "--no-demo"]
    said = subprocess.run([*run, "--no-serve"], env=kept, cwd=folder, check=True, capture_output=True, text=True).stdout
    login = re.search(r"First login: (\S+)\s+password: (\S+)", said)
    assert login is not None, said
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = folder / "log"
    with log.open("wb") as out, subprocess.Popen([*run, "--port", str(port)], stdout=out, stderr=out, env=kept) as process:
        try:
            _wait(process, port, log)
            headers = {"Accept-Language": "zh-CN"}
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", follow_redirects=True, timeout=60, headers=headers) as web:
                console = Console(web)
                console.send("/login", {"username": login[1], "password": login[2]}, page="/login")
                yield console
        finally:
            process.terminate()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + LIMIT_S
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"the console did not start:\n{log.read_text('utf-8')[-2000:]}")


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page))


def _seen(page: str) -> str:
    found = re.search(r'name="seen" value="(\d+)"', page)
    assert found is not None
    return found[1]


def publish(console: Console, text: str, reason: str) -> None:
    """Write a draft and put it in force, by hand."""
    write_draft(console, text)
    draft = console.see("/playbook/edit")
    console.send("/playbook/publish", {"seen": _seen(draft), "reason": reason}, page="/playbook/edit")


def write_draft(console: Console, text: str) -> None:
    seen = _seen(console.see("/playbook/edit/text"))
    form = {"seen": seen, "name_0": "playbook.yaml", "text_0": text}
    console.send("/playbook/edit/text", form, page="/playbook/edit/text")


def case_of(console: Console, text: str) -> str:
    """Return the address of the newest case on a message, once there is one."""
    page = console.until("/cases?state=all", lambda page: text in page)
    row = next(part for part in re.split(r"<tr data-row", page) if text in part)
    found = re.search(r'href="(/cases/[^"?]+)"', row)
    assert found is not None
    return found[1]


@pytest.fixture
async def people(homeserver: Homeserver) -> AsyncIterator[tuple[Person, Person, str]]:
    """Our account, a member, and the room both are in."""
    bot, ann = Person(homeserver, "qunce"), Person(homeserver, "ann")
    room = (await bot.ask("POST", "createRoom", {"preset": "public_chat", "name": "团长群"}))["room_id"]
    await ann.ask("PUT", f"profile/{ann.id}/displayname", {"displayname": "安"})
    await ann.ask("POST", f"join/{room}")
    yield bot, ann, room
    await bot.web.aclose()
    await ann.web.aclose()


async def test_from_connecting_a_room_to_watching_the_changed_rule_act_in_it(
    people: tuple[Person, Person, str], homeserver: Homeserver, shared_data: Path, tmp_path: Path
) -> None:
    bot, ann, room = people
    with running(tmp_path) as console:
        # Rules that suggest only, and a channel that only pretends.
        console.send("/playbook/start", {"source": "gallery:muying"}, page="/playbook")
        publish(console, RULES, "先看几天")
        connected = console.send(
            "/channels/new/matrix",
            {
                "title": "团长群机器人", "set_homeserver": homeserver.url, "set_user_id": bot.id, "set_token": bot.token,
                "set_rooms": room, "mode": "simulated",
            },
            page="/channels/new/matrix",
        )  # fmt: skip
        assert re.fullmatch(r"/channels/\d+", connected)
        page = console.until(connected, lambda page: "正常" in page)
        assert bot.token not in page

        # An ad in disguise: the case shows what was found, and how.
        first = await ann.say(room, "姐妹们看过来，代-购 返❤现，全网最低")
        case = case_of(console, "姐妹们看过来")
        page = console.see(case)
        for shown in ("安", "广告词", "词库命中", "代购返现", "<mark", "团长群", "批准"):
            assert shown in page, shown
        console.send(f"{case}/approve", {}, page=case)
        page = console.until(case, lambda page: page.count("模拟") >= 3 and "已处理" in page)
        assert await text_of(bot, room, first), "a simulated channel does nothing"
        console.send(f"{case}/undo", {"reason": "是团长自己发的福利"}, page=case)
        page = console.until(case, lambda page: "已撤销" in page)
        assert "是团长自己发的福利" in page

        # A second one is appealed against by the member, and the appeal is granted.
        await ann.say(room, "代购返现，先到先得")
        case = case_of(console, "先到先得")
        await ann.say(room, "申诉：我是帮群主转发的")
        page = console.until("/cases?show=appeals", lambda page: "我是帮群主转发的" in page)
        console.send(f"{case}/appeal/answer", {"grant": "yes", "answer": "核实过了"}, page=case)
        page = console.until(case, lambda page: "申诉通过" in page)

        # A real chat is imported, and the changed rule replayed over it, against the version in force.
        await import_chat(console, shared_data / CHAT)
        write_draft(console, WIDER)
        page = console.see("/playbook/edit/text")
        assert "兼职" in page
        job = console.send(
            "/playbook/replay", {"source": "draft", "against": "1", "since": "", "until": "", "group": ""},
            page="/playbook/replay",
        )  # fmt: skip
        page = console.until(job, lambda page: f'hx-get="{job}' not in page)
        difference = page.partition("多出来的")[2]
        assert difference, _words(page)[:2_000]
        found = re.search(r'data-label="次数">([\d,]+)', difference)
        assert found is not None
        assert int(found[1].replace(",", "")) >= MENTIONED
        assert "/messages?around=" in difference, "each line leads to its messages"

        # Published, set to act, the channel live: the rule acts where it only suggested.
        draft = console.see("/playbook/edit")
        console.send("/playbook/publish", {"seen": _seen(draft), "reason": "兼职广告多了"}, page="/playbook/edit")
        mode = {"rule": "ads.terms", "mode": "act", "group": "", "reason": "回放看过"}
        console.send("/playbook/mode", mode, page="/playbook")
        console.send(f"{connected}/change", {"mode": "live"}, page=connected)
        console.until("/playbook/versions", lambda page: "回放看过" in page)
        console.until(connected, lambda page: "实际执行" in page and "正常" in page)
        page = console.until(f"{connected}/groups", lambda page: "团长群" in page and "正在问" not in page)
        assert "请房间管理员把账号提到" not in page, "the account made the room and may do everything"
        time.sleep(3)  # the channel is dialled again in its new mode
        said = await ann.say(room, "在家兼·职，日结三百")
        case = case_of(console, "在家兼")
        page = console.until(case, lambda page: page.count('chip good">已完成') >= 3)
        assert 'chip info" title="渠道设为模拟' not in page

        # What people in the room see: the message is gone, the reason said, and the member cannot speak.
        assert not await text_of(bot, room, said)
        assert any(REASON in text for text in await newest_texts(bot, room))
        with pytest.raises(httpx.HTTPStatusError):
            await ann.say(room, "我还要说")

        # And it can be taken back: the member speaks again.
        console.send(f"{case}/undo", {"reason": "误伤"}, page=case)
        console.until(case, lambda page: "已撤销" in page and page.count('chip good">已完成') >= 5)
        await ann.say(room, "谢谢")
        actions = console.see("/audit")
        for shown in ("接入渠道", "修改渠道", "发布规则", "撤销处理", "答复申诉", "回放规则"):
            assert shown in actions, shown


PICTURES = f"""\
schema_version: 1
playbook: {{playbook_id: walk, title: 团长群}}
rules:
  - rule_id: ads.qr
    title: 外部二维码
    category: ads
    reason: {REASON}
    mode: suggest
    delete: true
    when: [{{check: qr, allow_hosts: [example.com]}}]
"""


async def test_a_qr_code_in_a_picture_becomes_a_case_that_shows_where_it_leads(
    people: tuple[Person, Person, str], homeserver: Homeserver, tmp_path: Path
) -> None:
    bot, ann, room = people
    with running(tmp_path) as console:
        console.send("/playbook/start", {"source": "gallery:muying"}, page="/playbook")
        publish(console, PICTURES, "群里有人发二维码")
        connected = console.send(
            "/channels/new/matrix",
            {
                "title": "团长群机器人", "set_homeserver": homeserver.url, "set_user_id": bot.id, "set_token": bot.token,
                "set_rooms": room, "mode": "live",
            },
            page="/channels/new/matrix",
        )  # fmt: skip
        console.until(connected, lambda page: "正常" in page)

        # Two pictures with captions: a code to a host that is let through, and one that leads outside.
        await post_picture(ann, homeserver, room, "本店会员码", "https://shop.example.com/a")
        posted = await post_picture(ann, homeserver, room, "姐妹们扫码领福利", "https://u.wechat.com/kP2-x")
        case = case_of(console, "扫码领福利")
        page = console.see(case)
        for shown in ("安", "外部二维码", "u.wechat.com", "团长群", "批准"):
            assert shown in page, (shown, _words(page)[:3_000])
        assert "本店会员码" not in console.see("/cases?state=all")

        # Approved, the picture is gone from the room.
        assert await text_of(bot, room, posted) == "姐妹们扫码领福利"
        console.send(f"{case}/approve", {}, page=case)
        console.until(case, lambda page: "已处理" in page and 'chip good">已完成' in page)
        assert not await text_of(bot, room, posted)


async def post_picture(person: Person, server: Homeserver, room: str, caption: str, says: str) -> str:
    """Upload a picture of a QR code as a client does, post it with a caption, and return the id of the message."""
    data = file_of(code(says))
    upload = f"{server.url}/_matrix/media/v3/upload"
    sent = await person.web.post(upload, content=data, headers={"Content-Type": "image/png"})
    picture = {"url": sent.raise_for_status().json()["content_uri"], "filename": "a.png"}
    return await person.say(room, caption, msgtype="m.image", info={"mimetype": "image/png", "size": len(data)}, **picture)


async def import_chat(console: Console, path: Path) -> None:
    form = {"community": "", "staff": "", "zone": "Asia/Shanghai", "format": "", "group": "", "date_order": ""}
    trial = console.send("/imports", form, page="/imports", files={"files": (path.name, path.read_bytes())})
    console.until(trial, lambda page: f'hx-get="{trial}' not in page)
    real = console.send(f"{trial}/confirm", {}, page=trial)
    page = console.until(real, lambda page: f'hx-get="{real}' not in page)
    assert "去看社群" in page, "all of it is stored"


async def text_of(person: Person, room: str, event_id: str) -> str:
    """Return what a message says to somebody in the room; empty = it was redacted."""
    event = await person.ask("GET", f"rooms/{room}/event/{event_id}")
    return str(event["content"].get("body", ""))


async def newest_texts(person: Person, room: str) -> list[str]:
    chunk = (await person.ask("GET", f"rooms/{room}/messages?dir=b&limit=30"))["chunk"]
    return [str(event["content"].get("body", "")) for event in chunk if event["type"] == "m.room.message"]
