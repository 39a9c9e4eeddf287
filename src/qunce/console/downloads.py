"""Hand out tables as files that spreadsheets open safely."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.http import HttpResponse

from qunce.runtime.exports import Cell, csv_lines, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table(kind: str, name: str, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    """Return a table as `csv`, else as XLSX, to be saved as `name`.

    Made whole before it is sent: a stream would read the database outside the request's thread, and be collected anyway.
    """
    if kind == "csv":
        body, content_type = b"".join(csv_lines(header, rows)), CSV
    else:
        file = io.BytesIO()
        write_xlsx(file, header, rows, title=name)
        body, content_type = file.getvalue(), XLSX
    disposition = f'attachment; filename="{name}.{kind}"'
    return HttpResponse(body, content_type=content_type, headers={"Content-Disposition": disposition})
