"""Members who come, go, stay and buy."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.metrics import members
from qunce.analytics.registry import Example, Metric
from qunce.analytics.tables import Params

_FORTNIGHT: Final = Params(since_day=MONDAY, until_day=LAST)

METRICS: Final = (
    Metric(
        id="joined",
        name_zh="新增成员",
        name_en="Members joined",
        definition_zh="期间内有进群记录的成员数，按人计：同一人进两个群计一次。来源没有报告进群时为空。",
        definition_en="Members with a reported join in the period, as people: joining two groups counts once. Empty where "
        "the source "
        "reports no joins.",
        unit="people",
        value="joined",
        by=("day", "week", "group", "community"),
        counts="person",
        algorithm="members",
        compute=members.joined,
        example=Example(
            params=_FORTNIGHT,
            rows=({"joined": 4},),
            zh="林、赵（两个群，计一次）、陈、周：4 人；机器人不计。",
            en="林, 赵 (two groups, counted once), 陈 and 周: 4. The bot does not count.",
        ),
    ),
    Metric(
        id="left",
        name_zh="离开成员",
        name_en="Members left",
        definition_zh="期间内退出或被移出群的成员数，按人计。",
        definition_en="Members who left a group or were removed in the period, as people.",
        unit="people",
        value="left",
        by=("day", "week", "group", "community"),
        counts="person",
        algorithm="members",
        compute=members.left,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST, by=("group",)),
            rows=({"group_id": 1, "left": 1},),
            zh="赵退出群 1，仍在群 2。",
            en="赵 left group 1 and is still in group 2.",
        ),
    ),
    Metric(
        id="leave_rate",
        name_zh="退群率",
        name_en="Leave rate",
        definition_zh="期间内离开的群成员身份 ÷ 期初的群成员身份（成员 × 群）。",
        definition_en="Memberships ended in the period ÷ memberships that existed when it began (a membership is member × "
        "group).",
        unit="ratio",
        value="value",
        denominator="期初群成员身份 | memberships at the start",
        by=("group", "community"),
        counts="membership",
        algorithm="members",
        compute=members.leave_rate,
        finish=finish.ratio,
        example=Example(
            params=Params(since_day=MONDAY + 7, until_day=LAST),
            rows=({"numerator": 1, "denominator": 6, "value": 1 / 6},),
            zh="第二周开始时有 6 个身份（群 1：林、王、赵、孙；群 2：王、赵），一个离开：16.7%。",
            en="When the second week began there were 6 memberships (group 1: 林, 王, 赵, 孙; group 2: 王, 赵), one ended: "
            "16.7%.",
        ),
    ),
    Metric(
        id="retention",
        name_zh="周留存",
        name_en="Weekly retention",
        definition_zh="按首次出现在群里的那一周分组，第 n 周仍活跃的成员 ÷ 该组成员。第 0 周为首周。",
        definition_en="Members grouped by the week they first appeared in a group; those active n weeks later ÷ all of the "
        "group. "
        "Week 0 is the first week.",
        unit="ratio",
        value="value",
        denominator="该周首次出现的成员 | members who first appeared in that week",
        counts="person",
        algorithm="retention",
        compute=members.retention,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=(
                {"cohort": MONDAY, "weeks": 0, "numerator": 3, "denominator": 4, "value": 0.75},
                {"cohort": MONDAY, "weeks": 1, "numerator": 2, "denominator": 4, "value": 0.5},
                {"cohort": MONDAY + 7, "weeks": 0, "numerator": 1, "denominator": 2, "value": 0.5},
            ),
            zh="首周来了林、王、赵、孙，三人当周活跃，次周林、王仍活跃；第二周来了陈、周，陈活跃。",
            en="林, 王, 赵 and 孙 came in the first week, three were active in it, 林 and 王 in the next; 陈 and 周 came "
            "in the second, "
            "陈 was active.",
        ),
    ),
    Metric(
        id="funnel",
        name_zh="进群→首次发言→下单漏斗",
        name_en="Join → first message → order",
        definition_zh="期间内进群的成员，之后发言的，再之后付款的（全额退款除外）。每一步须在前一步之后、期间之内，按人计。",
        definition_en="Members who joined in the period, of them those who then spoke, of them those who then paid an "
        "order (wholly "
        "refunded ones left out). Each step after the one before and within the period; people.",
        unit="people",
        value="people",
        denominator="进群的成员；上一步的成员 | members who joined; members of the step before",
        counts="person",
        algorithm="funnel",
        compute=members.funnel,
        finish=finish.funnel,
        example=Example(
            params=_FORTNIGHT,
            rows=(
                {"step": "joined", "people": 4, "of_first": 1.0, "of_previous": 1.0},
                {"step": "spoke", "people": 3, "of_first": 0.75, "of_previous": 0.75},
                {"step": "ordered", "people": 1, "of_first": 0.25, "of_previous": 1 / 3},
            ),
            zh="进群：林、赵、陈、周；发言：林、赵、陈；付款：林（赵的已全退，陈的未付）。",
            en="Joined: 林, 赵, 陈, 周. Spoke: 林, 赵, 陈. Paid: 林 (that of 赵 was wholly refunded, that of 陈 is unpaid).",
        ),
    ),
    Metric(
        id="conversion",
        name_zh="转化率（发言→付款）",
        name_en="Conversion (spoke → paid)",
        definition_zh="期间内发言的成员中，首次发言之后在期间内付过款的比例。",
        definition_en="Of the members who spoke in the period, the share that paid an order after their first message, in "
        "the period.",
        unit="ratio",
        value="value",
        denominator="期间内发言的成员 | members who spoke in the period",
        by=("group", "community"),
        counts="person",
        algorithm="funnel",
        compute=members.conversion,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 2, "denominator": 4, "value": 0.5},),
            zh="发言 4 人，其中林和王之后付款：50%。",
            en="4 spoke, 林 and 王 of them paid afterwards: 50%.",
        ),
    ),
)
