"""企业微信会话内容存档: the decrypted messages, one JSON object a line.

Shape: Tencent's page 91774. Ids tell who is who: `wm` and `wo` are customers, `wb` robots, all others the company's own staff.
The archive has no events of joining: those come from the customer-contact API.
"""

from __future__ import annotations

import re
from typing import Final

from qunce.connectors.files.base import FileSource, Head, ImportOptions
from qunce.connectors.files.rows import Chat, Row, Rows, bad_time, has_keys, head_text, no_sender, read_json_lines, text_of
from qunce.connectors.files.wecom_kinds import content_of
from qunce.domain.events import ConsentChanged, Conv, Event, MessageDeleted, Party, PartyKind, Source
from qunce.domain.keys import native_key

SOURCE: Final = Source(connector="wecom")

_QUOTE: Final = re.compile(
    r"^(?:这是一条引用/回复消息|This is a quote/reply)\s*[:：]\s*(?P<quoted>.*?)\n-{3,}\n(?P<text>.*)$", re.DOTALL
)
_EXTERNAL: Final = ("wm", "wo")
_MIN_ID: Final = 10
"""Ids of customers and robots are long; a member of staff may be called `wong`."""


class WeComArchive:
    """Reads an archive of any number of conversations."""

    name = "wecom_archive"
    title = "企业微信会话内容存档 JSONL"

    def sniff(self, head: Head) -> float:
        """Return 0.95 for lines with the archive's common fields."""
        first = head_text(head).lstrip().partition("\n")[0]
        return 0.95 if has_keys(head) and all(f'"{key}"' in first for key in ("msgid", "action")) else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Rows:
        """Yield the events of all conversations in file order."""
        yield from read_json_lines(source, _ArchiveReader().read)


class _ArchiveReader:
    """Turns the messages of an archive into events."""

    def __init__(self) -> None:
        self._chats: dict[str, Chat] = {}
        self._parties: dict[str, Party] = {}

    def read(self, row: Row) -> list[Event]:
        """Return the events of one message. A row about a member of staff changing company has none."""
        if row.get("action") == "switch":
            return []
        ts_ms, message_id = row.get("msgtime"), text_of(row["msgid"])
        if not isinstance(ts_ms, int):
            raise bad_time(ts_ms)
        sender, kind = self._party(row.get("from")), text_of(row.get("msgtype"))
        chat = self._chat(row)
        if kind == "revoke":
            body = MessageDeleted(message_id=text_of(row["revoke"]["pre_msgid"]), by="author")
            return [chat.event(ts_ms, body, chat.native("delete", message_id), actor=sender)]
        if kind in ("agree", "disagree"):
            return [self._consent(row, kind, message_id)]
        text, parts = content_of(kind, row)
        quote = _QUOTE.match(text)
        if quote:
            text = quote["text"]
        mentions = ("@all",) if "@所有人" in text or "@all" in text else ()
        return [chat.message(ts_ms, sender, message_id, text, parts, mentions=mentions)]

    def _consent(self, row: Row, kind: str, message_id: str) -> Event:
        """Return the consent of a customer to being archived; it belongs to the person, not to a conversation."""
        payload = row[kind]
        at = payload.get(f"{kind}_time")
        person = self._party(payload.get("userid") or row.get("from"))
        return Event(
            ts_ms=at if isinstance(at, int) else row["msgtime"],
            source=SOURCE,
            body=ConsentChanged(scope="archive", granted=kind == "agree"),
            dedupe_key=native_key("consent", message_id),
            subject=person,
            confidence="imported",
        )

    def _party(self, value: object) -> Party:
        platform_id = text_of(value)
        if not platform_id:
            raise no_sender()
        party = self._parties.get(platform_id)
        if party is None:
            party = self._parties[platform_id] = Party(platform_id=platform_id, kind=_kind(platform_id))
        return party

    def _chat(self, row: Row) -> Chat:
        """Return the conversation: the group, or for a talk of two both of them, in one order whoever speaks."""
        room = text_of(row.get("roomid"))
        if not room:
            people = sorted({text_of(row.get("from")), *map(text_of, row.get("tolist") or ())})
            room = "direct:" + ",".join(people[:3])
        chat = self._chats.get(room)
        if chat is None:
            is_direct = room.startswith("direct:")
            chat = self._chats[room] = Chat(SOURCE, Conv(platform_id=room, kind="direct" if is_direct else "group"))
        return chat


def _kind(platform_id: str) -> PartyKind:
    if len(platform_id) >= _MIN_ID:
        if platform_id.startswith("wb"):
            return "bot"
        if platform_id.startswith(_EXTERNAL):
            return "member"
    return "staff"
