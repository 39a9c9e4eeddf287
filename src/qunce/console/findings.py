"""Say in the page's language what the engine found and what is wrong with a playbook.

The engine notes the values of a finding in one fixed form for each check (`6 messages in 10s`), so that decisions stay small
and comparable. Here they become a sentence; a note of another form, such as the host of a link, says itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _

from qunce.console import formats
from qunce.console.labels import label
from qunce.domain.decisions import Evidence
from qunce.runtime.live import telling

if TYPE_CHECKING:
    from collections.abc import Mapping

    from qunce.runtime.live.telling import Problem

Groups = tuple[str, ...]
_SAID: Final[Mapping[str, tuple[tuple[str, Callable[[Groups], str]], ...]]] = {
    "flood": ((r"(\d+) messages in (\w+)", lambda at: _("%(span)s内 %(n)s 条") % {"n": at[0], "span": _span(at[1])}),),
    "duplicate": (
        (
            r"(\d+) alike by (\d+) in (\w+)",
            lambda at: (
                _("%(span)s内 %(n)s 条相同或相近，来自 %(people)s 人") % {"n": at[0], "people": at[1], "span": _span(at[2])}
            ),
        ),
    ),
    "mention": (
        (r"everyone", lambda _at: _("@ 了所有人")),
        (r"(\d+) people", lambda at: _("@ 了 %(n)s 人") % {"n": at[0]}),
    ),
    "media": (
        (r"(\d+) of ([\w+]+) in (\w+)", lambda at: _("%(span)s内 %(n)s 条%(what)s") % {
            "n": at[0], "what": _contents(at[1]), "span": _span(at[2]),
        }),
        (r"([a-z_]+(?:\+[a-z_]+)*)", lambda at: _contents(at[0])),
    ),
    "report": (
        (r"(\d+) people in (\w+)", lambda at: _("%(span)s内有 %(n)s 人举报") % {"n": at[0], "span": _span(at[1])}),
    ),
    "quarrel": (
        (r"(\d+) findings of (\d+) people in (\w+)", lambda at: _("%(span)s内 %(people)s 人起了 %(n)s 次冲突") % {
            "n": at[0], "people": at[1], "span": _span(at[2]),
        }),
    ),
    "speaks_while_muted": ((r"(\d+) s left", lambda at: _("禁言还剩 %(span)s") % {"span": formats.duration(int(at[0]))}),),
    "newcomer": (
        (r"joined (\d+) s ago, message (\d+)", lambda at: _("进群 %(span)s，第 %(n)s 条发言") % {
            "n": at[1], "span": formats.duration(int(at[0])),
        }),
        (r"message (\d+)", lambda at: _("第 %(n)s 条发言") % {"n": at[0]}),
    ),
    "raid": ((r"(\d+) joins in (\w+)", lambda at: _("%(span)s内进来 %(n)s 人") % {"n": at[0], "span": _span(at[1])}),),
    "rejoin": ((r"(\d+) joins in (\w+)", lambda at: _("%(span)s内进群 %(n)s 次") % {"n": at[0], "span": _span(at[1])}),),
    "sister": ((r"((?:in|left|removed from) .+)", lambda at: _sisters(at[0])),),
    "name": ((r"like a colleague's name", lambda _at: _("和同事的名字很像")),),
    "blocked": ((r"blocklist", lambda _at: _("在规则的黑名单里")),),
    "pattern": ((r"in a long text", lambda _at: _("在一段长文字里")),),
    "concept": ((r"(\w+)", lambda at: _name("concept", at[0])),),
    "crisis": ((r"(\w+)", lambda at: _name("crisis", at[0])),),
    "contact": (
        (r"(\w+) in a QR code", lambda at: _("二维码里有%(kind)s") % {"kind": _name("kinds", at[0])}),
    ),
    "qr": ((r"no link", lambda _at: _("不是链接")),),
    "length": ((r"(\d+) characters", lambda at: _("%(n)s 个字") % {"n": at[0]}),),
    "model": ((r"(\w+) v(\S+)", lambda at: _("%(name)s，第 %(n)s 版") % {
        "name": _name("model", at[0]), "n": at[1],
    }),),
    "mood": ((r"mood v(\S+)", lambda at: _("情绪模型第 %(n)s 版") % {"n": at[0]}),),
    "question": ((r"learnt", lambda _at: _("由同事的标记学会")),),
}  # fmt: skip
"""By check: the forms of its notes, with their words."""


def note_text(evidence: Evidence) -> str:
    """Return the note of a finding as words."""
    for form, words in _SAID.get(evidence.check, ()):
        match = re.fullmatch(form, evidence.note)
        if match is not None:
            return words(match.groups())
    return evidence.note


def mistake(problem: Problem) -> tuple[str, str]:
    """Return what is wrong with a playbook, and what to write instead."""
    return telling.mistake(problem, _language())


def mistake_line(problem: Problem) -> str:
    """Return a mistake and its mend with their place, in a line."""
    return str(problem) if formats.english() else telling.problem_line(problem)


def reason_text(text: str) -> str:
    """Return a sentence of the playbook's checks that was kept in English."""
    return text if formats.english() else telling.in_chinese(text)


def _language() -> telling.Language:
    return "en" if formats.english() else "zh"


def _span(written: str) -> str:
    return telling.span(written, _language())


def _name(what: telling.Named, code: str) -> str:
    return telling.name_of(what, code, _language())


def _contents(written: str) -> str:
    return (", " if formats.english() else "、").join(label("content", one) for one in written.split("+"))


def _sisters(note: str) -> str:
    return ("; " if formats.english() else "；").join(_sister(part) for part in note.split("; "))


def _sister(part: str) -> str:
    more = re.fullmatch(r"(\d+) more", part)
    if more is not None:
        return _("还有 %(n)s 个群") % {"n": more[1]}
    stands = re.fullmatch(r"(in|left|removed from) (.+?)( by another account)?", part)
    if stands is None:
        return part
    words = {"in": _("也在%(group)s"), "left": _("退出过%(group)s"), "removed from": _("被移出过%(group)s")}
    said = words[stands[1]] % {"group": f"“{stands[2]}”" if not formats.english() else stands[2]}
    return _("%(said)s（用另一个账号）") % {"said": said} if stands[3] else said
