"""Find ways to be contacted elsewhere: phone, QQ and WeChat numbers, e-mail addresses; also with disguised digits.

The search runs on the stripped view with Chinese numerals turned into digits, so 一三八 0012-34 五六 reads as digits in a row.
A number needs a sign that says what it is (加 Q, 微信, vx …) unless it has the form of a Chinese mobile number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from qunce.engine.text.views import Views
from qunce.playbook.schema.checks import ContactKind

_NUMERALS: Final = str.maketrans("零〇一二三四五六七八九壹贰叁肆伍陆柒捌玖幺", "001234567891234567891")
_DIGITS: Final = "0-9零\u3007一二三四五六七八九壹贰叁肆伍陆柒捌玖幺"
_HINT: Final = re.compile(rf"[微薇威徽维卫葳嶶vw]|[{_DIGITS}]{{5}}|[{_DIGITS}oil]{{11}}")
"""Names stand behind a cue, numbers have five digits or more in a row; in telephone numbers letters may stand for digits."""
_FIVE: Final = re.compile(r"\d{5}")
_PHONE: Final = re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)")
_LOOSE_PHONE: Final = re.compile(r"(?<![0-9a-z])(?=[0-9oil]{11}(?![0-9a-z]))(?=(?:[oil]{0,5}\d){5})[1il][3-9][0-9oil]{9}")
_QQ: Final = re.compile(
    r"(?:扣扣|抠抠|口口|球球|企鹅|(?<![a-z])qq|(?<![a-z])q|扣|抠|蔻|秋秋|群号|裙号|加群|进群|加裙)"
    r"(?:群|裙|号|码|是|联系|加|我){0,4}(\d{5,11})(?!\d)"
)
_QQ_MAIL: Final = re.compile(r"(?<!\d)\d{5,11}(?=qqcom)")
_WECHAT: Final = re.compile(
    r"(?:微信|微心|威信|薇信|徽信|维信|卫信|卫星|薇|葳|嶶|微|v信|(?<![a-z])(?:vx|wx|weixin|wechat|vxin|v))"
    r"(?:信|号|码|是|联系|同号|加|我|同步|搜){0,4}(?=[a-z]{0,19}\d)([a-z0-9]{6,20})(?![a-z0-9])"
)
_WECHAT_NAME: Final = re.compile(
    r"(?:加|＋|私|搜)(?:我|一下|下|个){0,2}(?:微信|薇信|威信|v信|vx|wx|微|薇)(?:号|是){0,2}([a-z][a-z0-9]{5,19})"
)
_CUE: Final = re.compile(r"微|薇|威信|徽信|维信|卫信|卫星|葳|嶶|v|wx|weixin|wechat")
_EMAIL: Final = re.compile(r"(?<![\w.+-])[a-z0-9][\w.+-]{0,63}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,4}")

Contact = tuple[ContactKind, int, int]
"""Kind, and start and end in the text as written."""


def may_be_in(views: Views) -> bool:
    """Tell cheaply whether the text may give a contact; without this sign it gives none."""
    return _HINT.search(views.stripped) is not None or "@" in views.folded


def find(views: Views) -> list[Contact]:
    """Return the contacts in a text, in order of kinds; each number once."""
    if not may_be_in(views):
        return []
    stripped = views.stripped
    digits = stripped.translate(_NUMERALS) if not stripped.isascii() else stripped
    has_number = _FIVE.search(digits) is not None
    found: dict[tuple[int, int], ContactKind] = {}
    if has_number:
        for kind, start, end in _numbers(digits):
            found.setdefault((start, end), kind)
    if _CUE.search(stripped) is not None:
        for start, end in _wechat(stripped, digits):
            found.setdefault((start, end), "wechat")
    if len(stripped) >= 11:
        for match in _LOOSE_PHONE.finditer(digits):
            found.setdefault(match.span(), "phone")
    contacts: list[Contact] = [(kind, *views.written("stripped", start, end)) for (start, end), kind in found.items()]
    if "@" in views.folded:
        contacts += [("email", *views.written("folded", *match.span())) for match in _EMAIL.finditer(views.folded)]
    return contacts


def _numbers(digits: str) -> Iterator[Contact]:
    for match in _PHONE.finditer(digits):
        yield "phone", *match.span()
    for match in _QQ.finditer(digits):
        yield "qq", *match.span(1)
    for match in _QQ_MAIL.finditer(digits):
        yield "qq", *match.span()


def _wechat(stripped: str, digits: str) -> Iterator[tuple[int, int]]:
    for text in dict.fromkeys((digits, stripped)):
        for match in _WECHAT.finditer(text):
            yield match.span(1)
        for match in _WECHAT_NAME.finditer(text):
            yield match.span(1)
