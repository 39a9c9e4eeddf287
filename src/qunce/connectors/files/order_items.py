"""Read what was bought: a list of objects or names, or one cell such as `红茶 x2; 绿茶`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from qunce.connectors.files import money
from qunce.connectors.files.order_rows import OrderLine
from qunce.domain.events import Item

MAX_NAME: Final = 200
_LONGEST: Final = 2 * MAX_NAME
_MAX_QUANTITY: Final = 10**9
_SEPARATOR: Final = re.compile(r"[;；|\n]+")
_TIMES: Final = re.compile(r"(?P<name>.+?)\s*[×xX*]\s?(?P<count>\d{1,6})(?:\s?[件个盒瓶袋份])?")


def read_items(line: OrderLine, currency: str, amount: Decimal | None) -> list[Item]:
    """Return the items of a line. `amount` is the line's own, None where the file states only the order's total."""
    value = line.values.get("items")
    if isinstance(value, list):
        return [item for entry in value if (item := _entry(entry, currency))]
    names = [name.strip()[:_LONGEST] for name in _SEPARATOR.split(line.text("items")) if name.strip()]
    sku = line.text("sku")
    if not names and not sku:
        return []
    if len(names) <= 1:
        return [_single(names[0] if names else sku, line, currency, amount)]
    return list(_named(names))


def _single(name: str, line: OrderLine, currency: str, amount: Decimal | None) -> Item:
    match = _TIMES.fullmatch(name)
    stated = _quantity(line.values.get("quantity"))
    return Item(
        name=(match["name"] if match else name)[:MAX_NAME],
        sku=line.text("sku")[:MAX_NAME] or None,
        quantity=stated if stated is not None else int(match["count"]) if match else 1,
        amount_minor=money.round_to_minor(amount, currency) if amount is not None else None,
    )


def _named(names: list[str]) -> Iterator[Item]:
    for name in names:
        match = _TIMES.fullmatch(name)
        yield Item(name=(match["name"] if match else name)[:MAX_NAME], quantity=int(match["count"]) if match else 1)


def _entry(entry: Any, currency: str) -> Item | None:
    """Return the item of a list's entry: a name, or an object with name, sku, quantity and amount."""
    if isinstance(entry, str):
        return next(_named([entry.strip()[:_LONGEST]]), None) if entry.strip() else None
    if not isinstance(entry, dict):
        return None
    name = next((str(entry[key]) for key in ("name", "title", "商品", "商品名称") if entry.get(key)), "")
    sku = next((str(entry[key]) for key in ("sku", "id", "商品编码") if entry.get(key)), None)
    if not name and not sku:
        return None
    quantity = _quantity(entry.get("quantity", entry.get("数量", 1)))
    amount = money.read_amount(entry.get("amount", entry.get("金额")))
    return Item(
        name=(name or sku or "")[:MAX_NAME],
        sku=sku[:MAX_NAME] if sku else None,
        quantity=1 if quantity is None else quantity,
        amount_minor=money.to_minor(amount[0], currency) if amount else None,
    )


def _quantity(value: object) -> int | None:
    """Return a whole number of pieces; None when it is not one."""
    amount = money.read_amount(value)
    if amount is None or amount[0] != amount[0].to_integral_value() or abs(amount[0]) > _MAX_QUANTITY:
        return None
    return int(amount[0])
