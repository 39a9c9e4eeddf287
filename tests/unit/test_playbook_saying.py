"""Parts about people say in a sentence what they mean, as rules do."""

import re

import pytest

from qunce.playbook import gallery, parts
from qunce.playbook.forms.saying import bind_part, bound, say

PEOPLE = {**gallery.texts("muying"), **gallery.segments(), **gallery.tiers()}


@pytest.mark.parametrize("section", ["segments", "tiers", "tag_groups", "attributes", "replies"])
def test_every_part_about_people_says_what_it_means_in_both_languages(section: str) -> None:
    book = bound(PEOPLE)
    found = [part for part in parts.parts(PEOPLE) if part.section == section]
    assert found
    for part in found:
        zh, en = say(bind_part(section, part.plain), book)
        assert re.search(r"[\u4e00-\u9fff]", zh), part.key
        assert en, part.key
        assert en != zh, part.key


def _said(section: str, text: str) -> tuple[str, str]:
    files = {"a.yaml": f"schema_version: 1\n{section}:\n  - {text}\n"}
    return say(bind_part(section, parts.parts(files)[0].plain), bound(files))


def test_what_a_part_about_people_means_is_told_in_a_sentence() -> None:
    where = "where: [{attr: messages, is: '>=10'}]"
    segment = "{segment_id: a, title: 常客, of: member, where: [{attr: messages, is: '>=10'}]}"
    assert _said("segments", segment)[0] == "符合这些条件的成员：发言数 ≥ 10。随消息、订单和时间自动进出。"
    levels = f"levels: [{{level_id: a, title: 常客, {where}}}, {{level_id: b, title: 过客}}]"
    assert _said("tiers", f"{{scheme_id: s, title: 层, {levels}}}")[0] == (
        "每位成员属于第一个符合的层级，每天重分一次。「常客」是发言数 ≥ 10；「过客」是其余的人。"
    )
    rule = "{rule_id: r, said: [多少钱], times: 2, within: 7d, mode: suggest}"
    tags = f"tags: [{{tag_id: 意向/强, rules: [{rule}]}}, {{tag_id: 意向/弱}}]"
    assert _said("tag_groups", f"{{group_id: g, title: 意向, exclusive: true, {tags}}}")[0] == (
        "打在成员身上，同一时间只有其中一个。「意向/强」：最近 7 天里至少 2 条发言含有「多少钱」，提议打上；"
        "「意向/弱」由同事打上。"
    )
    closed = "closed: [{first: 2027-10-01, last: 2027-10-07, title: 国庆节}]"
    assert _said("holidays", f"{{holidays_id: cn, title: 假, {closed}}}") == (
        "休息：国庆节 2027-10-01–2027-10-07。",
        "Closed: 国庆节 2027-10-01–2027-10-07.",
    )


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("segments", "{segment_id: a, title: 常客, where: [{attr: nonsense, is: 3}]}"),
        ("tiers", "{scheme_id: s, title: 层, levels: [{level_id: a, title: 常客, where: [{attr: nonsense, is: 3}]}]}"),
        (
            "tag_groups",
            "{group_id: g, title: 组, tags: [{tag_id: a, rules: [{rule_id: r, where: [{attr: x, is: 3}]}]}]}",
        ),
    ],
)
def test_conditions_with_mistakes_say_nothing_rather_than_half(section: str, text: str) -> None:
    assert _said(section, text) == ("", "")
