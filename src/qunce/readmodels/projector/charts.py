"""Fold what colleagues set down about groups: type, phase, charter, decisions."""

from __future__ import annotations

from qunce.domain import events as ev
from qunce.readmodels.rows import Database, Row

_COLUMNS = ("group_id", "field", "value", "reason", "set_ms")


class Charts:
    """What one batch sets down; the last word about a field of a group counts."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._rows: dict[tuple[int, str], Row] = {}

    def set(self, group_id: int, body: ev.GroupCharted, ts_ms: int) -> None:
        """Take a word in, in journal order. An empty value is kept: it says that the field was taken away."""
        self._rows[group_id, body.field] = (group_id, body.field, body.value or "", body.reason, ts_ms)

    def write(self) -> None:
        """Write what the batch set down."""
        self._db.upsert("group_chart", _COLUMNS, ("group_id", "field"), list(self._rows.values()))
        self.forget()

    def forget(self) -> None:
        """Drop what was not written, after a transaction was rolled back."""
        self._rows.clear()
