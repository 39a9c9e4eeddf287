"""Declare who answers when: holidays, duty rosters, and how fast which message must be answered."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from qunce.playbook.schema.base import Id, Mode, Part, Text, Title, duration, key

DAY: Final = 86_400
Need = Literal["complaint", "order_trouble", "question", "mention", "first_post"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
StaffRole = Literal["owner", "admin"]
Date = Annotated[str, key("日期", "A local date", "2026-10-01", kind="date")]


class Closed(Part, frozen=True, kw_only=True):
    """Days on which nobody is on duty."""

    first: Date
    last: Annotated[str, key("最后一天", "Last closed day; without it one day", "2026-10-07", kind="date")] | None = None
    title: Title


class Workday(Part, frozen=True, kw_only=True):
    """A day that is worked although the week says otherwise (调休)."""

    date: Date
    like: Annotated[Weekday, key("按周几", "Its shifts are those of this day of the week", "mon")] = "mon"
    title: Title


class Holidays(Part, frozen=True, kw_only=True):
    """A table of holidays, and of the days worked in their place."""

    holidays_id: Id
    title: Title
    closed: Annotated[tuple[Closed, ...], key("休息日", "Closed days", [])] = ()
    workdays: Annotated[tuple[Workday, ...], key("调休上班", "Days worked in place of others", [])] = ()


class Shift(Part, frozen=True, kw_only=True):
    """Hours in which somebody answers."""

    title: Title
    hours: Annotated[Text, key("时段", "Hours of the week; may run over midnight", "mon-fri 09:00-18:00", kind="hours")]
    breaks: Annotated[tuple[Text, ...], key("休息", "Hours inside in which the clock rests", "12:00-13:00", kind="hours")] = ()
    staff: Annotated[tuple[Text, ...], key("值班人", "Platform ids of who is on duty; empty = any colleague", "zhangsan")] = ()


class Duty(Part, frozen=True, kw_only=True):
    """A duty roster. The answer clock runs while any shift does."""

    duty_id: Id
    title: Title
    shifts: Annotated[tuple[Shift, ...], key("班次", "Shifts; they may overlap", [])]
    holidays: Annotated[Id, key("节假日", "A holidays_id; without one every week is the same", "cn")] | None = None


class Escalation(Part, frozen=True, kw_only=True):
    """Whom to call when nobody answers."""

    after_s: Annotated[int, duration("多久后", "Duty time since the message", "5m", le=7 * DAY)]
    to: Annotated[tuple[Text, ...], key("通知谁", "Roles or platform ids", "supervisor")]


class Sooner(Part, frozen=True, kw_only=True):
    """A shorter time for one kind of message, for first and next responses alike."""

    need: Annotated[Need, key("哪类", "Kind of message", "complaint")]
    within_s: Annotated[int, duration("时限", "Duty time until a response", "1m", le=7 * DAY)]


class AnswerRule(Part, frozen=True, kw_only=True):
    """Which messages need an answer in which groups, and how fast."""

    rule_id: Id
    title: Title
    title_en: Annotated[str, key("英文名称", "Name in English; empty = the title", "Three minutes", max_length=80)] = ""
    enabled: Annotated[bool, key("启用", "false switches the rule off", True)] = True
    mode: Annotated[Mode, key("模式", "observe = only measure; suggest and act = tell colleagues", "observe")] = "observe"
    groups: Annotated[
        tuple[Text, ...], key("适用的群", "Names or ids, with *; empty = all; the first rule that fits holds", "母婴*")
    ] = ()
    needs: Annotated[tuple[Need, ...], key("需要应答的", "Kinds of messages that need an answer", ["question", "mention"])] = (
        "complaint", "order_trouble", "question", "mention", "first_post",
    )  # fmt: skip
    first_within_s: Annotated[int, duration("首响时限", "Duty time until the first response", "3m", le=7 * DAY)] = 180
    next_within_s: Annotated[int, duration("续响时限", "Duty time until the next response in a talk", "5m", le=7 * DAY)] = 300
    sooner: Annotated[tuple[Sooner, ...], key("更快的", "Kinds that must be answered sooner", [])] = ()
    escalate: Annotated[tuple[Escalation, ...], key("升级", "Whom to call after which time", [])] = ()
    notify: Annotated[
        tuple[Text, ...],
        key("通知群", "Whom to tell of each escalation: our groups, robots, colleagues by login name (e-mail)", "客服值班群"),
    ] = ()
    duty: Annotated[Id, key("值班表", "A duty_id; without one the clock never rests", "day_team")] | None = None
    brands: Annotated[tuple[Text, ...], key("对外称呼", "Names that members call with @ to reach us", "客服")] = ()
    staff_roles: Annotated[
        tuple[StaffRole, ...], key("视为员工的群内角色", "People with these platform roles answer for us too", ["owner"])
    ] = ()
    peers: Annotated[
        Literal["answer", "note"], key("KOC 回答", "answer = it counts, shown apart; note = only recorded", "answer")
    ] = "answer"
    peer_members: Annotated[tuple[Text, ...], key("KOC 成员", "Platform ids, beside members tagged KOC", "wmKOC")] = ()
    follow_up_s: Annotated[
        int,
        duration("续谈时间", "After an answer, questions of the same member this soon belong to the same talk", "30m", le=DAY),
    ] = 1_800
    give_up_after_s: Annotated[
        int, duration("放弃时间", "Clock time after the due moment when it counts as never answered", "24h", le=30 * DAY)
    ] = DAY
