"""Say in Chinese or English what a condition asks, from the tree that is evaluated."""

from __future__ import annotations

import re
from typing import Final, Literal

from qunce.playbook.schema.segments import Subject
from qunce.playbook.segments.catalogue import ATTRIBUTES, EVENTS, WORD_NAMES, Kind
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    AllOf,
    AnyOf,
    Attr,
    Between,
    Compare,
    Did,
    Field,
    InPeriod,
    IsMissing,
    IsSet,
    Leaf,
    Node,
    Not,
    OneOf,
    OneOfIds,
    Period,
    Ref,
    Sample,
    Since,
    Tagged,
    Test,
    Window,
)  # fmt: skip
from qunce.playbook.units import say_duration

Language = Literal["zh", "en"]
_SPACE: Final = re.compile(r"(?<=[\u4e00-\u9fff])(?=[0-9A-Za-z≥≤≠<>=])|(?<=[0-9A-Za-z%])(?=[\u4e00-\u9fff])")
_PERIODS: Final = {"today": ("今天", "today"), "this_week": ("本周", "this week"), "this_month": ("本月", "this month")}
_OPERATORS: Final = {"=": "=", "!=": "≠", ">=": "≥", "<=": "≤", ">": ">", "<": "<"}
_AGES: Final = {
    "<=": ("{0}之内", "within {0}"), "<": ("不到{0}之前", "less than {0} ago"), ">=": ("至少{0}之前", "at least {0} ago"),
    ">": ("超过{0}之前", "more than {0} ago"),
}  # fmt: skip
_MEASURES: Final = {
    "times": ("次数", "times"), "days": ("天数", "days"), "sum": ("{0}合计", "sum of {0}"),
    "distinct": ("不同{0}数", "different {0}"),
    "first": ("第一次在", "the first time"), "last": ("最近一次在", "the last time"),
}  # fmt: skip
_FIELDS: Final = {
    "amount": ("金额", "amount"), "length": ("字数", "characters"), "peer": ("对方", "people"), "group_id": ("群", "groups"),
    "member_id": ("成员", "members"), "content": ("内容", "content"),
}  # fmt: skip
_NUMBERS: Final[dict[str, Kind]] = {"amount": "money", "first": "moment", "last": "moment"}


def describe(node: Node, of: Subject, language: Language = "zh") -> str:
    """Return a condition on subjects of a kind as one clause."""
    said = _say(node, of, language)
    return _SPACE.sub(" ", said) if language == "zh" else said


def _say(node: Node, of: Subject, language: Language) -> str:
    zh = language == "zh"
    match node:
        case AllOf(parts):
            return _joined(parts, of, language, "且" if zh else " and ")
        case AnyOf(parts):
            return _joined(parts, of, language, "或" if zh else " or ")
        case Not(part):
            inside = _say(part, of, language)
            return f"不满足（{inside}）" if zh else f"not ({inside})"
        case Ref(segment_id):
            return f"属于分群 {segment_id}" if zh else f"belongs to {segment_id}"
        case _:
            return _leaf(node, of, language)


def _joined(parts: tuple[Node, ...], of: Subject, language: Language, word: str) -> str:
    said = [_say(part, of, language) for part in parts]
    return word.join(f"（{text}）" if isinstance(part, AnyOf | AllOf) else text for part, text in zip(parts, said, strict=True))


def _leaf(leaf: Leaf, of: Subject, language: Language) -> str:
    zh = language == "zh"
    match leaf:
        case Attr(name, test):
            attribute = ATTRIBUTES[of][name]
            said = say_test(test, attribute.kind, language, name)
            return f"{attribute.zh}{said}" if zh else f"{name} {said}"
        case Field(name, kind, title, test):
            said = say_test(test, kind, language)
            return f"{title}{said}" if zh else f"{name} {said}"
        case Tagged(tags):
            return f"带有标签 {' / '.join(tags)}" if zh else f"has the tag {' or '.join(tags)}"
        case Sample(share, salt):
            return f"在抽样 {salt} 的 {share / 100:g}% 里" if zh else f"is among the {share / 100:g}% drawn as {salt}"
        case Did():
            return _did(leaf, of, language)


def _did(leaf: Did, of: Subject, language: Language) -> str:
    index = 0 if language == "zh" else 1
    # The English name of an event goes on to define it after a semicolon; a sentence wants the name alone.
    names = ((EVENTS[name].zh, EVENTS[name].en.partition("; ")[0])[index] for name in leaf.events)
    events = ("或" if index == 0 else " or ").join(names)
    window = _window(leaf.window, of, language)
    field = _FIELDS.get(leaf.field, ("", ""))[index]
    measure = _MEASURES[leaf.measure][index].format(field)
    where = "".join(f"[{_FIELDS[name][index]} {say_test(test, 'word', language, name)}]" for name, test in leaf.where)
    said = say_test(leaf.test, _NUMBERS.get(leaf.field or leaf.measure, "number"), language)
    if index == 0:
        return f"{window}{events}{where}{measure}{said}"
    return f"{events}{where}{f' {window}' if window else ''}: {measure} {said}"


def _window(window: Window | None, of: Subject, language: Language) -> str:
    zh = language == "zh"
    if window is None:
        return ""
    if isinstance(window, Since):
        return f"从{ATTRIBUTES[of][window.attribute].zh}起" if zh else f"since {window.attribute}"
    if isinstance(window, Period):
        return _PERIODS[window.word][0 if zh else 1]
    span = say_duration(window.span_ms // 1000, language)
    return f"最近{span}" if zh else f"in the last {span}"


def say_test(test: Test, kind: Kind, language: Language, name: str = "") -> str:
    """Return a condition on a value of a kind; amounts in the major unit. `name`: whose words have names; empty = none."""
    index = 0 if language == "zh" else 1
    match test:
        case Compare(op, value):
            return f"{_OPERATORS[op]} {_number(value, kind)}"
        case Between(low, high):
            return f"{_number(low, kind)}–{_number(high, kind)}"
        case Age(op, span_ms):
            return _AGES[op][index].format(say_duration(span_ms // 1000, language))
        case AgeBetween(low_ms, high_ms):
            near, far = (say_duration(span // 1000, language) for span in (low_ms, high_ms))
            return f"{near}到{far}之前" if index == 0 else f"{near} to {far} ago"
        case InPeriod(word):
            return _PERIODS[word][index]
        case OneOf(words):
            known = WORD_NAMES.get(name, {})
            said = [known.get(word, (word, word))[index] for word in words]
            return f"{'是' if index == 0 else 'is'} {' / '.join(said)}"
        case OneOfIds(ids):
            return f"{'是' if index == 0 else 'is'} {' / '.join(map(str, ids))}"
        case IsSet():
            return ("有值", "is set")[index]
        case IsMissing():
            return ("没有值", "is missing")[index]


def _number(value: int, kind: Kind) -> str:
    return f"{value / 100:,.2f}" if kind == "money" else f"{value:,}"
