"""Hand out tables as files that spreadsheets open safely."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.http import FileResponse, StreamingHttpResponse

from qunce.runtime.exports import Cell, csv_lines, write_xlsx

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http.response import HttpResponseBase

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def table(kind: str, name: str, header: Sequence[str], rows: Sequence[Sequence[Cell]]) -> HttpResponseBase:
    """Return a table as `csv`, else as XLSX, to be saved as `name`."""
    if kind == "csv":
        response = StreamingHttpResponse(csv_lines(header, rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
        return response
    file = io.BytesIO()
    write_xlsx(file, header, rows, title=name)
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)
