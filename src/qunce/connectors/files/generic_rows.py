"""Decode generic rows: columns known by many names, from JSON lines or from a table.

Only the columns of `Row` are kept; anything else in a line is skipped by the decoder without being built.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, cast

import msgspec

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.tables import Table, excerpt, match_columns, missing_columns

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": (
        "ts", "time", "timestamp", "datetime", "date_time", "sent_at", "created_at", "date",
        "时间", "发送时间", "消息时间", "日期时间", "日期", "時間",
    ),
    "text": ("text", "message", "content", "msg", "body", "内容", "消息内容", "聊天内容", "消息", "文本", "正文", "內容"),
    "user_id": (
        "user_id", "sender_id", "author_id", "from_id", "user", "uid", "用户ID", "发送人ID", "发送者ID", "成员ID", "账号",
        "QQ", "QQ号", "微信号", "wxid", "sender", "author", "from", "发送人", "发送者", "發送人", "用户", "成员",
    ),
    "user_name": (
        "user_name", "username", "sender_name", "nickname", "nick", "sender", "author", "from", "name",
        "昵称", "群昵称", "暱稱", "用户名", "姓名", "发言人", "发送人", "发送者", "發送人", "用户", "成员",
    ),
    "group_id": ("group_id", "room_id", "chat_id", "channel_id", "conversation_id", "群ID", "群号", "会话ID", "group", "群"),
    "group_name": (
        "group_name", "group", "room", "chat", "channel", "room_name", "chat_name", "conversation",
        "群", "群名", "群名称", "群聊", "群组", "会话", "群聊名称", "社群",
    ),
    "msg_id": ("msg_id", "message_id", "id", "消息ID", "编号"),
    "reply_to": ("reply_to", "reply_to_id", "in_reply_to", "parent_id", "回复", "回复ID", "引用", "引用ID"),
    "platform": ("platform", "平台", "来源平台"),
    "is_bot": ("is_bot", "bot", "机器人", "是否机器人"),
    "event": ("event", "事件"),
    "new_user_id": ("new_user_id", "new_nick", "新昵称"),
    "inviter": ("inviter", "invited_by", "邀请人"),
    "mentions": ("mentions", "提及"),
    "reactions": ("reactions", "表情回应"),
}  # fmt: skip
NEEDED: Final = ("time", "user", "text")
_LOOK_AHEAD: Final = 200
_keyed: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

Scalar = str | int | float | bool | None


class Row(msgspec.Struct, gc=False):
    """One row as it was written. None = the column is absent or empty."""

    time: str | int | float | None = None
    text: str | None = None
    user_id: str | int | None = None
    user_name: str | int | None = None
    group_id: str | int | None = None
    group_name: str | int | None = None
    msg_id: str | int | None = None
    reply_to: str | int | None = None
    platform: str | None = None
    is_bot: Scalar = None
    event: str | None = None
    new_user_id: str | int | None = None
    inviter: str | int | None = None
    mentions: list[str] | str | None = None
    reactions: Any = None


FIELDS: Final = tuple(field.name for field in msgspec.structs.fields(Row))

Rows = Iterator[tuple[int, Row] | Rejected]


def check_columns(found: Mapping[str, str], header: Iterable[str]) -> None:
    """Raise ImportRefused unless there is a time, a user, and a text or an event."""
    wanted = {}
    if "time" not in found:
        wanted["time"] = COLUMNS["time"]
    if "user_id" not in found and "user_name" not in found:
        wanted["user"] = ("user", "sender", "发送人", "昵称")
    if "text" not in found and "event" not in found:
        wanted["text"] = COLUMNS["text"]
    if wanted:
        raise missing_columns(wanted, header)


def read_json_lines(lines: Iterator[tuple[int, str]]) -> Rows:
    """Yield the rows of a file with one JSON object a line. The first lines decide which key is which column."""
    head = list(islice(((number, text) for number, text in lines if text.strip()), _LOOK_AHEAD))
    keys = json_keys(text for _, text in head)
    if not keys:
        raise Unreadable("None of the first lines is a JSON object.", "Write one JSON object on each line.")
    found = match_columns(keys, COLUMNS)
    check_columns(found, keys)
    return _decoded(chain(head, lines), _decoder(tuple(found.items())).decode)


def json_keys(texts: Iterable[str]) -> list[str]:
    """Return all keys of the texts that are JSON objects, in order of appearance."""
    keys: dict[str, None] = {}
    for text in texts:
        try:
            keys.update(dict.fromkeys(_keyed.decode(text)))
        except (ValueError, RecursionError):
            continue
    return list(keys)


@lru_cache(maxsize=100)
def _decoder(columns: tuple[tuple[str, str], ...]) -> msgspec.json.Decoder[Row]:
    """Return what reads `Row` with the file's own keys, given as (ours, theirs). Kept, since small requests share few."""
    return msgspec.json.Decoder(_renamed(dict(columns)))


def _renamed(found: Mapping[str, str]) -> type[Row]:
    """Return `Row` reading the file's own keys; a column not seen yet keeps the first of its names."""
    taken = set(found.values())
    names = {ours: found.get(ours) or next((n for n in COLUMNS[ours] if n not in taken), f"\0{ours}") for ours in FIELDS}
    fields = [(field.name, field.type, None) for field in msgspec.structs.fields(Row)]
    return cast("type[Row]", msgspec.defstruct("FileRow", fields, rename=names, gc=False))


def _decoded(lines: Iterable[tuple[int, str]], decode: Callable[[str], Row]) -> Rows:
    for number, text in lines:
        try:
            yield number, decode(text)
        except msgspec.ValidationError as error:
            yield Rejected(
                where=f"line {number}",
                code="bad_row",
                reason=f"A value has the wrong kind: {error}.",
                fix="Use text for names, ids and messages, and text or a number for times.",
                excerpt=excerpt(text),
            )
        except (msgspec.DecodeError, RecursionError) as error:
            if text.strip():
                yield bad_json(number, text, error)


def bad_json(number: int, text: str, error: Exception) -> Rejected:
    """Return the rejection of a line that is not JSON."""
    return Rejected(
        where=f"line {number}",
        code="bad_json",
        reason=f"The line is not a JSON object: {error}.",
        fix="Write one complete JSON object on each line.",
        excerpt=excerpt(text),
    )


def read_table(lines: Iterator[tuple[int, str]]) -> Rows:
    """Yield the rows of a CSV, TSV or semicolon table with a header."""
    table = Table(lines)
    found = match_columns(table.header, COLUMNS)
    check_columns(found, table.header)
    places = {ours: table.header.index(theirs) for ours, theirs in found.items()}
    return _cut(table, places)


def _cut(table: Table, places: Mapping[str, int]) -> Rows:
    width = len(table.header)
    needed = [places[name] for name in FIELDS if name in places]
    keys = [name for name in FIELDS if name in places]
    for record in table.records():
        if isinstance(record, Rejected):
            yield record
            continue
        number, cells = record
        if (len(cells) > width and any(cells[width:])) or len(cells) <= places["time"]:
            yield _wrong_width(number, cells, table)
            continue
        if len(cells) < width:
            cells += [""] * (width - len(cells))
        yield number, Row(**{name: cells[at] or None for name, at in zip(keys, needed, strict=True)})


def _wrong_width(number: int, cells: list[str], table: Table) -> Rejected:
    return Rejected(
        where=f"line {number}",
        code="bad_row",
        reason=f"The row has {len(cells)} cells, the header {len(table.header)}.",
        fix="Put cells that hold the separator into quotation marks.",
        excerpt=excerpt(table.separator.join(cells)),
    )
