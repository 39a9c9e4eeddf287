"""Segments as text: what each construct means, what is refused, with which place and mend."""

from __future__ import annotations

from typing import get_args, get_type_hints

import pytest

from qunce.domain.events import MemberJoined
from qunce.playbook import gallery
from qunce.playbook.errors import InvalidPlaybook, Problem
from qunce.playbook.load import parse
from qunce.playbook.schema import Playbook
from qunce.playbook.segments.build import Builder
from qunce.playbook.segments.catalogue import ATTRIBUTES, CONTENTS, EVENTS, NOT_YET, ROLES, SCENES, WORD_NAMES
from qunce.playbook.segments.check import check_segment, rules_of
from qunce.playbook.segments.describe import describe
from qunce.playbook.segments.tree import (
    Age,
    AgeBetween,
    AllOf,
    AnyOf,
    Attr,
    Between,
    Compare,
    Did,
    InPeriod,
    IsMissing,
    IsSet,
    Node,
    Not,
    OneOf,
    OneOfIds,
    Period,
    Ref,
    Sample,
    Since,
    Tagged,
    Within,
)  # fmt: skip
from qunce.playbook.write import write

DAY = 86_400_000
HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\nsegments:\n"
OTHER = '  - {segment_id: other, title: 别的, where: [{attr: messages, is: ">=1"}]}\n'


def playbook(condition: str, of: str = "member") -> Playbook:
    text = f"{HEAD}{OTHER}  - segment_id: it\n    title: 它\n    of: {of}\n    where:\n      - {condition}\n"
    return parse({"p.yaml": text}).playbook


def tree(condition: str, of: str = "member") -> Node:
    return rules_of(playbook(condition, of).segments)["it"].body


MEANS: dict[str, tuple[str, str, Node]] = {
    "all": ("member", "all: [{tag: a}, {tag: b}]", AllOf((Tagged(("a",)), Tagged(("b",))))),
    "any": ("member", "any: [{tag: a}, {tag: b}]", AnyOf((Tagged(("a",)), Tagged(("b",))))),
    "not": ("member", "not: {segment: other}", Not(Ref("other"))),
    "a list of tags": ("member", "tag: [a, b, a]", Tagged(("a", "b"))),
    "a draw": ("member", "{sample: 2.5%, salt: x}", Sample(250, "x")),
    "a number alone is equality": ("member", "{attr: messages, is: 3}", Attr("messages", Compare("=", 3))),
    "a number in words": ("member", "{attr: messages, is: '>= 3'}", Attr("messages", Compare(">=", 3))),
    "a range": ("member", "{attr: messages, is: [3, 5]}", Attr("messages", Between(3, 5))),
    "money is kept in the minor unit": ("member", "{attr: spend, is: '>=12.5'}", Attr("spend", Compare(">=", 1_250))),
    "an age": ("member", "{attr: first_seen_at, is: '<=7d'}", Attr("first_seen_at", Age("<=", 7 * DAY))),
    "a range of ages": ("membership", "{attr: joined_at, is: [3d, 10d]}", Attr("joined_at", AgeBetween(3 * DAY, 10 * DAY))),
    "a calendar word": ("membership", "{attr: joined_at, is: this_week}", Attr("joined_at", InPeriod("this_week"))),
    "set": ("group", "{attr: created_at, is: set}", Attr("created_at", IsSet())),
    "missing": ("membership", "{attr: left_at, is: missing}", Attr("left_at", IsMissing())),
    "a word": ("membership", "{attr: role, is: [admin, owner]}", Attr("role", OneOf(("admin", "owner")))),
    "a way into the group": ("membership", "{attr: scene, is: [qr, join_way]}", Attr("scene", OneOf(("qr", "join_way")))),
    "did alone is at least once": ("member", "did: message", Did(events=("message",), test=Compare(">=", 1))),
    "several events together": (
        "member", "{did: [message, reaction], times: '=0'}",
        Did(events=("message", "reaction"), test=Compare("=", 0)),
    ),
    "a rolling window": (
        "member", "{did: message, within: 7d, days: '>=3'}",
        Did(events=("message",), window=Within(7 * DAY), measure="days", test=Compare(">=", 3)),
    ),
    "a calendar window": (
        "member", "{did: message, within: today}",
        Did(events=("message",), window=Period("today"), test=Compare(">=", 1)),
    ),
    "since a moment of the subject": (
        "membership", "{did: message, since: joined_at, times: '<=1'}",
        Did(events=("message",), window=Since("joined_at"), test=Compare("<=", 1)),
    ),
    "a sum of money": (
        "member", "{did: order_paid, sum: {amount: '>=500'}}",
        Did(events=("order_paid",), measure="sum", field="amount", test=Compare(">=", 50_000)),
    ),
    "different people": (
        "group", "{did: message, distinct: {member_id: '<5'}}",
        Did(events=("message",), measure="distinct", field="member_id", test=Compare("<", 5)),
    ),
    "fields of events": (
        "member", "{did: message, where: {content: image, group_id: [3, 4]}}",
        Did(events=("message",), where=(("content", OneOf(("image",))), ("group_id", OneOfIds((3, 4)))), test=Compare(">=", 1)),
    ),
    "two measures both hold": (
        "member", "{did: order_paid, times: '>=2', last: '>60d'}",
        AllOf((
            Did(events=("order_paid",), test=Compare(">=", 2)),
            Did(events=("order_paid",), measure="last", test=Age(">", 60 * DAY)),
        )),
    ),
    "first": ("member", "{did: order_paid, first: '<=7d'}",
              Did(events=("order_paid",), measure="first", test=Age("<=", 7 * DAY))),
}  # fmt: skip


@pytest.mark.parametrize(("of", "condition", "wanted"), MEANS.values(), ids=MEANS)
def test_a_construct_means(of: str, condition: str, wanted: Node) -> None:
    if "segment: other" in condition:
        of = "member"
    assert tree(condition, of) == wanted
    for language in ("zh", "en"):
        assert describe(wanted, of, language)  # type: ignore[arg-type]


def problems(condition: str, of: str = "member") -> tuple[Problem, ...]:
    with pytest.raises(InvalidPlaybook) as caught:
        playbook(condition, of)
    return caught.value.problems


REFUSED: dict[str, tuple[str, str, str, str, str]] = {
    # of, condition, path below the item, code, a part of the mend
    "an unknown attribute, with the one that was meant": (
        "member", "{attr: mesages, is: 3}", "attr", "reference", "'messages'"),
    "an attribute of another subject": ("member", "{attr: joined_at, is: set}", "attr", "subject", "of:"),
    "an attribute without a condition": ("member", "attr: messages", "is", "missing", "is: set"),
    "an unknown event": ("member", "did: mesage", "did", "reference", "'message'"),
    "an event that cannot be answered yet, by name": ("member", "did: ask_price", "did", "reference", "message"),
    "an event of another subject": ("membership", "did: order_paid", "did", "subject", "of: member"),
    "no event": ("member", "did: []", "did", "no_op", "message"),
    "an unknown segment": ("member", "segment: othr", "segment", "reference", "'other'"),
    "a segment about another subject": ("group", "segment: other", "segment", "subject", "of: group"),
    "two kinds in one condition": ("member", "{tag: a, segment: other}", "", "kind", "its own"),
    "no kind": ("member", "{times: 3}", "", "kind", "attr"),
    "a key of another kind": ("member", "{tag: a, within: 7d}", "within", "no_op", "delete"),
    "an empty group": ("member", "any: []", "any", "no_op", "delete"),
    "a tag without a name": ("member", "tag: []", "tag", "no_op", "name"),
    "a window that is none": ("member", "{did: message, within: 7 days}", "within", "duration", "today"),
    "within and since": ("membership", "{did: message, within: 7d, since: joined_at}", "since", "impossible", "keep one"),
    "since something that is no moment": ("membership", "{did: message, since: role}", "since", "reference", "joined_at"),
    "a count below zero": ("member", "{did: message, times: '<0'}", "times", "impossible", "can occur"),
    "a count that always holds": ("member", "{did: message, times: '>=0'}", "times", "no_op", "narrower"),
    "a range that ends before it begins": ("member", "{did: message, times: [5, 3]}", "times", "impossible", "smaller"),
    "a range with three ends": ("member", "{did: message, times: [1, 2, 3]}", "times", "condition", "[3, 5]"),
    "a count in words": ("member", "{did: message, times: many}", "times", "condition", "whole number"),
    "a count that is set": ("member", "{did: message, times: set}", "times", "no_op", "whole number"),
    "nothing after the sign": ("member", "{did: message, times: '>='}", "times", "condition", "whole number"),
    "more days than the window touches": ("member", "{did: message, within: 7d, days: '>=9'}", "days", "impossible", "occur"),
    "more days than a week has": ("member", "{did: message, within: this_week, days: 8}", "days", "impossible", "occur"),
    "an age beyond the window": ("member", "{did: message, within: 7d, last: '>30d'}", "last", "impossible", "occur"),
    "an age that the window says already": ("member", "{did: message, within: 7d, last: '<=7d'}", "last", "no_op", "narrower"),
    "one exact moment": ("member", "{did: message, last: 7d}", "last", "condition", '"<=7d"'),
    "a moment as a number": ("member", "{attr: first_seen_at, is: '>=7'}", "is", "condition", "<=7d"),
    "an amount with three decimals": ("member", "{attr: spend, is: '>=1.005'}", "is", "condition", "two decimals"),
    "a role that does not exist": ("membership", "{attr: role, is: boss}", "is", "choice", "owner"),
    "an empty list of words": ("membership", "{attr: role, is: []}", "is", "no_op", "at least one"),
    "a field that does not exist": ("member", "{did: message, where: {campaign: x}}", "where.campaign", "reference", "content"),
    "content that does not exist": ("member", "{did: message, where: {content: img}}", "where.content", "choice", "image"),
    "a group that is no id": ("member", "{did: message, where: {group_id: vip}}", "where.group_id", "condition", "number"),
    "a sum of what has no amount": ("member", "{did: message, sum: {amount: '>1'}}", "sum.amount", "reference", "length"),
    "a sum of nothing": ("member", "{did: message, sum: {}}", "sum", "no_op", "field"),
    "people of a member who are members": (
        "member", "{did: message, distinct: {member_id: '>1'}}", "distinct.member_id", "reference", "peer"),
    "a measure that none of the events have": (
        "member", "{did: [message, order_paid], sum: {amount: '>1'}}", "sum.amount", "reference", "nothing can be used"),
    "everybody drawn": ("member", "{sample: 100%, salt: x}", "sample", "condition", "10%"),
    "a draw that is no share": ("member", "{sample: '0.1', salt: x}", "sample", "condition", "10%"),
    "a draw without a name": ("member", "sample: 10%", "salt", "missing", "salt: "),
    "a list in a list": ("member", "{attr: messages, is: [[1], 2]}", "is", "type", "one list"),
    "a mapping as a condition": ("member", "{attr: messages, is: {a: 1}}", "is", "type", "a list"),
    "an unknown key, with the one that was meant": (
        "member", "{did: message, withn: 7d}", "withn", "unknown_key", "'within'"),
}  # fmt: skip


@pytest.mark.parametrize(("of", "condition", "path", "code", "mend"), REFUSED.values(), ids=REFUSED)
def test_it_refuses(of: str, condition: str, path: str, code: str, mend: str) -> None:
    found = problems(condition, of)
    place = f"segments[1].where[0]{'.' if path else ''}{path}"
    assert [(p.path, p.code) for p in found] == [(place, code)]
    assert mend in found[0].fix
    assert (found[0].file, found[0].line) == ("p.yaml", 9)


@pytest.mark.parametrize("name", NOT_YET)
def test_a_planned_event_is_refused_with_the_reason(name: str) -> None:
    (problem,) = problems(f"did: {name}")
    assert NOT_YET[name] in problem.message


def test_all_mistakes_are_found_at_once() -> None:
    found = problems("all: [{did: nothing}, {attr: nothing, is: 1}, {segment: nothing}, {not: {tag: []}}]")
    assert [problem.code for problem in found] == ["reference", "reference", "reference", "no_op"]


def test_circles_are_refused_at_each_segment_of_them() -> None:
    text = HEAD + "".join(
        f"  - {{segment_id: {name}, title: 环, where: [{{not: {{any: [{{segment: {other}}}, {{tag: x}}]}}}}]}}\n"
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "e"))
    )
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"p.yaml": text})
    found = {problem.path: problem.message for problem in caught.value.problems}
    assert list(found) == [f"segments[{index}].where" for index in (0, 1, 2, 4)]
    assert "a → b → c → a" in found["segments[0].where"]


def test_references_that_multiply_are_refused_before_anybody_opens_them_up() -> None:
    text = HEAD + "  - {segment_id: s0, title: 底, where: [{did: message}]}\n"
    for number in range(1, 60):
        twice = f"[{{segment: s{number - 1}}}, {{not: {{segment: s{number - 1}}}}}]"
        text += f"  - {{segment_id: s{number}, title: 层, where: {twice}}}\n"
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"p.yaml": text})
    first = caught.value.problems[0]
    # Each has 3 conditions of its own beside twice those of the one before, from 1: 5, 13, 29 … 509, 1,021.
    assert (first.path, first.code) == ("segments[8].where", "size")
    assert "1,021 conditions" in first.message
    assert "at most 1,000" in first.fix
    assert len(caught.value.problems) == 52


HOSTILE = {
    "a window of three thousand years": ("{did: message, within: 999999d}", "within", "bounds", "36500d"),
    "an age of three thousand years": ("{attr: first_seen_at, is: '>=999999d'}", "is", "bounds", "36500d"),
    "a duration of many digits": ("{did: message, within: 99999999999999999999d}", "within", "duration", "30d"),
    "a count of many digits": (f"{{did: message, times: '>={'9' * 400}'}}", "times", "condition", "3"),
    "an amount of many digits": (f"{{did: order_paid, sum: {{amount: '>={'9' * 40}'}}}}", "sum.amount", "condition", "500"),
    "an amount with too many decimals": ("{did: order_paid, sum: {amount: '>=0.001'}}", "sum.amount", "condition", "500"),
    "a number that is none": ("{did: message, times: '>=NaN'}", "times", "condition", "3"),
    "an id of many digits": (f"{{did: message, where: {{group_id: '{'9' * 30}'}}}}", "where.group_id", "condition", ""),
    "a share above all": ("{sample: 999%, salt: a}", "sample", "", "%"),
    "a formula": ("{attr: messages, is: '=1+1'}", "is", "condition", "3"),
    "a statement": ("{attr: messages, is: '>=1; drop table message'}", "is", "condition", "3"),
}


@pytest.mark.parametrize(("condition", "path", "code", "mend"), HOSTILE.values(), ids=HOSTILE)
def test_hostile_values_are_refused_with_a_mend(condition: str, path: str, code: str, mend: str) -> None:
    (problem,) = problems(condition)
    assert problem.path.endswith(path)
    assert not code or problem.code == code
    assert mend in problem.fix


def test_conditions_nested_too_deeply_are_refused_with_their_line() -> None:
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"p.yaml": f"{HEAD}  - {{segment_id: it, title: 它, where: [{'{not: ' * 5000}{{did: message}}{'}' * 5000}]}}\n"})
    problem = caught.value.problems[0]
    assert "nested too deeply" in problem.message
    assert problem.line
    assert "at most" in problem.fix


def test_a_segment_without_conditions_and_one_with_too_many_are_refused() -> None:
    many = ", ".join(["{tag: a}"] * 200)
    for where, code in (("[]", "no_op"), (f"[{{any: [{many}]}}]", "size")):
        with pytest.raises(InvalidPlaybook) as caught:
            parse({"p.yaml": f"{HEAD}  - {{segment_id: it, title: 它, where: {where}}}\n"})
        assert [problem.code for problem in caught.value.problems] == [code]


def test_unknown_tags_are_refused_where_the_tags_are_known() -> None:
    segments = playbook("tag: [购买力/高, 购买力/底]").segments
    (found,) = check_segment(segments, segments[1], frozenset({"购买力/高", "购买力/低"}))
    assert found[0] == "where[0].tag"
    assert found[3] == "reference"
    assert list(check_segment(segments, segments[1])) == []


def test_written_segments_come_back_as_they_were() -> None:
    loaded = parse({"playbook.yaml": HEAD.removesuffix("segments:\n"), **gallery.segments()})
    assert parse(write(loaded.playbook)).playbook == loaded.playbook


def test_the_shipped_examples_use_every_construct() -> None:
    segments = parse({"playbook.yaml": HEAD.removesuffix("segments:\n"), **gallery.segments()}).playbook.segments
    assert len(segments) == 15
    assert {segment.of for segment in segments} == {"member", "membership", "group"}
    assert list(gallery.segments()) == ["segments.yaml"]
    assert "segments" not in gallery.names()


def test_names_are_lower_case_and_described() -> None:
    for of, attributes in ATTRIBUTES.items():
        for name, attribute in attributes.items():
            assert name == name.lower()
            assert attribute.zh, of
            assert attribute.en, of
    assert not set(EVENTS) & set(NOT_YET)


def test_a_builder_with_problems_says_them_all() -> None:
    segment = playbook("tag: a").segments[1]
    builder = Builder(segment, {}, frozenset())
    builder.build()
    assert [found[3] for found in builder.problems] == ["reference"]


def test_every_word_has_a_name_and_ways_are_those_of_joins() -> None:
    assert set(WORD_NAMES["role"]) == set(ROLES)
    assert set(WORD_NAMES["content"]) == set(CONTENTS)
    assert set(WORD_NAMES["scene"]) == set(SCENES)
    reported = get_args(get_type_hints(MemberJoined)["scene"])
    assert set(SCENES) == set(reported) - {"unknown"}
    for attributes in ATTRIBUTES.values():
        for name, attribute in attributes.items():
            if attribute.kind == "word":
                assert set(attribute.choices) == set(WORD_NAMES.get(name, {})), name
