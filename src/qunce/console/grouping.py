"""Say in which phase groups are, what is proposed for them, and how far their goals are reached: numbers first, then words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from qunce.analytics import phases
from qunce.console import figures, formats
from qunce.console.period import Period
from qunce.readmodels.models import Group
from qunce.runtime.grouping.charter import METRICS, Charter, Goal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.utils.functional import _StrPromise

    from qunce.readmodels.models import GroupChart
    from qunce.readmodels.selectors.days import Visible

Inputs = phases.Inputs
TYPES: Final[Mapping[str, _StrPromise]] = {
    "interest": gettext_lazy("兴趣群"), "seeding": gettext_lazy("种草群"), "loyal": gettext_lazy("铁粉群"),
    "vip": gettext_lazy("VIP 群"),
}  # fmt: skip
PHASES: Final[Mapping[str, _StrPromise]] = {
    "growing": gettext_lazy("催熟期"), "extending": gettext_lazy("延长期"), "winning_back": gettext_lazy("召回流失期"),
}  # fmt: skip
PHASE_ADVICE: Final[Mapping[str, _StrPromise]] = {
    "growing": gettext_lazy("拉新种草、让新人开口：群规和破冰先做，内容轻一点。"),
    "extending": gettext_lazy("转化与沉淀：找出价值成员，稳定的栏目和会员日。"),
    "winning_back": gettext_lazy("召回与关怀：先问问还在的人需要什么，再决定要不要继续。"),
}
PROPOSALS: Final[Mapping[str, _StrPromise]] = {
    "revive": gettext_lazy("激活"), "merge": gettext_lazy("合并"), "retire": gettext_lazy("收群"),
    "keep": gettext_lazy("先留着"),
}  # fmt: skip
GOALS: Final[Mapping[str, _StrPromise]] = {
    "members": gettext_lazy("在群成员"), "active_share": gettext_lazy("活跃成员占比"), "messages": gettext_lazy("成员消息"),
    "fast_answers": gettext_lazy("3 分钟内应答占比"), "leave_rate": gettext_lazy("退群率"), "orders": gettext_lazy("订单"),
    "health": gettext_lazy("健康分"),
}  # fmt: skip
DECIDED_MS: Final = 28 * 86_400_000
"""How long a colleague's decision keeps a proposal away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The numbers of all groups in two neighbouring windows; `state` as of `figures`."""

    until: int
    now: Mapping[int, Inputs]
    before: Mapping[int, Inputs]
    state: figures.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A goal with what was measured. `actual` None = there is nothing to measure (yet)."""

    goal: Goal
    title: str
    unit: str
    actual: float | None

    @property
    def reached(self) -> bool | None:
        """Whether the goal is reached; None = not measured."""
        if self.actual is None:
            return None
        return self.actual >= self.goal.target if self.goal.at_least else self.actual <= self.goal.target


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """What is proposed for a group, with the reasons in words, and what was decided about it."""

    group_id: int
    name: str
    code: str
    reasons: tuple[str, ...]
    members: int
    decided: GroupChart | None


def known(until: int) -> Known:
    """Return the numbers of all groups for the 28 days up to `until` and the 28 before, as far as they are computed."""
    length = figures.HEALTH_DAYS
    answers = [figures.ask("group_health", Period(days=length, until=until - shift), None) for shift in (0, length)]
    now, before = ({row["group_id"]: row for row in answer.rows} for answer in answers)
    return Known(until=until, now=now, before=before, state=figures.worst(*answers))


def phase(numbers: Known, group_id: int) -> phases.Judged | None:
    """Return the phase of a group by its numbers; None = not known (yet)."""
    now = numbers.now.get(group_id)
    return phases.phase(now, numbers.before.get(group_id), numbers.until) if now else None


def reasons(judged: phases.Judged) -> tuple[str, ...]:
    """Return why a group is judged so, in words with the numbers."""
    words = {
        "age": _("有记录 %(n)s 天，不到 %(of)s 天"), "growth": _("28 天净增 %(n)s 人，期初 %(of)s 人"),
        "faded": _("成员消息从前 28 天的 %(of)s 条降到 %(n)s 条"), "quiet": _("28 天里 %(of)s 位成员只有 %(n)s 位活跃"),
        "leaving": _("28 天里走了 %(n)s 人，期初 %(of)s 人"), "active": _("28 天里 %(of)s 位成员有 %(n)s 位活跃"),
        "silent": _("%(of)s 天没有成员消息"), "members": _("还有 %(n)s 位成员"),
        "small": _("只有 %(n)s 位成员，不到 %(of)s 位"),
        "others": _("同一社群里有 %(n)s 个更大的群可以并入"), "health": _("健康分 %(n)s / %(of)s"),
    }  # fmt: skip
    return tuple(words[code] % {"n": formats.number(number), "of": formats.number(of)} for code, number, of in judged.reasons)


def proposals(numbers: Known, visible: Visible, types: Mapping[int, str], decided: Mapping[int, GroupChart]) -> list[Proposed]:
    """Return what is proposed for the visible groups that still exist, the gravest first."""
    groups = Group.objects.filter(kind="group", dismissed_ms=None, pk__in=numbers.now)
    if visible is not None:
        groups = groups.filter(pk__in=visible)
    rows = list(groups.order_by("pk").values_list("pk", "name", "community_id"))
    sizes: dict[tuple[int | None, str], list[int]] = {}
    for pk, _name, community in rows:
        sizes.setdefault((community, types.get(pk, "")), []).append(numbers.now[pk]["members"])
    found = []
    for pk, name, community in rows:
        now = numbers.now[pk]
        same = sizes[community, types.get(pk, "")] if community is not None else []
        judged = phases.proposal(now, numbers.before.get(pk), numbers.until, sum(size > now["members"] for size in same))
        if judged is not None:
            found.append(
                Proposed(
                    group_id=pk, name=name, code=judged.code, reasons=reasons(judged), members=now["members"],
                    decided=decided.get(pk),
                )
            )  # fmt: skip
    order = {"retire": 0, "merge": 1, "revive": 2}
    return sorted(found, key=lambda row: (order[row.code], -row.members, row.group_id))


def measured(charter: Charter, numbers: Known, group_id: int) -> list[Measured]:
    """Return each goal with what was measured over the last 28 days."""
    now = numbers.now.get(group_id)
    return [
        Measured(
            goal=goal, title=str(GOALS[goal.metric]), unit=METRICS[goal.metric],
            actual=_actual(goal.metric, now, numbers.until, group_id),
        )
        for goal in charter.goals
    ]  # fmt: skip


def _actual(metric: str, now: Inputs | None, until: int, group_id: int) -> float | None:
    if metric == "orders":
        answer = figures.ask("orders", Period(days=figures.HEALTH_DAYS, until=until), frozenset((group_id,)))
        return answer.value
    if now is None:
        return None
    values: dict[str, Any] = {
        "members": now["members"], "messages": now["messages"], "health": now["value"],
        "active_share": _share(now["active"], now["members"]), "fast_answers": _share(now["fast"], now["questions"]),
        "leave_rate": _share(now["left"], now["members_start"]),
    }  # fmt: skip
    found: float | None = values[metric]
    return found


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
