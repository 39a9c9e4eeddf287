"""Say what spoke for, or against, two accounts being one person's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

KEYS: Final[dict[str, _StrPromise | str]] = {
    "phone": gettext_lazy("手机号"), "unionid": "unionid", "external_userid": "external_userid",
    "email": gettext_lazy("邮箱"), "crm": gettext_lazy("会员编号"),
}  # fmt: skip
ALIKE: Final = 0.14
"""Likeness of writing from which it speaks for one person; docs/algorithms/identity.md."""


def evidence_text(name: str, value: str) -> str:
    """Return one piece of evidence as words; an unknown code names itself."""
    match name:
        case "name":
            return _("名字相同")
        case "core":
            return _("名字去掉表情、城市、职务后相同")
        case "near":
            return _("名字只差一个字")
        case "groups":
            return _("同在 %(n)s 个群") % {"n": value}
        case "writing":
            return _("文风相似度 %(n)s") % {"n": value}
        case "together":
            return _("有 %(n)s 分钟在同一个群里同时发言") % {"n": value}
        case "apart":
            return _("%(n)s 个小时里都发过言，从不在同一分钟") % {"n": value}
        case "handover":
            return _("一个停用之后另一个才出现")
        case "key":
            return _("%(key)s相同") % {"key": KEYS.get(value, value)}
        case "shared":
            key, _colon, count = value.partition(":")
            return _("%(n)s 个账号共用一个%(key)s") % {"n": count, "key": KEYS.get(key, key)}
        case _:
            return f"{name} {value}".strip()


def evidence_tone(name: str, value: str) -> str:
    """Return how a piece of evidence is shown: `good` speaks for one person, `bad` against, `warn` is weak."""
    if name == "together":
        return "bad"
    if name == "writing":
        return "good" if _number(value) >= ALIKE else "bad"
    return "warn" if name in ("shared", "near") else "good" if name in ("key", "apart", "handover") else ""


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
