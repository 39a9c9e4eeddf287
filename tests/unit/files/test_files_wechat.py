"""WeChat dumps of five tools, and the Chinese system lines in them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.chinese_system import Told, read_system
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.registry import read_file
from qunce.connectors.files.wechat.kinds import content_of, kind_named, kind_of
from qunce.domain.events import Event, Part
from tests.unit.files.notation import keys_of, options, rows_of, told, write

ALL = (
    "localId,TalkerId,Type,SubType,IsSender,CreateTime,Status,StrContent,StrTime,Remark,NickName,Sender\n"
    '1,3,10000,0,0,1706752790,,"""小红""通过扫描""小明""分享的二维码加入群聊",,,,\n'
    "2,3,1,0,0,1706752800,,在吗,2024-02-01 10:00:00,,小红,wxid_a\n"
    "3,3,3,0,0,1706752801,,<?xml version='1.0'?><msg></msg>,,,小明,wxid_b\n"
    "4,3,1,0,1,1706752802,,在的,,,,\n"
)
ALL_TOLD = [
    "02-01 01:59:50 member.joined wxid_b 小明 → wxid_a 小红 | scene=qr inviter=wxid_b",
    "02-01 02:00:00 message.created wxid_a 小红 | id=None text='在吗'",
    "02-01 02:00:01 message.created wxid_b 小明 | id=None text='' parts=image",
    "02-01 02:00:02 message.created self self | id=None text='在的'",
]
CHAT = (
    "\ufeff消息ID,类型,发送人,时间,内容,备注,昵称,更多信息\n"
    '1,文本,小红,2024-02-01 10:00:00,"在吗\n还有“货”吗",红姐,小红,more\n'
    "2,系统消息,系统消息,2024-02-01 10:00:01,小红退出了群聊,,,\n"
    "3,动画表情,小明,2024-02-01 10:00:02,[动画表情],,小明,\n"
)
CHAT_TOLD = [
    r"02-01 02:00:00 message.created 小红 红姐 | id=None text='在吗\n还有“货”吗'",
    "02-01 02:00:01 member.left - → 小红 小红 | reason=left",
    "02-01 02:00:02 message.created 小明 小明 | id=None text='' parts=sticker",
]
PYWXDUMP = (
    "id,MsgSvrID,type_name,is_sender,talker,room_name,msg,src,CreateTime\n"
    "1,7001,文本,0,wxid_a,9@chatroom,在吗,,2024/2/1 10:00\n"
    "2,7002,系统通知,1,wxid_me,9@chatroom,<revokemsg>你撤回了一条消息</revokemsg>,,2024/2/1 10:01\n"
    "3,7003,图片,1,wxid_me,9@chatroom,图片,File\\a.dat,2024/2/1 10:02\n"
)
PYWXDUMP_TOLD = [
    "02-01 02:00:00 message.created wxid_a wxid_a | id=7001 text='在吗'",
    "02-01 02:01:00 message.created wxid_me | id=7002 text='' parts=other(你撤回了一条消息)",
    "02-01 02:01:00 message.deleted wxid_me | id=7002 by=author",
    "02-01 02:02:00 message.created wxid_me wxid_me | id=7003 text='' parts=image",
]
CHATLOG_CSV = (
    "Time,SenderName,Sender,TalkerName,Talker,Content\n"
    "2024-02-01 10:00:00,小红,wxid_a,新生群,123@chatroom,![图片](http://127.0.0.1/image/1)\n"
    "2024-02-01 10:00:01,系统消息,系统消息,新生群,123@chatroom,小红修改群名为“老生群”\n"
    "2024-02-01 10:00:02,小明,wxid_b,新生群,123@chatroom,[旺柴]\n"
)
CHATLOG_CSV_TOLD = [
    "02-01 02:00:00 message.created wxid_a 小红 | id=None text='' parts=image(http://127.0.0.1/image/1)",
    "02-01 02:00:01 group.updated wxid_a 小红 | field=name new=老生群",
    "02-01 02:00:02 message.created wxid_b 小明 | id=None text='[旺柴]'",
]
CHATLOG = {
    "seq": 1706752800000, "time": "2024-02-01T10:00:00+08:00", "talker": "123@chatroom", "talkerName": "新生群",
    "isChatRoom": True,
    "sender": "wxid_a", "senderName": "小红", "isSelf": False, "type": 1, "subType": 0, "content": "在吗",
}  # fmt: skip
CHATLOG_SYSTEM = CHATLOG | {
    "seq": 1706752801000,
    "sender": "",
    "senderName": "",
    "type": 10000,
    "content": '你将"小红"移出了群聊',
}
CHATLOG_LINK = CHATLOG | {"seq": 1706752802000, "type": 49, "subType": 5, "content": "", "contents": {"title": "活动"}}
CHATLOG_TOLD = [
    "02-01 02:00:00 message.created wxid_a 小红 | id=1706752800000 text='在吗'",
    "02-01 02:00:00 member.left - → wxid_a 小红 | reason=kicked",
    "02-01 02:00:00 message.created wxid_a 小红 | id=1706752802000 text='' parts=link(活动)",
]
WEFLOW = {
    "weflow": {"version": "1"},
    "session": {"wxid": "123@chatroom", "nickname": "新生群", "type": "群聊", "avatar": "data:image/png;base64,AAAA"},
    "messages": [
        {"localId": 1, "createTime": 1706752800, "type": "文本消息", "content": "在吗",
        "isSend": 0, "senderUsername": "wxid_a",
         "senderDisplayName": "小红"},
        {"localId": 2, "createTime": 1706752801, "type": "系统消息", "content": "\"小红\"邀请\"小明、小刚\"加入了群聊",
        "isSend": None},
        {"localId": 3, "createTime": 1706752802, "type": "文件消息", "content": "表.xlsx",
        "isSend": 1, "senderUsername": "wxid_me",
         "senderDisplayName": "我"},
        {"localId": 4, "createTime": None, "type": "文本消息", "content": "x", "isSend": 0, "senderUsername": "wxid_a"},
    ],
}  # fmt: skip
WEFLOW_TOLD = [
    "02-01 02:00:00 message.created wxid_a 小红 | id=None text='在吗'",
    "02-01 02:00:01 member.joined wxid_a 小红 → 小明 小明 | scene=invited inviter=wxid_a",
    "02-01 02:00:01 member.joined wxid_a 小红 → 小刚 小刚 | scene=invited inviter=wxid_a",
    "02-01 02:00:02 message.created wxid_me 我 | id=None text='' parts=file(表.xlsx)",
    "rejected messages[3] bad_time",
]
DUMPS = [
    ("WeChatMsg, all messages", "messages.csv", ALL, ALL_TOLD),
    ("WeChatMsg, one chat", "x.csv", CHAT, CHAT_TOLD),
    ("PyWxDump", "0_730.csv", PYWXDUMP, PYWXDUMP_TOLD),
    ("chatlog CSV", "c.csv", CHATLOG_CSV, CHATLOG_CSV_TOLD),
    ("chatlog JSON array", "c.json", [CHATLOG, CHATLOG_SYSTEM, CHATLOG_LINK], CHATLOG_TOLD),
    ("chatlog JSON lines", "c.jsonl", "\n".join(map(json.dumps, (CHATLOG, CHATLOG_SYSTEM, CHATLOG_LINK))), CHATLOG_TOLD),
    ("WeFlow", "w.json", WEFLOW, WEFLOW_TOLD),
]


@pytest.mark.parametrize(("file", "content", "expected"), [case[1:] for case in DUMPS], ids=[case[0] for case in DUMPS])
def test_a_dump_is_recognised_and_told(tmp_path: Path, file: str, content: object, expected: list[str]) -> None:
    path = write(tmp_path, file, content)
    with read_file(path, None, options()) as reading:
        assert reading.format.name == "wechat"
        rows = list(reading)
    assert told(rows) == expected
    assert keys_of(rows) == keys_of(rows_of(path))
    assert len(set(keys_of(rows))) == len(keys_of(rows))


def test_a_chat_is_named_by_the_folder_the_tool_made(tmp_path: Path) -> None:
    folder = tmp_path / "新生群(123@chatroom)"
    folder.mkdir()
    rows = rows_of(write(folder, "chat.csv", CHAT))
    assert {(row.conv.platform_id, row.conv.name) for row in rows if isinstance(row, Event) and row.conv} == {
        ("123@chatroom", "新生群")
    }


def test_a_gb18030_dump_from_a_spreadsheet_reads_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", CHAT.removeprefix("\ufeff").encode("gb18030"))
    assert told(rows_of(path)) == CHAT_TOLD


BAD = [
    ("a time that is none", CHAT.replace("2024-02-01 10:00:02", "昨天"), "rejected line 5 bad_time"),
    ("a row cut short", CHAT + "4,文本\n", "rejected line 6 bad_row"),
    ("a message without sender", CHAT.replace("动画表情,小明", "动画表情,"), "rejected line 5 no_sender"),
    ("a year in the future", CHAT.replace("2024-02-01 10:00:02", "2124-02-01 10:00:02"), "rejected event 3 future_time"),
    ("a broken clock", CHAT.replace("2024-02-01 10:00:02", "1970-01-01 10:00:02"), "rejected event 3 too_old"),
]


@pytest.mark.parametrize(("content", "expected"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_row_is_rejected_and_the_rest_kept(tmp_path: Path, content: str, expected: str) -> None:
    rows = rows_of(write(tmp_path, "x.csv", content))
    assert [line for line in told(rows) if line.startswith("rejected")] == [expected]
    assert len(keys_of(rows)) >= 2
    assert all(row.reason and row.fix for row in rows if isinstance(row, Rejected))


def test_a_csv_of_other_columns_is_refused_when_named_wechat(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="--format generic"):
        rows_of(write(tmp_path, "x.csv", "a,b\n1,2\n"), "wechat")


SYSTEM = [
    ('"甲"邀请"乙、丙"加入了群聊', Told("invited", "甲", ("乙", "丙"))),
    ('你邀请"乙"加入了群聊', Told("invited", "你", ("乙",))),
    ('"甲"邀请你和"乙"加入了群聊', Told("invited", "甲", ("你", "乙"))),
    ('"乙"通过扫描"甲"分享的二维码加入群聊', Told("qr", "甲", ("乙",))),
    ('"乙"通过扫描你分享的二维码加入群聊', Told("qr", "你", ("乙",))),
    ("你将“乙”移出了群聊", Told("removed", "你", ("乙",))),
    ("乙被管理员甲移出本群", Told("removed", "甲", ("乙",))),
    ("乙被管理员移出群", Told("removed", None, ("乙",))),
    ("乙加入本群。", Told("joined", None, ("乙",))),
    ("乙已退出该群", Told("left", None, ("乙",))),
    ("乙被群主禁言10分钟", Told("muted", None, ("乙",), None, 600_000)),
    ("乙被管理员甲解除禁言", Told("unmuted", "甲", ("乙",))),
    ("乙已成为新群主", Told("owner", None, ("乙",))),
    ("甲撤回了成员乙的一条消息", Told("recalled_of", "甲", ("乙",))),
    ('"甲" 撤回了一条消息', Told("recalled", "甲", ())),
]


@pytest.mark.parametrize(("text", "expected"), SYSTEM, ids=[case[0] for case in SYSTEM])
def test_a_system_line_is_understood(text: str, expected: Told) -> None:
    assert read_system(text) == expected


@pytest.mark.parametrize(
    "text", ["今天天气很好", "如何加入群聊？请看公告，谢谢", "x" * 3000, "", "你已添加了乙，现在可以开始聊天了。"]
)
def test_what_is_not_understood_stays_a_line(text: str) -> None:
    assert read_system(text) is None


KINDS = [
    (kind_of(49, 2001), "恭喜发财", "", (Part(type="red_packet"),)),
    (kind_of(49, 57), "<msg><title>好的</title></msg>", "好的", ()),
    (kind_of(49, 5), "<msg><title>a &amp; b</title><url>https://x.y/z</url></msg>", "",
    (Part(type="link", text="a & b", url="https://x.y/z"),)),
    (kind_of(999), "?", "", (Part(type="other", text="?"),)),
    (kind_named("引用回复"), "好", "好", ()),
    (kind_named("47"), "", "", (Part(type="sticker"),)),
    (kind_named("文本"), "[链接|活动](https://x.y)", "", (Part(type="link", text="活动", url="https://x.y"),)),
    (kind_named("文本"), "1 < 2", "1 < 2", ()),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "content", "text", "parts"), KINDS)
def test_a_kind_decides_what_is_text(kind: str, content: str, text: str, parts: tuple[Part, ...]) -> None:
    assert content_of(kind, content) == (text, parts)  # type: ignore[arg-type]


def test_a_real_dump_is_kept_row_by_row(shared_data: Path) -> None:
    rows = rows_of(shared_data / "export_samples/wechat/weclone_pywxdump_test.csv")
    counts = Counter(row.type if isinstance(row, Event) else row.code for row in rows)
    assert counts == {"message.created": 96, "message.deleted": 2}
