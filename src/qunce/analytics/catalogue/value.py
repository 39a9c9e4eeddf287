"""Who a community lives from."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.metrics import value_members
from qunce.analytics.registry import Example, Metric
from qunce.analytics.result import Row
from qunce.analytics.tables import Params


def _row(person: int, value: float, *counts: int) -> Row:
    names = ("answers", "repliers", "invited", "orders", "reactions", "days", "messages")
    return {"person": person, "value": value, **dict(zip(names, counts, strict=True))}


METRICS: Final = (
    Metric(
        id="value_members",
        name_zh="价值成员",
        name_en="Valuable members",
        definition_zh="截至期末的 90 天，六部分相加，0 到 100 分：回答别人的提问 10 次得满 30 分，被 8 位成员回复得 20 分，"
        "带来 3 位新成员得 15 分，3 笔订单得 15 分，收到 20 次表态得 10 分，20 天发言得 10 分。按分数取前 100 位。",
        definition_en="The 90 days that end with the period, 0 to 100, the sum of six parts: 10 answers to others' "
        "questions earn all of 30 points, replies by 8 members 20, 3 new members brought 15, 3 orders 15, 20 reactions got "
        "10, 20 days spoken 10. The first 100 by score.",
        unit="score",
        value="value",
        by=("group",),
        counts="person",
        algorithm="value-members",
        compute=value_members.ranked,
        finish=finish.value_members,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST),
            rows=(
                _row(12, 15.0, 1, 0, 0, 2, 1, 3, 4),
                _row(11, 8.5, 0, 1, 0, 1, 0, 2, 2),
                _row(14, 3.0, 0, 1, 0, 0, 0, 1, 2),
                _row(13, 0.5, 0, 0, 0, 0, 0, 1, 1),
            ),
            zh="王（两个账号算一位）：回答了林的提问 1 次 = 3，订单 2 笔 = 10，收到 1 次表态 = 0.5，3 天发言 = 1.5，共 15 分。"
            "他回复自己不算；客服的回复、全额退款的订单不算。",
            en="王 (two accounts, one person): 1 answer to 林's question = 3, 2 orders = 10, 1 reaction got = 0.5, 3 days "
            "= 1.5: 15. His reply to himself does not count, nor do replies of staff and orders wholly refunded.",
        ),
    ),
)
