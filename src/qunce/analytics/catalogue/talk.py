"""What is said, when, and how fast questions are answered."""

from __future__ import annotations

from typing import Final

from qunce.analytics import finish
from qunce.analytics.example import LAST, MONDAY
from qunce.analytics.metrics import talk
from qunce.analytics.registry import Example, Metric
from qunce.analytics.tables import Params

_FORTNIGHT: Final = Params(since_day=MONDAY, until_day=LAST)

METRICS: Final = (
    Metric(
        id="heat_map",
        name_zh="时段热力图",
        name_en="Hour × weekday",
        definition_zh="成员消息按星期（0 = 周一）与当地钟点的分布，为期间内的合计。",
        definition_en="Members' messages by weekday (0 = Monday) and local hour, summed over the period.",
        unit="messages",
        value="messages",
        counts="event",
        algorithm="talk",
        compute=talk.heat_map,
        example=Example(
            params=_FORTNIGHT,
            rows=tuple(
                {"weekday": weekday, "hour": hour, "messages": count}
                for weekday, hour, count in ((0, 9, 1), (0, 10, 2), (0, 20, 1), (1, 9, 2), (1, 21, 1), (2, 12, 2))
            ),
            zh="周一 10 点：首周王一条，次周林一条，共 2 条。",
            en="Monday, 10 o'clock: one by 王 in the first week, one by 林 in the second: 2.",
        ),
    ),
    Metric(
        id="content_kinds",
        name_zh="内容类型",
        name_en="Kinds of content",
        definition_zh="成员消息按内容类型（文字、图片、语音等）的条数；一条消息按其第一个非文字部分归类。",
        definition_en="Members' messages by kind of content (text, image, voice …); a message is of the kind of its first "
        "part that "
        "is not text.",
        unit="messages",
        value="messages",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="talk",
        compute=talk.content_kinds,
        finish=finish.content,
        example=Example(
            params=_FORTNIGHT,
            rows=(
                {"content": "text", "messages": 7},
                {"content": "image", "messages": 1},
                {"content": "forward", "messages": 1},
            ),
            zh="9 条成员消息中，赵发的一条是图片，一条是转发。",
            en="Of the members' 9 messages one is a picture and one a forward, both by 赵.",
        ),
    ),
    Metric(
        id="forward_rate",
        name_zh="内容传播率",
        name_en="Forward rate",
        definition_zh="成员消息中转发内容（合并转发的聊天记录等）所占的比例。只看来源标明的转发；转发到本系统看不到的地方不计。",
        definition_en="Share of members' messages that are forwards (forwarded chats and the like). Only forwards the source "
        "names as such; what is forwarded to places the system does not see is unknown.",
        unit="ratio",
        value="value",
        denominator="成员消息 | members' messages",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="talk",
        compute=talk.forward_rate,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 1, "denominator": 9, "value": 1 / 9},),
            zh="9 条成员消息中 1 条是转发：11.1%。",
            en="1 of the members' 9 messages is a forward: 11.1%.",
        ),
    ),
    Metric(
        id="replies",
        name_zh="评论量",
        name_en="Replies",
        definition_zh="成员发出的、引用回复某条消息的消息条数，回复谁的都算。来源不记录引用时为 0。",
        definition_en="Members' messages that reply to a message, whoever wrote it. 0 where the source records no replies.",
        unit="messages",
        value="replies",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="talk",
        compute=talk.replies,
        example=Example(
            params=_FORTNIGHT,
            rows=({"replies": 3},),
            zh="王回复林、王回复自己、林回复赵：3 条；员工的两条回复不计。",
            en="王 replies to 林 and to himself, 林 to 赵: 3. The two replies of staff do not count.",
        ),
    ),
    Metric(
        id="reply_rate",
        name_zh="被回复率",
        name_en="Reply rate",
        definition_zh="成员消息中，期间内至少得到另一位成员一次引用回复的比例。员工的回应见“首响”。",
        definition_en="Share of members' messages that at least one other member replied to within the period. How staff "
        "answer is told by first response.",
        unit="ratio",
        value="value",
        denominator="成员消息 | members' messages",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="talk",
        compute=talk.reply_rate,
        finish=finish.ratio,
        example=Example(
            params=_FORTNIGHT,
            rows=({"numerator": 2, "denominator": 9, "value": 2 / 9},),
            zh="9 条中有 2 条得到别的成员回复：林的提问（王回复）、赵的图片（林次周回复）；王回复自己的不计：22.2%。",
            en="2 of 9 got a reply of another member: the question of 林 (by 王) and the picture of 赵 (by 林, a week later). "
            "王 replying to himself does not count: 22.2%.",
        ),
    ),
    Metric(
        id="first_response",
        name_zh="首响",
        name_en="First response",
        definition_zh="成员在群里的提问到员工首次回答的秒数（不扣除非工作时间；从应答台回复的也算）：中位数、90 分位、3 "
        "分钟内得到回答的提问占全部提问的比例。"
        "中位数与 90 分位只看已回答的提问，未回答的另列。",
        definition_en="Seconds from a member's question in a group to the first answer of staff, in the group or from the desk "
        "(closed hours included): "
        "median, 90th "
        "percentile, and the share of all questions answered within 3 minutes. Median and percentile look at answered "
        "questions only; "
        "unanswered ones are counted beside them.",
        unit="ratio",
        value="value",
        denominator="全部提问（含未回答） | all questions, unanswered ones included",
        by=("day", "week", "group", "community"),
        counts="event",
        algorithm="first-response",
        version=2,
        compute=talk.first_response,
        finish=finish.first_response,
        example=Example(
            params=_FORTNIGHT,
            rows=({"questions": 3, "answered": 2, "fast": 1, "median_s": 180.0, "p90_s": 300, "value": 1 / 3},),
            zh="三个提问：60 秒、300 秒、未回答。中位数 (60 + 300) ÷ 2 = 180 秒；90 分位 300 秒；3 分钟内 1 ÷ 3。",
            en="Three questions: 60 s, 300 s, unanswered. Median (60 + 300) ÷ 2 = 180 s; p90 300 s; within 3 minutes 1 ÷ 3.",
        ),
    ),
)
