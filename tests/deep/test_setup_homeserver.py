"""The real chat server of the deep tests is one: what a member says reaches another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.deep.conftest import Homeserver

pytestmark = pytest.mark.deep


def test_what_one_member_says_another_member_receives(homeserver: Homeserver) -> None:
    speaker, listener = (_client(homeserver, homeserver.register(name)) for name in ("speaker", "listener"))
    with speaker, listener:
        room = _ok(speaker.post("createRoom", json={"preset": "public_chat", "name": "团长群"}))["room_id"]
        _ok(listener.post(f"join/{room}"))
        _ok(speaker.put(f"rooms/{room}/send/m.room.message/1", json={"msgtype": "m.text", "body": "今天发货吗？"}))
        timeline = _ok(listener.get("sync"))["rooms"]["join"][room]["timeline"]["events"]
    assert "今天发货吗？" in [event["content"].get("body") for event in timeline]


def _client(homeserver: Homeserver, token: str) -> httpx.Client:
    return httpx.Client(
        base_url=f"{homeserver.url}/_matrix/client/v3/", headers={"Authorization": f"Bearer {token}"}, timeout=30
    )


def _ok(answer: httpx.Response) -> Any:
    return answer.raise_for_status().json()
