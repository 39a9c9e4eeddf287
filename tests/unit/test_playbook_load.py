"""Playbooks: what is refused, with which place and mend; what comes back as it went in."""

# one case a line

from __future__ import annotations

import msgspec
import pytest

from qunce.playbook import gallery
from qunce.playbook.binding import fields_of
from qunce.playbook.diff import diff
from qunce.playbook.errors import InvalidPlaybook, Problem
from qunce.playbook.explain import explain, explain_rule, group_rules
from qunce.playbook.load import parse, read_folder
from qunce.playbook.safety import UnsafePattern, check_pattern
from qunce.playbook.schema import Playbook
from qunce.playbook.schema.base import metas
from qunce.playbook.schema.checks import TITLES, AnyCheck
from qunce.playbook.schema.rules import Exempt, Info, Ladder, Lexicon, Rule, Step, Term
from qunce.playbook.units import format_duration, parse_duration, parse_hours, placeholders, say_duration
from qunce.playbook.write import write

GOOD = """schema_version: 1
playbook: {playbook_id: test, title: 测试}
lexicons:
  - lexicon_id: ads
    title: 广告
    terms: [代购返现, 加*微信, {text: 刷单兼职, severity: 4}]
    allow: [谨防刷单兼职]
ladders:
  - ladder_id: gentle
    title: 温和
    steps: [{do: warn}, {do: mute, for: 30m}, {do: remove}]
rules:
  - rule_id: ads.terms
    title: 广告词
    category: ads
    mode: act
    ladder: gentle
    reason: 群里不发广告。
    when: [{check: terms, lexicons: [ads]}]
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"playbook.yaml": text})
    return caught.value.problems


def test_a_good_playbook_is_bound_with_durations_in_seconds() -> None:
    loaded = parse({"playbook.yaml": GOOD})
    assert loaded.playbook.ladders[0].steps[1].for_s == 1_800
    assert loaded.playbook.rules[0].mode == "act"
    assert loaded.version.startswith("1-")


WRONG: dict[str, tuple[str, str, str, str]] = {
    "an unknown key, with the one that was meant": ("    ladder: gentle\n", "    laddder: gentle\n", "unknown_key", "ladder"),
    "an unknown kind of check": ("check: terms", "check: trems", "choice", "terms"),
    "a check without its kind": ("check: terms, ", "", "missing", "check"),
    "a missing reason": ("    reason: 群里不发广告。\n", "", "missing", "reason"),
    "a duration without a unit": ("for: 30m", "for: 30", "duration", "30m"),
    "zero as a way to say off": ("for: 30m", "for: 0m", "duration", "30m"),
    "a mute that is too long": ("for: 30m", "for: 60d", "bounds", "30d"),
    "a number where text belongs": ("title: 广告词", "title: 12", "type", "quotes"),
    "an unknown mode": ("mode: act", "mode: active", "choice", "act"),
    "a ladder that does not exist": ("    ladder: gentle\n", "    ladder: gentel\n", "reference", "ladders"),
    "a lexicon that does not exist": ("lexicons: [ads]", "lexicons: [adds]", "reference", "lexicons"),
    "a mute without an end": ("{do: mute, for: 30m}", "{do: mute}", "missing", "for"),
    "a duration on a step that has none": ("{do: warn}", "{do: warn, for: 3m}", "no_op", "for"),
    "a ladder that goes down": ("{do: remove}]", "{do: remove}, {do: warn}]", "order", "order"),
    "a term of one character": ("[代购返现,", "[微,", "too_short", "2"),
    "a term that stands twice once folded": ("[代购返现,", "[代购返现, 代購 返現,", "duplicate_term", "one"),
    "an outer wildcard": ("加*微信", "加微信*", "no_op", "outer"),
    "an allow word that rescues nothing": ("[谨防刷单兼职]", "[刷子]", "no_op", "longer"),
    "two parts with one id": (
        "ladder_id: gentle\n",
        "ladder_id: gentle\n    title: 温\n    steps: [{do: warn}]\n  - ladder_id: gentle\n",
        "duplicate_id",
        "id",
    ),
    "a key that stands twice": ("    mode: act\n", "    mode: act\n    mode: act\n", "duplicate_key", "one"),
    "an unknown placeholder": ("{do: warn}", '{do: warn, notice: "{nmae} 你好"}', "template", "name"),
    "hours that are none": ("    mode: act\n", "    mode: act\n    free_hours: [22-8]\n", "hours", "22:30"),
    "acting without anything to do": ("    ladder: gentle\n", "", "no_op", "ladder"),
    "more terms than there are": ("lexicons: [ads]}", "lexicons: [ads], at_least: 9}", "impossible", "3"),
    "checks that can never hold together": (
        "when: [",
        "when: [{check: raid, joins: 5, window: 1m}, ",
        "impossible",
        "two rules",
    ),
    "a newcomer rule that punishes everybody": (
        "when: [{check: terms, lexicons: [ads]}",
        "when: [{check: newcomer, joined_within: 1h}",
        "impossible",
        "may not",
    ),
    "a sanction of a colleague": ("    mode: act\n", "    mode: act\n    applies_to: staff\n", "impossible", "talks"),
    "acting on the wording of a crisis": (
        "when: [{check: terms, lexicons: [ads]}",
        "when: [{check: crisis}, {check: terms, lexicons: [ads]}",
        "impossible",
        "suggest",
    ),
    "a sanction for discontent": (
        "    mode: act\n    ladder: gentle\n    reason: 群里不发广告。\n    when: [",
        "    ladder: gentle\n    reason: 群里不发广告。\n    when: [{check: mood}, ",
        "impossible",
        "delete this line",
    ),
    "an endless expression": ("{check: terms, lexicons: [ads]}", "{check: pattern, any_of: ['(a+)+b']}", "regex", "bound"),
    "an expression that always holds": (
        "{check: terms, lexicons: [ads]}",
        "{check: pattern, any_of: ['a{0,3}']}",
        "regex",
        "necessary",
    ),
    "a URL where a host belongs": (
        "{check: terms, lexicons: [ads]}",
        "{check: link, hosts: ['https://a.com/']}",
        "host",
        "example.com",
    ),
    "a combination of one list": (
        "{check: terms, lexicons: [ads]}",
        "{check: combination, all_of: [[加]]}",
        "impossible",
        "lexicon",
    ),
    "an empty list of concepts": ("{check: terms, lexicons: [ads]}", "{check: concept, any_of: []}", "no_op", "one"),
    "a blocklist check without a blocklist": ("{check: terms, lexicons: [ads]}", "{check: blocked}", "no_op", "ban"),
    "a blocklist no rule looks at": ("rules:\n", "blocklist: [wxid]\nrules:\n", "no_op", "blocked"),
    "an unknown time zone": ("title: 测试}", "title: 测试, time_zone: Asia/Peking}", "time_zone", "Shanghai"),
    "an unknown section": ("rules:\n", "rulez: []\nrules:\n", "unknown_key", "rules"),
    "no version": ("schema_version: 1\n", "", "missing", "schema_version"),
    "an unknown version": ("schema_version: 1\n", "schema_version: 9\n", "version", "1"),
    "an empty value": ("    mode: act\n", "    mode:\n", "choice", "act"),
    "an id with capitals": ("rule_id: ads.terms", "rule_id: Ads", "bounds", "lower-case"),
    "YAML that cannot be read": ("rules:\n", "rules: [\n", "yaml", "brackets"),
    "an alias": ("    mode: act\n", "    mode: *x\n", "yaml", "write"),
    "a lexicon nobody uses": (
        "lexicons:\n",
        "lexicons:\n  - {lexicon_id: other, title: 别的, terms: [什么词]}\n",
        "no_op",
        "use it",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str) -> None:
    old, new, code, fix = WRONG[name]
    assert old in GOOD
    found = problems(GOOD.replace(old, new, 1))
    match = [problem for problem in found if problem.code == code]
    assert match, found
    assert any(fix in str(problem) for problem in match), match
    assert all(problem.file == "playbook.yaml" and (problem.line or code == "missing") for problem in match)


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    text = GOOD.replace("ladder: gentle", "laddr: gentle").replace("mode: act", "mode: now").replace("for: 30m", "for: 30")
    found = {problem.path: problem.line for problem in problems(text)}
    lines = text.splitlines()
    assert set(found) == {"ladders[0].steps[1].for", "rules[0].laddr", "rules[0].mode"}
    for path, line in found.items():
        assert path.rpartition(".")[2] in lines[line - 1]


def test_sections_are_joined_over_files_and_mistakes_name_their_file() -> None:
    head, _, rest = GOOD.partition("lexicons:")
    files = {
        "playbook.yaml": head,
        "z.yaml": f"schema_version: 1\nlexicons:{rest}",
        "a.yaml": "schema_version: 1\nrules: [{x: 1}]\n",
    }
    with pytest.raises(InvalidPlaybook) as caught:
        parse(files)
    assert {problem.file for problem in caught.value.problems} == {"a.yaml"}
    del files["a.yaml"]
    assert parse(files).content_hash == parse({"playbook.yaml": GOOD}).content_hash


def test_the_hash_knows_content_and_not_layout() -> None:
    one = parse({"playbook.yaml": GOOD})
    other = parse(
        {
            "playbook.yaml": GOOD.replace("    mode: act\n", "").replace(
                "    title: 广告词\n", "    title: 广告词\n    mode: act  # 注\n"
            )
        }
    )
    changed = parse({"playbook.yaml": GOOD.replace("30m", "31m")})
    assert one.content_hash == other.content_hash != changed.content_hash


def test_nesting_without_end_and_huge_files_are_refused() -> None:
    assert "yaml" in {problem.code for problem in problems("schema_version: 1\nrules: " + "[" * 500)}
    assert "size" in {problem.code for problem in problems("#" * 5_000_000)}


@pytest.mark.parametrize("name", gallery.names())
def test_the_gallery_is_valid_observes_and_comes_back_as_it_went_in(name: str) -> None:
    loaded = gallery.load(name)
    assert all(rule.mode == "observe" and not rule.modes for rule in loaded.playbook.rules)
    again = parse(write(loaded.playbook))
    assert again.playbook == loaded.playbook
    assert again.content_hash == loaded.content_hash
    assert diff(loaded.playbook, again.playbook) == ()


@pytest.mark.parametrize("name", gallery.names())
def test_every_rule_of_the_gallery_can_be_explained_in_both_languages(name: str) -> None:
    playbook = gallery.load(name).playbook
    for rule in playbook.rules:
        zh, en = explain_rule(rule, playbook, "zh"), explain_rule(rule, playbook, "en")
        assert rule.title in zh
        assert "只记录" in zh
        assert rule.title_en in en
        assert "Only recorded; nothing is done." in en
    assert explain(playbook, "en").startswith(playbook.playbook.title_en)
    rules = group_rules(playbook)
    assert rules.startswith("群规\n1. ")
    assert "请管理员" not in rules


def test_the_gallery_is_read_from_files_too(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    for name, text in gallery.texts("muying").items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    assert parse(read_folder(folder)).content_hash == gallery.load("muying").content_hash
    with pytest.raises(KeyError):
        gallery.texts("nothing")


def test_differences_are_told_by_ids_and_terms() -> None:
    old = parse({"playbook.yaml": GOOD}).playbook
    text = (
        GOOD.replace("mode: act", "mode: observe")
        .replace("[代购返现,", "[低价代购,")
        .replace("ladder_id: gentle", "ladder_id: other")
    )
    new = parse({"playbook.yaml": text.replace("ladder: gentle", "ladder: other")}).playbook
    found = {(change.section, change.item_id, change.kind, change.key) for change in diff(old, new)}
    assert found == {
        ("lexicons", "ads", "removed", "terms"),
        ("lexicons", "ads", "added", "terms"),
        ("ladders", "gentle", "removed", ""),
        ("ladders", "other", "added", ""),
        ("rules", "ads.terms", "changed", "mode"),
        ("rules", "ads.terms", "changed", "ladder"),
    }


@pytest.mark.parametrize("cls", [Info, Exempt, Ladder, Step, Lexicon, Term, Rule, *AnyCheck.__args__])
def test_every_key_has_a_title_in_both_languages_and_an_example(cls: type[msgspec.Struct]) -> None:
    assert cls.__doc__
    for name, field in fields_of(cls).items():
        found = [meta for part in (field.type, *getattr(field.type, "__args__", ())) for meta in metas(part) if meta.title]
        assert found, name
        assert all((found[0].title, found[0].description, found[0].examples)), name


def test_every_check_has_a_name_in_both_languages() -> None:
    assert set(TITLES) == set(AnyCheck.__args__)


def test_the_schema_can_be_shown_as_json_schema_for_forms() -> None:
    schema = msgspec.json.schema(Playbook)
    assert schema["$defs"]["Rule"]["properties"]["reason"]["title"] == "给成员的理由"
    assert schema["$defs"]["Flood"]["properties"]["window"]["x-kind"] == "duration"


@pytest.mark.parametrize(
    "pattern", ["(a+)+", "a*b", r"(\w{1,9}){2,50}x", "(a|aa){1,40}b", r"(.)\1", "a{1,60}a{1,60}a{1,60}b", "x?", "(", "a" * 600]
)
def test_dangerous_expressions_are_refused(pattern: str) -> None:
    with pytest.raises(UnsafePattern) as caught:
        check_pattern(pattern)
    assert caught.value.fix


@pytest.mark.parametrize("pattern", ["限时.{0,6}返现", "加(微|v|薇)信?", r"\d{5,11}", "(?:买|卖){1,3}号"])
def test_bounded_expressions_are_accepted_and_end_soon_on_hostile_text(pattern: str) -> None:
    import re

    assert check_pattern(pattern) >= 1
    re.search(pattern, "限时" * 2_000 + "加" * 2_000)


def test_durations_and_hours() -> None:
    assert [parse_duration(text) for text in ("90s", "30m", "24h", "30d")] == [90, 1_800, 86_400, 2_592_000]
    assert [format_duration(seconds) for seconds in (90, 1_800, 86_400)] == ["90s", "30m", "1d"]
    assert say_duration(1_800, "zh") == "30 分钟"
    assert say_duration(3_600, "en") == "1 hour"
    night = parse_hours("fri 22:30-08:00")
    assert [night.holds(4, 23 * 60), night.holds(5, 7 * 60)] == [True, True]
    assert [night.holds(4, 7 * 60), night.holds(5, 23 * 60)] == [False, False]
    assert night.minutes_left(23 * 60) == 9 * 60
    for wrong in ("9-18", "09:00-09:00", "fre 09:00-10:00", "24:00-25:00"):
        with pytest.raises(ValueError, match=r"hours|days"):
            parse_hours(wrong)
    assert placeholders("{name}，{{x}} {reason}") == ("name", "reason")
