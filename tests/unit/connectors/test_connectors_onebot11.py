"""QQ over a reverse WebSocket: the other side is two queues."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qunce.connectors.codes import MAX_BYTES
from qunce.connectors.errors import AuthFailed, Permanent, Retryable, UnknownOutcome
from qunce.connectors.onebot11 import connector as module
from qunce.connectors.onebot11.actions import LONGEST_MUTE_S, action_of
from qunce.connectors.onebot11.connector import OneBot11, OneBotSettings
from qunce.connectors.onebot11.message import Said, message_of, segments_of
from qunce.connectors.onebot11.reports import read_reports
from qunce.domain.commands import (
    AnswerRequest,
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    RemoveMember,
    SendDirect,
    UnmuteMember,
)
from qunce.domain.events import MessageCreated, Source
from tests.unit.connectors.drawing import ADDRESS, code, codes_of, file_of
from tests.unit.connectors.harness import NOW_MS, Clock, Store, until

TOKEN = "access-token"


def report(number: int) -> str:
    row = {
        "time": 1706752700 + number, "self_id": 1, "post_type": "message", "message_type": "group", "sub_type": "normal",
        "message_id": number, "group_id": 42, "user_id": 7, "message": f"第 {number} 条", "sender": {"nickname": "安"},
    }  # fmt: skip
    return json.dumps(row)


class Side:
    """One connection of an implementation; answers actions by `answers` (a value for each, else ok)."""

    def __init__(self, *, is_silent: bool = False, **answers: Any) -> None:
        self.frames: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.asked: list[tuple[str, Any]] = []
        self._answers = answers
        self._is_silent = is_silent

    async def receive(self) -> str | bytes | None:
        return await self.frames.get()

    async def send(self, frame: str) -> None:
        row = json.loads(frame)
        self.asked.append((row["action"], row["params"]))
        if not self._is_silent:
            answer = self._answers.get(row["action"], {"status": "ok", "retcode": 0, "data": {"message_id": 55}})
            self.frames.put_nowait(json.dumps({**answer, "echo": row["echo"]}))


class Scene:
    """A connector with its run loop and any number of connections."""

    def __init__(self, since: str | None = None, **options: Any) -> None:
        self.clock, self.store = Clock(), Store(since=since)
        self.connector = OneBot11(OneBotSettings(self_id="1", access_token=TOKEN), self.clock.life(), **options)
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Scene:
        self._tasks.append(asyncio.create_task(self.connector.run(self.store.emit, self.store.since)))
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def dialled(self, side: Side) -> Side:
        seen = len(self.store.batches)
        self._tasks.append(asyncio.create_task(self.connector.serve(side.receive, side.send)))
        await until(lambda: len(self.store.batches) > seen)
        return side


async def test_reports_are_stored_in_order_and_the_state_is_told() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side())
        for number in range(1, 4):
            side.frames.put_nowait(report(number))
        await until(lambda: len(scene.store.texts()) == 3)
        side.frames.put_nowait(None)
        await until(lambda: scene.store.states() == ["up", "down"])
    assert scene.store.texts() == ["第 1 条", "第 2 条", "第 3 条"]


def pictured(number: int, *urls: str, size: int | None = None) -> str:
    row = json.loads(report(number))
    row["message"] = [{"type": "image", "data": {"file": "a.png", "url": url, "file_size": size}} for url in urls]
    return json.dumps(row)


async def test_what_the_codes_in_pictures_say_is_written_into_their_messages() -> None:
    asked: list[str] = []

    async def fetch(url: str) -> bytes:
        asked.append(url)
        if url.endswith("/gone"):
            raise Permanent("http_404")
        return file_of(code(ADDRESS)) if url.endswith("/code") else file_of(Image.new("L", (90, 90)))

    good = "https://gchat.qpic.cn"
    async with Scene(fetch=fetch) as scene:
        side = await scene.dialled(Side())
        for frame in (
            pictured(1, f"{good}/plain", f"{good}/code"),
            pictured(2, f"{good}/gone"),
            pictured(3, "https://evil.example/code"),
            pictured(4, f"{good}/code", size=MAX_BYTES + 1),
            report(5),
        ):
            side.frames.put_nowait(frame)
        async with asyncio.timeout(30):  # pictures are read in a thread, so turns of the loop are not enough
            while len(scene.store.texts()) < 5:
                await asyncio.sleep(0.01)
    told = [codes_of(event) for event in scene.store.events if isinstance(event.body, MessageCreated)]
    assert told == [(ADDRESS,), (), (), (), ()]
    assert asked == [f"{good}/plain", f"{good}/code", f"{good}/gone"]


async def test_garbage_between_reports_is_passed_over() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side())
        for frame in ("{{{", b"\xff\xfe", "[]", "null", '{"echo": "nobody"}', '{"post_type": "new"}', report(1)):
            side.frames.put_nowait(frame)
        await until(lambda: scene.store.texts() == ["第 1 条"])


async def test_the_time_nobody_was_connected_is_told_as_a_gap() -> None:
    async with Scene(since=str(NOW_MS - 3_600_000)) as scene:
        side = await scene.dialled(Side())
        side.frames.put_nowait(None)
        await until(lambda: scene.store.states() == ["up", "down"])
        scene.clock.now_ms += 3_000
        side = await scene.dialled(Side())
        side.frames.put_nowait(None)
        await until(lambda: scene.store.states() == ["up", "down"] * 2)
        scene.clock.now_ms += 60_000
        await scene.dialled(Side())
    gaps = [gap for batch in scene.store.batches for gap in batch.gaps]
    assert [(gap.from_ms, gap.until_ms) for gap in gaps] == [
        (NOW_MS - 3_600_000, NOW_MS),
        (NOW_MS + 3_000, NOW_MS + 63_000),
    ], "three seconds are the pause between two attempts to dial"


async def test_heartbeats_move_the_place_to_go_on_from() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side())
        scene.clock.now_ms += 120_000
        side.frames.put_nowait('{"post_type": "meta_event", "meta_event_type": "heartbeat"}')
        await until(lambda: scene.store.since == str(NOW_MS + 120_000))


async def test_an_answer_finds_the_one_who_asked() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side())
        receipt = await scene.connector.send("42", Content(text="[CQ:at,qq=all]", mentions=("7",)), idem_key="k")
    assert receipt.platform_id == "55"
    assert receipt.events[0].source.origin == "self"
    assert receipt.events[0].dedupe_key == "m:42:55"
    message = [
        {"type": "at", "data": {"qq": "7"}},
        {"type": "text", "data": {"text": " "}},
        {"type": "text", "data": {"text": "[CQ:at,qq=all]"}},
    ]
    assert side.asked == [("send_group_msg", {"group_id": 42, "message": message})]


async def test_a_direct_message_goes_to_the_person() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side())
        command = SendDirect(conv_id="42", member_id="7", content=Content(text="好"))
        receipt = await scene.connector.act(command, idem_key="k")
        await scene.connector.send("private:8", Content(text="好"), idem_key="k")
    assert receipt.conv_id == "private:7"
    assert [(action, params["user_id"]) for action, params in side.asked] == [("send_private_msg", 7), ("send_private_msg", 8)]


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        ({"status": "failed", "retcode": 1404}, Permanent, "1404"),
        ({"status": "failed", "retcode": 1403}, AuthFailed, "1403"),
        ({"status": "failed", "retcode": 200, "wording": "不是管理员"}, Permanent, "200"),
        ({"status": "?"}, Permanent, "no_retcode"),
    ],
)
async def test_a_refusal_is_told_with_its_code(answer: dict[str, Any], kind: type, code: str) -> None:
    async with Scene() as scene:
        await scene.dialled(Side(send_group_msg=answer))
        with pytest.raises(Permanent) as refused:
            await scene.connector.send("42", Content(text="好"), idem_key="k")
    assert type(refused.value) is kind
    assert refused.value.code == code


MUTE = MuteMember(conv_id="42", member_id="7")


async def test_without_a_connection_nothing_is_sent() -> None:
    async with Scene() as scene:
        with pytest.raises(Retryable) as refused:
            await scene.connector.send("42", Content(text="好"), idem_key="k")
    assert refused.value.code == "not_connected"


async def test_an_answer_that_does_not_come_leaves_a_message_unknown_and_a_sanction_open() -> None:
    async with Scene(answer_s=0.001) as scene:
        await scene.dialled(Side(is_silent=True))
        with pytest.raises(UnknownOutcome):
            await scene.connector.send("42", Content(text="好"), idem_key="k")
        with pytest.raises(Retryable):
            await scene.connector.act(MUTE, idem_key="k")


async def test_hanging_up_lets_go_of_those_who_wait() -> None:
    async with Scene() as scene:
        side = await scene.dialled(Side(is_silent=True))
        waiting = asyncio.create_task(scene.connector.send("42", Content(text="好"), idem_key="k"))
        await until(lambda: bool(side.asked))
        side.frames.put_nowait(None)
        with pytest.raises(UnknownOutcome) as unknown:
            await waiting
    assert unknown.value.code == "hung_up"


async def test_a_newer_connection_takes_the_place_of_an_older_one() -> None:
    async with Scene() as scene:
        old = Side()
        await scene.dialled(old)
        new = await scene.dialled(Side())
        old.frames.put_nowait(None)
        await scene.connector.act(MUTE, idem_key="k")
    assert [action for action, _ in new.asked] == ["set_group_ban"]
    assert scene.store.states() == ["up"]


async def test_reports_wait_outside_when_they_cannot_be_stored_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "QUEUE", 5)
    scene = Scene()
    side = Side()
    serving = asyncio.create_task(scene.connector.serve(side.receive, side.send))
    for number in range(20):
        side.frames.put_nowait(report(number))
    for _ in range(100):
        await asyncio.sleep(0)
    assert side.frames.qsize() >= 14, "frames are not read while nobody stores them"
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


@pytest.mark.parametrize(
    ("headers", "query", "is_accepted"),
    [
        ({"authorization": f"Bearer {TOKEN}", "x-self-id": "1"}, {}, True),
        ({"authorization": f"Token {TOKEN}", "x-self-id": "1"}, {}, True),
        ({"x-self-id": "1"}, {"access_token": TOKEN}, True),
        ({"authorization": "Bearer wrong", "x-self-id": "1"}, {}, False),
        ({"authorization": f"Bearer {TOKEN}", "x-self-id": "2"}, {}, False),
        ({"x-self-id": "1"}, {}, False),
        ({"authorization": "Bearer 签名", "x-self-id": "1"}, {}, False),
    ],
)
def test_only_our_implementation_is_let_in(headers: dict[str, str], query: dict[str, str], is_accepted: bool) -> None:
    assert Scene().connector.accepts(headers, query) is is_accepted


WHO = {"group_id": 42, "user_id": 7}
COMMANDS: list[tuple[AnyCommand, tuple[str, dict[str, Any]]]] = [
    (DeleteMessage(conv_id="42", message_id="-5"), ("delete_msg", {"message_id": -5})),
    (UnmuteMember(conv_id="42", member_id="7"), ("set_group_ban", {"group_id": 42, "user_id": 7, "duration": 0})),
    (
        RemoveMember(conv_id="42", member_id="7"),
        ("set_group_kick", {"group_id": 42, "user_id": 7, "reject_add_request": False}),
    ),
    (BanMember(conv_id="42", member_id="7"), ("set_group_kick", {"group_id": 42, "user_id": 7, "reject_add_request": True})),
    (
        AnswerRequest(conv_id="42", member_id="7", request_ref="abc", approve=False, reason="已满"),
        ("set_group_add_request", {"flag": "abc", "sub_type": "add", "approve": False, "reason": "已满"}),
    ),
]


@pytest.mark.parametrize(("command", "action"), COMMANDS, ids=[type(case[0]).__name__ for case in COMMANDS])
def test_commands_become_actions(command: AnyCommand, action: tuple[str, dict[str, Any]]) -> None:
    assert action_of(command, NOW_MS) == action


@pytest.mark.parametrize(
    ("until_ms", "duration_s"),
    [(NOW_MS + 600_000, 600), (NOW_MS + 1, 1), (NOW_MS - 5, 1), (None, LONGEST_MUTE_S), (NOW_MS * 2, LONGEST_MUTE_S)],
    ids=["ten minutes", "part of a second", "over already", "for ever", "for years"],
)
def test_a_mute_lasts_as_long_as_qq_allows(until_ms: int | None, duration_s: int) -> None:
    _, params = action_of(MuteMember(conv_id="42", member_id="7", until_ms=until_ms), NOW_MS)
    assert params["duration"] == duration_s


@pytest.mark.parametrize("member_id", ["", "七", "7;8", "--7"])
def test_ids_that_are_no_numbers_are_refused(member_id: str) -> None:
    with pytest.raises(Permanent):
        action_of(RemoveMember(conv_id="42", member_id=member_id), NOW_MS)


@given(text=st.text())
def test_text_sent_as_segments_is_read_back_as_it_was(text: str) -> None:
    assert Said(message_of(Content(text=text))).text == text.strip()


@given(text=st.text(st.sampled_from("[]CQ:at,qq=7&#91;amp 好")))
def test_no_string_however_odd_breaks_the_reading_of_codes(text: str) -> None:
    for kind, data in segments_of(text):
        assert isinstance(kind, str)
        assert isinstance(data, dict)


@given(
    body=st.dictionaries(
        st.sampled_from(("time", "post_type", "group_id", "user_id", "message", "notice_type", "sub_type", "sender", "file")),
        st.sampled_from(
            ("message", "notice", "group", "group_ban", "group_upload", "group_recall", 7, None, [], {}, [7], [{}])
        ),
    )
)
def test_no_report_however_odd_fails_its_batch(body: dict[str, Any]) -> None:
    events = read_reports([body, json.loads(report(2))], Source(connector="onebot11", account="1"), NOW_MS)
    assert "m:42:2" in [event.dedupe_key for event in events]
