"""Write tables that people open in a spreadsheet, so that no text in them can become a formula there.

Names and messages come from strangers. A CSV cell that begins with `=`, `+`, `-` or `@` (in full width too, and after blanks or
invisible characters) is run by Excel, WPS or LibreOffice, and can call programs or addresses (DDE, HYPERLINK, WEBSERVICE). In
CSV such a text gets an apostrophe in front. XLSX states the type of a cell, so there the text stays exact, marked as text.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import IO

Cell = str | int | float | Decimal | datetime | None
"""What a cell may hold. A datetime must be aware; it is shown in the organisation's time zone. None is an empty cell."""

MAX_XLSX_TEXT: Final = 32_767
"""Longest text of an XLSX cell, in UTF-16 units; longer ones are cut (a limit of the format)."""
MAX_XLSX_ROWS: Final = 1_048_576
"""Rows of one XLSX sheet, with its header; more go on to the next sheet."""
MAX_EXACT: Final = 10**15
"""Spreadsheets keep 15 digits: longer integers (ids) are written as text in XLSX."""

_BATCH_ROWS: Final = 500
_PLAIN_NUMBER: Final = re.compile(r"[+-]\d+(?:[.,]\d+)*%?", re.ASCII)
_FORMULA_STARTS: Final = frozenset("=+-@")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_FORBIDDEN: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def safe_cell(text: str) -> str:
    """Return `text` as one that a spreadsheet shows and never runs when it reads a CSV.

    Control characters are dropped. A plain signed number (`-12.5`, `+8613800138000`) is no formula and stays. Anything else
    that a spreadsheet could take for a formula begins with an apostrophe afterwards.
    """
    text = _FORBIDDEN.sub("", text)
    if _starts_formula(text) and not _PLAIN_NUMBER.fullmatch(text):
        return "'" + text
    return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[bytes]:
    """Yield a CSV in pieces, as UTF-8 with a byte order mark: without it Excel in China reads GBK. Memory stays flat."""
    buffer = io.StringIO()
    buffer.write("\ufeff")
    writer = csv.writer(buffer, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([safe_cell(title) for title in header])
    for count, row in enumerate(rows, start=1):
        writer.writerow([_csv_value(cell) for cell in row])
        if count % _BATCH_ROWS == 0:
            yield _taken(buffer)
    yield _taken(buffer)


def write_csv(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    """Write a CSV into an open binary file; see `csv_lines`."""
    file.writelines(csv_lines(header, rows))


def write_xlsx(file: IO[bytes], header: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str = "Sheet") -> None:
    """Write an XLSX into an open, seekable binary file. Texts are cells of type text, whatever they begin with."""
    book = Workbook(write_only=True)
    sheet, used = None, 0
    for row in rows:
        if sheet is None or used == MAX_XLSX_ROWS:
            sheet, used = book.create_sheet(_sheet_title(title)), 1
            sheet.append([_xlsx_cell(sheet, name) for name in header])
        sheet.append([_xlsx_cell(sheet, cell) for cell in row])
        used += 1
    if sheet is None:
        sheet = book.create_sheet(_sheet_title(title))
        sheet.append([_xlsx_cell(sheet, name) for name in header])
    book.save(file)


def _starts_formula(text: str) -> bool:
    for char in text:
        if unicodedata.category(char) in _INVISIBLE:
            continue
        return unicodedata.normalize("NFKC", char)[:1] in _FORMULA_STARTS
    return False


def _taken(buffer: io.StringIO) -> bytes:
    data = buffer.getvalue().encode("utf-8")
    buffer.seek(0)
    buffer.truncate()
    return data


def _csv_value(cell: Cell) -> str | int | float | Decimal:
    if isinstance(cell, str):
        return safe_cell(cell)
    if isinstance(cell, datetime):
        return timezone.localtime(cell).strftime("%Y-%m-%d %H:%M:%S")
    if cell is None or not math.isfinite(cell):
        return ""
    return cell


def _xlsx_cell(sheet: object, cell: Cell) -> WriteOnlyCell:
    value: Cell = cell
    if isinstance(cell, datetime):
        value = timezone.localtime(cell).replace(tzinfo=None)
    elif isinstance(cell, (int, float, Decimal)) and not math.isfinite(cell):
        value = None
    elif isinstance(cell, int) and abs(cell) >= MAX_EXACT:
        value = str(cell)
    if isinstance(value, str):
        return _xlsx_text(sheet, _cut(_FORBIDDEN.sub("", value)))
    return WriteOnlyCell(sheet, value=value)


def _xlsx_text(sheet: object, text: str) -> WriteOnlyCell:
    made = WriteOnlyCell(sheet)
    if not text:
        return made
    # Assigned one by one: the constructor would take a leading = for a formula.
    made._value = text
    made.data_type = "s"
    if _starts_formula(text):
        made.quotePrefix = True  # stays text when somebody edits the cell
    return made


def _cut(text: str) -> str:
    if len(text) * 2 <= MAX_XLSX_TEXT:
        return text
    return text.encode("utf-16-le")[: MAX_XLSX_TEXT * 2].decode("utf-16-le", "ignore")


def _sheet_title(title: str) -> str:
    return re.sub(r"[\\*?:/\[\]']", " ", title)[:25] or "Sheet"
