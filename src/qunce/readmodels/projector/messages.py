"""Collect what a batch does to messages, reactions, happenings and day counts, and write it in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from qunce.domain import events as ev
from qunce.domain.localtime import LocalClock
from qunce.domain.text import is_question
from qunce.readmodels import search
from qunce.readmodels.contents import content_code
from qunce.readmodels.rows import Database, Row

MESSAGE_COLUMNS = (
    "seq", "group_id", "identity_id", "ts_ms", "day", "content", "text", "parts", "reply_to", "is_question", "deleted_by",
    "reaction_count",
)  # fmt: skip
HAPPENING_COLUMNS = ("seq", "type", "group_id", "identity_id", "actor_id", "ts_ms", "day", "detail")
_encoder = msgspec.json.Encoder()


class Changes:
    """What one batch adds and changes; written once, new messages first, since later events may change them."""

    def __init__(self, database: Database, clock: LocalClock) -> None:
        self._db = database
        self._clock = clock
        self._messages: list[Row] = []
        self._tokens: list[tuple[int, str]] = []
        self._happenings: list[Row] = []
        self._later: list[tuple[int, ev.Event, int, int | None]] = []
        self._days: dict[tuple[int, int], list[int]] = {}
        self._unsettled: dict[int, int] = {}
        self._new_kinds: dict[int, None] = {}

    def message(self, row: tuple[Any, ...], tokens: str, *, in_group: bool, counted: bool = True) -> None:
        """Add a message: the first ten columns of MESSAGE_COLUMNS, and its search tokens; `counted` = on its day, too."""
        self._messages.append((*row, "", 0))
        if tokens:
            self._tokens.append((row[0], tokens))
        if not counted:
            return
        group_id, ts_ms, day = row[1], row[3], row[4]
        counts = self._days.get((group_id, day))
        if counts is None:
            counts = self._days[group_id, day] = [0, 0, 0]
        counts[0] += 1
        if in_group:
            self.unsettle(group_id, ts_ms)

    def happening(self, row: Row) -> None:
        """Add a happening: HAPPENING_COLUMNS."""
        self._happenings.append(row)

    def count(self, group_id: int, ts_ms: int, *, joined: int = 0, left: int = 0) -> None:
        """Count a join or a leave on its local day."""
        counts = self._days.setdefault((group_id, self._clock.day(ts_ms)), [0, 0, 0])
        counts[1] += joined
        counts[2] += left

    def unsettle(self, group_id: int, from_ms: int) -> None:
        """Note that a group's questions must be paired with answers again from this time on."""
        known = self._unsettled.get(group_id)
        if known is None or from_ms < known:
            self._unsettled[group_id] = from_ms

    def kind_changed(self, identity_id: int) -> None:
        """Note that somebody became staff or stopped being it: past answers count anew."""
        self._new_kinds[identity_id] = None

    def to_message(self, seq: int, event: ev.Event, target: int, actor: Any) -> None:
        """Note an edit, a deletion or a reaction to the message at `target`."""
        self._later.append((seq, event, target, actor.id if actor is not None else None))

    def write(self) -> None:
        """Write everything, in journal order where order matters."""
        self._db.insert("message", MESSAGE_COLUMNS, self._messages)
        search.add(self._db, self._tokens)
        self._db.insert("happening", HAPPENING_COLUMNS, self._happenings)
        self._edit()
        self._react()
        self._db.upsert(
            "group_day",
            ("group_id", "day", "messages", "joined", "left"),
            ("group_id", "day"),
            [(*key, *counts) for key, counts in self._days.items()],
            add=("messages", "joined", "left"),
        )
        self._write_unsettled()

    def _edit(self) -> None:
        edits = [entry for entry in self._later if isinstance(entry[1].body, ev.MessageEdited | ev.MessageDeleted)]
        if not edits:
            return
        test, params = self._db.in_list("seq", sorted({target for _, _, target, _ in edits}))
        columns = "seq, group_id, identity_id, ts_ms, content, text, parts, is_question, edited_ms, deleted_ms, deleted_by"
        rows = {row[0]: list(row) for row in self._db.query(f"SELECT {columns} FROM message WHERE {test}", params)}
        before = {seq: row[5] for seq, row in rows.items()}
        for _, event, target, actor_id in edits:
            row = rows.get(target)
            if row is None:
                continue
            body = event.body
            if isinstance(body, ev.MessageEdited):
                if row[8] is None or event.ts_ms >= row[8]:
                    row[4], row[5] = content_code(body), body.text
                    row[6] = _encoder.encode(body.content).decode() if body.content else ""
                    row[7] = row[2] is not None and is_question(body.text)
                    row[8] = event.ts_ms
            elif isinstance(body, ev.MessageDeleted):
                row[9], row[10] = event.ts_ms, _taken_back_by(body, actor_id, row[2])
            self.unsettle(row[1], row[3])
        self._db.execute_many(
            "UPDATE message SET content = ?, text = ?, parts = ?, is_question = ?, edited_ms = ?, deleted_ms = ?, "
            "deleted_by = ? WHERE seq = ?",
            [(*row[4:11], row[0]) for row in rows.values()],
        )
        search.change(self._db, [(seq, before[seq], row[5]) for seq, row in rows.items() if row[5] != before[seq]])

    def _react(self) -> None:
        """Bring each touched (message, identity, emoji) to its final state; a reaction taken back and given again is new."""
        final: dict[tuple[int, int, str], Row | None] = {}
        cleared: set[tuple[int, int, str]] = set()
        for seq, event, target, actor_id in self._later:
            body = event.body
            if not isinstance(body, ev.ReactionAdded | ev.ReactionRemoved) or actor_id is None:
                continue
            key = (target, actor_id, body.emoji)
            if isinstance(body, ev.ReactionRemoved):
                final[key] = None
                cleared.add(key)
            elif final.get(key) is None:
                final[key] = (seq, target, actor_id, body.emoji, event.ts_ms, self._clock.day(event.ts_ms))
        if not final:
            return
        self._db.execute_many(
            "DELETE FROM reaction WHERE message_seq = ? AND identity_id = ? AND emoji = ?",
            [key for key in final if key in cleared],
        )
        self._db.execute_many(
            "INSERT INTO reaction (seq, message_seq, identity_id, emoji, ts_ms, day) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT DO NOTHING",
            [row for row in final.values() if row is not None],
        )
        test, params = self._db.in_list("seq", sorted({key[0] for key in final}))
        self._db.execute(
            "UPDATE message SET reaction_count = (SELECT count(*) FROM reaction WHERE reaction.message_seq = message.seq) "
            f"WHERE {test}",
            params,
        )

    def _write_unsettled(self) -> None:
        if self._new_kinds:
            test, params = self._db.in_list("identity_id", sorted(self._new_kinds))
            sql = f"SELECT group_id, min(first_ms) FROM membership WHERE {test} GROUP BY group_id"
            for group_id, first_ms in self._db.query(sql, params):
                self.unsettle(group_id, first_ms)
        rows: Sequence[Row] = list(self._unsettled.items())
        smaller = "least" if self._db.postgres else "min"
        self._db.execute_many(
            "INSERT INTO unsettled (group_id, from_ms) VALUES (?, ?) ON CONFLICT (group_id) DO UPDATE "
            f"SET from_ms = {smaller}(unsettled.from_ms, excluded.from_ms)",
            rows,
        )


def _taken_back_by(body: ev.MessageDeleted, actor_id: int | None, author_id: int | None) -> str:
    """Return who took a message away; where the platform does not say, whether it was its author."""
    if body.by != "unknown" or actor_id is None:
        return body.by
    return "author" if actor_id == author_id else "moderator"
