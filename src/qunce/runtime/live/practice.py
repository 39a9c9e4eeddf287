"""Practice rooms (演练群): a platform that exists in 群策 only. Everything works there, and nobody is harmed.

What is done is reported back as events of origin `self`, as a platform's callbacks would, so the whole way from a message to
its receipt can be walked without an account anywhere. It keeps nothing: the journal is the room.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from qunce.connectors.base import DOING, Batch, Capabilities, Emit, abilities
from qunce.connectors.errors import Unsupported
from qunce.domain.commands import (
    AnyCommand,
    BanMember,
    Content,
    DeleteMessage,
    MuteMember,
    Receipt,
    RemoveMember,
    SendDirect,
    SendMessage,
    UnbanMember,
    UnmuteMember,
    capability_of,
)  # fmt: skip
from qunce.domain.events import (
    AnyBody,
    ConnectorStatus,
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MemberRestricted,
    MemberUnrestricted,
    MessageCreated,
    MessageDeleted,
    Party,
    PartyKind,
    Source,
)  # fmt: skip
from qunce.domain.keys import message_key, native_key
from qunce.readmodels.models import PLAYED, Group

KIND: Final = PLAYED
CAPABILITIES: Final = Capabilities(
    kind=KIND, zh="演练群", en="Practice room",
    abilities=abilities(" ".join(("message.read", *(name for name in DOING if name != "join.approve")))),
    idempotent="yes",
)  # fmt: skip


def room(conv_id: str, name: str | None = None) -> Conv:
    """Return a practice room. A channel, not a group: what is played in it must not count in any metric."""
    return Conv(platform_id=conv_id, kind="channel", name=name)


def rooms_among(group_ids: Collection[int]) -> frozenset[int]:
    """Return which of these groups are practice rooms. One query; none for none."""
    if not group_ids:
        return frozenset()
    found = Group.objects.filter(connector=KIND, kind="channel").values_list("pk", flat=True)
    return frozenset(found).intersection(group_ids)


def said(account: str, group: str, who: str, text: str, ts_ms: int, *, kind: PartyKind = "member") -> Event:
    """Return the event of somebody saying something in a room."""
    message_id = f"{ts_ms}/{who}"
    return Event(
        ts_ms=ts_ms,
        source=Source(connector=KIND, account=account, origin="callback"),
        body=MessageCreated(message_id=message_id, text=text),
        dedupe_key=message_key(group, message_id),
        conv=room(group, group),
        actor=_player(group, who, kind),
    )


def joined(account: str, group: str, who: str, ts_ms: int) -> Event:
    """Return the event of somebody joining a room."""
    return Event(
        ts_ms=ts_ms,
        source=Source(connector=KIND, account=account, origin="callback"),
        body=MemberJoined(scene="self"),
        dedupe_key=native_key("join", group, who, str(ts_ms)),
        conv=room(group, group),
        actor=_player(group, who, "member"),
    )


def player_id(group: str, who: str) -> str:
    """Return the platform id of somebody in a room: another one in each, since a ban holds in all groups."""
    return f"{group}/{who}"


def _player(group: str, who: str, kind: PartyKind) -> Party:
    return Party(platform_id=player_id(group, who), kind=kind, name=who)


class Practice:
    """One account on the platform that is none."""

    def __init__(self, account: str, clock: Callable[[], int]) -> None:
        self._source = Source(connector=KIND, account=account, origin="self")
        self._clock = clock
        self._bot = Party(platform_id=account, kind="bot", name="群策")

    @property
    def capabilities(self) -> Capabilities:
        """Return what a practice room can do: all but let people in."""
        return CAPABILITIES

    async def run(self, emit: Emit, since: str | None) -> None:
        """Say that the room is there; what members say comes from the console."""
        if since is None:
            moment = self._clock()
            up = Event(
                ts_ms=moment,
                source=self._source,
                body=ConnectorStatus(state="up"),
                dedupe_key=native_key("status", str(moment)),
            )
            await emit(Batch(events=(up,), since="up"))

    async def send(self, conv_id: str, content: Content, *, idem_key: str) -> Receipt:
        """Say something in the room."""
        return await self.act(SendMessage(conv_id=conv_id, content=content), idem_key=idem_key)

    async def act(self, command: AnyCommand, *, idem_key: str) -> Receipt:
        """Carry out a command: report that it happened."""
        conv = room(command.conv_id)
        match command:
            case SendMessage(content=content):
                return self._said(conv, content, idem_key)
            case SendDirect(member_id=person, content=content):
                return self._said(Conv(platform_id=f"{command.conv_id}/{person}", kind="direct"), content, idem_key)
            case DeleteMessage(message_id=message_id, reason=reason):
                return self._done(conv, MessageDeleted(message_id=message_id, by="moderator", reason=reason or None), idem_key)
            case MuteMember(member_id=person, until_ms=until):
                return self._done(conv, MemberRestricted(until_ms=until), idem_key, person)
            case UnmuteMember(member_id=person):
                return self._done(conv, MemberUnrestricted(), idem_key, person)
            case RemoveMember(member_id=person):
                return self._done(conv, MemberLeft(reason="kicked"), idem_key, person)
            case BanMember(member_id=person):
                return self._done(conv, MemberLeft(reason="banned"), idem_key, person)
            case UnbanMember():
                return Receipt()
        raise Unsupported(capability_of(command))

    def _said(self, conv: Conv, content: Content, idem_key: str) -> Receipt:
        body = MessageCreated(message_id=idem_key, text=content.text, reply_to=content.reply_to, mentions=content.mentions)
        event = self._event(conv, body, message_key(conv.platform_id, idem_key))
        return Receipt(platform_id=idem_key, conv_id=conv.platform_id, events=(event,))

    def _done(self, conv: Conv, body: AnyBody, idem_key: str, person: str | None = None) -> Receipt:
        return Receipt(events=(self._event(conv, body, native_key("did", idem_key), person),))

    def _event(self, conv: Conv, body: AnyBody, key: str, person: str | None = None) -> Event:
        subject = Party(platform_id=person) if person is not None else None
        return Event(
            ts_ms=self._clock(), source=self._source, body=body, dedupe_key=key, conv=conv, actor=self._bot, subject=subject
        )
