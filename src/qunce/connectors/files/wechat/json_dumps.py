"""Read the JSON that chatlog, WeFlow and echotrace write.

chatlog            an array, or one a line, of {seq, time, talker, talkerName, isChatRoom, sender, senderName, type …}
WeFlow, echotrace  {session: {wxid, nickname, type 群聊|私聊 …}, messages: [{createTime, type, content, isSend …} …]}
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from qunce.connectors.files.base import FileSource, ImportOptions, Rejected
from qunce.connectors.files.generic import stem
from qunce.connectors.files.rows import cursor_of, rejected, text_of, unusable
from qunce.connectors.files.wechat.dump import SELF_ID, Message
from qunce.connectors.files.wechat.kinds import kind_named, kind_of

Row = dict[str, Any]


def read_chatlog(source: FileSource, options: ImportOptions) -> Iterator[Message | Rejected]:
    """Yield the messages of a chatlog answer, as an array or one object a line."""
    cursor = cursor_of(source, options)
    if cursor.peek() == "[":
        for index, item in enumerate(cursor.items()):
            yield _made(f"messages[{index}]", item)
        return
    for number, line in source.lines():
        if line.strip():
            try:
                item = json.loads(line, strict=False)
            except (ValueError, RecursionError) as error:
                yield rejected(f"line {number}", "bad_json", f"The line is not JSON: {error}.", "Export the chat again.", line)
                continue
            yield _made(f"line {number}", item)


def _made(where: str, item: Any) -> Message | Rejected:
    try:
        return _chatlog(where, item)
    except (KeyError, TypeError, AttributeError) as error:
        return unusable(where, item, error)


def _chatlog(where: str, row: Row) -> Message:
    seq = text_of(row.get("seq"))
    talker = text_of(row["talker"])
    kind = kind_of(int(row.get("type") or 0), int(row.get("subType") or 0))
    return Message(
        where=where,
        time=row.get("time"),
        conv_id=talker,
        conv_name=text_of(row.get("talkerName")) or None,
        is_group=bool(row.get("isChatRoom")) or talker.endswith("@chatroom"),
        sender_id=text_of(row.get("sender")) or (SELF_ID if row.get("isSelf") else ""),
        sender_name=text_of(row.get("senderName")) or None,
        is_self=bool(row.get("isSelf")),
        kind=kind,
        content=text_of(row.get("content")) or _detail(row.get("contents")),
        message_id=seq if seq not in ("", "0") else None,
    )


def _detail(contents: Any) -> str:
    """Return the title of a share, which chatlog keeps apart from the text."""
    return text_of(contents.get("title")) if isinstance(contents, dict) else ""


def read_session(source: FileSource, options: ImportOptions) -> Iterator[Message | Rejected]:
    """Yield the messages of a WeFlow or echotrace file. `session` stands before `messages` in what both write."""
    cursor = cursor_of(source, options)
    session: Row = {}
    for key in cursor.fields():
        if key == "session" and cursor.peek() == "{":
            value = cursor.value()
            session = value if isinstance(value, dict) else {}
        elif key == "messages" and cursor.peek() == "[":
            for index, item in enumerate(cursor.items()):
                where = f"messages[{index}]"
                try:
                    yield _session(where, item, session, options.group or stem(source.name))
                except (KeyError, TypeError, AttributeError) as error:
                    yield unusable(where, item, error)


def _session(where: str, row: Row, session: Row, default: str) -> Message:
    conv_id = text_of(session.get("wxid")) or default
    word = text_of(row.get("type"))
    sender = text_of(row.get("senderUsername")) or (SELF_ID if row.get("isSend") == 1 else "")
    name = next((found for key in ("remark", "displayName", "nickname") if (found := text_of(session.get(key)))), None)
    return Message(
        where=where,
        time=row.get("createTime") or row.get("formattedTime"),
        conv_id=conv_id,
        conv_name=name,
        is_group=session.get("type") == "群聊" or conv_id.endswith("@chatroom"),
        sender_id=sender,
        sender_name=text_of(row.get("senderDisplayName")) or None,
        is_self=row.get("isSend") == 1,
        kind="system" if "系统" in word or (row.get("isSend") is None and not sender) else kind_named(word),
        content=text_of(row.get("content")),
        message_id=None,
    )
