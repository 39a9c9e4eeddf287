"""Recognition by content, and reading through the registry."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files.base import Head
from qunce.connectors.files.errors import UnknownFormat
from qunce.connectors.files.registry import by_name, detect, formats, names, read_file
from tests.unit.files.notation import options, rows_of, told, write

CHATLAB = (
    '{"_type":"header","chatlab":{"version":"0.0.2"},"meta":{"name":"%s","platform":"qq","type":"group"}}\n'
    '{"_type":"message","sender":"7","timestamp":1706752800,"type":0,"content":"好"}\n'
)


def test_every_format_has_a_name_of_its_own_and_a_title() -> None:
    assert len(set(names())) == len(names())
    for item in formats():
        assert by_name(item.name) is item
        assert item.title


@given(st.binary(max_size=400), st.lists(st.text(max_size=20), max_size=3))
def test_recognition_never_raises_on_any_bytes(data: bytes, members: list[str]) -> None:
    for head in (Head(name="x", data=data), Head(name="x.zip", data=b"", members=tuple(members))):
        for item in formats():
            assert 0 <= item.sniff(head) <= 1


@given(st.text(st.sampled_from('{}[]":,"_typechatlabmetagromsg0123 \n#'), max_size=200))
def test_recognition_never_raises_on_almost_json(text: str) -> None:
    for item in formats():
        assert 0 <= item.sniff(Head(name="x.json", data=text.encode())) <= 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_json_in_any_encoding_is_recognised_and_read(encoding: str, tmp_path: Path) -> None:
    text = '{"name":"茶馆","id":7,"messages":[{"id":1,"date_unixtime":"1706752800","from":"安","from_id":"user1","text":"好"}]}'
    rows = rows_of(write(tmp_path, "result.json", text.encode(encoding)))
    assert told(rows) == ["02-01 02:00:00 message.created user1 安 | id=1 text='好'"]


def test_a_zip_of_several_chats_is_read_chat_by_chat(tmp_path: Path) -> None:
    path = tmp_path / "chats.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for group in ("甲", "乙"):
            archive.writestr(f"备份/{group}.jsonl", CHATLAB % group + "{bad\n")
        archive.writestr("备份/readme.txt", "hello")
        archive.writestr("__MACOSX/._a.jsonl", "x")
    with read_file(path, None, options()) as reading:
        rows = list(reading)
    assert sorted(told(rows)) == [
        "02-01 02:00:00 message.created 7 | id=None text='好'",
        "02-01 02:00:00 message.created 7 | id=None text='好'",
        "rejected 乙.jsonl: line 3 bad_json",
        "rejected 甲.jsonl: line 3 bad_json",
    ]
    assert {row.conv.name for row in rows if hasattr(row, "conv") and row.conv} == {"甲", "乙"}


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (b"<!DOCTYPE html>\n<html><body>Telegram</body></html>", "machine-readable JSON"),
        (b"SQLite format 3\x00" + b"\x00" * 100, "Export the chat"),
        (b"%PDF-1.7", "Export the chat"),
    ],
)
def test_files_people_often_try_in_vain_are_named_with_a_way_out(content: bytes, fix: str, tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=fix):
        rows_of(write(tmp_path, "messages.html", content))


def test_an_excel_workbook_is_named_with_a_way_out(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(UnknownFormat, match="CSV"):
        rows_of(path)


def test_a_named_format_reads_what_it_would_not_have_recognised(tmp_path: Path) -> None:
    path = write(tmp_path, "a.json", '{"messages": []}')
    with pytest.raises(UnknownFormat):
        detect(Head(name="a.json", data=path.read_bytes()))
    assert rows_of(path, "telegram") == []


@given(
    st.lists(
        st.tuples(
            st.integers(1_000_000_000, 1_700_000_000),
            st.text("ab7", min_size=1, max_size=3),
            st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30),
            st.none() | st.integers(0, 5).map(str),
        ),
        max_size=8,
        unique_by=lambda row: row[3] or row,
    )
)
def test_chatlab_lines_come_back_as_they_were_written(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple]) -> None:  # type: ignore[type-arg]
    lines = [CHATLAB.split("\n")[0]]
    for at, sender, text, message_id in rows:
        row = {"sender": sender, "timestamp": at, "type": 0, "content": text, "platformMessageId": message_id}
        lines.append(json.dumps({"_type": "message", **row}))
    path = write(tmp_path_factory.mktemp("chatlab"), "chat.jsonl", "\n".join(lines))
    events = rows_of(path)
    found = [(e.ts_ms // 1000, e.actor.platform_id, e.body.text, e.body.message_id) for e in events]  # type: ignore[union-attr]
    assert found == rows
    assert len({e.dedupe_key for e in events}) == len(rows)  # type: ignore[union-attr]
