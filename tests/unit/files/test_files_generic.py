"""Generic rows as JSON lines and as tables, and the small readers below them."""

from __future__ import annotations

import csv
import io
import json
import string
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import ImportRefused
from qunce.connectors.files.registry import read_file
from qunce.connectors.files.tables import Table
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import Event
from tests.unit.files.notation import keys_of, options, rows_of, told, write

ROW = {"time": "2024-02-01 10:00:00", "group": "茶馆", "user": "安", "text": "好"}
TOLD = "02-01 02:00:00 message.created 安 安 | id=None text='好'"


def lines(*rows: dict[str, object]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


SHAPES = [
    ("JSON lines", "x.jsonl", lines(ROW)),
    ("JSON lines with Chinese names", "x.jsonl", lines({"时间": ROW["time"], "群名": "茶馆", "发送人": "安", "内容": "好"})),
    ("CSV", "x.csv", "time,group,user,text\n2024-02-01 10:00:00,茶馆,安,好\n"),
    (
        "CSV with a byte order mark, capitals and blanks",
        "x.csv",
        "\ufeffTime, Group ,USER,Text\n2024-02-01 10:00:00,茶馆,安,好\n",
    ),
    ("CSV with Chinese names", "x.csv", "时间,群,昵称,内容\n2024-02-01 10:00:00,茶馆,安,好\n"),
    ("TSV", "x.tsv", "time\tgroup\tuser\ttext\n2024-02-01 10:00:00\t茶馆\t安\t好\n"),
    ("semicolons, columns in another order", "x.csv", "text;user;time;group\n好;安;2024/2/1 10:00;茶馆\n"),
    ("an epoch in seconds", "x.jsonl", lines(ROW | {"time": 1706752800})),
    ("an epoch in milliseconds, as text", "x.jsonl", lines(ROW | {"time": "1706752800000"})),
    ("a time with a zone of its own", "x.jsonl", lines(ROW | {"time": "2024-01-31T21:00:00-05:00"})),
]


@pytest.mark.parametrize(("file", "content"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_a_row_reads_the_same_in_every_shape(tmp_path: Path, file: str, content: str) -> None:
    with read_file(write(tmp_path, file, content), None, options()) as reading:
        assert reading.format.name == "generic"
        rows = list(reading)
    assert told(rows) == [TOLD]
    assert [row.conv.platform_id for row in rows if isinstance(row, Event) and row.conv] == ["茶馆"]


def test_a_gb18030_table_reads_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, "x.csv", "时间,群,昵称,内容\n2024-02-01 10:00:00,茶馆,安,好\n".encode("gb18030"))
    assert told(rows_of(path)) == [TOLD]


RICH = [
    {"msg_id": "m1", "platform": "IRC", "group_id": "g1", "group_name": "#a", "ts": "2024-02-01T02:00:00Z", "user_id": "u1",
     "user_name": "Ann", "text": "hi", "reply_to": None, "is_bot": True, "likes": 3},
    {"msg_id": "m2", "platform": "IRC", "group_id": "g1", "group_name": "#a", "ts": "2024-02-01T02:00:01Z", "user_id": "u2",
     "user_name": "Ben", "text": "@Ann @nobody @all yes", "reply_to": "m1",
     "reactions": [{"emoji": "👍", "users": ["u1", "u3"]}]},
    {"msg_id": "m3", "group_id": "g1", "ts": "2024-02-01T02:00:02Z", "user_id": "u3", "text": "", "event": "join",
     "inviter": "u1"},
    {"msg_id": "m4", "group_id": "g1", "ts": "2024-02-01T02:00:03Z", "user_id": "u3", "text": "", "event": "nick",
     "new_user_id": "u4"},
    {"msg_id": "m5", "group_id": "g1", "ts": "2024-02-01T02:00:04Z", "user_id": "u4", "text": "bye", "event": "leave"},
    {"msg_id": "m6", "group_id": "g1", "ts": "2024-02-01T02:00:05Z", "user_id": "system", "text": "topic", "event": "other"},
]  # fmt: skip


def test_the_richer_columns_become_their_own_events(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "x.jsonl", lines(*RICH)))
    assert told(rows) == [
        "02-01 02:00:00 message.created u1[bot] Ann | id=m1 text='hi'",
        "02-01 02:00:01 message.created u2 Ben | id=m2 text='@Ann @nobody @all yes' reply=m1 mentions=u1,@all",
        "02-01 02:00:01 reaction.added u1 | id=m2 emoji=👍",
        "02-01 02:00:01 reaction.added u3 | id=m2 emoji=👍",
        "02-01 02:00:02 member.joined u1 → u3 u3 | scene=invited inviter=u1",
        "02-01 02:00:03 member.updated u3 u3 → u3 u3 | field=nickname old=u3 new=u4",
        "02-01 02:00:04 member.left - → u4 u4 | reason=left",
        "02-01 02:00:05 message.created - | id=m6 text='topic' parts=system(topic)",
    ]
    assert [row.source.connector for row in rows if isinstance(row, Event)][:5] == ["irc"] * 4 + ["generic"]
    assert len(set(keys_of(rows))) == len(rows)


BAD = [
    ("no JSON", "{nope\n", "bad_json"),
    ("another kind of value", lines(ROW | {"text": ["x"]}), "bad_row"),
    ("a lone surrogate", '{"time":"2024-02-01","group":"g","user":"u","text":"\\ud800"}\n', "bad_json"),
    ("no time", lines(ROW | {"time": None}), "bad_time"),
    ("a time that is none", lines(ROW | {"time": "soon"}), "bad_time"),
    ("a broken clock", lines(ROW | {"time": 0}), "too_old"),
    ("the future", lines(ROW | {"time": "2099-01-01"}), "future_time"),
    ("nobody", lines(ROW | {"user": " "}), "no_sender"),
]


@pytest.mark.parametrize(("bad", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_line_is_rejected_and_the_rest_kept(tmp_path: Path, bad: str, code: str) -> None:
    rows = rows_of(write(tmp_path, "x.jsonl", lines(ROW) + bad + lines(ROW | {"text": "再"})))
    assert len(keys_of(rows)) == 2
    refused = [row for row in rows if isinstance(row, Rejected)]
    assert [row.code for row in refused] == [code]
    assert refused[0].reason.endswith(".")
    assert refused[0].fix.endswith(".")


BAD_CELLS = [
    ("a row with too many cells", "2024-02-01,g,u,a,b\n", ["rejected line 2 bad_row"]),
    ("a quotation mark never closed", '2024-02-01,g,u,"open\n', ["rejected line 2 bad_row"]),
    ("a row cut short is filled up", "2024-02-01,g,u\n", ["01-31 16:00:00 message.created u u | id=None text=''"]),
    ("a formula is text", "2024-02-01,g,u,=1+1\n", ["01-31 16:00:00 message.created u u | id=None text='=1+1'"]),
    ("text behind a quoted cell", '2024-02-01,g,u,"hi" you\n', ["01-31 16:00:00 message.created u u | id=None text='hi you'"]),
]


@pytest.mark.parametrize(("bad", "expected"), [case[1:] for case in BAD_CELLS], ids=[case[0] for case in BAD_CELLS])
def test_a_bad_record_costs_no_other(tmp_path: Path, bad: str, expected: list[str]) -> None:
    rows = rows_of(write(tmp_path, "x.csv", f"time,group,user,text\n{bad}2024-02-01 10:00:00,茶馆,安,好\n"))
    assert told(rows) == [*expected, TOLD]


def test_equal_rows_are_kept_apart_and_found_again(tmp_path: Path) -> None:
    path = write(tmp_path, "x.jsonl", lines(ROW, ROW, ROW | {"user": "本"}))
    assert len(set(keys_of(rows_of(path)))) == 3
    assert keys_of(rows_of(path)) == keys_of(rows_of(path))


def test_the_group_is_the_persons_word_or_the_files_name(tmp_path: Path) -> None:
    path = write(tmp_path, "新生群.csv", "time,user,text\n2024-02-01,u,a\n")
    assert [row.conv.name for row in rows_of(path) if isinstance(row, Event) and row.conv] == ["新生群"]
    assert [row.conv.name for row in rows_of(path, group="茶馆") if isinstance(row, Event) and row.conv] == ["茶馆"]


@pytest.mark.parametrize("content", ["a,b\n1,2\n", '{"a":1}\n'])
def test_missing_columns_are_named_with_those_found(tmp_path: Path, content: str) -> None:
    with pytest.raises(ImportRefused, match=r"time \(such as ts.*user.*text.*Columns found: a"):
        rows_of(write(tmp_path, "x.txt", content), "generic")


TWICE = [
    ("whatsapp", "13/06/21, 12:00 - a: hi\n", "13/06/21, 12:01 - a: {}\n"),
    ("wechat", "消息ID,类型,发送人,时间,内容\n", "1,文本,a,2024-02-01 10:00:00,{}\n"),
    ("qq_txt", "甲 2020/2/14 21:16:13\n1\n\n甲 2020/2/14 21:16:14\n", "{}\n"),
    ("generic", "time,group,user,text\n", "2024-02-01,g,u,{}\n"),
]


@pytest.mark.parametrize(("name", "first", "row"), TWICE, ids=[case[0] for case in TWICE])
def test_a_line_too_long_is_rejected_once_however_often_a_format_reads(tmp_path: Path, name: str, first: str, row: str) -> None:
    path = write(tmp_path, "x.txt", first + row.format("x" * 2_500_000) + row.format("short"))
    rows = rows_of(path, name, max_line_bytes=1_000_000)
    assert [row.code for row in rows if isinstance(row, Rejected)] == ["too_long"]
    assert keys_of(rows)


cells = st.text(st.sampled_from(string.ascii_letters + "好,\"'\n;\t =|"), max_size=30)


@given(st.lists(st.tuples(cells, cells), max_size=20), st.sampled_from([",", ";", "\t"]))
def test_a_table_gives_back_what_the_standard_writer_wrote(rows: list[tuple[str, str]], separator: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerows([("first", "second"), *rows])
    table = Table(iter(enumerate(text.getvalue().split("\n"), start=1)))
    assert [tuple(record[1]) for record in table.records() if not isinstance(record, Rejected)] == rows


@given(st.lists(st.text(st.sampled_from('ab,"\n'), max_size=12), max_size=30))
def test_a_table_of_any_lines_loses_none(texts: list[str]) -> None:
    numbered = list(enumerate(["a,b", *"\n".join(texts).split("\n")], start=1))
    seen: list[int] = []

    def source() -> Iterator[tuple[int, str]]:
        for number, text in numbered:
            seen.append(number)
            yield number, text

    for _ in Table(source()).records():
        pass
    assert seen == [number for number, _ in numbered]


ZONES = st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
MOMENTS = st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1))  # noqa: DTZ001 (local times, as files have them)


@given(st.lists(MOMENTS, min_size=1, max_size=30), ZONES)
def test_a_local_time_is_read_as_its_zone_says(moments: list[datetime], zone: str) -> None:
    reader = TimeReader(ZoneInfo(zone))
    for moment in moments:
        moment = moment.replace(microsecond=0)
        expected = round(moment.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)
        assert reader.ms(moment.isoformat(" ")) == expected
        assert reader.ms(f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M:%S}") == expected


@given(st.datetimes(datetime(2001, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)), st.integers(-14, 14))  # noqa: DTZ001
def test_a_time_with_a_zone_needs_no_other(moment: datetime, hours: int) -> None:
    moment = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    local = (moment + timedelta(hours=hours)).replace(tzinfo=None).isoformat(timespec="milliseconds")
    written = f"{local}{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
    assert TimeReader(ZoneInfo("Asia/Shanghai")).ms(written) == expected


TIMES = [
    ("2024/2/1", "2024-02-01 00:00"), ("2024/2/1 9:05", "2024-02-01 09:05"), ("2024.02.01 09:05:07", "2024-02-01 09:05:07"),
    ("20240201", "2024-02-01 00:00"), ("20240201090507", "2024-02-01 09:05:07"), ("2024-02-01 下午 9:05", "2024-02-01 21:05"),
    ("2024-2-1 9:05 PM", "2024-02-01 21:05"), ("2024年2月1日 9时05分", "2024-02-01 09:05"), ("1706778300", "2024-02-01 09:05"),
    ("1706778300000", "2024-02-01 09:05"), ("1706778300.5", "2024-02-01 09:05:00.500"),
    ("soon", None), ("", None), ("2024-13-01", None), ("9999999999999999999", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "expected"), TIMES)
def test_a_written_time_is_read(written: str, expected: str | None) -> None:
    zone = ZoneInfo("UTC")
    moment = round(datetime.fromisoformat(expected).replace(tzinfo=UTC).timestamp() * 1000) if expected else None
    assert TimeReader(zone).ms(written) == moment


REAL = [
    ("zh_threads_as_groups", {"message.created": 26_903}),
    ("en_irc_replies", {"message.created": 197_733, "member.joined": 15_739, "member.updated": 4_424, "member.left": 2_567}),
]


@pytest.mark.parametrize(("file", "counts"), REAL, ids=[case[0] for case in REAL])
def test_a_real_chat_is_kept_row_by_row(shared_data: Path, file: str, counts: dict[str, int]) -> None:
    with read_file(shared_data / f"chat/{file}.jsonl.zst", None, options()) as reading:
        assert reading.format.name == "generic"
        assert Counter(row.type if isinstance(row, Event) else row.code for row in reading) == counts
