"""Attributes and tags as text: what is refused, what values mean, and what the shipped ones say."""

from __future__ import annotations

import msgspec
import pytest

from qunce.playbook import gallery
from qunce.playbook.binding import fields_of
from qunce.playbook.diff import diff
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.explain_profile import explain_tag_rule
from qunce.playbook.load import parse
from qunce.playbook.profile import segment_fields, tag_ids, tags_by_id
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.base import metas
from qunce.playbook.schema.profile import Attribute, Choice, Tag, TagGroup, TagRule
from qunce.playbook.segments.check import rules_of
from qunce.playbook.segments.tree import Compare, Field, OneOf
from qunce.playbook.values import BadValue, read_value
from qunce.playbook.write import write

HEAD = "schema_version: 1\nplaybook: {playbook_id: t, title: 测试}\n"


def playbook(text: str) -> Playbook:
    return parse({"p.yaml": HEAD + text}).playbook


def attribute(text: str) -> str:
    return f"attributes:\n  - {{attribute_id: it, title: 它, {text}}}\n"


def tag(rule: str = "", group: str = "", tag_id: str = "a") -> str:
    rules = f", rules: [{{rule_id: r, {rule}}}]" if rule else ""
    return f"tag_groups:\n  - {{group_id: g, title: 组{group}, tags: [{{tag_id: {tag_id}{rules}}}]}}\n"


REFUSED: dict[str, tuple[str, str, str]] = {
    "a choice without choices": (attribute("type: choice"), "no_op", "attributes[0].choices"),
    "choices of a text": (attribute("choices: [{value: a}, {value: b}]"), "no_op", "attributes[0].choices"),
    "a word of two choices": (
        attribute("type: choice, choices: [{value: a}, {value: b, words: [Ａ]}]"), "duplicate_id", "attributes[0].choices[1]",
    ),
    "an id that is counted already": (
        "attributes:\n  - {attribute_id: messages, title: 它}\n", "duplicate_id", "attributes[0].attribute_id",
    ),
    "two of one id": (attribute("type: city") + "  - {attribute_id: it, title: 它}\n", "duplicate_id",
                      "attributes[1].attribute_id"),
    "a unit of a text": (attribute("unit: 岁"), "no_op", "attributes[0].unit"),
    "another placeholder": (attribute('chat_phrases: ["我在{city}"]'), "template", "attributes[0].chat_phrases[0]"),
    "a phrase without a value": (attribute('type: city, chat_phrases: ["我在"]'), "template", "attributes[0].chat_phrases[0]"),
    "any word would do": (attribute('chat_phrases: ["{value}"]'), "impossible", "attributes[0].chat_phrases[0]"),
    "accepting what nobody proposes": (attribute("auto_accept_above: 0.9"), "no_op", "attributes[0].auto_accept_above"),
    "a group without tags": ("tag_groups:\n  - {group_id: g, title: 组, tags: []}\n", "no_op", "tag_groups[0].tags"),
    "one tag excludes nothing": (tag(group=", exclusive: true"), "no_op", "tag_groups[0].exclusive"),
    "a rule for everybody": (tag("mode: act"), "no_op", "tag_groups[0].tags[0].rules[0]"),
    "counting without words": (
        tag("times: 2, where: [{did: message}]"), "no_op", "tag_groups[0].tags[0].rules[0].times",
    ),
    "words of a group": (tag("said: [a]", ", target: group"), "subject", "tag_groups[0].tags[0].rules[0].said"),
    "a word without letters": (tag('said: [" "]'), "no_op", "tag_groups[0].tags[0].rules[0].said[0]"),
    "an unknown event": (
        tag("where: [{did: order_payed}]"), "reference", "tag_groups[0].tags[0].rules[0].where[0].did",
    ),
    "a tag that stands twice": (
        tag() + "  - {group_id: h, title: 组, tags: [{tag_id: a}]}\n", "duplicate_id", "tag_groups[0].tags[0].tag_id",
    ),
    "a segment asks for a tag there is not": (
        tag() + "segments:\n  - {segment_id: s, title: 群, where: [{tag: b}]}\n", "reference", "segments[0].where[0].tag",
    ),
    "a segment asks for a text": (
        attribute("type: text") + "segments:\n  - {segment_id: s, title: 群, where: [{attr: it, is: a}]}\n", "reference",
        "segments[0].where[0].attr",
    ),
    "a segment asks for no choice": (
        attribute("type: bool") + "segments:\n  - {segment_id: s, title: 群, where: [{attr: it, is: 也许}]}\n", "choice",
        "segments[0].where[0].is",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_with_its_place_and_mend(case: str) -> None:
    text, code, path = REFUSED[case]
    with pytest.raises(InvalidPlaybook) as caught:
        playbook(text)
    found = [(problem.code, problem.path) for problem in caught.value.problems]
    assert (code, path) in found
    assert all(problem.fix and problem.line for problem in caught.value.problems)


def test_the_shipped_ones_fit_the_shipped_segments_and_tiers_and_survive_being_written() -> None:
    files = {"p.yaml": HEAD, **gallery.profile(), **gallery.segments(), **gallery.tiers()}
    found = parse(files).playbook
    assert parse(write(found)).playbook == found
    modes = {rule.mode for group in found.tag_groups for item in group.tags for rule in item.rules}
    assert modes == {"observe"}
    assert {"city", "means", "wants", "age_group", "gender", "preference", "source_channel"} <= {
        item.attribute_id for item in found.attributes
    }


@pytest.mark.parametrize("text", ["85", "85后", "８５后", "80后", "八零后"])
def test_an_age_group_is_known_by_its_years(text: str) -> None:
    found = parse({"p.yaml": HEAD, **gallery.profile()}).playbook.attributes
    assert read_value(next(item for item in found if item.attribute_id == "age_group"), text) == "80后"


@pytest.mark.parametrize("name", gallery.names())
def test_every_playbook_of_the_gallery_has_them(name: str) -> None:
    assert "已加好友" in tag_ids(gallery.load(name).playbook.tag_groups)


def test_segments_may_ask_for_what_is_coded() -> None:
    text = (
        "attributes:\n  - {attribute_id: city, title: 城市, type: city}\n"
        "  - {attribute_id: babies, title: 孩子, type: number}\n"
        "  - {attribute_id: secret, title: 密, type: city, segmentable: false}\n"
        "segments:\n  - {segment_id: s, title: 群, where: [{attr: city, is: 杭州}, {attr: babies, is: '>=0'}]}\n"
    )
    found = playbook(text)
    rule = rules_of(found.segments, segment_fields(found.attributes))["s"]
    assert rule.body.parts == (  # type: ignore[union-attr]
        Field("city", "word", "城市", OneOf(("杭州",))), Field("babies", "number", "孩子", Compare(">=", 0)),
    )  # fmt: skip
    assert "secret" not in segment_fields(found.attributes)


def test_differences_are_told_by_id() -> None:
    old, new = playbook(attribute("type: city") + tag()), playbook(attribute("type: text") + tag(tag_id="b"))
    assert [(change.section, change.item_id, change.key) for change in diff(old, new)] == [
        ("attributes", "it", "type"), ("tag_groups", "g", "tags"),
    ]  # fmt: skip


def test_a_rule_says_when_it_puts_its_tag() -> None:
    found = parse({"p.yaml": HEAD, **gallery.profile()}).playbook
    group, strong = tags_by_id(found.tag_groups)["意向/强"]
    words = "多少钱 / 怎么买 / 怎么下单 / 有货吗 / 价格 / 链接发一下"
    assert explain_tag_rule(found, group, strong.rules[0]) == f"最近 14 天里至少 2 条发言含有「{words}」；14 天后到期"
    assert explain_tag_rule(found, group, strong.rules[1], "en") == (
        "placed an order in the last 3 days: times ≥ 1 and paid an order that was not wholly refunded in the last "
        "3 days: times = 0; ends after 3 days"
    )


AGES = Attribute(
    attribute_id="age", title="年龄段", type="choice", choices=(Choice(value="80后", words=("85",)), Choice(value="90后"))
)
MONTHS = Attribute(attribute_id="months", title="月龄", type="number", unit="个月")
VALUES: dict[str, tuple[Attribute, str, object]] = {
    "a city with its ending": (Attribute(attribute_id="c", title="城市", type="city"), " 杭州市 ", "杭州"),
    "a word of a choice": (AGES, "８５", "80后"),
    "a number with its unit": (MONTHS, "1,008个月", 1008),
    "below zero": (MONTHS, "-3", -3),
    "money": (Attribute(attribute_id="m", title="钱", type="money"), "￥1,299.50元", 129_950),
    "ten thousands": (Attribute(attribute_id="m", title="钱", type="money"), "1.2万", 1_200_000),
    "a date in Chinese": (Attribute(attribute_id="d", title="日", type="date"), "2026年3月1日", "2026-03-01"),
    "yes": (Attribute(attribute_id="b", title="是否", type="bool"), "是", True),
    "a text": (Attribute(attribute_id="t", title="文"), " 想学摄影 ", "想学摄影"),
}


@pytest.mark.parametrize(("item", "text", "value"), VALUES.values(), ids=VALUES)
def test_values_are_read_as_people_write_them(item: Attribute, text: str, value: object) -> None:
    assert read_value(item, text) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("city", "火星"), ("choice", "70后"), ("number", "3.5"), ("money", "很多"), ("date", "2026-02-30"), ("bool", "也许"),
     ("text", ""), ("text", "长" * 201), ("number", "=1+1")],
)  # fmt: skip
def test_what_is_no_value_is_refused_with_a_mend(kind: str, text: str) -> None:
    item = Attribute(attribute_id="x", title="它", type=kind, choices=AGES.choices if kind == "choice" else ())  # type: ignore[arg-type]
    with pytest.raises(BadValue) as caught:
        read_value(item, text)
    assert caught.value.fix


@pytest.mark.parametrize("cls", [Attribute, Choice, Tag, TagGroup, TagRule])
def test_every_key_has_a_title_in_both_languages_and_an_example(cls: type[msgspec.Struct]) -> None:
    for name, field in fields_of(cls).items():
        found = [meta for part in (field.type, *getattr(field.type, "__args__", ())) for meta in metas(part) if meta.title]
        assert found, name
        assert all((found[0].title, found[0].description, found[0].examples)), name
