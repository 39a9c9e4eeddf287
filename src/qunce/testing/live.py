"""Stage the live loops without threads: a clock one moves, a practice room, and each loop a round at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from qunce.connectors.base import Connector
from qunce.domain.events import Conv, Event, MemberJoined, MessageCreated, Party, PartyKind, Source
from qunce.domain.keys import message_key, native_key
from qunce.outbox.models import Delivery
from qunce.runtime.ingest import Ingest
from qunce.runtime.live import channels, playbooks
from qunce.runtime.live.deliver import Hand, attempt
from qunce.runtime.live.desk import duty, responses
from qunce.runtime.live.practice import KIND, Practice
from qunce.runtime.live.react import Reactor

START_MS: Final = 1_800_000_000_000
"""Friday, 15 January 2027, 16:00 in Shanghai."""
ACCOUNT: Final = "练习"

PLAYBOOK: Final = """\
schema_version: 1
playbook: {playbook_id: practice, title: 演练}
exempt: {kinds: [staff]}
ladders:
  - ladder_id: strict
    title: 先禁言
    steps: [{do: mute, for: 30m}, {do: ban}]
lexicons:
  - {lexicon_id: ads, title: 广告, terms: [代购返现]}
rules:
  - rule_id: ads.terms
    title: 广告词
    category: ads
    reason: 群里不发广告，谢谢理解。
    mode: act
    ladder: strict
    delete: true
    when: [{check: terms, lexicons: [ads]}]
"""
"""A rule that acts on 代购返现, however it is disguised: deletes, mutes half an hour, then bans."""


class Stage:
    """A practice account with one connector, one reactor and one hand; nothing happens but what is asked for."""

    def __init__(self, folder: Path, connector: Connector | None = None, *, mode: str = "live") -> None:
        """`folder` holds the checkpoint; `connector` takes the place of the practice room's."""
        self.now_ms = START_MS
        self.folder = folder
        self.channel_id = channels.do_add_channel(
            actor=None, connector=KIND, name="演练", settings={"name": ACCOUNT}, mode=mode, clock=self.clock
        )
        self.connector: Connector = connector or Practice(ACCOUNT, self.clock)
        self.restart()

    def restart(self) -> None:
        """Begin anew as after a kill: everything that was in memory only is gone."""
        duty.program_of.cache_clear()
        responses.read.cache_clear()
        self.ingest = Ingest(self.clock)
        self.reactor = Reactor(self.folder / "engine.state", self.clock)
        self.hand = Hand(KIND, ACCOUNT, self.connector.capabilities, "stage", self.ingest, self.clock)

    def clock(self) -> int:
        """Return the moment of the stage."""
        return self.now_ms

    def wait(self, seconds: float) -> None:
        """Let time pass; less than nothing sets the clock back."""
        self.now_ms += int(seconds * 1_000)

    def publish(self, files: Mapping[str, str] | str = PLAYBOOK, reason: str = "test") -> int:
        """Publish a playbook, given as its files or as the one it has."""
        files = {"playbook.yaml": files} if isinstance(files, str) else files
        return playbooks.do_publish(actor=None, files=files, reason=reason, clock=self.clock)

    def said(self, who: str, text: str, *, group: str = "演练一群", kind: PartyKind = "member", id: str | None = None) -> Event:  # noqa: A002
        """Return the event of somebody saying something now."""
        message_id = id or f"{self.now_ms}/{who}/{text}"
        body = MessageCreated(message_id=message_id, text=text)
        return self._event(body, message_key(group, message_id), who, group, kind)

    def joined(self, who: str, *, group: str = "演练一群") -> Event:
        """Return the event of somebody joining now."""
        return self._event(MemberJoined(), native_key("join", group, who, str(self.now_ms)), who, group, "member")

    def say(self, who: str, text: str, *, group: str = "演练一群") -> int:
        """Let somebody say something, a second after what was before; return its position in the journal."""
        self.wait(1)
        return self.take(self.said(who, text, group=group))

    def take(self, *events: Event) -> int:
        """Take events in; return the newest position."""
        self.ingest.take(events)
        return self.ingest.journal.head()

    def react(self) -> int:
        """React until nothing is new; return how many events that were."""
        total = self.reactor.turn()
        while taken := self.reactor.turn():
            total += taken
        return total

    def deliver(self, most: int = 10_000) -> list[str]:
        """Carry out what is due, until nothing is or `most` was; return what was done, in order."""
        done: list[str] = []
        while len(done) < most and (rows := self.hand.claim()):
            for row in rows:
                self.carry_out(row)
                done.append(row.capability)
        return done

    def carry_out(self, row: Delivery) -> None:
        """Carry out one claimed delivery."""
        self.hand.settle(row, asyncio.run(attempt(self.connector, row)))

    def _event(
        self, body: MessageCreated | MemberJoined, key: str, who: str, group: str, kind: PartyKind,
        origin: Literal["callback"] = "callback",
    ) -> Event:  # fmt: skip
        return Event(
            ts_ms=self.now_ms, source=Source(connector=KIND, account=ACCOUNT, origin=origin), body=body, dedupe_key=key,
            conv=Conv(platform_id=group, name=group), actor=Party(platform_id=who, kind=kind, name=who),
        )  # fmt: skip
