"""Hold the rows that a batch changes: loaded by key in one query, changed in memory, written back in one statement.

Rows stay in a bounded cache between batches, since the same groups and members speak again and again; memory stays flat
however many members there are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from operator import attrgetter
from typing import Any, Generic, TypeVar

from qunce.readmodels.rows import Database

K = TypeVar("K", bound=Hashable)
R = TypeVar("R", bound="StateRow")


class StateRow:
    """A mutable row; the names in `columns` are its attributes and its table's columns, in order."""

    __slots__ = ("dirty",)
    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...] = ("id",)
    dirty: bool


class GroupRow(StateRow):
    __slots__ = columns = (
        "id", "connector", "account", "platform_id", "kind", "name", "notice", "community_id", "owner_id", "created_ms",
        "dismissed_ms", "first_ms", "last_ms", "last_message_ms", "message_count",
    )  # fmt: skip
    table = "chat_group"

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.id, self.connector, self.account, self.platform_id, self.kind, self.name, self.notice, self.community_id,
            self.owner_id, self.created_ms, self.dismissed_ms, self.first_ms, self.last_ms, self.last_message_ms,
            self.message_count,
        ) = row  # fmt: skip
        self.dirty = False


class MemberRow(StateRow):
    __slots__ = columns = (
        "id", "name", "kind", "first_ms", "last_ms", "last_message_ms", "message_count", "order_count", "paid_minor",
    )  # fmt: skip
    table = "member"

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.id, self.name, self.kind, self.first_ms, self.last_ms, self.last_message_ms, self.message_count,
            self.order_count, self.paid_minor,
        ) = row  # fmt: skip
        self.dirty = False


class IdentityRow(StateRow):
    __slots__ = columns = (
        "id", "connector", "account", "platform_id", "member_id", "kind", "kind_flagged", "name", "folded_name", "linked",
    )  # fmt: skip
    table = "identity"

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.id, self.connector, self.account, self.platform_id, self.member_id, self.kind, self.kind_flagged, self.name,
            self.folded_name, self.linked,
        ) = row  # fmt: skip
        self.dirty = False


class TotalRow(StateRow):
    __slots__ = columns = (
        "identity_id", "first_ms", "last_ms", "last_message_ms", "message_count", "order_count", "paid_minor",
    )  # fmt: skip
    table = "account_total"
    key = ("identity_id",)

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.identity_id, self.first_ms, self.last_ms, self.last_message_ms, self.message_count, self.order_count,
            self.paid_minor,
        ) = row  # fmt: skip
        self.dirty = False


class LinkRow(StateRow):
    __slots__ = columns = (
        "seq", "link_id", "a_id", "b_id", "by", "reason", "score", "evidence", "ts_ms", "undone_ms",
    )  # fmt: skip
    table = "identity_link"
    key = ("seq",)

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.seq, self.link_id, self.a_id, self.b_id, self.by, self.reason, self.score, self.evidence, self.ts_ms,
            self.undone_ms,
        ) = row  # fmt: skip
        self.dirty = False


class MembershipRow(StateRow):
    __slots__ = columns = (
        "group_id", "identity_id", "nickname", "role", "joined_ms", "left_ms", "leave_reason", "scene", "channel_code",
        "inviter_id", "muted_until_ms", "first_ms", "first_message_ms", "last_message_ms", "message_count",
    )  # fmt: skip
    table = "membership"
    key = ("group_id", "identity_id")

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.group_id, self.identity_id, self.nickname, self.role, self.joined_ms, self.left_ms, self.leave_reason,
            self.scene, self.channel_code, self.inviter_id, self.muted_until_ms, self.first_ms, self.first_message_ms,
            self.last_message_ms, self.message_count,
        ) = row  # fmt: skip
        self.dirty = False


class OrderRow(StateRow):
    __slots__ = columns = (
        "id", "connector", "account", "order_id", "identity_id", "status", "created_ms", "paid_ms", "day", "amount_minor",
        "refunded_minor", "currency", "items", "status_ms",
    )  # fmt: skip
    table = "purchase"

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.id, self.connector, self.account, self.order_id, self.identity_id, self.status, self.created_ms, self.paid_ms,
            self.day, self.amount_minor, self.refunded_minor, self.currency, self.items, self.status_ms,
        ) = row  # fmt: skip
        self.dirty = False


class HoldingRow(StateRow):
    __slots__ = columns = (
        "identity_id", "group_id", "tag", "target", "kept", "rule_id", "version", "reason", "confidence", "evidence", "put_ms",
        "until_ms", "taken_ms", "colleague", "batch_id", "changed_ms", "seq", "earlier",
    )  # fmt: skip
    table = "tag_holding"
    key = ("identity_id", "group_id", "tag", "target", "kept", "rule_id")

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.identity_id, self.group_id, self.tag, self.target, self.kept, self.rule_id, self.version, self.reason,
            self.confidence, self.evidence, self.put_ms, self.until_ms, self.taken_ms, self.colleague, self.batch_id,
            self.changed_ms, self.seq, self.earlier,
        ) = row  # fmt: skip
        self.dirty = False


class AttributeRow(StateRow):
    __slots__ = columns = (
        "identity_id", "attribute", "kept", "value", "number", "word", "confidence", "evidence", "set_ms", "colleague",
        "batch_id", "seq", "earlier",
    )  # fmt: skip
    table = "attribute_value"
    key = ("identity_id", "attribute", "kept")

    def __init__(self, row: Iterable[Any]) -> None:
        (
            self.identity_id, self.attribute, self.kept, self.value, self.number, self.word, self.confidence, self.evidence,
            self.set_ms, self.colleague, self.batch_id, self.seq, self.earlier,
        ) = row  # fmt: skip
        self.dirty = False


class Rows(Generic[K, R]):
    """A bounded cache of rows of one table, by key. Rows touched by the current batch are never dropped."""

    def __init__(
        self, database: Database, kind: type[R], key_of: Callable[[R], K], where: Callable[[list[K]], tuple[str, list[object]]],
        limit: int,
    ) -> None:  # fmt: skip
        self._database = database
        self._kind = kind
        self._key_of = key_of
        self._where = where
        self._limit = limit
        self._values = attrgetter(*kind.columns)
        self._rows: dict[K, R] = {}
        self._touched: dict[K, R] = {}

    def load(self, keys: Iterable[K]) -> None:
        """Make the rows of these keys present, where they exist, with one query for those that are not cached."""
        rows = self._rows
        wanted = dict.fromkeys(keys)
        missing = [key for key in wanted if key not in rows]
        if len(rows) + len(missing) > self._limit:
            for key in [key for key in rows if key not in wanted][: len(rows) + len(missing) - self._limit * 3 // 4]:
                del rows[key]
        if missing:
            test, params = self._where(missing)
            columns = ", ".join(self._kind.columns)
            for values in self._database.query(f"SELECT {columns} FROM {self._kind.table} WHERE {test}", params):
                row = self._kind(values)  # type: ignore[call-arg]  # every StateRow takes its values
                rows[self._key_of(row)] = row

    def get(self, key: K) -> R | None:
        """Return a row to be changed, or None when there is no such row."""
        row = self._rows.get(key)
        if row is not None and not row.dirty:
            row.dirty = True
            self._touched[key] = row
        return row

    def peek(self, key: K) -> R | None:
        """Return a row to be looked at only."""
        return self._rows.get(key)

    def add(self, row: R) -> R:
        """Put a new row in."""
        key = self._key_of(row)
        row.dirty = True
        self._rows[key] = self._touched[key] = row
        return row

    def drop(self, keys: Iterable[K]) -> None:
        """Forget these rows, changed or not: somebody else writes them."""
        for key in keys:
            self._rows.pop(key, None)
            self._touched.pop(key, None)

    def touched(self) -> tuple[K, ...]:
        """Return the keys of the rows that wait to be written."""
        return tuple(self._touched)

    def write(self) -> None:
        """Write the rows that were changed since the last write."""
        kind = self._kind
        self._database.upsert(kind.table, kind.columns, kind.key, list(map(self._values, self._touched.values())))
        for row in self._touched.values():
            row.dirty = False
        self._touched.clear()

    def forget(self) -> None:
        """Drop everything, after a transaction was rolled back."""
        self._rows.clear()
        self._touched.clear()
