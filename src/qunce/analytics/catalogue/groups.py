"""How a group is doing."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.health import WINDOW_DAYS
from qunce.analytics.metrics import group_health
from qunce.analytics.registry import Example, Metric
from qunce.analytics.tables import Expr, Params, Tables


def _last_days(tables: Tables, params: Params) -> Expr:
    return group_health.inputs(tables, params.last(WINDOW_DAYS).cut())


def _each_week(tables: Tables, params: Params) -> Expr:
    return group_health.weekly_inputs(tables, params) if params.by else _last_days(tables, params)


METRICS: Final = (
    Metric(
        id="group_health",
        name_zh="群健康度",
        name_en="Group health",
        definition_zh="截至期末的 28 天，五部分相加，0 到 100 分：活跃成员占比 25、双向交流 20、净增长 20、应答速度 20、"
        "发言分散度 15。"
        "没有数据的部分不计，其余按比例补足。不足 5 人或首现不足 14 天的群不打分，并说明原因。",
        definition_en="The 28 days that end with the period, 0 to 100, the sum of five parts: active share 25, two-way "
        "talk 20, net "
        "growth 20, answer speed 20, spread of talk 15. A part without data is left out and the others scaled up. Groups "
        "of fewer "
        "than 5 members, or first seen less than 14 days ago, get no score but the reason.",
        unit="score",
        value="value",
        denominator="见各部分 | stated with each part",
        by=("group",),
        counts="group",
        algorithm="group-health",
        version=2,
        compute=_last_days,
        finish=finish.group_health,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST),
            rows=(
                {
                    "group_id": 1,
                    "value": None,
                    "reason": "too_small",
                    "points_active": 25.0,
                    "points_two_way": 0.0,
                    "points_growth": None,
                    "points_answers": None,
                    "points_spread": 0.0,
                    "members": 4,
                    "first_day": MONDAY,
                    "members_start": 0,
                    "active": 3,
                    "joined": 2,
                    "left": 1,
                    "messages": 6,
                    "two_way": 0,
                    "busiest_three": 6,
                    "questions": 2,
                    "fast": 1,
                },
                {
                    "group_id": 2,
                    "value": None,
                    "reason": "too_small",
                    "points_active": 25.0,
                    "points_two_way": 0.0,
                    "points_growth": None,
                    "points_answers": None,
                    "points_spread": 0.0,
                    "members": 4,
                    "first_day": MONDAY,
                    "members_start": 0,
                    "active": 3,
                    "joined": 3,
                    "left": 0,
                    "messages": 3,
                    "two_way": 0,
                    "busiest_three": 3,
                    "questions": 1,
                    "fast": 0,
                },
            ),
            zh="两个群都只有 4 人，不打分，但给出各部分：群 1 活跃 3 ÷ 4，超过 30%，得满分 25；没有两人同一小时发言，"
            "双向交流 0 分。",
            en="Both groups have 4 members and get no score, but their parts are given: in group 1, 3 ÷ 4 are active, "
            "above 30%, all "
            "25 points; no two members spoke in one hour, so two-way talk earns 0.",
        ),
    ),
    Metric(
        id="group_health_trend",
        name_zh="群健康度趋势",
        name_en="Trend of group health",
        definition_zh="有评分的群的健康度平均值，每周末各看一次之前的 28 天；不按周看时只看期末。公式与群健康度相同，"
        "没有评分的群不计入平均，另列个数。",
        definition_en="Mean health of the groups that have a score, over the 28 days that end with each week; not cut by week, "
        "at the end of the period only. The formula is that of group health; groups without a score are counted beside it.",
        unit="score",
        value="value",
        denominator="有评分的群 | groups with a score",
        by=("week",),
        counts="group",
        algorithm="group-health",
        version=2,
        compute=_each_week,
        finish=finish.group_health_trend,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST, by=("week",)),
            rows=(
                {"week": MONDAY, "value": None, "scored": 0, "unscored": 2},
                {"week": MONDAY + 7, "value": None, "scored": 0, "unscored": 2},
            ),
            zh="两个群都不足 5 人，两周都没有可平均的评分。"
            "若有三个群，评分 70.7、50.1 与“成员太少”，则平均为 60.4，有评分的群 2 个。",
            en="Both groups have fewer than 5 members, so neither week has a score to average. Of three groups with 70.7, 50.1 "
            "and “too small” the mean would be 60.4, of 2 groups.",
        ),
    ),
)
