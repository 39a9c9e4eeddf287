"""The Matrix connector against a real homeserver: what people do is read, what we do happens."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from qunce.connectors.base import Batch
from qunce.connectors.errors import AuthFailed, Permanent, Unsupported
from qunce.connectors.matrix.api import MatrixSettings
from qunce.connectors.matrix.connector import Matrix
from qunce.connectors.pace import Life
from qunce.domain.commands import (
    AnswerRequest,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    RemoveMember,
    SendDirect,
    UnbanMember,
    UnmuteMember,
)
from qunce.domain.events import Event, MemberLeft, MessageCreated, MessageDeleted

if TYPE_CHECKING:
    from tests.deep.conftest import Homeserver

pytestmark = pytest.mark.deep

NOW_MS = 1_800_000_000_000
"""2027-01-15: the server's clock may lie before it, not after."""
LIMIT_S = 60
_numbers = itertools.count()


class Person:
    """Somebody with a client of their own."""

    def __init__(self, server: Homeserver, word: str) -> None:
        name = f"{word}{next(_numbers)}"
        self.id = f"@{name}:qunce.test"
        self.token = server.register(name)
        self.web = httpx.AsyncClient(
            base_url=f"{server.url}/_matrix/client/v3/", headers={"Authorization": f"Bearer {self.token}"}, timeout=30
        )

    async def ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = await self.web.request(method, path, json={} if body is None else body)
        data: dict[str, Any] = answer.raise_for_status().json()
        return data

    async def say(self, room: str, text: str, **more: object) -> str:
        body = {"msgtype": "m.text", "body": text, **more}
        sent = await self.ask("PUT", f"rooms/{room}/send/m.room.message/t{next(_numbers)}", body)
        return str(sent["event_id"])


@dataclass
class Store:
    """What the runtime would keep."""

    events: dict[str, Event] = field(default_factory=dict)
    since: str | None = None
    batches: list[Batch] = field(default_factory=list)

    async def emit(self, batch: Batch) -> None:
        self.batches.append(batch)
        for event in batch.events:
            self.events.setdefault(event.dedupe_key, event)
        self.since = batch.since or self.since

    def of(self, *types: str) -> list[Event]:
        return [event for event in self.events.values() if event.type in types]

    def texts(self) -> list[str]:
        return [event.body.text for event in self.events.values() if isinstance(event.body, MessageCreated)]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await asyncio.sleep(0.05)


@dataclass
class Scene:
    """A room with its owner, a member, our account, and a connector for it."""

    server: Homeserver
    bot: Person
    ann: Person
    room: str
    web: httpx.AsyncClient

    def connector(self, **options: Any) -> Matrix:
        settings = MatrixSettings(homeserver=self.server.url, user_id=self.bot.id, token=self.bot.token, rooms=(self.room,))
        life = Life(now_ms=lambda: NOW_MS, sleep=asyncio.sleep, chance=lambda: 0.5)
        return Matrix(settings, self.web, life, long_poll_ms=1000, **options)

    @asynccontextmanager
    async def running(self, store: Store, **options: Any) -> AsyncIterator[Matrix]:
        connector = self.connector(**options)
        task = asyncio.create_task(connector.run(store.emit, store.since))
        try:
            yield connector
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def scene(homeserver: Homeserver) -> AsyncIterator[Scene]:
    bot, ann = Person(homeserver, "bot"), Person(homeserver, "ann")
    made = await bot.ask("POST", "createRoom", {"preset": "public_chat", "name": "团长群"})
    room = made["room_id"]
    await ann.ask("PUT", f"profile/{ann.id}/displayname", {"displayname": "安"})
    await ann.ask("POST", f"join/{room}")
    async with httpx.AsyncClient() as web:
        yield Scene(homeserver, bot, ann, room, web)
    await bot.web.aclose()
    await ann.web.aclose()


async def test_what_a_member_says_edits_likes_and_withdraws_is_read(scene: Scene) -> None:
    store = Store()
    async with scene.running(store):
        said = await scene.ann.say(scene.room, "今天发货吗？")
        edit = {"m.new_content": {"msgtype": "m.text", "body": "今天能发货吗？"}}
        await scene.ann.say(scene.room, "* x", **edit, **{"m.relates_to": {"rel_type": "m.replace", "event_id": said}})
        like = {"m.relates_to": {"rel_type": "m.annotation", "event_id": said, "key": "👍"}}
        liked = await scene.ann.ask("PUT", f"rooms/{scene.room}/send/m.reaction/r{next(_numbers)}", like)
        await scene.ann.ask("PUT", f"rooms/{scene.room}/redact/{liked['event_id']}/x{next(_numbers)}")
        await scene.ann.ask("PUT", f"rooms/{scene.room}/redact/{said}/x{next(_numbers)}")
        await store.until(lambda: bool(store.of("message.deleted")))
    types = [event.type for event in store.events.values()]
    assert types.count("group.created") == 1
    assert {
        "connector.status",
        "group.updated",
        "member.joined",
        "message.edited",
        "reaction.added",
        "reaction.removed",
    } <= set(types)
    (question,) = [event for event in store.of("message.created") if event.conv is not None]
    assert question.conv is not None
    assert question.actor is not None
    assert (question.conv.platform_id, question.conv.name) == (scene.room, "团长群")
    assert (question.actor.platform_id, question.actor.name) == (scene.ann.id, "安")
    assert question.source.origin == "poll"


async def test_more_than_a_timeline_holds_is_paged_back_after_a_stop(scene: Scene) -> None:
    store = Store()
    async with scene.running(store):
        await store.until(lambda: store.since is not None)
    for number in range(130):
        await scene.ann.say(scene.room, f"第 {number} 条")
    async with scene.running(store):
        await store.until(lambda: f"第 {129} 条" in store.texts())
    assert store.texts() == [f"第 {number} 条" for number in range(130)]
    assert not [gap for batch in store.batches for gap in batch.gaps]
    last = store.of("message.created")[-1]
    assert last.actor is not None
    assert last.actor.name == "安", "names are known again after a stop"


async def test_what_lies_before_the_limit_of_paging_is_told_as_a_gap(scene: Scene) -> None:
    store = Store()
    async with scene.running(store):
        await store.until(lambda: store.since is not None)
    for number in range(210):
        await scene.ann.say(scene.room, f"第 {number} 条")
    async with scene.running(store, max_pages=1):
        await store.until(lambda: "第 209 条" in store.texts())
    (gap,) = [gap for batch in store.batches for gap in batch.gaps]
    assert (gap.reason, gap.conv_id) == ("backfill_limit", scene.room)
    assert store.texts() == [f"第 {number} 条" for number in range(10, 210)]


async def test_a_message_sent_again_with_its_key_arrives_once_and_comes_back_as_our_own(scene: Scene) -> None:
    store = Store()
    async with scene.running(store) as connector:
        content = Content(text="请看群公告", mentions=(scene.ann.id,))
        first = await connector.send(scene.room, content, idem_key="k1")
        again = await connector.send(scene.room, content, idem_key="k1")
        await store.until(lambda: "请看群公告" in store.texts())
        await connector.send(scene.room, Content(text="下一条"), idem_key="k2")
        await store.until(lambda: "下一条" in store.texts())
    assert first == again
    assert store.texts().count("请看群公告") == 1
    own = next(event for event in store.of("message.created"))
    assert isinstance(own.body, MessageCreated)
    assert own.actor is not None
    assert (own.source.origin, own.actor.kind, own.body.mentions) == ("self", "bot", (scene.ann.id,))
    assert own.body.message_id == first.platform_id


async def test_each_sanction_holds_on_the_server_and_is_told(scene: Scene) -> None:
    store, room, ann = Store(), scene.room, scene.ann
    async with scene.running(store) as connector:
        said = await ann.say(room, "加我微信")
        await connector.act(DeleteMessage(conv_id=room, message_id=said, reason="广告"), idem_key="d1")
        await store.until(lambda: bool(store.of("message.deleted")))
        (deleted,) = store.of("message.deleted")
        assert isinstance(deleted.body, MessageDeleted)
        assert deleted.body.reason == "广告"
        assert deleted.source.origin == "self"

        await connector.act(MuteMember(conv_id=room, member_id=ann.id), idem_key="m1")
        await connector.act(MuteMember(conv_id=room, member_id=ann.id), idem_key="m1")
        with pytest.raises(httpx.HTTPStatusError):
            await ann.say(room, "还想说话")
        await store.until(lambda: bool(store.of("member.restricted")))
        await connector.act(UnmuteMember(conv_id=room, member_id=ann.id), idem_key="m2")
        await ann.say(room, "谢谢")
        await store.until(lambda: bool(store.of("member.unrestricted")))

        await connector.act(RemoveMember(conv_id=room, member_id=ann.id, reason="rule 1"), idem_key="k1")
        await connector.act(RemoveMember(conv_id=room, member_id=ann.id, reason="rule 1"), idem_key="k1")
        await ann.ask("POST", f"join/{room}")
        await connector.act(BanMember(conv_id=room, member_id=ann.id), idem_key="b1")
        with pytest.raises(httpx.HTTPStatusError):
            await ann.ask("POST", f"join/{room}")
        await connector.act(UnbanMember(conv_id=room, member_id=ann.id), idem_key="b2")
        await ann.ask("POST", f"join/{room}")
        await store.until(lambda: len(store.of("member.left")) == 2)
        reasons = [event.body.reason for event in store.events.values() if isinstance(event.body, MemberLeft)]
        assert reasons == ["kicked", "banned"]
    assert len(store.of("member.restricted")) == len(store.of("member.unrestricted")) == 1


async def test_the_server_tells_what_each_account_may_do_in_the_room(scene: Scene) -> None:
    assert {one.name for one in await scene.connector().survey(scene.room)} == {"join.requests", "join.approve"}
    settings = MatrixSettings(homeserver=scene.server.url, user_id=scene.ann.id, token=scene.ann.token)
    life = Life(now_ms=lambda: NOW_MS, sleep=asyncio.sleep, chance=lambda: 0.5)
    ann = Matrix(settings, scene.web, life)
    found = {one.name: one.zh for one in await ann.survey(scene.room)}
    assert {"message.delete", "member.mute", "member.kick", "member.ban"} <= found.keys()
    assert "message.send" not in found
    assert "要 50" in found["message.delete"]
    private = (await scene.bot.ask("POST", "createRoom", {"preset": "private_chat"}))["room_id"]
    assert "message.read" in {one.name for one in await ann.survey(private)}


async def test_who_knocks_is_let_in(scene: Scene) -> None:
    store, room = Store(), scene.room
    await scene.bot.ask("PUT", f"rooms/{room}/state/m.room.join_rules", {"join_rule": "knock"})
    ben = Person(scene.server, "ben")
    async with scene.running(store) as connector:
        await ben.ask("POST", f"knock/{room}", {"reason": "想入群"})
        await store.until(lambda: bool(store.of("member.requested")))
        (request,) = store.of("member.requested")
        ref = request.body.request_ref  # type: ignore[union-attr]  # the type is asked for above
        await connector.act(AnswerRequest(conv_id=room, member_id=ben.id, request_ref=ref, approve=True), idem_key="j1")
        await ben.ask("POST", f"join/{room}")
        await store.until(lambda: any(e.subject and e.subject.platform_id == ben.id for e in store.of("member.joined")))
    await ben.web.aclose()


async def test_somebody_is_written_to_alone_in_one_room_however_often(scene: Scene) -> None:
    connector = scene.connector()
    words = [Content(text="请看群规"), Content(text="谢谢配合")]
    first, second = [
        await connector.act(SendDirect(conv_id=scene.room, member_id=scene.ann.id, content=content), idem_key=f"p{number}")
        for number, content in enumerate(words)
    ]
    assert first.conv_id == second.conv_id
    assert first.conv_id not in (None, scene.room)
    await scene.ann.ask("POST", f"join/{first.conv_id}")
    page = await scene.ann.ask("GET", f"rooms/{first.conv_id}/messages?dir=b&limit=2")
    assert [row["content"]["body"] for row in page["chunk"] if row["type"] == "m.room.message"]
    store = Store()
    async with scene.running(store):
        await store.until(lambda: "请看群规" in store.texts())
    kinds = {event.conv.kind for event in store.of("message.created") if event.conv}
    assert kinds == {"direct"}


async def test_a_refused_token_is_told_and_ends_the_run(scene: Scene) -> None:
    settings = MatrixSettings(homeserver=scene.server.url, user_id=scene.bot.id, token="no")
    life = Life(now_ms=lambda: NOW_MS, sleep=asyncio.sleep, chance=lambda: 0.5)
    store = Store()
    with pytest.raises(AuthFailed):
        await Matrix(settings, scene.web, life).run(store.emit, None)
    (status,) = store.of("connector.status")
    assert status.body.state == "auth_failed"  # type: ignore[union-attr]  # the type is asked for above
    assert "no" not in repr(settings).split("token")


async def test_what_we_may_not_do_is_refused_for_good(scene: Scene) -> None:
    connector = scene.connector()
    owner = Person(scene.server, "owner")
    room = (await owner.ask("POST", "createRoom", {"preset": "public_chat"}))["room_id"]
    await scene.bot.ask("POST", f"join/{room}")
    with pytest.raises(Permanent, match="M_FORBIDDEN"):
        await connector.act(RemoveMember(conv_id=room, member_id=owner.id), idem_key="x")
    with pytest.raises((Permanent, Unsupported)):
        await connector.act(MuteMember(conv_id=room, member_id=owner.id), idem_key="y")
    await owner.web.aclose()
