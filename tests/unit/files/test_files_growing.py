"""A later export of the same chat knows more people; what an earlier one told must keep its keys all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.files.notation import keys_of, rows_of, told, write

QQ_HEAD = "消息记录（此消息记录为文本格式，不支持重新导入）\n\n消息对象:新生群\n" + "=" * 64 + "\n\n"
QQ_EARLIER = QQ_HEAD + (
    "2019-07-16 18:15:05 系统消息(1000000)\n芋头加入本群。\n\n"
    "2019-07-16 18:15:06 系统消息(10000)\n芋头撤回了一条消息\n\n"
)  # fmt: skip
QQ_LATER = "2019-07-16 18:20:00 芋头(23333233)\n大家好\n\n"

WECHAT_HEAD = "Time,SenderName,Sender,TalkerName,Talker,Content\n"
WECHAT_EARLIER = WECHAT_HEAD + (
    '2024-02-01 10:00:00,系统消息,系统消息,新生群,123@chatroom,"""小红""邀请""小明、小刚""加入了群聊"\n'
    '2024-02-01 10:00:01,系统消息,系统消息,新生群,123@chatroom,"""小红""邀请你和""小刚""加入了群聊"\n'
    "2024-02-01 10:00:02,系统消息,系统消息,新生群,123@chatroom,小明撤回了一条消息\n"
    "2024-02-01 10:00:03,系统消息,系统消息,新生群,123@chatroom,你被小红移出群聊\n"
)  # fmt: skip
WECHAT_LATER = "".join(
    f"2024-02-01 10:01:0{n},{name},wxid_{n},新生群,123@chatroom,在\n" for n, name in enumerate(("小明", "小刚", "小红", "我"))
)


def chatlab(*, later: bool, with_ids: bool) -> dict[str, object]:
    """Return a ChatLab file of two system lines, and, `later`, what the people in them then wrote."""
    lines = [("乙加入了群聊", 80), ("甲撤回了一条消息", 81)]
    messages: list[dict[str, object]] = [
        {"sender": "", "timestamp": 1706752800 + n, "type": kind, "content": text}
        | ({"platformMessageId": f"s{n}"} if with_ids else {})
        for n, (text, kind) in enumerate(lines)
    ]
    members = [{"platformId": "u1", "accountName": "甲"}, {"platformId": "u2", "accountName": "乙"}] if later else []
    said = [{"sender": "u2", "accountName": "乙", "timestamp": 1706752900, "type": 0, "content": "来了"}] if later else []
    return {
        "chatlab": {"version": "0.0.1", "exportedAt": 1706753000, "generator": "x"},
        "meta": {"name": "新生群", "platform": "qq", "type": "group", "groupId": "99"},
        "members": members,
        "messages": messages + said,
    }


def exporter(*, later: bool) -> dict[str, object]:
    """Return a QQChatExporter file; the later one was made with the wanted person's card known from an older message."""
    line = {
        "id": "s1",
        "timestamp": 1706752800000,
        "type": "system",
        "system": True,
        "sender": {"uid": "0", "uin": "0"},
        "content": {"text": "乙加入了群聊", "elements": []},
    }
    said = {
        "id": "m1",
        "timestamp": 1706752700000,
        "type": "type_1",
        "sender": {"uid": "u_2", "uin": "10002", "name": "乙"},
        "content": {"text": "早", "elements": [{"type": "text", "data": {"text": "早"}}]},
    }
    return {
        "metadata": {"name": "QQChatExporter", "version": "5"},
        "chatInfo": {"name": "新生群", "type": "group", "peerUin": "88"},
        "messages": [said, line] if later else [line],
    }


CASES = [
    ("qq_txt", "a.txt", QQ_EARLIER, QQ_EARLIER + QQ_LATER, 3, 1),
    ("wechat", "a.csv", WECHAT_EARLIER, WECHAT_EARLIER + WECHAT_LATER, 7, 4),
    ("chatlab", "a.json", chatlab(later=False, with_ids=False), chatlab(later=True, with_ids=False), 3, 1),
    ("chatlab", "a.json", chatlab(later=False, with_ids=True), chatlab(later=True, with_ids=True), 3, 1),
    ("qqchatexporter", "a.json", exporter(later=False), exporter(later=True), 1, 1),
]
NAMES = ["QQ text", "WeChat dump", "ChatLab without message ids", "ChatLab with message ids", "QQChatExporter"]


@pytest.mark.parametrize(("kind", "file", "earlier", "later", "known", "new"), CASES, ids=NAMES)
def test_a_later_export_that_knows_more_people_adds_only_what_is_new(
    tmp_path: Path, kind: str, file: str, earlier: object, later: object, known: int, new: int
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    before = keys_of(rows_of(write(first, file, earlier), kind))
    after = keys_of(rows_of(write(second, file, later), kind))
    assert len(before) == len(set(before)) == known
    assert len(after) == len(set(after)) == known + new
    assert set(before) < set(after)


def test_the_later_export_finds_the_ids_the_earlier_one_had_not(tmp_path: Path) -> None:
    assert told(rows_of(write(tmp_path, "a.txt", QQ_EARLIER), "qq_txt"))[0].endswith("member.joined - → 芋头 芋头")
    assert told(rows_of(write(tmp_path, "b.txt", QQ_EARLIER + QQ_LATER), "qq_txt"))[0].endswith(
        "member.joined - → 23333233 芋头"
    )


def test_two_people_of_one_name_in_a_line_are_two_joins(tmp_path: Path) -> None:
    content = json.loads(json.dumps(chatlab(later=False, with_ids=True)))
    content["messages"][0]["content"] = '"甲"邀请"小明、小明"加入了群聊'
    keys = keys_of(rows_of(write(tmp_path, "a.json", content), "chatlab"))
    assert len(set(keys)) == 4
