"""Names of what segments are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

SEGMENTS: Final[dict[str, dict[str, _StrPromise | str]]] = {
    "subject": {"member": _("成员"), "membership": _("成员在群里"), "group": _("群")},
    "segment_run": {
        "first": _("第一次"), "changed": _("条件变了"), "nightly": _("每天凌晨"), "behind": _("变动太多"),
        "asked": _("有人要求"), "again": _("上次没算完"),
    },
    "op": {
        ">=": _("至少"), "<=": _("至多"), "=": _("等于"), ">": _("多于"), "<": _("少于"), "!=": _("不等于"),
        "between": _("在两数之间"), "set": _("有值"), "missing": _("没有值"), "is": _("是"),
    },
    "age_op": {
        "<=": _("不早于"), ">=": _("早于或正好"), "between": _("在这段之间"), "today": _("就在今天"),
        "this_week": _("就在本周"), "this_month": _("就在本月"), ">": _("早于"), "<": _("晚于"), "set": _("有过"),
        "missing": _("没有过"),
    },
    "cond": {
        "did": _("做过"), "attr": _("属性"), "tag": _("标签"), "segment": _("属于分群"), "any": _("任一满足"),
        "all": _("全部满足"), "sample": _("随机抽样"),
    },
    "window": {
        "ever": _("一直以来"), "1d": _("最近 1 天"), "3d": _("最近 3 天"), "7d": _("最近 7 天"), "14d": _("最近 14 天"),
        "30d": _("最近 30 天"), "60d": _("最近 60 天"), "90d": _("最近 90 天"), "180d": _("最近 180 天"),
        "365d": _("最近 365 天"), "today": _("今天"), "this_week": _("本周"), "this_month": _("本月"),
    },
    "unit": {
        "d": pgettext_lazy("unit of time", "天"), "h": pgettext_lazy("unit of time", "小时"),
        "m": pgettext_lazy("unit of time", "分钟"),
    },
}  # fmt: skip
