"""Fold orders: an order stands as its newest event says, and its member's spend follows.

Spend counts an order from the moment it is paid, less what was given back; an order wholly given back no longer counts as an
order. A refund without a known payment (a return of something bought before records began) lowers the spend all the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from qunce.domain import events as ev
from qunce.domain.localtime import LocalClock
from qunce.readmodels.projector.state import IdentityRow, MemberRow, OrderRow, Rows, TotalRow
from qunce.readmodels.rows import Database

Key = tuple[str, str, str]
_encoder = msgspec.json.Encoder()


class Orders:
    """The orders a batch touches."""

    def __init__(self, database: Database, clock: LocalClock, currency: str) -> None:
        self._clock = clock
        self._currency = currency
        columns = ("connector", "account", "order_id")
        self.rows: Rows[Key, OrderRow] = Rows(
            database, OrderRow, lambda row: (row.connector, row.account, row.order_id),
            lambda keys: database.in_rows(columns, keys, ("text", "text", "text")), 20_000,
        )  # fmt: skip

    def load(self, events: Iterable[ev.Event]) -> None:
        """Load the orders these events are about."""
        self.rows.load(_key(event) for event in events)

    def fold(
        self, seq: int, event: ev.Event, body: ev.OrderUpdated, buyer: IdentityRow | None, member: MemberRow | TotalRow | None
    ) -> None:
        """Fold one order event into its order and the row that counts for its buyer."""
        row = self.rows.get(_key(event))
        before = self._worth(row)
        if row is None:
            row = self._new(seq, event, body, buyer)
        else:
            self._change(row, event, body)
        after = self._worth(row)
        if member is not None:
            member.order_count += after[0] - before[0]
            member.paid_minor += after[1] - before[1]

    def _new(self, seq: int, event: ev.Event, body: ev.OrderUpdated, buyer: IdentityRow | None) -> OrderRow:
        ts_ms = event.ts_ms
        refunded = body.status == "refunded"
        source = event.source
        return self.rows.add(
            OrderRow(
                (
                    seq, source.connector, source.account, body.order_id, buyer.id if buyer else None, body.status, ts_ms,
                    ts_ms if body.status == "paid" else None, self._clock.day(ts_ms), 0 if refunded else body.amount_minor,
                    body.amount_minor if refunded else 0, body.currency, _items(body), ts_ms,
                )
            )
        )  # fmt: skip

    def _change(self, row: OrderRow, event: ev.Event, body: ev.OrderUpdated) -> None:
        ts_ms = event.ts_ms
        if ts_ms < row.created_ms:
            row.created_ms = ts_ms
        if body.status == "paid" and (row.paid_ms is None or ts_ms < row.paid_ms):
            row.paid_ms, row.day = ts_ms, self._clock.day(ts_ms)
        if body.status == "refunded":
            row.refunded_minor = body.amount_minor
        elif ts_ms >= row.status_ms or row.amount_minor == 0:
            row.amount_minor, row.currency = body.amount_minor, body.currency
            row.items = _items(body) or row.items
        if ts_ms >= row.status_ms:
            row.status, row.status_ms = body.status, ts_ms

    def _worth(self, row: OrderRow | None) -> tuple[int, int]:
        """Return what an order adds to its member's (orders, spend)."""
        if row is None or row.currency != self._currency:
            return 0, 0
        paid = row.amount_minor if row.paid_ms is not None else 0
        net = paid - row.refunded_minor
        return int(row.paid_ms is not None and net > 0), net


def _key(event: ev.Event) -> Key:
    body = event.body
    assert isinstance(body, ev.OrderUpdated)  # noqa: S101  # the caller chose these
    return event.source.connector, event.source.account, body.order_id


def _items(body: ev.OrderUpdated) -> str:
    return _encoder.encode(body.items).decode() if body.items else ""
