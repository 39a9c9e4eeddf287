"""What our account may do in one group: told from the platform's own words, each obstacle with its mend."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from qunce.connectors.base import NAMES, Obstacle, Surveyor
from qunce.connectors.errors import AuthFailed, Retryable
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.matrix.standing import standing as in_room
from qunce.connectors.onebot11.standing import standing as in_qq_group
from qunce.connectors.telegram.api import TelegramSettings
from qunce.connectors.telegram.connector import Telegram
from qunce.connectors.telegram.standing import standing as in_chat
from tests.unit.connectors.harness import Clock, web

US = "@bot:h"
EVERY_SANCTION = {"message.delete", "member.mute", "member.unmute", "member.kick", "member.ban", "member.unban"}
NO_KNOCKING = {"join.requests", "join.approve"}


def room(levels: dict[str, Any] | None, *, member: str = "join", rule: str = "knock", **more: Any) -> list[dict[str, Any]]:
    rows = [
        {"type": "m.room.create", "state_key": "", "sender": "@ann:h", "content": {"room_version": more.get("version", "11")}},
        {"type": "m.room.member", "state_key": US, "content": {"membership": member}},
        {"type": "m.room.join_rules", "state_key": "", "content": {"join_rule": rule}},
    ]
    if levels is not None:
        rows.append({"type": "m.room.power_levels", "state_key": "", "content": levels})
    if more.get("encrypted"):
        rows.append({"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}})
    return rows


ROOMS = [
    pytest.param(room({"users": {US: 100}}), set(), id="an administrator may do everything"),
    pytest.param(room({"users": {US: 50}, "events": {"m.room.power_levels": 100}}), {"member.mute", "member.unmute"},
                 id="a moderator cannot mute"),
    pytest.param(room({"users": {}}), EVERY_SANCTION, id="level 0 can only speak"),
    pytest.param(room({"users": {US: "50"}, "redact": 60, "kick": 0}),
                 {"message.delete"}, id="levels may be text, and differ from the defaults"),
    pytest.param(room({"users": {}, "events_default": 10}), EVERY_SANCTION | {"message.send"}, id="a room where few may speak"),
    pytest.param(room({"users": {US: 100}}, rule="invite"), NO_KNOCKING, id="nobody can knock"),
    pytest.param(room({"users": {US: 100}}, encrypted=True), {"message.read"}, id="an encrypted room cannot be read"),
    pytest.param(room(None), EVERY_SANCTION, id="without levels only the creator may act"),
    pytest.param(room({"users": {US: 100}}, member="leave"), set(NAMES) - {"message.send_direct"}, id="not in the room"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "expected"), ROOMS)
def test_a_matrix_room_tells_what_is_in_the_way(state: list[dict[str, Any]], expected: set[str]) -> None:
    found = in_room(state, US)
    assert {one.name for one in found} == expected
    assert all(one.zh and one.en for one in found)


def test_the_mend_names_the_level_that_is_needed() -> None:
    (one,) = [one for one in in_room(room({"users": {US: 10}}), US) if one.name == "message.delete"]
    assert one.zh == "权力等级 10，这里要 50：请房间管理员把账号提到 50 级"
    assert "level 50" in one.en


def test_the_creator_of_a_new_room_stands_above_all_levels() -> None:
    rows = room({"users": {}}, version="12")
    rows[0] = rows[0] | {"sender": US}
    assert in_room(rows, US) == ()


ADMIN = {"status": "administrator", "can_delete_messages": True, "can_restrict_members": True, "can_invite_users": True}
CHATS = [
    pytest.param(ADMIN, "supergroup", {}, set(), id="an administrator with all rights"),
    pytest.param(ADMIN | {"can_delete_messages": False}, "supergroup", {}, {"message.delete"}, id="a right is missing"),
    pytest.param(ADMIN, "group", {}, {"member.mute", "member.unmute"}, id="a basic group has no mutes"),
    pytest.param({"status": "creator"}, "supergroup", {}, set(), id="the creator"),
    pytest.param({"status": "member"}, "supergroup", {"can_read_all_group_messages": True},
                 EVERY_SANCTION | NO_KNOCKING | {"reaction.read", "member.changes"}, id="no administrator, privacy off"),
    pytest.param({"status": "member"}, "supergroup", {}, EVERY_SANCTION | NO_KNOCKING | {
        "reaction.read", "member.changes", "message.read"}, id="no administrator, privacy on"),
    pytest.param({"status": "left"}, "supergroup", {}, set(NAMES) - {"message.send_direct", "message.deletions"}, id="not in"),
]  # fmt: skip


@pytest.mark.parametrize(("member", "kind", "me", "expected"), CHATS)
def test_a_telegram_chat_tells_what_is_in_the_way(
    member: dict[str, Any], kind: str, me: dict[str, Any], expected: set[str]
) -> None:
    assert {one.name for one in in_chat(member, {"type": kind}, me)} == expected


QQ = [
    pytest.param({"role": "admin"}, set(), id="an administrator"),
    pytest.param({"role": "owner"}, set(), id="the owner"),
    pytest.param({"role": "member"}, (EVERY_SANCTION - {"member.unban"}) | NO_KNOCKING, id="a mere member"),
    pytest.param({"role": "admin", "shut_up_timestamp": 3_000}, {"message.send"}, id="muted"),
    pytest.param({"role": "admin", "shut_up_timestamp": 1_000}, set(), id="was muted once"),
]


@pytest.mark.parametrize(("info", "expected"), QQ)
def test_a_qq_group_tells_what_is_in_the_way(info: dict[str, Any], expected: set[str]) -> None:
    assert {one.name for one in in_qq_group(info, 2_000_000)} == expected


async def test_a_room_we_were_never_in_is_told_and_a_bad_token_is_an_error() -> None:
    def forbid(request: httpx.Request) -> httpx.Response:
        return httpx.Response(403, json={"errcode": "M_FORBIDDEN"})

    settings = MatrixSettings(homeserver="https://h.example", user_id=US, token="t")
    connector = Matrix(settings, web(forbid), Clock().life())
    assert isinstance(connector, Surveyor)
    found = await connector.survey("!a:h")
    assert "message.send" in {one.name for one in found}
    refused = Matrix(settings, web(lambda _: httpx.Response(401, json={"errcode": "M_UNKNOWN_TOKEN"})), Clock().life())
    with pytest.raises(AuthFailed):
        await refused.survey("!a:h")
    busy = Matrix(settings, web(lambda _: httpx.Response(429, json={"errcode": "M_LIMIT_EXCEEDED"})), Clock().life())
    with pytest.raises(Retryable):
        await busy.survey("!a:h")


async def test_a_bot_asks_about_itself_and_the_chat() -> None:
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        method = request.url.path.rpartition("/")[2]
        asked.append(method)
        results = {"getMe": {}, "getChat": {"type": "group"}, "getChatMember": {"status": "member"}}
        assert method == "getMe" or json.loads(request.content)["chat_id"] == "-5"
        return httpx.Response(200, json={"ok": True, "result": results[method]})

    bot = Telegram(TelegramSettings(token="99:x"), web(answer), Clock().life())
    found: tuple[Obstacle, ...] = await bot.survey("-5")
    assert asked == ["getMe", "getChat", "getChatMember"]
    assert {"message.delete", "message.read", "member.mute"} <= {one.name for one in found}
