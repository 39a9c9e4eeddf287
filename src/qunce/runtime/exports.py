"""Write tables that people open in a spreadsheet, so that no cell can become a formula there.

Names and messages come from strangers. A cell that begins with `=`, `+`, `-` or `@` (also in full width, also after blanks or
control characters) is run by Excel, WPS or LibreOffice, and can call programs or addresses (DDE, HYPERLINK, WEBSERVICE). Such a
text gets an apostrophe in front. Numbers are numbers, not texts; `+86138…` and `-12.5` stay what they are.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import IO

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

Cell = str | int | float | Decimal | datetime | None

MAX_CELL: Final = 32_767
"""Longest text Excel keeps in a cell, in characters; longer ones are cut in XLSX."""
MAX_ROWS: Final = 1_048_576
"""Rows of an XLSX sheet; more go on to the next sheet."""

_NUMBER: Final = re.compile(r"[+-]?\d[\d ().-]*%?", re.ASCII)
_STARTERS: Final = "=+-@|"
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def safe_text(text: str) -> str:
    """Return `text` as one that a spreadsheet shows and never runs.

    Control characters are dropped. Plain signed numbers and phone numbers (`-12.5`, `+86 138-0013-8000`) are left alone: they hold
    no letters, so nothing can be called by them, and at worst they are shown as numbers.
    """
    text = _CONTROL.sub("", text)
    visible = _folded_start(text)
    if visible[:1] and visible[0] in _STARTERS and not _NUMBER.fullmatch(text):
        return "'" + text
    return text
