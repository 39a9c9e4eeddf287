"""Real chats and real purchases, joined by a customer list: what an operator builds, sees, tags and finds on them.

The chats are those of #ubuntu around January 2007, with joins, and of late 2011; the orders are those of the half year before
9 December 2011. The two sets have no key in common: who of the chat is which customer is a seeded shuffle, as a shop's own list
would say it. What must come out is computed a second time here, from the rows of the files.
"""

from __future__ import annotations

import csv
import json
import random
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import zstandard
from django.test import Client
from django.urls import reverse
from pyarrow import parquet

from qunce.accounts.models import Staff
from qunce.accounts.permissions import Role
from qunce.readmodels.models import Identity, Message
from qunce.runtime import organisation
from qunce.runtime.cli.main import main
from qunce.runtime.models import SegmentMember
from qunce.runtime.profile import files
from qunce.runtime.segments import mirrors
from qunce.runtime.segments.keep import Keeper

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
KEYS = ("invoice_no", "invoice_ts", "customer_id", "quantity", "unit_price")
PAID = {"did": "order_paid", "window": "180d", "measure": "sum:amount", "op": ">=", "v1": "500"}


@pytest.fixture
def data(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.DATA_DIR = tmp_path
    monkeypatch.setattr("qunce.runtime.cli.main.make_ready", lambda: None)
    monkeypatch.setattr(mirrors, "_freshened", float("-inf"))
    organisation.decide("currency", "GBP")


@pytest.fixture
def chats(shared_data: Path) -> list[dict[str, Any]]:
    found = []
    with zstandard.open(shared_data / "chat/en_irc_replies.jsonl.zst", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if (row["ts"] < "2007-03" and row["ts"] >= "2007-01") or "2011-11" <= row["ts"] < "2011-12-09":
                found.append(row)
    return found


@pytest.fixture
def orders(shared_data: Path, chats: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines of orders of customers who are in the chats of 2011, the shop's customer number beside each."""
    rows = parquet.read_table(shared_data / "purchases/online_retail.parquet", columns=list(KEYS)).to_pylist()
    since = datetime(2011, 6, 1)  # noqa: DTZ001  # as in the file: UTC without saying so
    recent = [row for row in rows if row["customer_id"] and row["invoice_ts"] >= since]
    customers = sorted({row["customer_id"] for row in recent})
    people = sorted({row["user_id"] for row in chats if row["ts"] > "2011" and not row.get("event")})
    random.Random(20111208).shuffle(customers)
    of_customer = dict(zip(customers, people, strict=False))
    return [{**row, "account": of_customer[row["customer_id"]]} for row in recent if row["customer_id"] in of_customer]


@pytest.fixture
def imported(data: None, tmp_path: Path, chats: list[dict[str, Any]], orders: list[dict[str, Any]]) -> None:
    """Import both through the importers, and the customer list through the import of members."""
    chat, bought, mapping = tmp_path / "chat.jsonl", tmp_path / "orders.csv", tmp_path / "customers.csv"
    chat.write_text("".join(json.dumps(row) + "\n" for row in chats), "utf-8")
    with bought.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*KEYS, "stock_code", "会员编号"])
        writer.writerows([*(row[key] for key in KEYS), "-", row["customer_id"]] for row in orders)
    with mapping.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["账号", "客户编号"])
        writer.writerows(sorted({(row["account"], row["customer_id"]) for row in orders}))
    assert main(["import", str(chat), "--tz", "UTC", "--quiet"]) == 0
    report = files.apply(mapping, ("account", "crm"), actor=None, batch_id="crm", dry_run=False)
    assert (report.bad, report.good) == (0, len({row["customer_id"] for row in orders}))
    assert main(["import", str(bought), "--tz", "UTC", "--quiet"]) == 0
    keep()


def keep() -> None:
    keeper = Keeper()
    while keeper.turn():
        pass


@pytest.fixture
def client() -> Client:
    found = Client()
    found.force_login(Staff.objects.create_user("op", "correct-horse-9", role=Role.ADMIN))
    return found


def text_of(client: Client, name: str, *args: object, **query: str) -> str:
    response = client.get(reverse(name, args=args), query)
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def build(client: Client, segment_id: str, of: str, *conditions: dict[str, str]) -> None:
    """Send what the builder's menus send, and publish."""
    form = {"seen": "0", "segment_id": segment_id, "title": segment_id, "title_en": "", "of": of, "publish": "yes"}
    for place, fields in enumerate(conditions):
        kind = "did" if "did" in fields else "attr"
        form |= {f"r.{place}.kind": kind, f"r.{place}.{'event' if kind == 'did' else 'name'}": fields[kind]}
        form |= {f"r.{place}.{name}": value for name, value in fields.items() if name != kind}
    response = client.post(reverse("new-segment"), form)
    assert response.status_code == 302, re.findall(r'class="error-line.*?</div>', response.content.decode(), re.DOTALL)
    keep()


def accounts_of(segment_id: str) -> set[str]:
    members = SegmentMember.objects.filter(segment_id=segment_id).values("subject_id")
    return set(Identity.objects.filter(member_id__in=members, connector="irc").values_list("platform_id", flat=True))


def accounts_on(page: str) -> set[str]:
    """Return the chat accounts of the members a page links to: names changed, accounts did not."""
    members = set(map(int, re.findall(r'href="/members/(\d+)"', page)))
    return set(Identity.objects.filter(member_id__in=members, connector="irc").values_list("platform_id", flat=True))


def able_and_asking(orders: list[dict[str, Any]], end: datetime) -> set[str]:
    """Return who paid at least 500 in 180 days and asked twice in 14, from the rows of the file and the questions stored."""
    spent: dict[str, float] = defaultdict(float)
    for row in orders:
        if row["invoice_ts"].replace(tzinfo=UTC) >= end - 180 * DAY and not row["invoice_no"].startswith("C"):
            spent[row["account"]] += round(row["quantity"] * row["unit_price"], 2)
    since = int((end - 14 * DAY).timestamp() * 1000)
    asked: dict[str, int] = defaultdict(int)
    for account in Message.objects.filter(ts_ms__gte=since, is_question=True).values_list("identity__platform_id", flat=True):
        asked[account] += 1
    return {account for account, amount in spent.items() if amount >= 500 and asked[account] >= 2}


def unbroken(chats: list[dict[str, Any]], heard: datetime, now: datetime) -> set[str]:
    """Return who joined 3 to 10 days before `now`, is there and has said nothing since, by what was heard by `heard`."""
    joined: dict[str, datetime] = {}
    left: dict[str, datetime] = {}
    spoke: dict[str, datetime] = {}
    for row in sorted(chats, key=lambda row: row["ts"]):  # times are of minutes: the order in the file tells what came first
        at, who = datetime.fromisoformat(row["ts"]), row["user_id"]
        if row.get("event") == "leave":
            left[who] = at
        elif row.get("event") == "join":
            # The newest join of all: whoever came again later is missed on a day before.
            joined[who] = at
            left.pop(who, None)
        elif not row.get("event") and at <= heard:
            spoke[who] = at
    return {
        who for who, at in joined.items()
        if 3 * DAY <= now - at <= 10 * DAY and spoke.get(who, at - DAY) < at and left.get(who, now + DAY) > now
    }  # fmt: skip


@pytest.mark.usefixtures("imported")
def test_the_able_and_asking_are_found_told_why_tagged_and_untagged(client: Client, orders: list[dict[str, Any]]) -> None:
    asking = {"did": "question", "window": "14d", "measure": "times", "op": ">=", "v1": "2"}
    build(client, "my_a", "member", PAID, asking)
    end = max(row["invoice_ts"] for row in orders).replace(tzinfo=UTC)
    wanted = able_and_asking(orders, end)
    assert len(wanted) >= 5, "the two sets share people"
    assert accounts_of("my_a") == wanted, "as of the end of the data, not as of today"

    page = text_of(client, "segment", "my_a")
    assert "数据到" in page
    one = SegmentMember.objects.filter(segment_id="my_a").values_list("subject_id", flat=True)[0]
    why = text_of(client, "segment-why", "my_a", one, 0)
    assert "金额合计" in why
    assert "看消息" in why
    assert "不成立" not in why

    tag = re.findall(r'<option value="([^"]+)"', page[page.index('id="tag"') :])[0]
    form = {"segment": "my_a", "tag": tag, "verb": "put", "reason": "回访"}
    preview = client.post(reverse("tag-members"), form)
    assert f"给 {len(wanted)} 位成员打上" in preview.content.decode()
    client.post(reverse("tag-members"), {**form, "confirmed": "yes"})
    holders = accounts_on(text_of(client, "tag", tag))
    assert holders == wanted
    [batch] = re.findall(reverse("undo-change", args=("X",)).replace("X", "([\\w-]+)"), text_of(client, "changes"))[:1]
    client.post(reverse("undo-change", args=(batch,)))
    assert accounts_on(text_of(client, "tag", tag)) == set()


@pytest.mark.usefixtures("imported")
def test_who_joined_and_never_spoke_is_found_on_a_day_of_the_past_with_tomorrows_entrants(
    client: Client, chats: list[dict[str, Any]]
) -> None:
    build(
        client, "ice", "membership",
        {"attr": "joined_at", "op": "between", "v1": "3", "v2": "10", "unit": "d"},
        {"attr": "left_at", "op": "missing"},
        {"did": "message", "window": "since:joined_at", "measure": "times", "op": "=", "v1": "0"},
    )  # fmt: skip
    assert not SegmentMember.objects.filter(segment_id="ice").exists(), "nobody joined in 2011"
    midnight = datetime(2007, 1, 23, 16, tzinfo=UTC)  # the end of that day in Shanghai
    end = midnight - timedelta(milliseconds=1)
    wanted = unbroken(chats, end, end)
    assert wanted
    page = text_of(client, "segment-at", "ice", at="2007-01-23")
    assert f"有 {len(wanted):,} 个" in page
    assert accounts_on(page) <= wanted

    entering = unbroken(chats, end, end + DAY) - wanted
    leaving = wanted - unbroken(chats, end, end + DAY)
    assert entering
    expected = text_of(client, "segment-expected", "ice", at="2007-01-23")
    assert f"+{len(entering):,}<" in expected
    assert f"−{len(leaving):,}<" in expected
    assert accounts_on(expected) <= entering | leaving

    tag = re.findall(
        r'<option value="([^"]+)"', (shown := text_of(client, "segment", "ice", at="2007-01-23"))[shown.index('id="tag"') :]
    )[0]
    preview = client.post(reverse("tag-members"), {"segment": "ice", "tag": tag, "verb": "put", "at": "2007-01-23"})
    assert f"给 {len(wanted):,} 位成员打上" in preview.content.decode()
