"""Reading Matrix rooms on bad days, and acting there; the real server is met in tests/deep."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.errors import AuthFailed, Permanent, Unsupported
from qunce.connectors.matrix.actions import message_of
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.matrix.power import changes, creators, level_of
from qunce.connectors.matrix.rooms import Rooms
from qunce.connectors.matrix.sync import room_parts
from qunce.domain.commands import BanMember, Content, MuteMember, RemoveMember, UnmuteMember
from tests.unit.connectors.harness import NOW_MS, Clock, Store, running, web

US = "@q:x"
Answer = httpx.Response | dict[str, Any]


def message(number: int, text: str = "", sender: str = "@ann:x") -> dict[str, Any]:
    content = {"msgtype": "m.text", "body": text or f"第 {number} 条"}
    return {
        "type": "m.room.message", "sender": sender, "content": content, "event_id": f"${number}",
        "origin_server_ts": 1706752700000 + number,
    }  # fmt: skip


def sync(since: str, *rows: Any, limited: bool = False, **more: Any) -> dict[str, Any]:
    timeline = {"events": list(rows), "limited": limited, "prev_batch": "p0"}
    return {"next_batch": since, "rooms": {"join": {"!r:x": {"timeline": timeline}}}, **more}


class Homeserver:
    """Answers `/sync` with what was written down, in order, and other paths by name; keeps what was asked."""

    def __init__(self, *syncs: Answer, **others: Answer | Callable[[httpx.Request], Answer]) -> None:
        self._syncs = list(syncs)
        self._others = others
        self.asked: list[tuple[str, str, Any]] = []
        self.sinces: list[str | None] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = unquote(request.url.path).removeprefix("/_matrix/client/v3/")
        assert request.headers["Authorization"] == "Bearer token"
        if path == "sync":
            self.sinces.append(request.url.params.get("since"))
            return _response(self._syncs.pop(0) if self._syncs else sync("end"))
        body = json.loads(request.content) if request.content else None
        self.asked.append((request.method, path, body))
        found = next((answer for name, answer in self._others.items() if name in path.replace(".", "_")), None)
        if callable(found) and not isinstance(found, httpx.Response):
            found = found(request)
        return _response(found if found is not None else httpx.Response(404, json={"errcode": "M_NOT_FOUND"}))

    def connector(self, **settings: Any) -> tuple[Matrix, Clock]:
        clock = Clock()
        options = MatrixSettings(homeserver="https://h.example/", user_id=US, token="token", **settings)
        return Matrix(options, web(self), clock.life(), max_pages=3), clock


def _response(answer: Answer) -> httpx.Response:
    return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)


async def read(
    server: Homeserver, since: str | None = None, *, fails_at: int | None = None, **settings: Any
) -> tuple[Store, Clock]:
    store = Store(since=since, fails_at=fails_at)
    connector, clock = server.connector(**settings)
    await running(connector.run(store.emit, since), lambda: store.since == "end")
    return store, clock


async def test_reading_goes_on_after_every_kind_of_bad_answer() -> None:
    server = Homeserver(
        sync("s1", message(1)),
        httpx.Response(429, json={"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 90_000}),
        httpx.Response(502, text="<html>"),
        httpx.Response(200, text="garbage"),
        {"next_batch": 7.5, "rooms": []},
        sync("s2", message(2)),
    )
    store, clock = await read(server)
    assert store.texts() == ["第 1 条", "第 2 条"]
    assert store.states() == ["up", "limited", "down", "up"]
    assert clock.slept_s[0] == 90
    assert server.sinces[:4] == [None, "s1", "s1", "s1"]


async def test_what_was_not_stored_is_read_again_by_the_next_run() -> None:
    with pytest.raises(OSError, match="disk"):
        await read(Homeserver(sync("s1", message(1)), sync("s2", message(2))), fails_at=1)
    store, _ = await read(Homeserver(sync("s2", message(2))), since="s1")
    assert store.texts() == ["第 2 条"]


async def test_duplicates_and_events_out_of_order_keep_their_keys() -> None:
    server = Homeserver(sync("s1", message(2), message(1), message(2)), sync("s2", message(1), message(3)))
    store, _ = await read(server)
    keys = [event.dedupe_key for event in store.events if event.conv]
    assert keys == ["m:!r:x:$2", "m:!r:x:$1", "m:!r:x:$2", "m:!r:x:$1", "m:!r:x:$3"]


async def test_a_limited_timeline_is_paged_back_in_order() -> None:
    pages = {"p0": (["$4", "$3"], "p1"), "p1": (["$2", "$1"], "")}

    def page(request: httpx.Request) -> Answer:
        assert request.url.params["to"] == "s0"
        ids, end = pages[request.url.params["from"]]
        return {"chunk": [message(int(number[1:])) for number in ids], "end": end}

    store, _ = await read(Homeserver(sync("s1", message(5), limited=True), messages=page), since="s0")
    assert store.texts() == [f"第 {number} 条" for number in range(1, 6)]
    assert not any(batch.gaps for batch in store.batches)


@pytest.mark.parametrize(
    "page",
    [lambda _: {"chunk": [message(4)], "end": "again"}, lambda _: httpx.Response(403, json={"errcode": "M_FORBIDDEN"})],
    ids=["a server that has always one page more", "a server that does not let us look"],
)
async def test_what_cannot_be_paged_back_is_told_as_a_gap(page: Any) -> None:
    store, _ = await read(Homeserver(sync("s1", message(5), limited=True), messages=page), since="s0")
    (gap,) = [gap for batch in store.batches for gap in batch.gaps]
    assert (gap.reason, gap.conv_id) == ("backfill_limit", "!r:x")


async def test_a_failure_while_paging_back_moves_nothing() -> None:
    server = Homeserver(sync("s1", message(5), limited=True), messages=httpx.Response(500, json={}))
    store = Store(since="s0")
    connector, _ = server.connector()
    await running(connector.run(store.emit, "s0"), lambda: len(server.sinces) > 1)
    assert server.sinces[:2] == ["s0", "s0"]
    assert "s1" not in [batch.since for batch in store.batches]


async def test_the_redaction_of_a_forgotten_reaction_is_not_a_deleted_message() -> None:
    redaction = {
        "type": "m.room.redaction", "sender": "@ann:x", "content": {"redacts": "$9"}, "event_id": "$10",
        "origin_server_ts": 1706752700000,
    }  # fmt: skip
    store, _ = await read(Homeserver(sync("s1", redaction), event={"type": "m.reaction"}), since="s0")
    assert not [event for event in store.events if event.conv]
    store, _ = await read(Homeserver(sync("s1", redaction), event={"type": "m.room.message"}), since="s0")
    assert [event.type for event in store.events if event.conv] == ["message.deleted"]


async def test_rooms_are_joined_and_invitations_taken_only_when_wanted() -> None:
    invited = {"next_batch": "s1", "rooms": {"invite": {"!new:x": {}}}}
    for accepts, joined in ((False, ["join/#a:x"]), (True, ["join/#a:x", "join/!new:x"])):
        server = Homeserver(dict(invited))
        await read(server, rooms=("#a:x",), accepts_invites=accepts)
        assert [path for _, path, _ in server.asked if path.startswith("join/")] == joined


async def test_a_direct_room_is_told_as_one() -> None:
    direct = {"events": [{"type": "m.direct", "content": {"@ann:x": ["!r:x"]}}]}
    store, _ = await read(Homeserver(sync("s1", message(1), account_data=direct)))
    assert [event.conv.kind for event in store.events if event.conv] == ["direct"]


async def test_a_refused_token_ends_the_run_also_while_paging_back() -> None:
    refused = httpx.Response(401, json={"errcode": "M_UNKNOWN_TOKEN"})
    with pytest.raises(AuthFailed):
        await read(Homeserver(sync("s1", message(5), limited=True), messages=refused), since="s0")


LEVELS = {"users": {US: 100, "@mod:x": 100}, "events_default": 0, "events": {"m.room.name": 50}}


@pytest.mark.parametrize(
    ("levels", "command", "users"),
    [
        (LEVELS, MuteMember(conv_id="!r:x", member_id="@ann:x"), {**LEVELS["users"], "@ann:x": -1}),  # type: ignore[dict-item]
        ({"users": {US: 100, "@ann:x": -1}}, UnmuteMember(conv_id="!r:x", member_id="@ann:x"), {US: 100}),
        ({"users": {US: 100}, "users_default": -5}, UnmuteMember(conv_id="!r:x", member_id="@ann:x"), {US: 100, "@ann:x": 0}),
        ({"users": {US: 100, "@ann:x": -1}}, MuteMember(conv_id="!r:x", member_id="@ann:x"), None),
        ({"users": {US: 100}}, UnmuteMember(conv_id="!r:x", member_id="@ann:x"), None),
    ],
    ids=["mute", "lift", "lift where silence is the default", "mute again", "lift again"],
)
async def test_levels_are_changed_for_one_person_and_only_when_needed(levels: Any, command: Any, users: Any) -> None:
    server = Homeserver(power_levels=lambda request: levels if request.method == "GET" else {"event_id": "$x"})
    await server.connector()[0].act(command, idem_key="k")
    written = [body for method, _, body in server.asked if method == "PUT"]
    assert written == ([] if users is None else [{**levels, "users": users}])


async def test_somebody_of_our_level_cannot_be_muted() -> None:
    server = Homeserver(power_levels=LEVELS)
    with pytest.raises(Unsupported):
        await server.connector()[0].act(MuteMember(conv_id="!r:x", member_id="@mod:x"), idem_key="k")


@pytest.mark.parametrize(
    ("command", "state", "is_done"),
    [
        (RemoveMember(conv_id="!r:x", member_id="@ann:x"), {"membership": "leave"}, True),
        (BanMember(conv_id="!r:x", member_id="@ann:x"), {"membership": "ban"}, True),
        (RemoveMember(conv_id="!r:x", member_id="@ann:x"), {"membership": "join"}, False),
    ],
    ids=["who is out already counts as removed", "who is banned already counts as banned", "who is still in does not"],
)
async def test_a_sanction_asked_for_twice_succeeds_twice(command: Any, state: Any, is_done: bool) -> None:
    refused = httpx.Response(403, json={"errcode": "M_FORBIDDEN"})
    server = Homeserver(kick=refused, ban=refused, m_room_member=state)
    if is_done:
        await server.connector()[0].act(command, idem_key="k")
    else:
        with pytest.raises(Permanent, match="M_FORBIDDEN"):
            await server.connector()[0].act(command, idem_key="k")


async def test_the_key_is_the_transaction() -> None:
    server = Homeserver(send={"event_id": "$sent"})
    receipt = await server.connector()[0].send("!r:x", Content(text="好"), idem_key="a/b")
    assert receipt.platform_id == "$sent"
    assert server.asked[0][:2] == ("PUT", "rooms/!r:x/send/m.room.message/a/b")


def test_mentions_and_replies_are_written_as_the_specification_says() -> None:
    row = message_of(Content(text="好", mentions=("@ann:x", "@all"), reply_to="$1"))
    assert row["m.mentions"] == {"user_ids": ["@ann:x"], "room": True}
    assert row["m.relates_to"] == {"m.in_reply_to": {"event_id": "$1"}}


@given(
    before=st.dictionaries(st.sampled_from("abc"), st.integers(-2, 120)),
    after=st.dictionaries(st.sampled_from("abc"), st.integers(-2, 120)),
    default=st.integers(-2, 60),
)
def test_a_change_of_levels_back_is_the_opposite(before: dict[str, int], after: dict[str, int], default: int) -> None:
    old, new = ({"users": users, "users_default": default} for users in (before, after))
    there = {change.person: change for change in changes(old, new)}
    back = {change.person: change for change in changes(new, old)}
    assert there.keys() == back.keys()
    for person, change in there.items():
        assert (change.old_role, change.new_role) == (back[person].new_role, back[person].old_role)
        if change.is_mute is not None:
            assert back[person].is_mute is (not change.is_mute)
            assert change.is_mute is (level_of(new, person) < 0)


def test_creators_stand_above_the_list_from_version_12_on() -> None:
    row = {"sender": "@own:x"}
    assert creators(row, {"room_version": "12", "additional_creators": ["@two:x"]}) == ("@own:x", "@two:x")
    for content in ({"room_version": "11"}, {}, {"room_version": "org.example.test"}):
        assert creators(row, content) == ()


WORDS = st.sampled_from(("rooms", "join", "timeline", "events", "type", "content", "sender", "state", "event_id"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


@given(answer=st.dictionaries(st.sampled_from(("rooms", "account_data", "next_batch")), JSON))
def test_no_answer_however_odd_breaks_the_reader(answer: dict[str, Any]) -> None:
    rooms = Rooms(US)
    for part in room_parts(answer):
        rooms.read(part, (), is_whole=False, now_ms=NOW_MS)


@given(
    content=JSON,
    unsigned=JSON,
    kind=st.sampled_from(
        (
            "m.room.message", "m.room.member", "m.room.power_levels", "m.reaction", "m.room.redaction", "m.room.create",
            "m.room.name", "m.poll.start",
        )
    ),
)  # fmt: skip
def test_no_event_however_odd_fails_its_batch(content: Any, unsigned: Any, kind: str) -> None:
    odd = {**message(1), "type": kind, "content": content, "unsigned": unsigned, "state_key": "@ann:x"}
    (part,) = room_parts(sync("s1", odd, message(2)))
    events = Rooms(US).read(part, (), is_whole=True, now_ms=NOW_MS)
    assert "m:!r:x:$2" in [event.dedupe_key for event in events]
