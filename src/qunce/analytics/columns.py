"""Read integers out of the database in columns, fast, on both stores.

SQLite hands out rows as tuples, transposed here batch by batch. PostgreSQL copies in its binary form: rows of non-null bigints
have a fixed width, so that a batch is one reinterpretation of bytes (docs: COPY, "Binary Format").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from django.db.backends.base.base import BaseDatabaseWrapper

Ints = npt.NDArray[np.int64]
_COPY_HEADER: Final = 19
_COPY_TRAILER: Final = 2
_ONLY: Final = re.compile(r"\{only (\w+) ([\w.]+)\}")


@cache
def statements(name: str) -> dict[str, str]:
    """Return the named statements of one file of `analytics/sql`."""
    text = files("qunce.analytics").joinpath(f"sql/{name}.sql").read_text("utf-8")
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in text.splitlines():
        if line.startswith("-- ") and line.endswith(" --"):
            current = found.setdefault(line[3:-3], [])
        elif not line.startswith("--"):
            current.append(line)
    return {title: "\n".join(lines).strip() for title, lines in found.items()}


def restrict(sql: str, **ids: Collection[int]) -> str:
    """Fill the places `{only NAME COLUMN}` of a statement: rows of these ids only, or of all where a name is not given."""

    def test(place: re.Match[str]) -> str:
        found = ids.get(place[1])
        if found is None:
            return ""
        listed = ", ".join(str(int(number)) for number in found)
        return f"and {place[2]} in ({listed})" if listed else "and 1 = 0"

    return _ONLY.sub(test, sql)


def read_columns(connection: BaseDatabaseWrapper, sql: str, names: Sequence[str]) -> dict[str, Ints]:
    """Return the whole result of a statement whose columns, `names`, are all integers and never null."""
    connection.ensure_connection()
    if connection.vendor == "postgresql":
        return _copy(connection.connection, sql, names)
    return _fetch(connection.connection, sql, names)


def read_batches(
    connection: BaseDatabaseWrapper, sql: str, names: Sequence[str], after: int, last: int, step: int
) -> Iterator[tuple[int, dict[str, Ints]]]:
    """Read a statement with `{after}` and `{upto}` in strides of `step` positions; yield each stride's end and columns."""
    while after < last:
        upto = min(after + step, last)
        yield upto, read_columns(connection, sql.replace("{after}", str(after)).replace("{upto}", str(upto)), names)
        after = upto


def _fetch(raw: Any, sql: str, names: Sequence[str]) -> dict[str, Ints]:
    rows = raw.execute(sql).fetchall()
    columns: Sequence[Sequence[int]] = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: np.fromiter(column, np.int64, len(column)) for name, column in zip(names, columns, strict=True)}


def _copy(raw: Any, sql: str, names: Sequence[str]) -> dict[str, Ints]:
    casts = ", ".join(f"{name}::bigint" for name in names)
    with raw.cursor() as cursor, cursor.copy(f"copy (select {casts} from ({sql}) rows) to stdout (format binary)") as copy:
        data = b"".join(bytes(block) for block in copy)
    fields = [("fields", ">i2")]
    for i in range(len(names)):
        fields += [(f"size{i}", ">i4"), (f"value{i}", ">i8")]
    row = np.dtype(fields)
    rows = np.frombuffer(data, row, count=(len(data) - _COPY_HEADER - _COPY_TRAILER) // row.itemsize, offset=_COPY_HEADER)
    return {name: rows[f"value{i}"].astype(np.int64) for i, name in enumerate(names)}
