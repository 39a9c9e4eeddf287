"""What members buy."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.metrics import orders
from qunce.analytics.registry import Example, Metric
from qunce.analytics.tables import Params

_FORTNIGHT: Final = Params(since_day=MONDAY, until_day=LAST)
_ZH: Final = "员工、机器人、群马甲的订单；未付款与全额退款的订单"
_EN: Final = "Orders of staff, bots and house personas; unpaid and wholly refunded orders"

METRICS: Final = (
    Metric(
        id="orders",
        name_zh="订单数",
        name_en="Orders",
        definition_zh="期间内（按付款的当地日期）付款且未全额退款的订单数。",
        definition_en="Orders paid in the period (by the local day of payment) and not wholly refunded.",
        unit="orders",
        value="orders",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        by=("day", "week"),
        counts="event",
        algorithm="orders",
        compute=orders.orders,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST, by=("week",)),
            rows=({"week": MONDAY, "orders": 2}, {"week": MONDAY + 7, "orders": 1}),
            zh="首周林、王各一单，次周王（另一账号）一单；赵的全退、员工的、未付款的不计。",
            en="林 and 王 one each in the first week, 王 (other account) one in the second. The refunded, the staff's and "
            "the unpaid "
            "ones do not count.",
        ),
    ),
    Metric(
        id="revenue",
        name_zh="成交额",
        name_en="Revenue",
        definition_zh="计入的订单金额减去退款，按币种分列，单位为最小货币单位（分）。",
        definition_en="Amount of the orders that count less refunds, per currency, in the minor unit.",
        unit="minor",
        value="revenue_minor",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        by=("day", "week"),
        counts="event",
        algorithm="orders",
        compute=orders.revenue,
        example=Example(
            params=_FORTNIGHT,
            rows=({"currency": "CNY", "revenue_minor": 17_500},),
            zh="100.00 + 50.00 + (30.00 - 5.00) = 175.00 元。",
            en="100.00 + 50.00 + (30.00 - 5.00) = 175.00 CNY.",
        ),
    ),
    Metric(
        id="revenue_per_buyer",
        name_zh="客单价",
        name_en="Revenue per buyer",
        definition_zh="成交额 ÷ 购买成员数（不是订单数），按币种分列。",
        definition_en="Revenue ÷ members who bought (not ÷ orders), per currency.",
        unit="minor",
        value="value",
        denominator="购买成员 | buyers",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        by=("day", "week"),
        counts="person",
        algorithm="orders",
        compute=orders.revenue_per_buyer,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"currency": "CNY", "numerator": 17_500, "denominator": 2, "value": 8_750.0},),
            zh="175.00 元 ÷ 2 人（林、王）= 87.50 元。",
            en="175.00 CNY ÷ 2 people (林, 王) = 87.50 CNY.",
        ),
    ),
    Metric(
        id="aov",
        name_zh="笔单价",
        name_en="Average order value",
        definition_zh="成交额 ÷ 订单数，按币种分列。",
        definition_en="Revenue ÷ orders, per currency.",
        unit="minor",
        value="value",
        denominator="订单 | orders",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        by=("day", "week"),
        counts="event",
        algorithm="orders",
        compute=orders.aov,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"currency": "CNY", "numerator": 17_500, "denominator": 3, "value": 17_500 / 3},),
            zh="175.00 元 ÷ 3 单 = 58.33 元。",
            en="175.00 CNY ÷ 3 orders = 58.33 CNY.",
        ),
    ),
    Metric(
        id="repeat_purchase",
        name_zh="复购率",
        name_en="Repeat purchase rate",
        definition_zh="期间内有两笔及以上计入订单的成员 ÷ 期间内购买的成员。须与期间一同阅读。",
        definition_en="Members with two or more counted orders in the period ÷ members who bought in it. Meaningless "
        "without its period.",
        unit="ratio",
        value="value",
        denominator="期间内购买的成员 | members who bought in the period",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        counts="person",
        algorithm="orders",
        compute=orders.repeat_purchase,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 1, "denominator": 2, "value": 0.5},),
            zh="两周内购买 2 人，王（两个账号）买了两次：50%。",
            en="2 bought in the two weeks, 王 (two accounts) twice: 50%.",
        ),
    ),
    Metric(
        id="repeat_orders_per_month",
        name_zh="月均复购次数",
        name_en="Repeat orders per month",
        definition_zh="期间内的复购订单（成员有史以来第一笔计入订单之后的订单）÷ 期间内购买的成员，折算成每 30 天。",
        definition_en="Repeat orders of the period (those after a member's first counted order ever) ÷ members who bought in "
        "it, per 30 days.",
        unit="per_month",
        value="value",
        denominator="购买成员 × 期间天数（分子为复购订单 × 30） | buyers × days of the period (numerator: repeat orders × 30)",
        exclusions_zh=_ZH,
        exclusions_en=_EN,
        counts="person",
        algorithm="orders",
        compute=orders.repeat_orders_per_month,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 30, "denominator": 28, "value": 30 / 28},),
            zh="3 单中林、王各有首单，王（另一账号）的第二单是复购：1 单 × 30 ÷（2 人 × 14 天）= 1.07。",
            en="Of 3 orders two are the first ones of 林 and 王, the second of 王 (other account) is a repeat order: "
            "1 × 30 ÷ (2 people × 14 days) = 1.07.",
        ),
    ),
)
