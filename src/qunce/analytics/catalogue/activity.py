"""Active people, messages, engagement."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.metrics import activity
from qunce.analytics.registry import Example, Metric
from qunce.analytics.tables import Params

_FORTNIGHT: Final = Params(since_day=MONDAY, until_day=LAST)
_DAILY: Final = Params(since_day=MONDAY, until_day=LAST, by=("day",))

METRICS: Final = (
    Metric(
        id="dau",
        name_zh="日活跃成员",
        name_en="Daily active members",
        definition_zh="当地一天内发言、回应（表情）或点击跟踪链接的成员数。同一成员在多个群里只计一次；"
        "不按天看时为每日平均值。",
        definition_en="Members who spoke, reacted or clicked a tracked link on a local day. One member in several groups "
        "counts "
        "once. Not cut by day, it is the average of the days.",
        unit="people",
        value="value",
        denominator="期间天数 | days of the period",
        by=("day", "week", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.dau,
        finish=finish.ratio,
        example=Example(
            params=_DAILY,
            rows=tuple(
                {"day": MONDAY + day, "numerator": people, "denominator": 1, "value": float(people)}
                for day, people in ((0, 2), (1, 2), (2, 1), (7, 1), (8, 2))
            ),
            zh="第一个周一林和王活跃（王用两个账号在两个群发言，计一次）：2 人。周二王发言、林点表情：2 人。",
            en="On the first Monday 林 and 王 are active (王 speaks in two groups with two accounts, counted once): 2. On "
            "Tuesday 王 "
            "speaks and 林 reacts: 2.",
        ),
    ),
    Metric(
        id="wau",
        name_zh="周活跃成员",
        name_en="Weekly active members",
        definition_zh="截至某日的 7 天内活跃过的成员数，每人一次。",
        definition_en="Members active at least once in the 7 days that end on a day, each counted once.",
        unit="people",
        value="people",
        by=("day", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.wau,
        example=Example(
            params=_FORTNIGHT,
            rows=({"people": 3},),
            zh="第二周活跃的是林、王、陈：3 人。",
            en="林, 王 and 陈 are active in the second week: 3.",
        ),
    ),
    Metric(
        id="mau",
        name_zh="月活跃成员",
        name_en="Monthly active members",
        definition_zh="截至某日的 30 天内活跃过的成员数，每人一次。",
        definition_en="Members active at least once in the 30 days that end on a day, each counted once.",
        unit="people",
        value="people",
        by=("day", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.mau,
        example=Example(
            params=_FORTNIGHT,
            rows=({"people": 4},),
            zh="两周里活跃过的是林、王、陈、赵：4 人；孙和周从未发言。",
            en="林, 王, 陈 and 赵 were active in the two weeks: 4. 孙 and 周 never spoke.",
        ),
    ),
    Metric(
        id="stickiness",
        name_zh="粘性",
        name_en="Stickiness",
        definition_zh="月活跃成员平均每天有多少比例活跃：30 天日活平均值 ÷ 月活；按天看时为当日日活 ÷ 当日月活。",
        definition_en="Which share of a month's active members comes on a day: average DAU of 30 days ÷ MAU; by day, that "
        "day's "
        "DAU ÷ its MAU.",
        unit="ratio",
        value="value",
        denominator="月活 × 30 天（按天看时为月活） | MAU × 30 days (by day: MAU)",
        by=("day", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.stickiness,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 8, "denominator": 120, "value": 8 / 120},),
            zh="30 天内共 8 个活跃人天，月活 4 人：8 ÷ (4 × 30) = 6.7%。",
            en="8 active person-days in 30 days, MAU 4: 8 ÷ (4 × 30) = 6.7%.",
        ),
    ),
    Metric(
        id="messages",
        name_zh="成员消息数",
        name_en="Members' messages",
        definition_zh="成员在群里发出的消息条数，含后来撤回的。",
        definition_en="Messages members sent in groups, those retracted later included.",
        unit="messages",
        value="messages",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="active-members",
        compute=activity.messages,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST, by=("group",)),
            rows=({"group_id": 1, "messages": 6}, {"group_id": 2, "messages": 3}),
            zh="群 1：林 2 条、王 3 条、赵 1 条；群 2：王、赵、陈各 1 条。员工、机器人和马甲的不计，私聊的不计。",
            en="Group 1: 林 2, 王 3, 赵 1. Group 2: 王, 赵 and 陈 one each. Those of staff, bot and persona do not count, "
            "nor the "
            "direct chat.",
        ),
    ),
    Metric(
        id="speakers",
        name_zh="发言成员",
        name_en="Speakers",
        definition_zh="期间内至少发过一条消息的成员数，每人一次。",
        definition_en="Members who sent at least one message, each counted once.",
        unit="people",
        value="speakers",
        by=("day", "week", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.speakers,
        example=Example(
            params=Params(since_day=MONDAY, until_day=LAST, by=("day",)),
            rows=tuple({"day": MONDAY + day, "speakers": people} for day, people in ((0, 2), (1, 1), (2, 1), (7, 1), (8, 2))),
            zh="周二林只点了表情，没有发言：1 人。",
            en="On Tuesday 林 only reacted and did not speak: 1.",
        ),
    ),
    Metric(
        id="engagement_rate",
        name_zh="互动率",
        name_en="Engagement rate",
        definition_zh="期间内活跃过的成员 ÷ 期间内在群的成员，都按人计。",
        definition_en="Members active in the period ÷ members who were in the groups at any time of it; people, not "
        "memberships.",
        unit="ratio",
        value="value",
        denominator="期间内在群的成员 | members there in the period",
        by=("group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.engagement_rate,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 4, "denominator": 6, "value": 4 / 6},),
            zh="在群 6 人（林、王、陈、赵、孙、周），活跃 4 人：66.7%。",
            en="6 people were there (林, 王, 陈, 赵, 孙, 周), 4 of them active: 66.7%.",
        ),
    ),
    Metric(
        id="interactions_per_member",
        name_zh="互动频率",
        name_en="Interactions per member",
        definition_zh="活跃成员平均每人每天发言与回应（表情）的次数。只点击链接的成员算活跃，点击本身不算互动。",
        definition_en="Messages and reactions of an active member a day, on average. Members who only clicked a link are "
        "active, but a click is no interaction.",
        unit="per_day",
        value="value",
        denominator="活跃成员 × 天数 | active members × days",
        by=("day", "week", "group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.interactions_per_member,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 10, "denominator": 56, "value": 10 / 56},),
            zh="9 条消息加 1 个表情，4 位活跃成员，14 天：10 ÷ (4 × 14) = 0.18。",
            en="9 messages and 1 reaction, 4 active members, 14 days: 10 ÷ (4 × 14) = 0.18.",
        ),
    ),
    Metric(
        id="click_rate",
        name_zh="点击率",
        name_en="Click rate",
        definition_zh="期间内点击过跟踪链接的成员 ÷ 期间内在群的成员，都按人计。只知道跟踪链接的点击。",
        definition_en="Members who clicked a tracked link in the period ÷ members who were in the groups at any time of it; "
        "people. Clicks on other links are unknown.",
        unit="ratio",
        value="value",
        denominator="期间内在群的成员 | members there in the period",
        by=("group", "community"),
        counts="person",
        algorithm="active-members",
        compute=activity.click_rate,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 1, "denominator": 6, "value": 1 / 6},),
            zh="在群 6 人，王点击过链接：16.7%。",
            en="6 people were there, 王 clicked a link: 16.7%.",
        ),
    ),
)
