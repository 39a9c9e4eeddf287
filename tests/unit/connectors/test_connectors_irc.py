"""IRC over streams that are two buffers; the real server is met in tests/deep."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.errors import AuthFailed, Permanent, Retryable, UnknownOutcome
from qunce.connectors.irc.connector import MAX_PIECES, Irc, IrcSettings, Streams
from qunce.connectors.irc.lines import MAX_BYTES, parse, pieces, plain, written
from qunce.connectors.irc.reader import Reader
from qunce.domain.commands import BanMember, Content, RemoveMember
from qunce.domain.events import Source
from tests.unit.connectors.harness import NOW_MS, Clock, Store, running, until

READER = Source(connector="irc", account="q@x", origin="poll")


class Network:
    """The other end: says what a test wants, hears what the bot says, and answers its pings unless told not to."""

    def __init__(self, *, answers: bool = True) -> None:
        self.answers = answers
        self.heard: list[str] = []
        self.connections = 0
        self.refusals = 0

    async def connect(self) -> Streams:
        if self.refusals:
            self.refusals -= 1
            raise OSError("nobody listens")
        self.connections += 1
        self.reader = asyncio.StreamReader(limit=1024)
        return self.reader, cast("asyncio.StreamWriter", self)

    def say(self, *lines: str) -> None:
        for line in lines:
            self.reader.feed_data(line.encode() + b"\r\n")

    def write(self, data: bytes) -> None:
        for line in data.decode().splitlines():
            self.heard.append(line)
            if line.startswith("PING") and self.answers:
                self.say(f":irc.x PONG irc.x {line.removeprefix('PING ')}")

    def close(self) -> None:
        """Nothing is to be closed."""


def bot(network: Network, **options: float) -> tuple[Irc, Store, Clock]:
    clock = Clock()
    settings = IrcSettings(network="x", nick="q", channels=("#a",), password="secret")
    return Irc(settings, network.connect, clock.life(), **options), Store(), clock


class Living:
    """A bot that is in its channel with ann."""

    def __init__(self, network: Network, **options: float) -> None:
        self.network = network
        self.bot, self.store, self.clock = bot(network, **options)

    async def __aenter__(self) -> Living:
        self._task = asyncio.create_task(self.bot.run(self.store.emit, None))
        await until(lambda: self.network.connections == 1)
        self.network.say(":irc.x 001 q :Welcome", ":q!q@h JOIN #a", ":irc.x 353 q = #a :@q ann")
        await until(lambda: len(self.store.events) == 4)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_it_signs_in_joins_and_answers_pings() -> None:
    async with Living(Network()) as scene:
        scene.network.say("PING :irc.x")
        await until(lambda: "PONG :irc.x" in scene.network.heard)
        assert scene.network.heard[:4] == ["PASS secret", "NICK q", "USER q 0 * :qunce", "JOIN #a"]


async def test_a_broken_connection_is_told_and_mended_with_a_gap() -> None:
    async with Living(Network()) as scene:
        scene.network.refusals = 3
        scene.network.reader.feed_eof()
        await until(lambda: scene.network.connections == 2)
        scene.network.say(":irc.x 001 q :Welcome")
        await until(lambda: scene.store.states() == ["up", "down", "up"])
        (gap,) = [gap for batch in scene.store.batches for gap in batch.gaps]
    assert scene.clock.slept_s == [1, 2, 4, 8]
    assert (gap.reason, gap.from_ms, gap.until_ms) == ("not_connected", NOW_MS, NOW_MS + 15_000)


async def test_a_line_without_end_breaks_the_connection_not_the_bot() -> None:
    async with Living(Network()) as scene:
        scene.network.reader.feed_data(b"x" * 10_000)
        await until(lambda: scene.network.connections == 2)


async def test_garbage_is_passed_over() -> None:
    async with Living(Network()) as scene:
        scene.network.reader.feed_data(b"\xff\xfe\x00\r\n\r\n:\r\n:x!y@z\r\nPRIVMSG\r\n:a!b@c KICK\r\n:a!b@c PRIVMSG #a\r\n")
        scene.network.reader.feed_data(":ann!a@h PRIVMSG #a :加我微信".encode("gb18030") + b"\r\n")
        await until(lambda: scene.store.texts() == ["加我微信"])


async def test_a_server_that_has_gone_quiet_is_asked_and_left() -> None:
    async with Living(Network(answers=False), quiet_s=0.001) as scene:
        async with asyncio.timeout(10):
            while scene.network.connections == 1:
                await asyncio.sleep(0.001)
        assert "PING :there" in scene.network.heard


@pytest.mark.parametrize(
    "line", [":irc.x 464 q :Password incorrect", "ERROR :Access denied: Bad password?", ":irc.x 432 * x :Erroneous nickname"]
)
async def test_a_refused_bot_gives_up_and_says_so(line: str) -> None:
    network = Network()
    connector, store, _ = bot(network)
    task = asyncio.create_task(connector.run(store.emit, None))
    await until(lambda: network.connections == 1)
    network.say(line)
    with pytest.raises(AuthFailed):
        await task
    assert store.states() == ["auth_failed"]


async def test_a_batch_that_cannot_be_stored_ends_the_run() -> None:
    network = Network()
    connector, store, _ = bot(network)
    store.fails_at = 0
    task = asyncio.create_task(connector.run(store.emit, None))
    await until(lambda: network.connections == 1)
    network.say(":irc.x 001 q :Welcome")
    with pytest.raises(OSError, match="disk"):
        await task


async def test_a_message_counts_once_the_server_has_answered_what_came_after_it() -> None:
    async with Living(Network()) as scene:
        receipt = await scene.bot.send("#a", Content(text="第一行\n第二行", mentions=("ann",)), idem_key="k")
    assert scene.network.heard[4:6] == ["PRIVMSG #a :ann: 第一行", "PRIVMSG #a :第二行"]
    assert receipt.parts == 2
    assert len({event.dedupe_key for event in receipt.events}) == 2


async def test_without_an_answer_a_message_is_unknown_and_a_removal_open() -> None:
    async with Living(Network(answers=False), answer_s=0.001) as scene:
        with pytest.raises(UnknownOutcome):
            await scene.bot.send("#a", Content(text="好"), idem_key="k")
        with pytest.raises(Retryable):
            await scene.bot.act(RemoveMember(conv_id="#a", member_id="ann"), idem_key="k")


async def test_a_refusal_is_told_with_its_number() -> None:
    async with Living(Network(answers=False)) as scene:
        asked = asyncio.create_task(scene.bot.act(RemoveMember(conv_id="#a", member_id="ann"), idem_key="k"))
        await until(lambda: any(line.startswith("KICK") for line in scene.network.heard))
        scene.network.say(":irc.x 482 q #a :You're not channel operator")
        with pytest.raises(Permanent, match="482"):
            await asked


async def test_a_ban_names_the_host_and_removes() -> None:
    async with Living(Network()) as scene:
        scene.network.say(":ann!a@10.0.0.1 PRIVMSG #a :加我")
        await until(lambda: bool(scene.store.texts()))
        await scene.bot.act(BanMember(conv_id="#a", member_id="ann", reason="广告"), idem_key="k")
    heard = [line for line in scene.network.heard if not line.startswith("PING")]
    assert heard[-2:] == ["MODE #a +b *!*@10.0.0.1", "KICK #a ann :广告"]


@pytest.mark.parametrize("text", ["", "\n\n", "好\n" * (MAX_PIECES + 1)])
async def test_what_does_not_fit_is_refused(text: str) -> None:
    async with Living(Network()) as scene:
        with pytest.raises(Permanent):
            await scene.bot.send("#a", Content(text=text), idem_key="k")


async def test_without_a_connection_nothing_is_sent() -> None:
    with pytest.raises(Retryable, match="not_connected"):
        await bot(Network())[0].send("#a", Content(text="好"), idem_key="k")


async def test_the_first_start_tells_no_gap() -> None:
    network = Network()
    connector, store, _ = bot(network)

    async def welcome() -> None:
        await until(lambda: network.connections == 1)
        network.say(":irc.x 001 q :Welcome")

    greeting = asyncio.create_task(welcome())
    await running(connector.run(store.emit, None), lambda: store.states() == ["up"])
    await greeting
    assert not store.batches[0].gaps


@given(text=st.text())
def test_pieces_fit_and_together_hold_every_character_but_blanks(text: str) -> None:
    found = list(pieces(text))
    assert all(0 < len(piece.encode("utf-8", "surrogatepass")) <= MAX_BYTES for piece in found)
    assert "".join("".join(found).split()) == "".join(text.split())


@given(words=st.lists(st.text(), min_size=1, max_size=3), text=st.text())
def test_nothing_breaks_out_of_its_line(words: list[str], text: str) -> None:
    try:
        line = written(*words, text=text)
    except Permanent:
        return
    assert line.count(b"\n") == 1
    assert line.endswith(b"\r\n")
    found = parse(line)
    assert found is not None
    assert (found.command, *found.params[:-1]) == (words[0].upper(), *words[1:]) or not words[0].isascii()


@given(text=st.text(st.sampled_from("\x02\x03\x0f\x1f0123456789, 加我微信")))
def test_colours_and_styles_do_not_hide_words(text: str) -> None:
    assert not any(character < " " for character in plain(text))
    assert "".join(c for c in plain(text) if c in "加我微信") == "".join(c for c in text if c in "加我微信")


@given(data=st.binary(max_size=100))
def test_no_line_however_odd_breaks_the_reader(data: bytes) -> None:
    line = parse(data)
    if line is not None:
        Reader(READER, "q").read(line, NOW_MS)


def test_somebody_who_takes_the_old_nick_of_another_is_another() -> None:
    reader = Reader(READER, "q")
    lines = (
        ":ann!a@h JOIN #a",
        ":ann!a@h NICK ann2",
        ":ann!e@evil JOIN #a",
        ":ann!e@evil PRIVMSG #a :嗨",
        ":ann2!a@h PRIVMSG #a :嗯",
    )
    events = [event for text in lines if (line := parse(text.encode())) for event in reader.read(line, NOW_MS)]
    speakers = [event.actor.platform_id for event in events if event.type == "message.created" and event.actor]
    assert speakers == ["ann!evil", "ann"]
