"""Turn a metric's rows into tables that people read: titled columns, named groups, values in their units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from qunce.analytics.health import PARTS
from qunce.console import formats
from qunce.console.labels import label

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from django.utils.functional import _StrPromise

    from qunce.analytics.registry import Metric
    from qunce.console.figures import Answer

TITLES: Final[dict[str, _StrPromise]] = {
    "day": gettext_lazy("日期"), "week": gettext_lazy("周（周一）"), "cohort": gettext_lazy("起始周"),
    "weeks": gettext_lazy("第几周"),
    "first_day": gettext_lazy("首日"), "group_id": gettext_lazy("群"), "community_id": gettext_lazy("所属社群"),
    "numerator": gettext_lazy("分子"), "denominator": gettext_lazy("分母"), "value": gettext_lazy("数值"),
    "people": gettext_lazy("人数"), "messages": gettext_lazy("消息"), "speakers": gettext_lazy("发言人数"),
    "joined": gettext_lazy("进群"), "left": gettext_lazy("退群"), "step": gettext_lazy("步骤"),
    "of_first": gettext_lazy("占第一步"),
    "of_previous": gettext_lazy("占上一步"), "orders": gettext_lazy("订单"), "currency": gettext_lazy("货币"),
    "revenue_minor": gettext_lazy("金额"), "weekday": gettext_lazy("星期"), "hour": gettext_lazy("小时"),
    "content": gettext_lazy("内容类型"), "questions": gettext_lazy("提问"), "answered": gettext_lazy("已回应"),
    "fast": gettext_lazy("3 分钟内"), "median_s": gettext_lazy("中位时长"), "p90_s": gettext_lazy("90% 分位"),
    "reason": gettext_lazy("无评分的原因"), "members": gettext_lazy("成员"), "members_start": gettext_lazy("期初成员"),
    "replies": gettext_lazy("回复"), "scored": gettext_lazy("有评分的群"), "unscored": gettext_lazy("没有评分的群"),
    "active": gettext_lazy("活跃成员"), "two_way": gettext_lazy("双向消息"), "busiest_three": gettext_lazy("最多三人的消息"),
    "person": gettext_lazy("成员编号"), "answers": gettext_lazy("回答提问"), "repliers": gettext_lazy("回复过的成员"),
    "invited": gettext_lazy("带来的成员"), "reactions": gettext_lazy("收到表态"), "days": gettext_lazy("发言天数"),
}  # fmt: skip
_STEPS: Final = {"joined": gettext_lazy("进群"), "spoke": gettext_lazy("首次发言"), "ordered": gettext_lazy("首次下单")}
_REASONS: Final = {"too_small": gettext_lazy("成员太少"), "too_new": gettext_lazy("记录不满 14 天"), "": gettext_lazy("–")}
_LEFT_ALIGNED: Final = frozenset({"group_id", "community_id", "step", "content", "currency", "reason", "day", "week", "cohort"})


def own(answer: Answer | None, currency: str) -> dict[str, Any]:
    """Return the one row of a metric that is not cut; of several currencies the organisation's."""
    rows = own_rows(answer.rows, currency) if answer else []
    return rows[0] if len(rows) == 1 else {}


def own_rows(rows: Sequence[dict[str, Any]], currency: str) -> list[dict[str, Any]]:
    """Return the rows of the organisation's currency; rows without a currency all count."""
    return [row for row in rows if row.get("currency", currency) == currency]


def table(
    metric: Metric, rows: Sequence[dict[str, Any]], names: Mapping[int, str], currency: str, *, linked: bool = True
) -> dict[str, Any]:
    """Return `head` (title, is number) and `body` (texts, with the group's id where a cell is a group to be linked).

    Not `linked` are the groups of a worked example, which are made up.
    """
    shown = list(rows[0]) if rows else []
    return {
        "head": [(title(name), name not in _LEFT_ALIGNED) for name in shown],
        "body": [[_cell(metric, name, row, names, currency, linked) for name in shown] for row in rows],
    }


def title(name: str) -> str:
    """Return a column's title."""
    if name.startswith("points_"):
        part = next((part for part in PARTS if part.id == name.removeprefix("points_")), None)
        if part:
            return part.name_en if formats.english() else part.name_zh
    return str(TITLES.get(name, name))


def plain(rows: Sequence[dict[str, Any]], names: Mapping[int, str]) -> tuple[list[str], list[list[str | int | float | None]]]:
    """Return header and rows for a file: exact numbers, dates as ISO, groups by name."""
    shown = list(rows[0]) if rows else []
    return [title(name) for name in shown], [[_exact(name, row[name], names) for name in shown] for row in rows]


def _exact(name: str, value: Any, names: Mapping[int, str]) -> str | int | float | None:
    if name in ("day", "week", "cohort", "first_day") and isinstance(value, int):
        return formats.day(value)
    if name in ("group_id", "community_id"):
        return names.get(value, str(value))
    exact: str | int | float | None = value
    return exact


def _cell(
    metric: Metric, name: str, row: Mapping[str, Any], names: Mapping[int, str], currency: str, linked: bool
) -> tuple[str, int | None]:
    value = row[name]
    if name == "group_id":
        return names.get(value, _("群 %(id)s") % {"id": value}), value if linked else None
    return _text(metric, name, value, names, str(row.get("currency", currency))), None


def _text(metric: Metric, name: str, value: Any, names: Mapping[int, str], currency: str) -> str:
    match name:
        case "community_id":
            return names.get(value, "") or _("未归入社群")
        case "day" | "week" | "cohort" | "first_day":
            return formats.day(value)
        case "step":
            return str(_STEPS.get(value, value))
        case "content":
            return label("content", value)
        case "reason":
            return str(_REASONS.get(value, value))
        case "weekday":
            return formats.weekdays()[int(value)]
        case "median_s" | "p90_s":
            return formats.duration(value)
        case "of_first" | "of_previous":
            return formats.percent(value)
        case "currency":
            return str(value)
        case _:
            return formats.in_unit(value, _unit(metric, name), currency)


def _unit(metric: Metric, name: str) -> str:
    """Return the unit of a column: the metric's for its value, money for the numerator of money, else a plain number."""
    if name == metric.value:
        return metric.unit
    return "minor" if metric.unit == "minor" and name == "numerator" else "score" if name.startswith("points_") else ""
