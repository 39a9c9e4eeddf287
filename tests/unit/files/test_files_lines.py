"""Lines of text in encodings nobody states."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.textlines import detect_encoding, text_lines

CHINESE = "群公告：今天发货\n好的，收到\r\n谢谢\n"
CUT = ["群公告：今天发货", "好的，收到", "谢谢"]


def read(data: bytes, head: bytes | None = None, limit: int = 1000) -> tuple[list[str], list[Rejected]]:
    rejected: list[Rejected] = []
    lines = list(
        text_lines(io.BytesIO(data), data[:64] if head is None else head, max_line_bytes=limit, reject=rejected.append)
    )
    assert [number for number, _ in lines] == list(range(1, len(lines) + 1))
    return [text for _, text in lines], rejected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk"])
def test_text_is_read_in_the_encoding_it_was_saved_in(encoding: str) -> None:
    assert read(CHINESE.encode(encoding)) == (CUT, [])


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_told_by_its_mark_in_both_byte_orders(order: str) -> None:
    assert read(("\ufeff" + CHINESE).encode(order)) == (CUT, [])


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
def test_an_encoding_that_only_shows_after_the_head_is_found_there(encoding: str) -> None:
    data = b"plain\n" * 50 + CHINESE.encode(encoding)
    lines, rejected = read(data)
    assert lines[50:] == CUT
    assert not rejected


def test_lines_in_another_encoding_are_rejected_and_the_rest_is_kept() -> None:
    data = "一\n二\n".encode() + "三个字\n".encode("gb18030") + "四\n".encode()
    lines, rejected = read(data, data)
    assert lines == ["一", "二", "", "四"]
    assert [(row.where, row.code) for row in rejected] == [("line 3", "bad_encoding")]
    assert "UTF-8" in rejected[0].fix


@pytest.mark.parametrize("place", ["first", "middle", "last without newline"])
def test_a_line_over_the_limit_is_rejected_wherever_it_stands(place: str) -> None:
    long = b"x" * 3_000_000
    data, number = {
        "first": (long + b"\na\nb\n", 1),
        "middle": (b"a\n" + long + b"\nb\n", 2),
        "last without newline": (b"a\nb\n" + long, 3),
    }[place]
    lines, rejected = read(data)
    assert [line for line in lines if line] == ["a", "b"]
    assert [(row.where, row.code) for row in rejected] == [(f"line {number}", "too_long")]


def test_only_newlines_end_a_line_not_other_separators_people_may_type() -> None:
    text = "a\u2028b\x0bc\x85d\ne"
    assert read(text.encode())[0] == ["a\u2028b\x0bc\x85d", "e"]


def test_a_head_that_ends_inside_a_character_is_still_utf_8() -> None:
    assert detect_encoding("好".encode() * 10 + b"\xe5") == "utf-8-sig"
    assert detect_encoding(b"plain") == "ascii"


def test_one_broken_byte_in_a_single_long_line_does_not_make_it_gb18030() -> None:
    text = "群公告：今天发货" * 100
    assert detect_encoding(text.encode() + b"\xff" + text.encode()) == "utf-8-sig"
    assert detect_encoding(text.encode("gb18030")) == "gb18030"


@given(
    st.lists(
        st.text(st.characters(exclude_characters="\n\r\ufeff", exclude_categories=["Cs"]), max_size=30),
        min_size=1,
        max_size=20,
    )
)
def test_any_text_comes_back_line_by_line(lines: list[str]) -> None:
    data = "".join(line + "\n" for line in lines).encode("utf-8-sig")
    assert read(data) == (lines, [])


@given(st.binary(max_size=300))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    read(data, limit=50)
