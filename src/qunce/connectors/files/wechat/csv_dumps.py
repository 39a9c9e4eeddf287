"""Read the four kinds of CSV that WeChat dumps come in, told apart by their headers.

    all       WeChatMsg / 留痕     localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime …
    chat      WeChatMsg, one chat  消息ID,类型,发送人,时间,内容,备注,昵称,更多信息
    pywxdump  PyWxDump / WeClone   id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime
    chatlog   chatlog              Time,SenderName,Sender,TalkerName,Talker,Content

The row numbers of WeChatMsg are no message ids: they start again in each of the phone's databases.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from qunce.connectors.files.base import FileSource, ImportOptions, Rejected
from qunce.connectors.files.generic import stem
from qunce.connectors.files.rows import rejected
from qunce.connectors.files.tables import Table
from qunce.connectors.files.wechat.dump import SELF_ID, Message
from qunce.connectors.files.wechat.kinds import kind_named, kind_of

HEADERS: Final[dict[str, tuple[str, ...]]] = {
    "all": ("localId", "TalkerId", "Type", "SubType", "IsSender", "CreateTime", "StrContent"),
    "chat": ("消息ID", "类型", "发送人", "时间", "内容"),
    "pywxdump": ("MsgSvrID", "type_name", "is_sender", "talker", "msg", "CreateTime"),
    "chatlog": ("Time", "SenderName", "Sender", "TalkerName", "Talker", "Content"),
}
_FOLDER: Final = re.compile(r"(?P<name>.*)[(（](?P<id>[^()（）]{1,100})[)）]")
_SYSTEM_SENDERS: Final = frozenset({"系统消息", "系统通知", "system"})

Cells = dict[str, str]


def variant_of(header: tuple[str, ...]) -> str | None:
    """Return which of the dumps a header belongs to; None for none."""
    names = {cell.strip().lstrip("\ufeff") for cell in header}
    return next((variant for variant, needed in HEADERS.items() if names.issuperset(needed)), None)


def read_csv(source: FileSource, options: ImportOptions, variant: str) -> Iterator[Message | Rejected]:
    """Yield the rows of a dump."""
    table = Table(source.lines())
    make = {"all": _all, "chat": _chat, "pywxdump": _pywxdump, "chatlog": _chatlog}[variant]
    conv = _conv_of(source, options)
    for record in table.records():
        if isinstance(record, Rejected):
            yield record
            continue
        number, cells = record
        if len(cells) < len(HEADERS[variant]):
            fix = "Export the chat again and do not edit the file by hand."
            reason = f"The row has {len(cells)} cells, the header {len(table.header)}."
            yield rejected(f"line {number}", "bad_row", reason, fix, ",".join(cells))
            continue
        row = dict.fromkeys(table.header, "") | dict(zip(table.header, cells, strict=False))
        yield make(row, f"line {number}", conv)


def _conv_of(source: FileSource, options: ImportOptions) -> tuple[str, str]:
    """Return (id, name) for dumps of one chat: the person's word, the folder `名称(wxid_xxx)`, or the file's name."""
    if options.group:
        return options.group, options.group
    folder = source.path.parent.name if source.path else ""
    for name in (stem(source.name), folder):
        if match := _FOLDER.fullmatch(name):
            return match["id"], match["name"] or match["id"]
    return stem(source.name), stem(source.name)


def _all(row: Cells, where: str, conv: tuple[str, str]) -> Message:
    is_self = row["IsSender"] == "1"
    kind = kind_of(_number(row["Type"]), _number(row["SubType"]))
    sender = row.get("Sender", "") or (SELF_ID if is_self else row["TalkerId"])
    return Message(
        where=where,
        time=row["CreateTime"] or row.get("StrTime"),
        conv_id=row["TalkerId"],
        conv_name=None,
        is_group=True,
        sender_id=sender,
        sender_name=row.get("Remark") or row.get("NickName") or None,
        is_self=is_self,
        kind=kind,
        content=row["StrContent"],
        message_id=None,
    )


def _chat(row: Cells, where: str, conv: tuple[str, str]) -> Message:
    kind = kind_named(row["类型"])
    sender = row["发送人"].strip()
    return Message(
        where=where,
        time=row["时间"],
        conv_id=conv[0],
        conv_name=conv[1],
        is_group=True,
        sender_id=sender,
        sender_name=row.get("备注") or row.get("昵称") or sender,
        is_self=sender in ("我", "自己"),
        kind="system" if sender in _SYSTEM_SENDERS else kind,
        content=row["内容"],
        message_id=None,
    )


def _pywxdump(row: Cells, where: str, conv: tuple[str, str]) -> Message:
    is_self = row["is_sender"] == "1"
    room = row.get("room_name") or conv[0]
    server_id = row["MsgSvrID"].strip()
    return Message(
        where=where,
        time=row["CreateTime"],
        conv_id=room,
        conv_name=room if room != conv[0] else conv[1],
        is_group=room.endswith("@chatroom"),
        sender_id=row["talker"] or (SELF_ID if is_self else ""),
        sender_name=None,
        is_self=is_self,
        kind=kind_named(row["type_name"]),
        content=row["msg"],
        message_id=server_id if server_id not in ("", "0") else None,
    )


def _chatlog(row: Cells, where: str, conv: tuple[str, str]) -> Message:
    is_system = row["Sender"] in _SYSTEM_SENDERS or row["SenderName"] in _SYSTEM_SENDERS
    talker = row["Talker"] or conv[0]
    return Message(
        where=where,
        time=row["Time"],
        conv_id=talker,
        conv_name=row["TalkerName"] or None,
        is_group=talker.endswith("@chatroom"),
        sender_id=row["Sender"],
        sender_name=row["SenderName"] or None,
        is_self=row["SenderName"] == "我",
        kind="system" if is_system else "text",
        content=row["Content"],
        message_id=None,
    )


def _number(text: str) -> int:
    return int(text) if text.strip().lstrip("-").isdecimal() else -1
