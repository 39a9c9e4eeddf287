"""The IRC connector against a real ngircd: it stays in its channel through everything, and its sanctions hold."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qunce.connectors.base import Batch, Gap
from qunce.connectors.errors import AuthFailed, Permanent, Unsupported
from qunce.connectors.irc.connector import Connect, Irc, IrcSettings, dial
from qunce.connectors.pace import Life
from qunce.domain.commands import BanMember, Content, MuteMember, RemoveMember, SendDirect, UnbanMember
from qunce.domain.events import ConnectorStatus, Event, MessageCreated
from tests.deep.conftest import _free_port

pytestmark = pytest.mark.deep

LIMIT_S = 30
CONFIGURATION = """
[Global]
Name = irc.qunce.test
Info = tests
Listen = 127.0.0.1
Ports = {port}
MotdPhrase = hello
{password}
[Limits]
MaxConnectionsIP = 0
MaxNickLength = 20
[Options]
DNS = no
Ident = no
PAM = no
"""


@dataclass
class Server:
    """A ngircd that can be stopped and started."""

    binary: str
    folder: Path
    password: str = ""
    port: int = field(default_factory=_free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        path = self.folder / "ngircd.conf"
        path.write_text(CONFIGURATION.format(port=self.port, password=f"Password = {self.password}" * bool(self.password)))
        command = [self.binary, "-n", "-f", str(path)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        give_up = time.monotonic() + LIMIT_S
        while time.monotonic() < give_up:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.01)
        pytest.fail("ngircd did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(LIMIT_S)

    @property
    def connect(self) -> Connect:
        return dial("127.0.0.1", self.port, tls=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    binary = shutil.which("ngircd") or shutil.which("ngircd", path="/usr/sbin") or _installed()
    running = Server(binary, tmp_path)
    running.start()
    yield running
    running.stop()


def _installed() -> str:
    """Install the server where that is possible; otherwise the test is skipped, and says so."""
    if shutil.which("apt-get"):
        subprocess.run(["apt-get", "install", "-y", "-q", "ngircd"], check=False, capture_output=True, timeout=300)
    found = shutil.which("ngircd", path="/usr/sbin:/usr/bin")
    if found is None:
        pytest.skip("ngircd is not here and cannot be installed; apt install ngircd")
    return found


class Person:
    """Somebody with a client."""

    def __init__(self, nick: str) -> None:
        self.nick = nick
        self.heard: list[str] = []

    async def come(self, server: Server, channel: str) -> Person:
        reader, self._writer = await _patiently(server)
        self.say(f"NICK {self.nick}", f"USER {self.nick} 0 * :x")
        self._task = asyncio.create_task(self._listen(reader))
        await until(lambda: any(" 001 " in line for line in self.heard))
        self.say(f"JOIN {channel}")
        await until(lambda: any(" 366 " in line for line in self.heard))
        return self

    def say(self, *lines: str) -> None:
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def go(self) -> None:
        self._task.cancel()
        self._writer.close()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.readline():
            line = data.decode().strip()
            self.heard.append(line)
            if line.startswith("PING"):
                self.say(line.replace("PING", "PONG", 1))


@dataclass
class Store:
    events: list[Event] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    since: str | None = None

    async def emit(self, batch: Batch) -> None:
        self.events.extend(batch.events)
        self.gaps.extend(batch.gaps)
        self.since = batch.since or self.since

    def texts(self) -> list[str]:
        return [event.body.text for event in self.events if isinstance(event.body, MessageCreated)]

    def states(self) -> list[str]:
        return [event.body.state for event in self.events if isinstance(event.body, ConnectorStatus)]

    def count(self, kind: str, person: str) -> int:
        return sum(e.type == kind and e.subject is not None and e.subject.platform_id == person for e in self.events)

    def told(self, kind: str, person: str) -> bool:
        return self.count(kind, person) > 0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.01)


async def _patiently(server: Server) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                return await server.connect()
            except OSError:
                await asyncio.sleep(0.02)


@asynccontextmanager
async def running(server: Server, store: Store, **settings: str) -> AsyncIterator[Irc]:
    now_ms = iter(range(1_800_000_000_000, 1_900_000_000_000))
    life = Life(now_ms=lambda: next(now_ms), sleep=asyncio.sleep, chance=lambda: 0.5, first_wait_s=0.05, longest_wait_s=0.2)
    options = IrcSettings(network="test", nick="qbot", channels=("#tuan",), **settings)
    connector = Irc(options, server.connect, life)
    task = asyncio.create_task(connector.run(store.emit, store.since))
    try:
        await until(lambda: store.told("member.joined", "qbot") or task.done())
        if task.done():
            task.result()
        yield connector
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_people_are_followed_through_their_nicks_and_what_they_say(server: Server) -> None:
    store = Store()
    async with running(server, store):
        ann = await Person("ann").come(server, "#tuan")
        ann.say("PRIVMSG #tuan :今天发货吗？", "NICK annie", "PRIVMSG #tuan :在吗", "PART #tuan :走了")
        await until(lambda: store.told("member.left", "ann"))
        await ann.go()
    assert store.texts() == ["今天发货吗？", "在吗"]
    speakers = [event.actor.platform_id for event in store.events if event.type == "message.created" and event.actor]
    assert speakers == ["ann", "ann"]


async def test_a_long_message_arrives_whole_in_several_lines(server: Server) -> None:
    store = Store()
    async with running(server, store) as connector:
        ann = await Person("ann").come(server, "#tuan")
        text = "群规：" + "请文明发言，不要发广告。" * 30
        receipt = await connector.send("#tuan", Content(text=text), idem_key="k")
        await until(lambda: sum("PRIVMSG #tuan" in line for line in ann.heard) == receipt.parts)
        heard = "".join(line.partition(" :")[2] for line in ann.heard if "PRIVMSG #tuan" in line)
        await connector.act(SendDirect(conv_id="#tuan", member_id="ann", content=Content(text="悄悄话")), idem_key="d")
        await until(lambda: any("PRIVMSG ann :悄悄话" in line for line in ann.heard))
        await ann.go()
    assert receipt.parts > 1
    assert heard == text
    assert [event.source.origin for event in receipt.events] == ["self"] * receipt.parts


async def test_a_removed_person_is_out_and_a_banned_one_stays_out(server: Server) -> None:
    store = Store()
    async with running(server, store) as connector:
        ann = await Person("ann").come(server, "#tuan")
        await until(lambda: store.told("member.joined", "ann"))
        await connector.act(RemoveMember(conv_id="#tuan", member_id="ann", reason="广告"), idem_key="k")
        await until(lambda: store.told("member.left", "ann"))
        await connector.act(RemoveMember(conv_id="#tuan", member_id="ann", reason="广告"), idem_key="k")
        await until(lambda: any("KICK #tuan ann :广告" in line for line in ann.heard))
        ann.say("JOIN #tuan")
        await until(
            lambda: (
                sum(
                    e.type == "member.joined" and e.subject is not None and e.subject.platform_id == "ann" for e in store.events
                )
                == 2
            )
        )
        await connector.act(BanMember(conv_id="#tuan", member_id="ann"), idem_key="b")
        ann.say("JOIN #tuan")
        await until(lambda: any(" 474 " in line for line in ann.heard))
        await connector.act(UnbanMember(conv_id="#tuan", member_id="ann"), idem_key="u")
        ann.say("JOIN #tuan")
        await until(
            lambda: (
                sum(
                    e.type == "member.joined" and e.subject is not None and e.subject.platform_id == "ann" for e in store.events
                )
                == 3
            )
        )
        await ann.go()


async def test_a_server_that_goes_and_comes_back_is_told_and_found_again(server: Server) -> None:
    store = Store()
    async with running(server, store):
        server.stop()
        await until(lambda: store.states() == ["up", "down"])
        server.start()
        await until(lambda: store.states() == ["up", "down", "up"])
        ann = await Person("ann").come(server, "#tuan")
        ann.say("PRIVMSG #tuan :又好了")
        await until(lambda: "又好了" in store.texts())
        await ann.go()
    (gap,) = store.gaps
    assert gap.reason == "not_connected"
    assert gap.from_ms is not None
    assert gap.until_ms is not None
    assert gap.from_ms < gap.until_ms


async def test_a_taken_nick_gets_a_tail_and_what_is_forbidden_is_refused(server: Server) -> None:
    store = Store()
    owner = await Person("qbot").come(server, "#tuan")
    now = iter(range(1_800_000_000_000, 1_900_000_000_000))
    life = Life(now_ms=lambda: next(now), sleep=asyncio.sleep, chance=lambda: 0.5)
    connector = Irc(IrcSettings(network="test", nick="qbot", channels=("#tuan",)), server.connect, life)
    task = asyncio.create_task(connector.run(store.emit, None))
    await until(lambda: store.told("member.joined", "qbot_"))
    with pytest.raises(Permanent, match="482"):
        await connector.act(RemoveMember(conv_id="#tuan", member_id="qbot"), idem_key="k")
    with pytest.raises(Permanent, match=r"403|401|404"):
        await connector.send("#nowhere", Content(text="有人吗"), idem_key="k")
    with pytest.raises(Unsupported):
        await connector.act(MuteMember(conv_id="#tuan", member_id="qbot"), idem_key="k")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await owner.go()


async def test_a_wrong_password_ends_the_run(tmp_path: Path, server: Server) -> None:
    guarded = Server(server.binary, tmp_path, password="secret")
    guarded.start()
    try:
        store = Store()
        with pytest.raises(AuthFailed):
            async with running(guarded, store, password="wrong"):
                pass
        assert store.states() == ["auth_failed"]
    finally:
        guarded.stop()
