"""Turn the rows of all WeChat dumps into events, whatever tool wrote them.

The readers (`csv_dumps`, `json_dumps`) yield `Message` records. They are read twice: first for who is called what, because a
system line such as `"小红"加入了群聊` names people but gives no ids, and joins come before the first message of the joined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.chinese_system import NoticeChat, People
from qunce.connectors.files.rows import rejected
from qunce.connectors.files.times import TimeReader
from qunce.connectors.files.wechat.kinds import Kind, content_of
from qunce.domain.events import Conv, ConvKind, Event, Party, Source

SOURCE = Source(connector="wechat")
SELF_ID = "self"
"""Id of the person whose device was dumped where the dump gives none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One row of a dump."""

    where: str
    time: str | int | float | None
    conv_id: str
    conv_name: str | None
    is_group: bool
    sender_id: str
    """Empty for system lines."""
    sender_name: str | None
    is_self: bool
    kind: Kind
    content: str
    message_id: str | None


Reader = Callable[[], Iterator[Message | Rejected]]


def learn_people(read: Reader) -> dict[str, People]:
    """Return who is called what in each conversation."""
    people: dict[str, People] = {}
    for message in read():
        if isinstance(message, Message) and message.sender_id and message.kind != "system":
            known = people.setdefault(message.conv_id, People())
            known.learn(message.sender_id, message.sender_name)
            if message.is_self:
                known.self_id = message.sender_id
    return people


def events(read: Reader, times: TimeReader) -> Iterator[Event | Rejected]:
    """Yield the events of a dump in its order."""
    known = learn_people(read)
    chats: dict[str, NoticeChat] = {}
    for message in read():
        if isinstance(message, Rejected):
            yield message
            continue
        ts_ms = times.ms(message.time)
        if ts_ms is None:
            fix = "Export the chat again; times look like 2024-02-01 10:00:00."
            yield rejected(message.where, "bad_time", "The time cannot be read.", fix, f"{message.time} {message.content}")
            continue
        if message.conv_id not in chats:
            chats[message.conv_id] = NoticeChat(SOURCE, _conv(message), known.get(message.conv_id) or People())
        chat = chats[message.conv_id]
        if message.kind == "system":
            yield from chat.system_line(ts_ms, message.content, message.message_id)
        elif not message.sender_id:
            reason = "The row does not say who sent it."
            yield rejected(message.where, "no_sender", reason, "Fill in the sender.", message.content)
        else:
            text, parts = content_of(message.kind, message.content)
            party = Party(platform_id=message.sender_id, name=message.sender_name or message.sender_id)
            yield chat.message(ts_ms, party, message.message_id, text, parts)


def _conv(message: Message) -> Conv:
    kind: ConvKind = "group" if message.is_group else "direct"
    return Conv(platform_id=message.conv_id, kind=kind, name=message.conv_name or message.conv_id)
