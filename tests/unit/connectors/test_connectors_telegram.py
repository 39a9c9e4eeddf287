"""A Telegram bot against a look-alike of the Bot API: catching up, limits, groups that move, and sanctions."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from qunce.connectors.codes import MAX_BYTES
from qunce.connectors.errors import AuthFailed, Permanent, Retryable, UnknownOutcome
from qunce.connectors.telegram.api import TelegramSettings
from qunce.connectors.telegram.connector import Telegram, message_of
from qunce.connectors.telegram.updates import ALLOWED, read_updates
from qunce.domain.commands import (
    AnswerRequest,
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    RemoveMember,
    SendDirect,
    UnbanMember,
    UnmuteMember,
)
from qunce.domain.events import MemberLeft, MessageCreated, MessageDeleted, Source
from tests.unit.connectors.drawing import ADDRESS, code, codes_of, file_of
from tests.unit.connectors.harness import NOW_MS, Clock, Store, running, web
from tests.unit.connectors.look_alike import TOKEN, BotApi, failed

CHAT = {"id": -1001, "type": "supergroup", "title": "新生群"}
ANN = {"id": 8, "is_bot": False, "first_name": "安"}
US = {"id": 99, "is_bot": True, "first_name": "qbot"}


def said(update_id: int) -> dict[str, Any]:
    message = {"message_id": update_id, "date": 1706752700 + update_id, "chat": CHAT, "from": ANN, "text": f"第 {update_id} 条"}
    return {"update_id": update_id, "message": message}


def banned(update_id: int, by: dict[str, Any]) -> dict[str, Any]:
    old, new = ({"status": status, "user": ANN} for status in ("member", "kicked"))
    change = {"chat": CHAT, "from": by, "date": 1706752700, "old_chat_member": old, "new_chat_member": new}
    return {"update_id": update_id, "chat_member": change}


def bot(api: BotApi, token: str = TOKEN) -> tuple[Telegram, Clock]:
    clock = Clock()
    return Telegram(TelegramSettings(token=token), web(api), clock.life()), clock


async def read(api: BotApi, since: str | None, until: str, **options: Any) -> tuple[Store, Clock]:
    store = Store(since=since, **options)
    connector, clock = bot(api)
    await running(connector.run(store.emit, since), lambda: store.since == until)
    return store, clock


async def test_updates_are_read_in_pages_and_confirmed_once_stored() -> None:
    api = BotApi(*map(said, range(1, 151)))
    store, _ = await read(api, None, "151")
    assert store.texts() == [f"第 {number} 条" for number in range(1, 151)]
    asked = api.of("getUpdates")
    assert [params.get("offset") for params in asked[:2]] == [None, 101]
    assert asked[0]["allowed_updates"] == list(ALLOWED)
    assert asked[0]["timeout"] == 0, "the first answer must not wait, so that an error shows at once"
    assert asked[1]["timeout"] == 30


async def test_what_was_not_stored_is_given_again() -> None:
    api = BotApi(said(1), said(2))
    with pytest.raises(OSError, match="disk"):
        await read(api, None, "3", fails_at=0)
    store, _ = await read(api, None, "3")
    assert store.texts() == ["第 1 条", "第 2 条"]


def photo(update_id: int, *files: str, size: int = 1_000) -> dict[str, Any]:
    update = said(update_id)
    del update["message"]["text"]
    update["message"]["photo"] = [{"file_id": file, "file_unique_id": file, "file_size": size} for file in files]
    return update


async def test_what_the_codes_in_photographs_say_is_written_into_their_messages() -> None:
    api = BotApi(
        photo(1, "photos/small.jpg", "photos/code.jpg"),
        photo(2, "photos/plain.jpg"),
        photo(3, "photos/gone.jpg"),
        photo(4, "/var/lib/bot-api/photos/code.jpg"),
        photo(5, "photos/../../code.jpg"),
        photo(6, "photos/code.jpg", size=MAX_BYTES + 1),
        said(7),
    )
    api.files = {
        "photos/code.jpg": file_of(code(ADDRESS), "JPEG"),
        "photos/plain.jpg": file_of(Image.new("L", (90, 90)), "JPEG"),
    }
    store = Store()
    task = asyncio.create_task(bot(api)[0].run(store.emit, None))
    async with asyncio.timeout(30):  # pictures are read in a thread, so turns of the loop are not enough
        while store.since != "8":
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert [codes_of(event) for event in store.events if isinstance(event.body, MessageCreated)] == [(ADDRESS,), *[()] * 6]
    assert [params["file_id"] for params in api.of("getFile")] == [
        "photos/code.jpg", "photos/plain.jpg", "photos/gone.jpg", "/var/lib/bot-api/photos/code.jpg", "photos/../../code.jpg",
    ]  # fmt: skip


async def test_updates_that_expired_meanwhile_are_told_as_a_gap() -> None:
    store, _ = await read(BotApi(said(9)), "5", "10")
    (gap,) = [gap for batch in store.batches for gap in batch.gaps]
    assert (gap.reason, gap.lost) == ("updates_expired", 4)
    store, _ = await read(BotApi(said(900_000_000)), "5", "900000001")
    assert [gap.lost for batch in store.batches for gap in batch.gaps] == [None]


async def test_reading_goes_on_after_bad_answers() -> None:
    errors = (
        failed(429, "Too Many Requests", retry_after=90),
        failed(409, "Conflict: terminated by other getUpdates request"),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="garbage"),
        httpx.Response(200, json={"ok": True, "result": {"no": "list"}}),
    )
    store, clock = await read(BotApi(said(1), errors=errors), None, "2")
    assert store.texts() == ["第 1 条"]
    assert store.states() == ["limited", "down", "up"]
    assert clock.slept_s[0] == 90


async def test_a_refused_token_ends_the_run() -> None:
    store = Store()
    with pytest.raises(AuthFailed):
        await bot(BotApi(), token="99:wrong")[0].run(store.emit, None)
    assert store.states() == ["auth_failed"]


async def test_a_sent_message_is_told_as_our_own() -> None:
    receipt = await bot(BotApi())[0].send("-1001", Content(text="今晚八点"), idem_key="k")
    (event,) = receipt.events
    assert event.source.origin == "self"
    assert event.dedupe_key == f"m:-1001:{receipt.platform_id}"


async def test_a_group_that_moved_is_followed_and_remembered() -> None:
    moved = failed(400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1005)
    api = BotApi(fails="sendMessage", errors=(moved,))
    connector, _ = bot(api)
    receipts = [await connector.send("-5", Content(text="好"), idem_key=key) for key in "ab"]
    assert [params["chat_id"] for params in api.of("sendMessage")] == ["-5", "-1005", "-1005"]
    assert receipts[0].conv_id == "-1005"


COMMANDS: list[tuple[AnyCommand, list[tuple[str, dict[str, Any]]]]] = [
    (
        RemoveMember(conv_id="-1", member_id="8"),
        [
            ("banChatMember", {"chat_id": "-1", "user_id": "8"}),
            ("unbanChatMember", {"chat_id": "-1", "user_id": "8", "only_if_banned": True}),
        ],
    ),
    (BanMember(conv_id="-1", member_id="8"), [("banChatMember", {"chat_id": "-1", "user_id": "8"})]),
    (
        UnbanMember(conv_id="-1", member_id="8"),
        [("unbanChatMember", {"chat_id": "-1", "user_id": "8", "only_if_banned": True})],
    ),
    (
        AnswerRequest(conv_id="-1", member_id="8", request_ref="8", approve=False),
        [("declineChatJoinRequest", {"chat_id": "-1", "user_id": "8"})],
    ),
]


@pytest.mark.parametrize(("command", "calls"), COMMANDS, ids=[type(case[0]).__name__ for case in COMMANDS])
async def test_commands_become_methods(command: AnyCommand, calls: list[tuple[str, dict[str, Any]]]) -> None:
    api = BotApi()
    await bot(api)[0].act(command, idem_key="k")
    assert api.calls == calls


@pytest.mark.parametrize(
    ("until_ms", "until_s"),
    [(None, None), (NOW_MS + 600_000, NOW_MS // 1000 + 600), (NOW_MS + 1_000, NOW_MS // 1000 + 60)],
    ids=["for ever", "for ten minutes", "never so short that the platform takes it for ever"],
)
async def test_a_mute_ends_when_it_should(until_ms: int | None, until_s: int | None) -> None:
    api = BotApi()
    connector, _ = bot(api)
    await connector.act(MuteMember(conv_id="-1", member_id="8", until_ms=until_ms), idem_key="k")
    await connector.act(UnmuteMember(conv_id="-1", member_id="8"), idem_key="k")
    mute, lift = api.of("restrictChatMember")
    assert mute.get("until_date") == until_s
    assert not any(mute["permissions"].values())
    assert all(lift["permissions"].values())


async def test_our_removal_is_told_from_a_ban() -> None:
    api = BotApi(banned(1, US), banned(2, US))
    store = Store()
    connector, _ = bot(api)
    await connector.act(RemoveMember(conv_id="-1001", member_id="8"), idem_key="k")
    await running(connector.run(store.emit, None), lambda: store.since == "3")
    reasons = [event.body.reason for event in store.events if isinstance(event.body, MemberLeft)]
    assert reasons == ["kicked", "banned"], "the second is none of ours"


async def test_deleting_is_told_by_us_and_succeeds_twice() -> None:
    api = BotApi(fails="deleteMessage", errors=(failed(400, "Bad Request: message to delete not found"),))
    connector, _ = bot(api)
    command = DeleteMessage(conv_id="-1", message_id="7", reason="广告")
    first, again = [await connector.act(command, idem_key="k") for _ in range(2)]
    assert first.events[0].dedupe_key == again.events[0].dedupe_key
    assert isinstance(first.events[0].body, MessageDeleted)
    api.errors = [failed(400, "Bad Request: message can't be deleted")]
    with pytest.raises(Permanent):
        await connector.act(command, idem_key="k")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(httpx.Response(500, json={}), UnknownOutcome), (failed(403, "Forbidden: bot can't initiate conversation"), Permanent)],
)
async def test_a_direct_message_fails_as_the_platform_says(answer: httpx.Response, kind: type[Exception]) -> None:
    api = BotApi(fails="sendMessage", errors=(answer,))
    with pytest.raises(kind):
        await bot(api)[0].act(SendDirect(conv_id="-1", member_id="8", content=Content(text="好")), idem_key="k")


async def test_a_lost_answer_to_a_sanction_is_harmless() -> None:
    api = BotApi(fails="banChatMember", errors=(httpx.Response(500, json={}),))
    with pytest.raises(Retryable):
        await bot(api)[0].act(BanMember(conv_id="-1", member_id="8"), idem_key="k")


def test_people_are_mentioned_without_changing_the_text() -> None:
    params = message_of(Content(text="🎉活动开始", mentions=("8", "9", "@ben"), reply_to="7"))
    assert params["text"] == "🎉活动开始"
    assert [(entity["offset"], entity["length"], entity["user"]["id"]) for entity in params["entities"]] == [
        (0, 2, 8),
        (2, 1, 9),
    ]
    assert params["reply_parameters"]["message_id"] == 7


@pytest.mark.parametrize(("text", "code"), [("", "empty"), ("好" * 4097, "too_long"), ("🎉" * 2049, "too_long")])
def test_a_text_that_does_not_fit_is_refused(text: str, code: str) -> None:
    with pytest.raises(Permanent) as refused:
        message_of(Content(text=text))
    assert refused.value.code == code


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(("id", "from", "chat", "date", "text", "status", "user", "entities", "offset", "type", "photo")), inner
    ),
    max_leaves=20,
)  # fmt: skip


@given(kind=st.sampled_from(ALLOWED), body=st.dictionaries(st.text(max_size=5), JSON) | JSON)
def test_no_update_however_odd_fails_its_batch(kind: str, body: Any) -> None:
    events = read_updates([{"update_id": 1, kind: body}, said(2)], Source(connector="telegram", account="99"), NOW_MS)
    assert "m:-1001:2" in [event.dedupe_key for event in events]
