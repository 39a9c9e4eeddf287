"""Pair members' questions with the first answer of staff.

Rules (worked example in docs/algorithms/first-response.md):

- A question is a message of a member in a group that reads like one, is not retracted, and comes while no question of the same
  member is open there: a follow-up does not move the deadline.
- A staff message that replies to somebody answers that person's open question. A staff message that replies to nobody answers
  every question asked in the half hour before it; later it is more likely the next announcement than an answer.
- An answer from the desk (`reply.given`) answers the open question of whom it was given to, at its own time. The message it
  also arrives as answers nothing; and an answer to what staff had answered already is told late, and answers nothing newer.
- A question is open for a day; later words of staff are not its answer. Bots and house personas never answer.

Questions are settled after ingest, group by group from the first change on, since answers come later than questions, files come
in any order, and somebody may be declared staff afterwards.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import merge

from qunce.domain.localtime import DAY_MS
from qunce.readmodels.projector.replies import Positions, Reply, replies_since
from qunce.readmodels.rows import Database, Row

OPEN_MS = DAY_MS
UNADDRESSED_MS = 30 * 60_000
"""How long a staff message that replies to nobody still counts as an answer."""
_COLUMNS = ("seq", "group_id", "identity_id", "ts_ms", "day", "answer_seq", "responder_id", "response_s", "staff")
_FLUSH = 5_000
_ASKERS = ("member", "unknown")
_ANSWERED = "coalesce(a.ts_ms, h.ts_ms)"
_WITH_ANSWER = (
    "FROM question q LEFT JOIN message a ON a.seq = q.answer_seq LEFT JOIN happening h ON h.seq = q.answer_seq "
    "WHERE q.group_id = ?"
)


@dataclass(slots=True)
class Asked:
    """A question waiting for its answer."""

    seq: int
    identity_id: int
    ts_ms: int
    day: int


@dataclass(slots=True)
class Pairing:
    """The walk through one group's messages in order of time."""

    group_id: int
    waiting: dict[int, Asked] = field(default_factory=dict)
    """By member; oldest first, since members enter when they ask."""
    authors: dict[int, int] = field(default_factory=dict)
    """Author of each message of the last day, to find whom a reply is for."""
    echoes: frozenset[int] = frozenset()
    """Messages that are answers from the desk as the platform tells them."""
    answered_ms: dict[int, int] = field(default_factory=dict)
    """When each member was answered last."""
    _ages: deque[tuple[int, int]] = field(default_factory=deque)

    def step(
        self, seq: int, identity_id: int, kind: str, ts_ms: int, day: int, reply_to: int | None, asks: bool
    ) -> Iterable[Row]:
        """Take the next message; yield finished questions as rows of _COLUMNS."""
        yield from self._expire(ts_ms)
        if kind in _ASKERS and asks and identity_id not in self.waiting:
            self.waiting[identity_id] = Asked(seq, identity_id, ts_ms, day)
        self.remember(seq, identity_id, kind, ts_ms)
        if kind == "staff" and self.waiting and seq not in self.echoes:
            asker = self.authors.get(reply_to) if reply_to is not None else None
            if reply_to is None:
                answered = [asked for asked in self.waiting.values() if ts_ms - asked.ts_ms <= UNADDRESSED_MS]
            else:
                answered = [self.waiting[asker]] if asker in self.waiting else []
            for asked in answered:
                yield self._answered(asked, ts_ms, seq, identity_id, "")

    def reply(self, reply: Reply) -> Iterable[Row]:
        """Take an answer from the desk, in its place between the messages; yield the question it answers."""
        yield from self._expire(reply.ts_ms)
        asked = self.waiting.get(reply.identity_id)
        if asked is None or self._was_answered(reply):
            return
        yield self._answered(asked, reply.ts_ms, reply.seq, None, reply.staff)

    def remember(self, seq: int, identity_id: int, kind: str, ts_ms: int) -> None:
        """Note who wrote a message, so that a reply to it can be understood."""
        if kind in _ASKERS:
            self.authors[seq] = identity_id
            self._ages.append((ts_ms, seq))

    def finish(self) -> Iterable[Row]:
        """Yield the questions that are still open."""
        for asked in self.waiting.values():
            yield self._row(asked, None, None, None)

    def _was_answered(self, reply: Reply) -> bool:
        """Tell whether what a reply quotes was answered before it: then it is told late, such as by a colleague's tap."""
        last_ms = self.answered_ms.get(reply.identity_id)
        if last_ms is None or reply.quoted_ms is None:
            return False
        return last_ms >= max(reply.quoted_ms, reply.ts_ms - OPEN_MS)

    def _answered(self, asked: Asked, ts_ms: int, answer: int, responder: int | None, staff: str) -> Row:
        del self.waiting[asked.identity_id]
        self.answered_ms[asked.identity_id] = ts_ms
        return self._row(asked, answer, responder, (ts_ms - asked.ts_ms) // 1000, staff)

    def _expire(self, ts_ms: int) -> Iterable[Row]:
        limit = ts_ms - OPEN_MS
        while self.waiting:
            oldest = next(iter(self.waiting.values()))
            if oldest.ts_ms >= limit:
                break
            del self.waiting[oldest.identity_id]
            yield self._row(oldest, None, None, None)
        while self._ages and self._ages[0][0] < limit:
            del self.authors[self._ages.popleft()[1]]

    def _row(self, asked: Asked, answer: int | None, responder: int | None, seconds: int | None, staff: str = "") -> Row:
        return asked.seq, self.group_id, asked.identity_id, asked.ts_ms, asked.day, answer, responder, seconds, staff


def settle(database: Database, positions: Positions) -> int:
    """Pair questions and answers of all groups where something changed; return how many groups. Call inside a transaction.

    The work grows with the messages after the first change, not with the group.
    """
    unsettled = database.query("SELECT group_id, from_ms FROM unsettled ORDER BY group_id")
    for group_id, from_ms in unsettled:
        _settle_group(database, positions, group_id, from_ms)
    database.execute("DELETE FROM unsettled")
    return len(unsettled)


def _settle_group(database: Database, positions: Positions, group_id: int, from_ms: int) -> None:
    # A question asked more than a day before the change was closed before it, so the rows before `begin` stand. Those of them
    # that were still open at `begin` are taken up again; the day before it is read once more for who wrote what.
    begin = from_ms - OPEN_MS
    replies = replies_since(database, positions, group_id, begin)
    pairing = Pairing(group_id, echoes=replies.echoes)
    if replies.given:
        pairing.answered_ms = _answered_before(database, group_id, begin)
    open_then = database.query(
        f"SELECT q.seq, q.identity_id, q.ts_ms, q.day {_WITH_ANSWER} "
        f"AND q.ts_ms >= ? AND q.ts_ms < ? AND ({_ANSWERED} IS NULL OR {_ANSWERED} >= ?) ORDER BY q.ts_ms, q.seq",
        (group_id, begin - OPEN_MS, begin, begin),
    )
    for row in open_then:
        pairing.waiting[row[1]] = Asked(*row)
    database.execute("DELETE FROM question WHERE group_id = ? AND ts_ms >= ?", (group_id, begin))
    database.execute_many("DELETE FROM question WHERE seq = ?", [(row[0],) for row in open_then])
    rows: list[Row] = []
    for found in _walk(database, pairing, replies.given, begin):
        rows.append(found)
        if len(rows) >= _FLUSH:
            database.insert("question", _COLUMNS, rows)
            rows = []
    rows.extend(pairing.finish())
    database.insert("question", _COLUMNS, rows)


def _walk(database: Database, pairing: Pairing, replies: tuple[Reply, ...], begin: int) -> Iterable[Row]:
    """Take a group's messages and the answers from the desk in order of time; yield finished questions."""
    sql = (
        "SELECT m.seq, m.identity_id, i.kind, m.ts_ms, m.day, m.reply_to, m.is_question AND m.deleted_ms IS NULL "
        "FROM message m JOIN identity i ON i.id = m.identity_id WHERE m.group_id = ? AND m.ts_ms >= ? ORDER BY m.ts_ms, m.seq"
    )
    messages: Iterable[Row | Reply] = database.stream(sql, (pairing.group_id, begin - OPEN_MS))
    for one in merge(messages, replies, key=_moment) if replies else messages:
        if isinstance(one, Reply):
            yield from pairing.reply(one)
        elif one[3] < begin:
            pairing.remember(one[0], one[1], one[2], one[3])
        else:
            yield from pairing.step(*one)


def _moment(one: Row | Reply) -> tuple[int, int]:
    return (one.ts_ms, one.seq) if isinstance(one, Reply) else (one[3], one[0])


def _answered_before(database: Database, group_id: int, begin: int) -> dict[int, int]:
    """Return when each member was answered last in the day before `begin`."""
    sql = (
        f"SELECT q.identity_id, max({_ANSWERED}) {_WITH_ANSWER} "
        f"AND q.ts_ms >= ? AND q.ts_ms < ? AND {_ANSWERED} >= ? AND {_ANSWERED} < ? GROUP BY q.identity_id"
    )
    return dict(database.query(sql, (group_id, begin - 2 * OPEN_MS, begin, begin - OPEN_MS, begin)))
