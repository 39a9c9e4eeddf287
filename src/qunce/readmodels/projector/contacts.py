"""Fold who is a contact (好友) of which employee: every change is kept, the newest of an account and employee counts."""

from __future__ import annotations

from typing import Final

from qunce.domain import events as ev
from qunce.readmodels.rows import Database, Row

TYPES: Final = (ev.ContactAdded, ev.ContactRemoved, ev.ContactTransferred)
_COLUMNS = ("id", "identity_id", "staff", "state", "way", "origin", "ts_ms", "batch_id")


def is_listed(event: ev.Event) -> bool:
    """Tell whether a list that somebody imported says it: that is no sign of life of the person."""
    return event.source.origin == "import" and isinstance(event.body, ev.ContactAdded | ev.ContactRemoved)


class Contacts:
    """What one batch changes."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._rows: list[Row] = []

    def fold(self, seq: int, event: ev.Event, identity_id: int) -> None:
        """Take a change in. A transfer counts when it is done: one employee loses the contact, another gets it."""
        body, origin, ts_ms = event.body, event.source.origin, event.ts_ms
        if isinstance(body, ev.ContactAdded):
            state = "pending" if body.pending else "added"
            self._rows.append((2 * seq, identity_id, body.staff, state, body.way, origin, ts_ms, body.batch_id))
        elif isinstance(body, ev.ContactRemoved):
            state = "none" if body.by == "correction" else "removed"
            self._rows.append((2 * seq, identity_id, body.staff, state, body.by, origin, ts_ms, body.batch_id))
        elif isinstance(body, ev.ContactTransferred) and body.status == "done":
            self._rows.append((2 * seq, identity_id, body.from_staff, "removed", "transfer", origin, ts_ms, ""))
            self._rows.append((2 * seq + 1, identity_id, body.to_staff, "added", "transfer", origin, ts_ms, ""))

    def write(self) -> None:
        """Write what the batch changed."""
        self._db.insert("contact_move", _COLUMNS, self._rows)
        self.forget()

    def forget(self) -> None:
        """Drop what was not written, after a transaction was rolled back."""
        self._rows.clear()
