"""Say in Chinese or English whom a segment, a scheme of tiers or a group of tags means, and what an attribute keeps.

The sentences are made from the bound records. One whose conditions have mistakes says nothing: half a condition would mislead.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from qunce.playbook.explain_profile import explain_tag_rule
from qunce.playbook.profile import segment_fields
from qunce.playbook.schema import Holidays, Mode, Playbook
from qunce.playbook.schema.profile import Attribute, TagGroup
from qunce.playbook.schema.segments import Node, Segment, Subject
from qunce.playbook.schema.tiers import Scheme
from qunce.playbook.segments.build import Builder
from qunce.playbook.segments.describe import Language, describe

_SHOWN: Final = 4
"""So many tags are told with their rules."""
_SUBJECTS: Final[Mapping[Subject, tuple[str, str]]] = {
    "member": ("成员", "Members"), "membership": ("某个群里的成员", "Members in a group"), "group": ("群", "Groups"),
}  # fmt: skip
_MODES: Final[Mapping[Mode, tuple[str, str]]] = {
    "observe": ("只计数", "only counted"), "suggest": ("提议打上", "proposed"), "act": ("自动打上", "put by itself"),
}  # fmt: skip
_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "text": ("文字", "a text"), "choice": ("选项", "one of these"), "number": ("整数", "a whole number"),
    "money": ("金额", "an amount"), "date": ("日期", "a date"), "bool": ("是或否", "yes or no"), "city": ("城市", "a city"),
}  # fmt: skip


def explain_segment(segment: Segment, playbook: Playbook, language: Language = "zh") -> str:
    """Return who belongs to a segment; empty = its conditions have mistakes."""
    words = _conditions(segment.where, segment.of, playbook, language)
    if not words:
        return ""
    who = _SUBJECTS[segment.of][0 if language == "zh" else 1]
    if language == "zh":
        return f"符合这些条件的{who}：{words}。随消息、订单和时间自动进出。"
    return f"{who} of whom this holds: {words}. They come and go by themselves with messages, orders and time."


def explain_scheme(scheme: Scheme, playbook: Playbook, language: Language = "zh") -> str:
    """Return how members are sorted; empty = a level has mistakes."""
    zh = language == "zh"
    told = []
    for level in scheme.levels:
        name = level.title if zh else level.title_en or level.title
        others = "其余的人" if zh else "everybody else"
        words = _conditions(level.where, "member", playbook, language) if level.where else others
        if not words:
            return ""
        told.append(f"「{name}」是{words}" if zh else f"{name}: {words}")
    if zh:
        return f"每位成员属于第一个符合的层级，每天重分一次。{'；'.join(told)}。"
    return f"Each member is on the first level that holds, sorted anew every day. {'; '.join(told)}."


def explain_tag_group(group: TagGroup, playbook: Playbook, language: Language = "zh") -> str:
    """Return what the tags of a group mean and when they are put; empty = a rule has mistakes."""
    zh = language == "zh"
    at = 0 if zh else 1
    told = []
    for tag in group.tags[:_SHOWN]:
        name = tag.title or tag.tag_id if zh else tag.title_en or tag.title or tag.tag_id
        ways = []
        for rule in tag.rules:
            if rule.where and not _conditions(rule.where, group.target, playbook, language):
                return ""
            ways.append(f"{explain_tag_rule(playbook, group, rule, language)}{'，' if zh else ', '}{_MODES[rule.mode][at]}")
        told.append(_tag(name, ways, zh=zh))
    if len(group.tags) > _SHOWN:
        more = len(group.tags) - _SHOWN
        told.append(f"另有 {more} 个标签" if zh else f"{more} tags more")
    once = (("，同一时间只有其中一个", ", one of them at a time") if group.exclusive else ("", ""))[at]
    who = _SUBJECTS[group.target][at]
    return f"打在{who}身上{once}。{'；'.join(told)}。" if zh else f"Tags of {who.lower()}{once}. {'; '.join(told)}."


def explain_attribute(attribute: Attribute, language: Language = "zh") -> str:
    """Return what an attribute keeps of a member, and where it comes from."""
    zh = language == "zh"
    kind = _TYPES[attribute.type][0 if zh else 1]
    values = _few([choice.value for choice in attribute.choices], zh=zh)
    if zh:
        said = f"记下每位成员的「{attribute.title}」（{kind}{f'：{values}' if values else ''}）"
        if attribute.chat_phrases:
            above = attribute.auto_accept_above
            how = "提议填上，由同事确认" if above is None else f"把握在 {above:g} 以上直接填上，否则提议"
            said += f"；成员在聊天里说起时，{how}"
        return f"{said}。"
    said = f"Keeps “{attribute.title_en or attribute.title}” of each member ({kind}{f': {values}' if values else ''})"
    if attribute.chat_phrases:
        sure = attribute.auto_accept_above
        how = "it is proposed to a colleague" if sure is None else f"it is kept when at least {sure:g} sure, else proposed"
        said += f"; when members speak of it in chat, {how}"
    return f"{said}."


def explain_holidays(holidays: Holidays, language: Language = "zh") -> str:
    """Return on which days nobody is on duty, and which are worked in their place."""
    zh = language == "zh"
    rests = [f"{one.title} {one.first}{f'–{one.last}' if one.last else ''}" for one in holidays.closed]
    works = [f"{one.title} {one.date}" for one in holidays.workdays]
    told = ([("休息：" if zh else "Closed: ") + _few(rests, zh=zh)] if rests else []) + (
        [("上班：" if zh else "worked: ") + _few(works, zh=zh)] if works else []
    )
    return f"{'；' if zh else '; '}".join(told) + (("。" if zh else ".") if told else "")


def _tag(name: str, ways: Sequence[str], *, zh: bool) -> str:
    if not ways:
        return f"「{name}」由同事打上" if zh else f"{name} is put by colleagues"
    return f"「{name}」：{'，或'.join(ways)}" if zh else f"{name}: {', or '.join(ways)}"


def _few(words: Sequence[str], *, zh: bool) -> str:
    shown = ("、" if zh else ", ").join(words[:_SHOWN])
    return shown + (("等" if zh else " …") if len(words) > _SHOWN else "")


def _conditions(where: tuple[Node, ...], of: Subject, playbook: Playbook, language: Language) -> str:
    others = {item.segment_id: item.of for item in playbook.segments}
    asked = Segment(segment_id="told", title="-", of=of, where=where)
    builder = Builder(asked, others, None, segment_fields(playbook.attributes))
    rule = builder.build()
    return "" if builder.problems else describe(rule.body, of, language)
