"""Files made to harm, and files that are broken: a clear error, and memory that stays flat."""

from __future__ import annotations

import gzip
import json
import stat
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import Hostile, ImportRefused, UnknownFormat, Unreadable
from qunce.connectors.files.packing import Limits
from qunce.connectors.files.registry import read_file
from qunce.connectors.files.source import open_source
from tests.unit.files.notation import options, rows_of, told, write

MESSAGE = {"id": 1, "type": "message", "date_unixtime": "1706752800", "from": "Ann", "from_id": "user11", "text": "hi"}
CHAT = {"name": "茶馆", "type": "private_group", "id": 7, "messages": [MESSAGE]}
TEXT = json.dumps(CHAT, ensure_ascii=False)
MB = 1024 * 1024
SMALL = Limits(ratio_from_bytes=MB)


def zipped(folder: Path, members: dict[str, bytes], name: str = "a.zip") -> Path:
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            archive.writestr(member, content)
    return path


def test_packed_files_are_read_whatever_their_name_says(tmp_path: Path) -> None:
    data = TEXT.encode()
    expected = told(rows_of(write(tmp_path, "plain.json", data)))
    assert len(expected) == 1
    frames = zstandard.ZstdCompressor().compress(data[:50]) + zstandard.ZstdCompressor().compress(data[50:])
    for name, packed in {"a.json": gzip.compress(data), "b.json": frames}.items():
        assert told(rows_of(write(tmp_path, name, packed))) == expected
    assert told(rows_of(zipped(tmp_path, {"DataExport/result.json": data, "photos/1.jpg": b"\xff"}))) == expected


@pytest.mark.parametrize("member", ["../evil.json", "a/../../evil.json", "/etc/evil.json", "C:/evil.json", "..\\evil.json"])
def test_a_zip_whose_names_point_outside_is_refused(member: str, tmp_path: Path) -> None:
    with pytest.raises(Hostile, match="outside"):
        rows_of(zipped(tmp_path, {member: TEXT.encode()}))


def test_a_zip_with_a_symbolic_link_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "link.zip"
    with zipfile.ZipFile(path, "w") as archive:
        info = zipfile.ZipInfo("result.json")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(Hostile, match="symbolic link"):
        rows_of(path)


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.ZstdCompressor().compress])
def test_a_bomb_is_stopped_by_its_ratio(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = write(tmp_path, "bomb.json", pack(b'{"messages":[' + b" " * (4 * MB)))
    with open_source(path, limits=SMALL) as source, pytest.raises(Hostile, match="times its size"):
        source.stream().read()


def test_a_bomb_in_a_zip_is_stopped_too(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"result.json": b" " * (4 * MB)})
    with open_source(path, limits=SMALL) as source, pytest.raises(Hostile, match="times its size"):
        source.member("result.json").stream().read()


def test_an_archive_larger_than_the_limit_is_stopped(tmp_path: Path) -> None:
    path = write(tmp_path, "a.gz", gzip.compress(b"x" * 5000))
    with open_source(path, limits=Limits(max_bytes=1000)) as source, pytest.raises(Hostile, match="more than 1,000 bytes"):
        source.stream().read()


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path, {f"{number}.json": b"" for number in range(5)})
    with pytest.raises(Hostile, match="more than 4 files"):
        open_source(path, limits=Limits(max_members=4))


@pytest.mark.parametrize(
    "inner", [gzip.compress(b"x"), zstandard.ZstdCompressor().compress(b"x"), b"PK\x03\x04..."], ids=["gz", "zst", "zip"]
)
def test_an_archive_inside_an_archive_is_refused(inner: bytes, tmp_path: Path) -> None:
    with pytest.raises(Hostile, match="inside the archive"):
        rows_of(zipped(tmp_path, {"result.json": inner}))
    with pytest.raises(Hostile, match="inside the archive"):
        rows_of(write(tmp_path, "a.gz", gzip.compress(inner)))


@pytest.mark.parametrize("kind", ["gz", "zst", "zip"])
def test_a_cut_off_archive_is_refused_not_taken_for_a_short_one(kind: str, tmp_path: Path) -> None:
    data = json.dumps({**CHAT, "messages": [{**MESSAGE, "id": n, "text": f"{n * 7919}"} for n in range(3000)]}).encode()
    packed = {
        "gz": lambda: gzip.compress(data),
        "zst": lambda: zstandard.ZstdCompressor().compress(data),
        "zip": lambda: zipped(tmp_path, {"result.json": data}, "whole.zip").read_bytes(),
    }[kind]()
    with pytest.raises(Unreadable):
        rows_of(write(tmp_path, f"cut.{kind}", packed[: len(packed) * 2 // 3]))


def test_a_damaged_zip_member_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("result.json", TEXT)
    path.write_bytes(path.read_bytes().replace(b'"hi"', b'"ho"'))
    with pytest.raises(Unreadable, match="damaged"):
        rows_of(path)


def test_a_zip_with_a_password_says_so(tmp_path: Path) -> None:
    path = zipped(tmp_path, {"result.json": TEXT.encode()})
    data = bytearray(path.read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(Unreadable, match="password"):
        rows_of(path)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", Unreadable),
        ("   \n", UnknownFormat),
        ("{", UnknownFormat),
        ('{"lockfileVersion": 3, "packages": {}}', UnknownFormat),
        ('[{"id": 1, "name": "of another tool"}]', UnknownFormat),
        (b"\x00\x01\x02\x03" * 500, UnknownFormat),
        (TEXT[:-20], Unreadable),
        (TEXT[:60] + ' "text_entities"', Unreadable),
        (TEXT.replace('"type": "message"', '"type": message'), Unreadable),
        ('{"messages": [{"text_entities": ' + "[" * 100_000 + "]" * 100_000 + "}]}", Unreadable),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_refused_with_reason_and_fix(
    content: str | bytes, error: type[ImportRefused], tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        rows_of(write(tmp_path, "file.json", content))
    assert caught.value.reason.endswith(".")
    assert caught.value.fix.endswith((".", "--format"))


def test_an_unknown_file_is_told_what_formats_there_are(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormat, match=r"Telegram Desktop JSON \(telegram\)"):
        rows_of(write(tmp_path, "a.json", '{"x": 1}'))
    with pytest.raises(UnknownFormat, match="no format 'telegrm'"):
        rows_of(write(tmp_path, "a.json", TEXT), "telegrm")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable):
        rows_of(tmp_path / "nowhere.json")


def test_a_line_of_100_mb_is_rejected_in_flat_memory_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    good = '{"_type":"message","sender":"7","timestamp":1706752800,"type":0,"content":"好"}\n'.encode()
    with path.open("wb") as file:
        file.write(b'{"_type":"header","chatlab":{},"meta":{"name":"g"}}\n' + good)
        for _ in range(100):
            file.write(b"x" * MB)
        file.write(b"\n" + good)
    tracemalloc.start()
    rows = rows_of(path, max_line_bytes=MB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [row.split(" ", 2)[-1] if "rejected" in row else "message" for row in told(rows)] == [
        "message",
        "3 too_long",
        "message",
    ]
    assert peak < 24 * MB


def test_a_json_value_of_16_mb_is_rejected_in_flat_memory_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with path.open("wb") as file:
        file.write(b'{"name":"g","messages":[' + json.dumps(MESSAGE).encode() + b',{"text_entities":[],"text":"')
        for _ in range(16):
            file.write(b'\\"[{' * (MB // 4))
        file.write(b'"},' + json.dumps({**MESSAGE, "id": 2}).encode() + b"]}")
    tracemalloc.start()
    rows = rows_of(path, max_line_bytes=MB)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [getattr(row, "code", "message") for row in rows] == ["message", "too_long", "message"]
    assert isinstance(rows[1], Rejected)
    assert rows[1].where == "messages[1]"
    assert peak < 24 * MB


def test_memory_stays_flat_however_many_messages_there_are(tmp_path: Path) -> None:
    path = tmp_path / "result.json.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b'{"name":"g","id":7,"messages":[')
        filler = "今天吃什么" * 400
        for number in range(2500):
            row = {**MESSAGE, "id": number, "text": f"{number * 7919}{filler}"}
            file.write((b"," if number else b"") + json.dumps(row, ensure_ascii=False).encode())
        file.write(b"]}")
    tracemalloc.start()
    with read_file(path, None, options()) as reading:
        count = sum(1 for _ in reading)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2500
    assert peak < 24 * MB
