"""QQ text: the message manager's export, copies from the PC client and from the phone."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from qunce.connectors.files.errors import Ambiguous, Unreadable
from qunce.connectors.files.qq_lines import read_head
from qunce.connectors.files.registry import read_file
from qunce.domain.events import Event
from tests.unit.files.notation import keys_of, options, rows_of, told, write

RULE = "=" * 64
MANAGER = f"""\
消息记录（此消息记录为文本格式，不支持重新导入）

{RULE}
消息分组:我的QQ群
{RULE}
消息对象:新生群
{RULE}

2019-07-16 18:15:05 【管理员】地瓜(23333233)
大家好

今天几点？

2019-07-16 18:15:11 土豆<example@xx.com>
[图片]看这个[表情]

2019-07-16 18:15:12 系统消息(10000)
地瓜撤回了一条消息

2019-07-16 6:15:13 PM 系统消息(1000000)
芋头加入本群。

2019-07-16 18:16:00 匿名甲(80000000)
悄悄话

{RULE}
消息对象:老生群
{RULE}

2019-07-17 08:00:00 地瓜(23333233)
早
"""


def test_the_managers_export_is_told_group_by_group(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "全部.txt", MANAGER))
    assert [line.replace(keys_of(rows)[2].removeprefix("m:新生群:"), "KEY") for line in told(rows)] == [
        r"07-16 10:15:05 message.created 23333233 【管理员】地瓜 | id=None text='大家好\n\n今天几点？'",
        "07-16 10:15:11 message.created example@xx.com 土豆 | id=None text='看这个' parts=text,image,sticker",
        "07-16 10:15:12 message.created 地瓜 地瓜 | id=KEY text='' parts=other(地瓜撤回了一条消息)",
        "07-16 10:15:12 message.deleted 地瓜 地瓜 | id=KEY by=author",
        "07-16 10:15:13 member.joined - → 芋头 芋头",
        "07-16 10:16:00 message.created 匿名甲 匿名甲 | id=None text='悄悄话'",
        "07-17 00:00:00 message.created 23333233 地瓜 | id=None text='早'",
    ]
    groups = Counter(row.conv.name for row in rows if isinstance(row, Event) and row.conv)
    assert groups == {"新生群": 6, "老生群": 1}
    assert len(set(keys_of(rows))) == len(keys_of(rows))
    assert keys_of(rows) == keys_of(rows_of(write(tmp_path, "全部.txt", MANAGER)))


def test_a_gb18030_export_reads_the_same(tmp_path: Path) -> None:
    assert told(rows_of(write(tmp_path, "b.txt", MANAGER.encode("gb18030"))))[0].endswith(r"text='大家好\n\n今天几点？'")


PC = """\
【冒泡】甲 2/14/2020 9:16:13 PM
第一行
第二行

【活跃】甲 2/14/2020 9:17:10 PM
3

你撤回了一条消息

乙撤回了一条消息
"""
MOBILE = "— —  2020-2-21  — —\n\n甲  23:50:12 \n1\n\na dark ideation  23:50:40 \n2\n\n— —  2020-2-22  — —\n甲  0:10:00 \n3\n"


def test_a_pc_copy_knows_one_person_under_changing_ranks(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "pc.txt", PC), group="读书会")
    people = [row.actor.platform_id if row.actor else None for row in rows if isinstance(row, Event)]
    assert people == ["甲", "甲", None, None, "乙", "乙"]
    assert told(rows)[0] == r"02-14 13:16:13 message.created 甲 【冒泡】甲 | id=None text='第一行\n第二行'"
    assert Counter(row.type for row in rows if isinstance(row, Event)) == {"message.created": 4, "message.deleted": 2}
    assert {row.conv.name for row in rows if isinstance(row, Event) and row.conv} == {"读书会"}


def test_a_phone_copy_takes_its_days_from_the_lines_between(tmp_path: Path) -> None:
    path = write(tmp_path, "手机.txt", MOBILE)
    with read_file(path, None, options()) as reading:
        assert reading.format.name == "qq_txt"
        assert told(reading) == [
            "02-21 15:50:12 message.created 甲 甲 | id=None text='1'",
            "02-21 15:50:40 message.created a dark ideation a dark ideation | id=None text='2'",
            "02-21 16:10:00 message.created 甲 甲 | id=None text='3'",
        ]


def test_a_phone_copy_without_its_date_line_says_what_to_copy(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "手机.txt", MOBILE.partition("\n\n")[2]))
    assert told(rows)[:2] == ["rejected line 1 bad_time", "rejected line 4 bad_time"]
    assert len(keys_of(rows)) == 1


def test_a_24_hour_pc_copy_with_slashes_asks_for_the_order(tmp_path: Path) -> None:
    path = write(tmp_path, "pc.txt", "甲 2/3/2020 21:16:13\n1\n\n乙 2/4/2020 21:16:13\n2\n")
    with pytest.raises(Ambiguous, match="--date-order"):
        rows_of(path)
    assert told(rows_of(path, date_order="dmy"))[0].startswith("03-02")


def test_text_without_heads_is_refused_when_named_qq(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        rows_of(write(tmp_path, "x.txt", "hello\nworld\n"), "qq_txt")


def test_an_impossible_day_costs_its_message_only(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "m.txt", MANAGER.replace("2019-07-17", "2019-02-30")))
    assert told(rows)[-1] == "rejected line 30 bad_time"


HEADS = [
    ("2019-09-23 8:43:38 PM 骰娘-Roll100(10000001)", ("骰娘-Roll100", "10000001", (20, 43, 38))),
    ("2019-09-23 下午8:43:38 甲(100001)", ("甲", "100001", (20, 43, 38))),
    ("甲(100001) 2020/2/14 21:16:13", ("甲", "100001", (21, 16, 13))),
    ("a(b) c  23:50:12 ", ("a(b) c", None, (23, 50, 12))),
]


@pytest.mark.parametrize(("line", "expected"), HEADS, ids=[case[0] for case in HEADS])
def test_a_head_is_read(line: str, expected: tuple[str, str | None, tuple[int, int, int]]) -> None:
    head = read_head(line)
    assert head is not None
    assert (head.nick, head.number, head.clock) == expected


@pytest.mark.parametrize(
    "line", ["见 2020-2-14", "3/6/18, 1:55 - a: m", "2024-02-01 10:00:00,群,甲,好", "2019-07-16 25:15:05 甲(1000)"]
)
def test_other_lines_are_no_heads(line: str) -> None:
    assert read_head(line) is None


REAL = [
    ("message_manager.txt", {"message.created": 5, "member.joined": 1}),
    ("pc_copy_with_title.txt", {"message.created": 6, "message.deleted": 2}),
    ("mobile_copy.txt", {"message.created": 3}),
]


@pytest.mark.parametrize(("file", "counts"), REAL, ids=[case[0] for case in REAL])
def test_a_real_copy_is_recognised(shared_data: Path, file: str, counts: dict[str, int]) -> None:
    with read_file(shared_data / "export_samples/qq" / file, None, options()) as reading:
        assert reading.format.name == "qq_txt"
        assert Counter(row.type if isinstance(row, Event) else row.code for row in reading) == counts
