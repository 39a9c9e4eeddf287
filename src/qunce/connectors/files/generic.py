"""Import generic rows `(time, group, user, text[, reply_to])` from JSON lines or CSV.

    time  group  user  text          needed, except the group (then: the person's word, or the file's name)
    msg_id reply_to                  native ids; with them replies are linked and a second import is exact
    platform                         becomes the connector, so one file may hold several platforms
    user_id user_name is_bot         one person keeps one id under changing names
    event new_user_id inviter        join, leave, kick, nick and other rows
    mentions reactions               lists; `@name` in the text counts where the name was seen before in the file

This is the format other tools convert to, and the one whose speed is measured, so nothing is built twice: sources,
conversations and people are kept by what identifies them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from qunce.connectors.files import generic_rows
from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.connectors.files.generic_rows import Row
from qunce.connectors.files.tables import head_lines, match_columns, separator_of
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import (
    AnyBody,
    Conv,
    Event,
    MemberJoined,
    MemberLeft,
    MemberUpdated,
    MessageCreated,
    Part,
    Party,
    ReactionAdded,
    Source,
)
from qunce.domain.keys import Fingerprints, message_key, native_key

KEPT: Final = 50_000
"""So many people (and as many names) are remembered at once; then remembering starts over, so memory stays flat."""

_PLATFORM: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")
_MENTION: Final = re.compile(r"@([\w.\-]{1,64})")
_YES: Final = frozenset({"1", "true", "yes", "y", "t", "是", "真"})
_JOIN: Final = frozenset({"join", "joined", "member_joined", "入群", "加入", "进群"})
_LEAVE: Final = frozenset({"leave", "left", "quit", "part", "member_left", "退群", "离开", "退出"})
_KICK: Final = frozenset({"kick", "kicked", "removed", "移出", "踢出"})
_NICK: Final = frozenset({"nick", "rename", "renamed", "改名"})

Made = Iterator[Event | Rejected]


class Generic:
    """Rows that name their time, group, user and text."""

    name = "generic"
    title = "Generic JSONL / CSV (time, group, user, text)"

    def sniff(self, head: Head) -> float:
        """Return 0.5 for a header or a first JSON line with a time, a user and a text, so that any special format wins."""
        lines = [line for line in head_lines(head) if line.strip()]
        if not lines or head.members:
            return 0.0
        keys = (
            generic_rows.json_keys(lines[:5]) if lines[0].lstrip().startswith("{") else lines[0].split(separator_of(lines[0]))
        )
        found = match_columns(keys, generic_rows.COLUMNS)
        complete = "time" in found and ("user_id" in found or "user_name" in found) and ("text" in found or "event" in found)
        return 0.5 if complete else 0.0

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield the events of the rows in their order."""
        lines = source.lines()
        first = next((text for _, text in source.lines() if text.strip()), "")
        rows = generic_rows.read_json_lines(lines) if first.lstrip().startswith("{") else generic_rows.read_table(lines)
        maker = EventMaker(options, options.group or stem(source.name))
        for row in rows:
            if isinstance(row, Rejected):
                yield row
            else:
                yield from maker.events(*row)


def stem(name: str) -> str:
    """Return a file name without folder and endings such as `.jsonl.zst`."""
    base = re.split(r"[/\\]", name)[-1]
    return re.sub(r"(\.(jsonl|ndjson|json|csv|tsv|txt|zip|zst|gz))+$", "", base, flags=re.IGNORECASE) or base or "import"


class EventMaker:
    """Make events of rows, keeping what repeats."""

    def __init__(self, options: ImportOptions, default_group: str) -> None:
        self._times = TimeReader(options.zone, options.date_order or "ymd")
        self._default_group = default_group
        self._sources: dict[str | None, Source] = {}
        self._convs: dict[tuple[object, object], Conv] = {}
        self._parties: dict[tuple[object, object, object], Party] = {}
        self._ids: dict[str, str] = {}
        self._prints = Fingerprints()

    def events(self, number: int, row: Row) -> Made:
        """Yield the event of a row and its reactions, or why it cannot be used."""
        ts_ms = self._times.ms(row.time)
        if ts_ms is None:
            yield _bad_time(number, row)
            return
        party = self._parties.get((row.user_id, row.user_name, row.is_bot)) or self._new_party(row)
        if party is None:
            yield _no_sender(number, row)
            return
        conv = self._convs.get((row.group_id, row.group_name)) or self._new_conv(row)
        source = self._sources.get(row.platform) or self._new_source(row.platform)
        if row.event and (word := row.event.strip().lower()) not in ("message", "msg", "消息"):
            yield self._happening(word, row, ts_ms, source, conv, party)
            return
        text = row.text or ""
        message_id = _id(row.msg_id)
        yield Event(
            ts_ms=ts_ms,
            source=source,
            body=MessageCreated(
                message_id=message_id,
                text=text,
                reply_to=_id(row.reply_to),
                mentions=self._mentions(row, text) if row.mentions or "@" in text else (),
            ),
            dedupe_key=message_key(conv.platform_id, message_id)
            if message_id
            else self._prints.key(ts_ms, conv.platform_id, party.platform_id, "message", text),
            conv=conv,
            actor=party,
            confidence="imported",
        )
        if row.reactions and message_id:
            yield from self._reactions(row.reactions, message_id, ts_ms, source, conv)

    def _happening(self, word: str, row: Row, ts_ms: int, source: Source, conv: Conv, party: Party) -> Event:
        body, actor, subject = self._body(word, row, party)
        message_id = _id(row.msg_id)
        kind = type(body).__name__
        key = (
            native_key(kind, conv.platform_id, message_id)
            if message_id
            else self._prints.key(ts_ms, conv.platform_id, party.platform_id, kind, row.text or "")
        )
        return Event(
            ts_ms=ts_ms,
            source=source,
            body=body,
            dedupe_key=key,
            conv=conv,
            actor=actor,
            subject=subject,
            confidence="imported",
        )

    def _body(self, word: str, row: Row, party: Party) -> tuple[AnyBody, Party | None, Party | None]:
        """Return (body, actor, subject) of a row that is no message; an unknown word is kept as a line of the system."""
        inviter = _id(row.inviter)
        if word in _JOIN:
            if inviter:
                return MemberJoined(scene="invited", inviter=inviter), Party(platform_id=inviter), party
            return MemberJoined(), None, party
        if word in _LEAVE:
            return MemberLeft(reason="left"), None, party
        if word in _KICK:
            return MemberLeft(reason="kicked"), None, party
        renamed = _id(row.new_user_id)
        if word in _NICK and renamed:
            return MemberUpdated(field="nickname", old=party.name, new=renamed), party, party
        text = row.text or ""
        actor = None if party.platform_id == "system" else party
        return MessageCreated(message_id=_id(row.msg_id), text=text, content=(Part(type="system", text=text),)), actor, None

    def _mentions(self, row: Row, text: str) -> tuple[str, ...]:
        if isinstance(row.mentions, list):
            return tuple(row.mentions)
        if row.mentions:
            return tuple(word.strip(" @") for word in re.split(r"[,;，；|]", row.mentions) if word.strip(" @"))
        found = []
        for name in _MENTION.findall(text):
            known = self._ids.get(name) or self._ids.get(name.rstrip(".-"))
            if known or name.lower() in ("all", "所有人", "全体成员"):
                found.append(known or "@all")
        return tuple(dict.fromkeys(found))

    def _reactions(self, value: Any, message_id: str, ts_ms: int, source: Source, conv: Conv) -> Iterator[Event]:
        """Yield the reactions of `[{emoji, user | users}]`; mere counts name nobody and are left out."""
        for entry in value if isinstance(value, list) else ():
            if not isinstance(entry, dict) or not isinstance(emoji := entry.get("emoji") or entry.get("name"), str):
                continue
            users = entry.get("users") or [entry.get("user") or entry.get("user_id")]
            for user in users if isinstance(users, list) else ():
                if isinstance(user, (str, int)) and str(user):
                    yield Event(
                        ts_ms=ts_ms,
                        source=source,
                        body=ReactionAdded(message_id=message_id, emoji=emoji),
                        dedupe_key=native_key("reaction", conv.platform_id, message_id, emoji, str(user)),
                        conv=conv,
                        actor=Party(platform_id=str(user)),
                        confidence="imported",
                    )

    def _new_source(self, platform: str | None) -> Source:
        word = (platform or "").strip().lower()
        source = Source(connector=word if _PLATFORM.fullmatch(word) else "generic")
        if len(self._sources) < KEPT:
            self._sources[platform] = source
        return source

    def _new_conv(self, row: Row) -> Conv:
        name = _id(row.group_name)
        platform_id = _id(row.group_id) or name or self._default_group
        conv = Conv(platform_id=platform_id, name=name or platform_id)
        if len(self._convs) >= KEPT:
            self._convs.clear()
        self._convs[row.group_id, row.group_name] = conv
        return conv

    def _new_party(self, row: Row) -> Party | None:
        name = _id(row.user_name)
        platform_id = _id(row.user_id) or name
        if not platform_id:
            return None
        bot = str(row.is_bot).strip().lower() in _YES
        party = Party(platform_id=platform_id, kind="bot" if bot else "unknown", name=name or platform_id)
        if len(self._parties) >= KEPT:
            self._parties.clear()
            self._ids.clear()
        self._parties[row.user_id, row.user_name, row.is_bot] = party
        self._ids[platform_id] = platform_id
        if name:
            self._ids.setdefault(name, platform_id)
        return party


def _id(value: str | int | None) -> str | None:
    """Return an id or name as text without surrounding blanks; None for an empty one."""
    return (str(value).strip() or None) if value is not None else None


def _bad_time(number: int, row: Row) -> Rejected:
    return Rejected(
        where=f"line {number}",
        code="bad_time",
        reason="The row has no time." if row.time in (None, "") else "The time cannot be read.",
        fix="Write times as 2024-02-01 10:05:00, as ISO 8601 with a zone, or as an epoch.",
        excerpt=f"{row.time} {row.user_name or row.user_id} {row.text}"[:200],
    )


def _no_sender(number: int, row: Row) -> Rejected:
    return Rejected(
        where=f"line {number}",
        code="no_sender",
        reason="The row does not say who wrote it.",
        fix="Fill in the user, or `system` for lines of the platform.",
        excerpt=f"{row.time} {row.text}"[:200],
    )
