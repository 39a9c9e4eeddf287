"""Import orders `(time, buyer, order_id, amount, currency, items)` from CSV, JSON lines or Parquet.

Lines of one order that stand near each other are one order. Their money is added up exactly, in decimals, in one of three ways:

    quantity × unit_price    added; the sum is rounded once to the minor unit
    amount, 金额, 小计        amounts of lines: added
    total, 实付, 订单金额     the order's total, repeated on its lines: taken once; added only where the lines differ

An order whose sum is negative is a refund of that much. Without a status an order counts as paid; an invoice of the Online
Retail set that begins with C is a cancellation, thus refunded. Without an order number each line is an order of its own.

A phone number, unionid, external_userid, e-mail address or CRM id beside the buyer becomes a key of the buyer (hashed, never
stored as it is), by which the buyer is found among the members of the chats.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from qunce.connectors.files import money
from qunce.connectors.files.base import FileSource, Head, ImportOptions, Rejected
from qunce.connectors.files.generic_rows import json_keys
from qunce.connectors.files.order_columns import COLUMNS, KEYS, Status, implied_currency, key_of_buyer, read_status
from qunce.connectors.files.order_items import read_items
from qunce.connectors.files.order_rows import PARQUET_MAGIC, OrderLine, magic_of, read_lines
from qunce.connectors.files.tables import head_lines, match_columns, separator_of
from qunce.connectors.files.times import TimeReader
from qunce.domain.events import Event, IdentityKeyed, Item, OrderUpdated, Party, Source
from qunce.domain.keys import Fingerprints, native_key

KEPT: Final = 200_000
"""So many order numbers are remembered, to notice an order whose lines stand too far apart."""
OPEN: Final = 1000
"""So many orders are gathered at once; the oldest is finished when another begins."""
_MAX_ITEMS: Final = 1000
Digest = Callable[[str, str], str | None]
_PLATFORM: Final = re.compile(r"[a-z0-9][a-z0-9_.-]{0,31}")


class Orders:
    """Orders of a shop."""

    name = "orders"
    title = "Orders CSV / JSONL / Parquet (time, buyer, order_id, amount, currency, items)"

    def sniff(self, head: Head) -> float:
        """Return 0.9 for Parquet, 0.8 for columns with a time, a buyer, an amount and a number; 0.45 without the number."""
        if head.data.startswith(PARQUET_MAGIC):
            return 0.9
        lines = [line for line in head_lines(head) if line.strip()]
        if not lines or head.members:
            return 0.0
        is_json = lines[0].lstrip().startswith("{")
        keys = json_keys(lines[:5]) if is_json else lines[0].split(separator_of(lines[0]))
        found = match_columns(keys, COLUMNS).keys()
        if not {"time", "buyer"} <= found or not ({"amount", "total"} & found or {"quantity", "unit_price"} <= found):
            return 0.0
        return 0.8 if "order_id" in found else 0.45

    def read(self, source: FileSource, options: ImportOptions) -> Iterator[Event | Rejected]:
        """Yield one event an order, in the order of their first lines. Raises ImportRefused when needed columns are missing."""
        magic = magic_of(source.stream())
        first = "" if magic == PARQUET_MAGIC else next((text for _, text in source.lines() if text.strip()), "")
        columns, lines = read_lines(source, magic, first)
        maker = _Maker(columns, TimeReader(options.zone, options.date_order or "ymd"), options.digest)
        for line in lines:
            yield from (line,) if isinstance(line, Rejected) else maker.add(line)
        yield from maker.finish()


@dataclass(slots=True)
class _Order:
    """An order while its lines are read."""

    where: str
    excerpt: str
    key: tuple[str, ...]
    ts_ms: int
    buyer: Party
    order_id: str
    status: Status
    currency: str
    source: Source
    amounts: list[Decimal]
    way: str
    items: list[Item] = field(default_factory=list)
    keys: tuple[tuple[str, str], ...] = ()
    """Kinds and hashes of the buyer's keys."""


class _Maker:
    """Gather lines into orders."""

    def __init__(self, columns: Mapping[str, str], times: TimeReader, digest: Digest | None = None) -> None:
        self._times = times
        self._digest = digest
        kind = key_of_buyer(columns)
        self._key_columns = {**({kind: "buyer"} if kind else {}), **{key: key for key in KEYS if key in columns}}
        self._told: OrderedDict[int, None] = OrderedDict()
        self._has_order_id = "order_id" in columns
        self._currency = implied_currency(columns)
        self._is_online_retail = columns.get("order_id") == "invoice_no"
        self._way = "product" if {"quantity", "unit_price"} <= columns.keys() else "total" if "total" in columns else "amount"
        self._open: OrderedDict[tuple[str, ...], _Order] = OrderedDict()
        self._prints = Fingerprints()
        self._done: OrderedDict[int, None] = OrderedDict()

    def add(self, line: OrderLine) -> Iterator[Event | Rejected]:
        """Take a line; yield the oldest order when too many are being gathered."""
        made = self._read(line)
        if isinstance(made, Rejected):
            yield made
        elif order := self._open.get(made.key):
            order.amounts += made.amounts
            order.items += made.items
        else:
            self._open[made.key] = made
            if len(self._open) > OPEN:
                yield from self._finished(self._open.popitem(last=False)[1])

    def finish(self) -> Iterator[Event | Rejected]:
        """Yield the orders that are still being gathered."""
        while self._open:
            yield from self._finished(self._open.popitem(last=False)[1])

    def _finished(self, order: _Order) -> Iterator[Event | Rejected]:
        mark = hash(order.key)
        if self._has_order_id and mark in self._done:
            reason = f"Lines of order {order.order_id[:60]} with this status stand far apart."
            yield _rejected(order, "split_order", reason, "Sort the file by order number and import it again.")
            return
        self._done[mark] = None
        if len(self._done) > KEPT:
            self._done.popitem(last=False)
        made = self._event(order)
        yield made
        if isinstance(made, Event):
            yield from self._keyed(order)

    def _keyed(self, order: _Order) -> Iterator[Event]:
        """Yield the buyer's keys, each once a file."""
        for kind, digest in order.keys:
            mark = hash((order.source, order.buyer.platform_id, kind, digest))
            if mark in self._told:
                continue
            self._told[mark] = None
            if len(self._told) > KEPT:
                self._told.popitem(last=False)
            yield Event(
                ts_ms=order.ts_ms,
                source=order.source,
                body=IdentityKeyed(key=kind, digest=digest),
                dedupe_key=native_key("keyed", order.buyer.platform_id, kind, digest),
                subject=Party(platform_id=order.buyer.platform_id),
                confidence="imported",
            )

    def _keys(self, line: OrderLine) -> tuple[tuple[str, str], ...]:
        """Return the keys a line tells of its buyer; what is no key, or was shortened by a spreadsheet, is left out."""
        if self._digest is None:
            return ()
        told = [(kind, line.text(column)) for kind, column in self._key_columns.items() if not line.is_shortened(column)]
        hashed = [(kind, self._digest(kind, value)) for kind, value in told if value]
        return tuple((kind, digest) for kind, digest in hashed if digest is not None)

    def _event(self, order: _Order) -> Event | Rejected:
        amounts = order.amounts[:1] if order.way == "total" and len(set(order.amounts)) == 1 else order.amounts
        total = sum(amounts, Decimal(0))
        convert = money.round_to_minor if order.way == "product" else money.to_minor
        minor = convert(total, order.currency)
        if minor is None:
            reason = f"The amount is too large, or finer than {order.currency} has decimals."
            return _rejected(order, "bad_amount", reason, "Correct the amount or the currency.")
        status: Status = "refunded" if minor < 0 else order.status
        body = OrderUpdated(
            order_id=order.order_id,
            status=status,
            amount_minor=abs(minor),
            currency=order.currency,
            items=tuple(order.items[:_MAX_ITEMS]),
        )
        return Event(
            ts_ms=order.ts_ms,
            source=order.source,
            body=body,
            dedupe_key=native_key("order", order.order_id, status),
            subject=order.buyer,
            confidence="imported",
        )

    def _read(self, line: OrderLine) -> _Order | Rejected:
        """Read one line as an order of its own."""
        ts_ms = self._times.ms(line.values.get("time"))
        if ts_ms is None:
            return _bad(line, "bad_time", "The time cannot be read.", "Write times as 2024-02-01 10:05:00.")
        buyer = line.text("buyer")
        if not buyer:
            return _bad(
                line, "no_buyer", "The line does not say who bought.", "Fill in the buyer; nothing can be counted without one."
            )
        for column in ("buyer", "order_id"):
            if line.is_shortened(column):
                reason = f"A spreadsheet has shortened the number {line.text(column)}, so it is lost."
                return _bad(line, "bad_id", reason, "Export again with that column as text.")
        word = line.text("status")
        order_id = line.text("order_id")
        stated = read_status(word) if word else self._default_status(order_id)
        if stated is None:
            return _bad(line, "bad_status", f"The status {word[:40]!r} is not known.", "Use created, paid, refunded or closed.")
        amount = self._amount(line)
        if amount is None:
            return _bad(line, "bad_amount", "The amount cannot be read.", "Write amounts as 1234.50, with the currency apart.")
        if self._has_order_id and not order_id:
            return _bad(line, "no_order_id", "The line has no order number.", "Fill in the order number.")
        value, way, written = amount
        currency = money.currency_of(line.text("currency")) if line.text("currency") else written or self._currency
        if currency is None:
            return _bad(line, "bad_currency", "The currency is not known.", "Write it as an ISO 4217 code such as CNY.")
        order_id = order_id or self._prints.key(ts_ms, buyer, str(value), line.text("items"), line.text("quantity"))
        return _Order(
            where=line.where,
            excerpt=line.excerpt(),
            key=(line.text("platform"), order_id, word, buyer, currency),
            ts_ms=ts_ms,
            buyer=Party(platform_id=buyer, name=line.text("buyer_name") or None),
            order_id=order_id,
            status=stated,
            currency=currency,
            source=_source(line.text("platform")),
            amounts=[value],
            way=way,
            items=read_items(line, currency, value if way != "total" else None),
            keys=self._keys(line),
        )

    def _default_status(self, order_id: str) -> Status:
        return "refunded" if self._is_online_retail and order_id.upper().startswith("C") else "paid"

    def _amount(self, line: OrderLine) -> tuple[Decimal, str, str | None] | None:
        """Return (amount of the line, way of adding, currency written with it); None when it cannot be read."""
        if self._way == "product":
            quantity, price = money.read_amount(line.values.get("quantity")), money.read_amount(line.values.get("unit_price"))
            return (quantity[0] * price[0], "product", price[1]) if quantity and price else None
        for way in ("total", "amount"):
            if way in line.values:
                amount = money.read_amount(line.values[way])
                return (amount[0], way, amount[1]) if amount else None
        return None


def _source(platform: str) -> Source:
    word = platform.lower()
    return Source(connector=word if _PLATFORM.fullmatch(word) else "shop")


def _bad(line: OrderLine, code: str, reason: str, fix: str) -> Rejected:
    return Rejected(where=line.where, code=code, reason=reason, fix=fix, excerpt=line.excerpt())


def _rejected(order: _Order, code: str, reason: str, fix: str) -> Rejected:
    return Rejected(where=order.where, code=code, reason=reason, fix=fix, excerpt=order.excerpt)
