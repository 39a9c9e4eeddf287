"""`qunce metrics` lists, computes, and says in one line what cannot be had."""

from __future__ import annotations

import io
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from qunce.analytics import command
from qunce.analytics.registry import all_metrics
from qunce.readmodels.models import Group, Identity, Member, Membership, Message, Order
from qunce.readmodels.selectors.days import newest_counted_day

pytestmark = pytest.mark.django_db

DAY = 20_000  # 2024-10-04, a Friday
HOUR_MS = 3_600_000


def run(*words: str) -> tuple[int, str]:
    parser = ArgumentParser()
    command.add_arguments(parser)
    out = io.StringIO()
    code = command.run(parser.parse_args(words), zone=ZoneInfo("Asia/Shanghai"), out=out)
    return code, out.getvalue()


@pytest.fixture(autouse=True)
def community(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    for number in (1, 2):
        Group.objects.create(id=number, connector="x", account="a", platform_id=str(number), kind="group", name=f"群{number}")
        Member.objects.create(id=number, name="名", kind="member")
        account = {"connector": "x", "account": "a", "platform_id": str(number), "kind": "member"}
        Identity.objects.create(id=number, member_id=number, name="名", folded_name="名", **account)
    for seq, (group, who, day) in enumerate(((1, 1, DAY), (2, 1, DAY), (2, 2, DAY + 1)), start=1):
        Message.objects.create(
            seq=seq, group_id=group, identity_id=who, ts_ms=day * 24 * HOUR_MS, day=day, content=1, text="好", is_question=False
        )


def test_without_a_name_all_metrics_are_listed_with_definitions() -> None:
    code, text = run()
    assert code == 0
    assert all(metric.id in text and metric.definition_zh in text for metric in all_metrics())
    code, text = run("--json")
    assert [entry["id"] for entry in json.loads(text)] == [metric.id for metric in all_metrics()]


def test_a_metric_comes_as_json_with_its_period_and_unit() -> None:
    code, text = run("dau", "--by", "day", "--json")
    found = json.loads(text)
    assert code == 0
    assert (found["since"], found["until"], found["unit"]) == ("2024-09-06", "2024-10-05", "people")
    assert found["rows"] == [
        {"day": "2024-10-04", "numerator": 1, "denominator": 1, "value": 1.0},
        {"day": "2024-10-05", "numerator": 1, "denominator": 1, "value": 1.0},
    ]


def test_groups_are_chosen_by_name_or_number() -> None:
    for words, messages in (((), 3), (("--group", "群1"), 1), (("--group", "2"), 2), (("--group", "1", "--group", "群2"), 3)):
        assert json.loads(run("messages", "--json", *words)[1])["rows"] == [{"messages": messages}]


def test_a_period_is_kept_to() -> None:
    _, text = run("speakers", "--since", "2024-10-05", "--until", "2024-10-05", "--json")
    assert json.loads(text)["rows"] == [{"speakers": 1}]


def test_a_table_for_people() -> None:
    _, text = run("dau", "--by", "week")
    assert text.splitlines()[0].startswith("日活跃成员 Daily active members  2024-09-06 – 2024-10-05")
    assert text.splitlines()[2].split("\t")[:2] == ["2024-09-30", "2"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("nonsense",), "没有指标 nonsense"),
        (("retention", "--by", "day"), "不能这样细分"),
        (("dau", "--group", "nobody"), "没有群 nobody"),
        (("dau", "--since", "2024-10-05", "--until", "2024-10-01"), "晚于"),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = run(*words)
    error = capsys.readouterr().err
    assert (code, text, error.count("\n")) == (2, "", 1)
    assert said in error


@pytest.mark.parametrize(
    ("paid", "until"),
    [
        pytest.param(True, "2024-10-09", id="an order paid after the last message is the newest day"),
        pytest.param(False, "2024-10-05", id="an unpaid one is not"),
    ],
)
def test_the_default_period_ends_with_the_newest_fact_or_order(paid: bool, until: str) -> None:
    ms = (DAY + 5) * 24 * HOUR_MS
    Order.objects.create(
        id=9, connector="x", account="a", order_id="9", identity_id=1, status="paid" if paid else "created", created_ms=ms,
        paid_ms=ms if paid else None, day=DAY + 5, amount_minor=100, currency="CNY", status_ms=ms,
    )  # fmt: skip
    found = json.loads(run("orders", "--json")[1])
    assert (found["until"], found["rows"]) == (until, [{"orders": int(paid)}])
    assert newest_counted_day() == (DAY + 5 if paid else None)


def test_a_choice_of_groups_knows_the_orders_of_its_people() -> None:
    Membership.objects.create(group_id=1, identity_id=1, first_ms=1, message_count=0)
    Order.objects.create(
        id=9, connector="x", account="a", order_id="9", identity_id=1, status="paid", created_ms=1, paid_ms=1, day=DAY + 5,
        amount_minor=100, currency="CNY", status_ms=1,
    )  # fmt: skip
    assert [newest_counted_day(frozenset({group})) for group in (1, 2)] == [DAY + 5, None]
