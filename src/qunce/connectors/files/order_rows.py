"""Read the lines of order files — CSV, JSON lines, Parquet — into one shape, values as they were written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain, islice
from typing import Any, BinaryIO, Final

from qunce.connectors.files.base import FileSource, Rejected
from qunce.connectors.files.errors import Unreadable
from qunce.connectors.files.generic_rows import bad_json, json_keys
from qunce.connectors.files.order_columns import COLUMNS
from qunce.connectors.files.rows import rejected
from qunce.connectors.files.tables import Table, match_columns, missing_columns

PARQUET_MAGIC: Final = b"PAR1"
_BATCH_ROWS: Final = 8192
_LOOK_AHEAD: Final = 100
_AS_TEXT: Final = re.compile(r'="(?P<text>[^"]*)"')
_SHORTENED: Final = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of a file: our column names to the values written, absent ones left out."""

    where: str
    values: Mapping[str, Any]

    def text(self, column: str) -> str:
        """Return an id or word as text; a spreadsheet's `="123"` is unwrapped, and 12.0 is 12. Empty where absent."""
        value = self.values.get(column)
        if value is None or isinstance(value, (bool, list, dict)):
            return ""
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value).strip()
        match = _AS_TEXT.fullmatch(text)
        text = match["text"].strip() if match else text
        return "" if text in ("nan", "None", "<NA>") else text

    def is_shortened(self, column: str) -> bool:
        """Tell whether a spreadsheet has shortened a long number to 1.23E+17, which is no longer anybody's id."""
        return bool(_SHORTENED.fullmatch(self.text(column)))

    def excerpt(self) -> str:
        """Return the beginning of the line for the rejects file."""
        return " ".join(f"{key}={value}" for key, value in self.values.items())[:200]


Lines = Iterator[OrderLine | Rejected]


def check_columns(found: Mapping[str, str], header: Iterable[str]) -> None:
    """Raise ImportRefused unless there is a time, a buyer and an amount, or a quantity and a unit price."""
    wanted = {name: COLUMNS[name] for name in ("time", "buyer") if name not in found}
    if "amount" not in found and "total" not in found and not {"quantity", "unit_price"} <= found.keys():
        wanted["amount"] = (*COLUMNS["amount"][:1], "金额", "实付", "unit_price + quantity")
    if wanted:
        raise missing_columns(wanted, header)


def read_lines(source: FileSource, magic: bytes, first_line: str) -> tuple[Mapping[str, str], Lines]:
    """Return ({our column: theirs}, the lines) of a file. Raises ImportRefused when needed columns are missing."""
    if magic == PARQUET_MAGIC:
        return _read_parquet(source)
    if first_line.lstrip().startswith("{"):
        return _read_json(source.lines())
    table = Table(source.lines())
    found = match_columns(table.header, COLUMNS)
    check_columns(found, table.header)
    return found, _read_table(table, found)


def _read_table(table: Table, found: Mapping[str, str]) -> Lines:
    places = [(ours, table.header.index(theirs)) for ours, theirs in found.items()]
    for record in table.records():
        if isinstance(record, Rejected):
            yield record
            continue
        number, cells = record
        if len(cells) != len(table.header) and any(cells[len(table.header) :]):
            reason = f"The row has {len(cells)} cells, the header {len(table.header)}."
            fix = "Put cells that hold the separator into quotation marks."
            yield rejected(f"line {number}", "bad_row", reason, fix, table.separator.join(cells))
            continue
        yield OrderLine(f"line {number}", {ours: cells[at] for ours, at in places if at < len(cells) and cells[at].strip()})


def _read_json(lines: Iterator[tuple[int, str]]) -> tuple[Mapping[str, str], Lines]:
    head = list(islice(((number, text) for number, text in lines if text.strip()), _LOOK_AHEAD))
    keys = json_keys(text for _, text in head)
    found = match_columns(keys, COLUMNS)
    check_columns(found, keys)
    return found, _decoded(chain(head, lines), found)


def _decoded(lines: Iterable[tuple[int, str]], found: Mapping[str, str]) -> Lines:
    for number, text in lines:
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            yield bad_json(number, text, error)
            continue
        if not isinstance(row, dict):
            yield bad_json(number, text, ValueError("not an object"))
            continue
        yield OrderLine(f"line {number}", _present(found, row.get))


def _present(found: Mapping[str, str], get: Callable[[str], Any]) -> dict[str, Any]:
    return {ours: value for ours, theirs in found.items() if (value := get(theirs)) not in (None, "")}


def _read_parquet(source: FileSource) -> tuple[Mapping[str, str], Lines]:
    """Open a Parquet file where it lies on disk; inside an archive it cannot be read at random."""
    from pyarrow import ArrowException  # imported late: pyarrow costs a quarter of a second that other formats need not pay
    from pyarrow.parquet import ParquetFile

    if source.path is None:
        raise Unreadable("A Parquet file cannot be read inside an archive.", "Unpack it and import it by itself.")
    try:
        file = ParquetFile(source.path)
        header = file.schema_arrow.names
    except (ArrowException, OSError, ValueError) as error:
        raise Unreadable(f"The Parquet file is damaged ({type(error).__name__}).", "Write it again.") from None
    found = match_columns(header, COLUMNS)
    check_columns(found, header)
    return found, _batches(file, found)


def _batches(file: Any, found: Mapping[str, str]) -> Lines:
    number = 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=list(found.values())):
            for row in batch.to_pylist():
                number += 1
                yield OrderLine(f"row {number}", {key: _moment(value) for key, value in _present(found, row.get).items()})
    except (OSError, ValueError) as error:
        raise Unreadable(
            f"The Parquet file is damaged behind row {number} ({type(error).__name__}).", "Write it again."
        ) from None


def _moment(value: Any) -> Any:
    """Return a date as the beginning of its day; anything else as it is."""
    return datetime(value.year, value.month, value.day) if type(value) is date else value  # noqa: DTZ001 (local day)


def magic_of(stream: BinaryIO) -> bytes:
    """Return the first four bytes of a file."""
    with stream:
        return stream.read(4)
