"""Fold moves between tiers: where everybody is, and every move."""

from __future__ import annotations

from qunce.domain import events as ev
from qunce.readmodels.rows import Database, Row

_HOLDING = ("identity_id", "scheme_id", "level_id", "since_ms", "version")
_MOVE = ("seq", "identity_id", "scheme_id", "old", "new", "ts_ms")


class Tiers:
    """What one batch moves; a later move of the same person in the same scheme replaces the earlier one."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._holdings: dict[tuple[int, str], Row] = {}
        self._moves: list[Row] = []

    def move(self, seq: int, identity_id: int, body: ev.TierMoved, ts_ms: int) -> None:
        """Take a move in, in journal order."""
        scheme, new = body.scheme_id, body.new or ""
        self._holdings[identity_id, scheme] = (identity_id, scheme, new, ts_ms, body.version)
        self._moves.append((seq, identity_id, scheme, body.old or "", new, ts_ms))

    def write(self) -> None:
        """Write what the batch moved."""
        self._db.upsert("tier_holding", _HOLDING, ("identity_id", "scheme_id"), list(self._holdings.values()))
        self._db.insert("tier_move", _MOVE, self._moves)
        self.forget()

    def forget(self) -> None:
        """Drop what was not written, after a transaction was rolled back."""
        self._holdings.clear()
        self._moves.clear()
