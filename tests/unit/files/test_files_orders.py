"""Orders from tables, JSON lines and Parquet, and amounts of money to the last fen."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.connectors.files.base import Rejected
from qunce.connectors.files.errors import ImportRefused, Unreadable
from qunce.connectors.files.money import currency_of, decimals_of, read_amount, round_to_minor, to_minor
from qunce.connectors.files.registry import read_file
from qunce.domain.events import Event, Item, OrderUpdated
from tests.unit.files.notation import keys_of, options, rows_of, write

HEADER = "time,buyer,order_id,amount,currency,items\n"


def orders(rows: list[Event | Rejected]) -> list[tuple[str | None, str, str, int, str]]:
    """Return (buyer, number, status, minor units, currency) of each order."""
    return [
        (row.subject.platform_id if row.subject else None, body.order_id, body.status, body.amount_minor, body.currency)
        for row in rows
        if isinstance(row, Event) and isinstance(body := row.body, OrderUpdated)
    ]


SHAPES = [
    ("CSV", "o.csv", HEADER + "2024-02-01 10:00:00,u1,A1,12.50,CNY,红茶 x2; 绿茶\n"),
    ("JSON lines", "o.jsonl",
     json.dumps({"time": 1706752800, "buyer": "u1", "order_id": "A1", "amount": 12.5, "items": ["红茶x2", "绿茶"]})),
    ("Chinese names, yuan sign, total", "o.csv", "订单号,买家,下单时间,实付,商品\nA1,u1,2024/2/1 10:00,¥12.50,红茶 x2；绿茶\n"),
    ("a spreadsheet's text cells", "o.csv",
     '订单号,买家,下单时间,实付,商品\n"=""A1""",u1,2024-02-01 10:00:00,12.50元,红茶×2；绿茶\n'),
    ("a total repeated on its lines", "o.csv",
     "订单号,买家,下单时间,实付,商品\nA1,u1,2024-02-01 10:00:00,12.5,红茶x2\n"
     "A1,u1,2024-02-01 10:00:00,12.5,绿茶\n"),
]  # fmt: skip


@pytest.mark.parametrize(("file", "content"), [case[1:] for case in SHAPES], ids=[case[0] for case in SHAPES])
def test_an_order_reads_the_same_in_every_shape(tmp_path: Path, file: str, content: str) -> None:
    with read_file(write(tmp_path, file, content), None, options()) as reading:
        assert reading.format.name == "orders"
        rows = list(reading)
    assert orders(rows) == [("u1", "A1", "paid", 1250, "CNY")]
    event = rows[0]
    assert isinstance(event, Event)
    assert (event.source.connector, event.conv, event.ts_ms) == ("shop", None, 1_706_752_800_000)
    assert isinstance(event.body, OrderUpdated)
    assert [(item.name, item.quantity) for item in event.body.items] == [("红茶", 2), ("绿茶", 1)]


LINES = [
    ("lines of one order are added", "u,A,1.10,CNY,a\n2024-02-01,u,A,2.20,CNY,b\n", [("u", "A", "paid", 330, "CNY")]),
    ("a negative amount is a refund", "u,A,-5,CNY,\n", [("u", "A", "refunded", 500, "CNY")]),
    ("yen have no decimals", "u,A,500,JPY,\n", [("u", "A", "paid", 500, "JPY")]),
    ("dinars have three", "u,A,1.005,KWD,\n", [("u", "A", "paid", 1005, "KWD")]),
    ("thousands are grouped", 'u,A,"1,234,567.89",CNY,\n', [("u", "A", "paid", 123456789, "CNY")]),
    ("a sign tells the currency", "u,A,€5,,\n", [("u", "A", "paid", 500, "EUR")]),
    ("orders between the lines of one do not part it", "u,A,1,CNY,\n2024-02-01,v,B,1,CNY,\n2024-02-01,u,A,2,CNY,\n",
     [("u", "A", "paid", 300, "CNY"), ("v", "B", "paid", 100, "CNY")]),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "expected"), [case[1:] for case in LINES], ids=[case[0] for case in LINES])
def test_money_is_exact(tmp_path: Path, lines: str, expected: list[tuple[str, str, str, int, str]]) -> None:
    assert orders(rows_of(write(tmp_path, "o.csv", f"{HEADER}2024-02-01,{lines}"))) == expected


BAD = [
    ("nobody bought", "2024-02-01,,A,5,CNY,\n", "no_buyer"),
    ("a number is missing", "2024-02-01,u,,5,CNY,\n", "no_order_id"),
    ("a spreadsheet has eaten the number", "2024-02-01,u,1.23457E+17,5,CNY,\n", "bad_id"),
    ("a time that is none", "soon,u,A,5,CNY,\n", "bad_time"),
    ("an amount that is none", "2024-02-01,u,A,=1+1,CNY,\n", "bad_amount"),
    ("an amount finer than a fen", "2024-02-01,u,A,5.001,CNY,\n", "bad_amount"),
    ("an absurd amount", "2024-02-01,u,A,99999999999999,CNY,\n", "bad_amount"),
    ("an unknown currency", "2024-02-01,u,A,5,clams,\n", "bad_currency"),
    ("a date in 1970", "1970-01-01,u,A,5,CNY,\n", "too_old"),
    ("a date in the future", "2099-01-01,u,A,5,CNY,\n", "future_time"),
]


@pytest.mark.parametrize(("bad", "code"), [case[1:] for case in BAD], ids=[case[0] for case in BAD])
def test_a_bad_line_is_rejected_and_the_rest_kept(tmp_path: Path, bad: str, code: str) -> None:
    rows = rows_of(write(tmp_path, "o.csv", f"{HEADER}2024-02-01,u,X,5,CNY,\n{bad}2024-02-01,u,Y,5,CNY,\n"))
    assert sorted(number for _, number, *_ in orders(rows)) == ["X", "Y"]
    refused = [row for row in rows if isinstance(row, Rejected)]
    assert [row.code for row in refused] == [code]
    assert refused[0].reason
    assert refused[0].fix


def test_an_order_whose_lines_stand_far_apart_is_refused_not_halved(tmp_path: Path) -> None:
    between = "".join(f"2024-02-01,u,B{number},1,CNY,\n" for number in range(1001))
    rows = rows_of(write(tmp_path, "o.csv", f"{HEADER}2024-02-01,u,A,1,CNY,\n{between}2024-02-01,u,A,2,CNY,\n"))
    assert [row.code for row in rows if isinstance(row, Rejected)] == ["split_order"]
    assert len(set(keys_of(rows))) == len(keys_of(rows)) == 1002


STATUSES = [
    ("已付款", "paid"),
    ("Shipped", "paid"),
    ("交易关闭", "closed"),
    ("退款成功", "refunded"),
    ("待付款", "created"),
    ("", "paid"),
]


@pytest.mark.parametrize(("word", "status"), STATUSES)
def test_a_status_is_known_by_its_words(tmp_path: Path, word: str, status: str) -> None:
    text = f"时间,手机号,订单编号,金额,订单状态,平台\n2024-02-01,13800000000,A,5,{word},taobao\n"
    rows = rows_of(write(tmp_path, "o.csv", text))
    assert orders(rows) == [("13800000000", "A", status, 500, "CNY")]
    assert keys_of(rows) == [f"order:A:{status}"]
    assert [row.source.connector for row in rows if isinstance(row, Event)] == ["taobao"]


def test_an_unknown_status_is_rejected_with_those_known(tmp_path: Path) -> None:
    rows = rows_of(write(tmp_path, "o.csv", "time,buyer,order_id,amount,status\n2024-02-01,u,A,5,dancing\n"))
    assert [(row.code, "refunded" in row.fix) for row in rows if isinstance(row, Rejected)] == [("bad_status", True)]


def test_purchases_without_numbers_are_orders_of_their_own_and_found_again(tmp_path: Path) -> None:
    path = write(tmp_path, "o.csv", "time,buyer,amount\n" + "2024-02-01,u,5\n" * 3)
    rows = rows_of(path, "orders")
    assert len(set(keys_of(rows))) == 3
    assert keys_of(rows) == keys_of(rows_of(path, "orders"))


def test_objects_in_items_keep_their_money(tmp_path: Path) -> None:
    items = [{"name": "茶", "sku": "T", "quantity": 2, "amount": "5.00"}, {"nothing": 1}, "杯"]
    row = {"time": "2024-02-01", "buyer": "u", "order_id": "A", "amount": "6", "items": items}
    rows = rows_of(write(tmp_path, "o.jsonl", json.dumps(row)))
    assert isinstance(rows[0], Event)
    assert isinstance(rows[0].body, OrderUpdated)
    assert rows[0].body.items == (Item(name="茶", sku="T", quantity=2, amount_minor=500), Item(name="杯"))


@pytest.mark.parametrize("content", ["time,order_id,amount\n2024-02-01,A,5\n", '{"time":"2024-02-01","buyer":"u"}\n'])
def test_missing_columns_are_named_with_those_found(tmp_path: Path, content: str) -> None:
    with pytest.raises(ImportRefused, match=r"(buyer|amount) \(such as.*Columns found: time"):
        rows_of(write(tmp_path, "o.txt", content), "orders")


def test_parquet_reads_like_the_rest(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    table = {"invoice_no": ["1", "1", "C2", "3"], "stock_code": ["a", "b", "a", "a"], "quantity": [6, 1, -1, 1],
             "unit_price": [2.55, 0.1, 2.55, 1.0], "customer_id": ["17850", "17850", "17850", None],
             "invoice_ts": ["2010-12-01 08:26:00"] * 4}  # fmt: skip
    pq.write_table(pa.table(table), path)
    rows = rows_of(path)
    assert orders(rows) == [("17850", "1", "paid", 1540, "GBP"), ("17850", "C2", "refunded", 255, "GBP")]
    assert [(row.where, row.code) for row in rows if isinstance(row, Rejected)] == [("row 4", "no_buyer")]


def test_damaged_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="Parquet"):
        rows_of(write(tmp_path, "o.parquet", b"PAR1 and then nothing PAR1"))


MINOR = st.integers(-(10**14), 10**14)
CURRENCIES = st.sampled_from(["CNY", "USD", "EUR", "JPY", "KWD"])


@given(MINOR, CURRENCIES, st.sampled_from(["plain", "grouped", "european", "signed", "brackets"]))
def test_an_amount_survives_the_round_trip(minor: int, currency: str, shape: str) -> None:
    decimals = decimals_of(currency)
    amount = Decimal(minor).scaleb(-decimals)
    text = f"{abs(amount):,.{decimals}f}" if shape != "plain" else f"{abs(amount):.{decimals}f}"
    if shape == "european" and decimals != 3:
        text = text.translate(str.maketrans(",.", ".,"))
        if decimals == 0 and text.count(".") == 1:
            text = text.replace(".", "")  # 1.234 alone would be one and a bit
    elif shape == "signed":
        text = f"¥{text}"
    text = f"({text})" if shape == "brackets" and minor < 0 else f"-{text}" if minor < 0 else text
    if decimals == 3 and "," not in text and shape != "plain":
        text = text.replace(",", "")
    read = read_amount(text)
    assert read is not None
    assert to_minor(read[0], currency) == minor


@given(st.lists(st.tuples(st.integers(-1000, 1000), st.integers(0, 10**6)), max_size=40))
def test_products_of_floats_are_added_exactly(lines: list[tuple[int, int]]) -> None:
    total = Decimal(0)
    for quantity, price_fen in lines:
        read = read_amount(price_fen / 100)
        assert read is not None
        total += quantity * read[0]
    assert round_to_minor(total, "CNY") == sum(quantity * price_fen for quantity, price_fen in lines)


AMOUNTS = [
    ("¥1,234.50", "1234.50", "CNY"), ("(1.234,56 €)", "-1234.56", "EUR"), ("￥１２元", "12", "CNY"), ("US$ 5", "5", "USD"),
    ("1 234,5", "1234.5", None), ("\u22125.00", "-5.00", None), ("RMB 12", "12", "CNY"), (".5", "0.5", None), (7, "7", None),
    (0.1, "0.1", None),
]  # fmt: skip


@pytest.mark.parametrize(("written", "amount", "currency"), AMOUNTS)
def test_an_amount_is_read_as_people_write_it(written: object, amount: str, currency: str | None) -> None:
    read = read_amount(written)
    assert read is not None
    assert read == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "written", ["", "abc", "1,2,3", "1e5", "=1+1", "1.2.3", "$5€", "5 clams", "9" * 80, float("nan"), None]
)
def test_what_is_no_amount_is_none(written: object) -> None:
    assert read_amount(written) is None


def test_currencies_are_known_by_sign_word_and_code() -> None:
    assert [currency_of(word) for word in ("人民币", "￥", "usd", "HK$", "clams")] == ["CNY", "CNY", "USD", "HKD", None]


def test_the_real_purchase_log_is_kept_to_the_cent(shared_data: Path) -> None:
    rows = rows_of(shared_data / "purchases/cdnow_master.parquet")
    found = orders(rows)
    assert len(found) == len(set(keys_of(rows))) == 69_659
    assert len({buyer for buyer, *_ in found}) == 23_570
    assert Counter(currency for *_, currency in found) == {"USD": 69_659}
    assert sum(minor for _, _, _, minor, _ in found) == 250_031_563


@pytest.mark.deep
def test_the_real_invoices_add_up_and_every_line_is_accounted_for(shared_data: Path) -> None:
    rows = rows_of(shared_data / "purchases/online_retail.parquet")
    assert Counter(row.code for row in rows if isinstance(row, Rejected)) == {"no_buyer": 135_080}
    money: Counter[str] = Counter()
    for _, _, status, minor, _ in orders(rows):
        money[status] += minor
    assert money == {"paid": 891_140_790, "refunded": 61_134_209}
