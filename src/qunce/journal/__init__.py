"""The append-only store of events: idempotent append, ordered reading, cursors, gaps; and the columnar mirror."""
