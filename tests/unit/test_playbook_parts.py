"""A part of a playbook is changed in its file, and nothing beside it: comments, order, quotes and blank lines stay."""

from __future__ import annotations

import difflib

import pytest

from qunce.playbook import gallery, parts
from qunce.playbook.check import ID_FIELDS
from qunce.playbook.load import parse
from qunce.playbook.parts import CannotEdit

TEXT = """\
schema_version: 1   # the notation

# Who is asked first.
rules:
  - rule_id: ads.terms   # do not rename
    title: 广告词
    category: ads
    severity: 4   # grave
    # what is said
    reason: >
      群里不发广告，
      谢谢。
    when:
      - {check: terms, lexicons: [ads]}
      # and only from newcomers
      - check: newcomer
        joined_within: 24h

  # Floods.
  - {rule_id: flood.fast, title: "刷屏", category: flood, reason: 慢一点。, when: [{check: flood, messages: 8, window: 30s}]}
"""
FILES = {"rules.yaml": TEXT, "other.yaml": "schema_version: 1\nblocklist: [wmA]\n"}


def difference(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def part(key: str = "ads.terms", section: str = "rules", files: dict[str, str] = FILES) -> parts.Part:
    found = parts.find(files, section, key)
    assert found is not None
    return found


def when(*checks: dict[str, object]) -> dict[str, object]:
    return {**part().values, "when": list(checks)}


NEWCOMER = {"check": "newcomer", "joined_within": "24h"}
TERMS = {"check": "terms", "lexicons": ["ads"]}
CHANGES: dict[str, tuple[dict[str, object], list[str]]] = {
    "a number keeps the comment beside it": (
        {**part().values, "severity": 2}, ["-    severity: 4   # grave", "+    severity: 2   # grave"]
    ),
    "a new key stands behind the others": (
        {**part().values, "mode": "act"}, ["+    mode: act"]
    ),
    "a key that goes takes its line": (
        {key: value for key, value in part().values.items() if key != "severity"}, ["-    severity: 4   # grave"]
    ),
    "one check of two is changed": (
        when(TERMS, {"check": "newcomer", "joined_within": "2h"}),
        ["-        joined_within: 24h", "+        joined_within: 2h"],
    ),
    "a check in the middle leaves its neighbours": (
        when(TERMS, {"check": "length", "over_chars": 90}, NEWCOMER), ["+      - {check: length, over_chars: 90}"]
    ),
    "the last check goes": (
        when(TERMS), ["-      - check: newcomer", "-        joined_within: 24h"]
    ),
    "a text with line breaks stays on its line": (
        {**part().values, "reason": "一\n二: #"},
        ["-    reason: >", "-      群里不发广告，", "-      谢谢。", '+    reason: "一\\n二: #"'],
    ),
    "quotes appear where YAML needs them": (
        {**part().values, "title": "yes"}, ["-    title: 广告词", "+    title: 'yes'"]
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CHANGES)
def test_a_change_touches_what_it_changes(case: str) -> None:
    value, expected = CHANGES[case]
    files = parts.changed(FILES, part(), value)
    assert difference(TEXT, files["rules.yaml"]) == expected
    assert parts.same(part(files=files).plain, value)
    assert files["other.yaml"] == FILES["other.yaml"]


def test_a_part_on_one_line_is_written_anew_on_one_line() -> None:
    files = parts.changed(FILES, part("flood.fast"), {**part("flood.fast").values, "title": "刷屏了"})
    assert len(difference(TEXT, files["rules.yaml"])) > 1
    assert parts.same(part(files=files).plain, part().plain)
    inside = {"a.yaml": "schema_version: 1\nladders: [{ladder_id: a, title: A}, {ladder_id: b, title: B}]\n"}
    files = parts.changed(inside, part("b", "ladders", inside), {"ladder_id": "b", "title": "C, D"})
    assert files["a.yaml"].endswith("ladders: [{ladder_id: a, title: A}, {ladder_id: b, title: 'C, D'}]\n")


def test_parts_are_added_and_taken_out() -> None:
    files = parts.added(FILES, "rules", {"rule_id": "x.y", "title": "新"})
    assert difference(TEXT, files["rules.yaml"])[-1] == "+  - {rule_id: x.y, title: 新}"
    assert parts.removed(files, part("x.y", files=files))["rules.yaml"].rstrip() == TEXT.rstrip()
    less = parts.removed(FILES, part("flood.fast"))
    assert [one.key for one in parts.parts(less) if one.section == "rules"] == ["ads.terms"]
    # The last part takes its section along, the last section its file.
    assert set(parts.removed(less, part(files=less))) == {"other.yaml"}
    grown = parts.added(FILES, "duties", {"duty_id": "day", "title": "白班"})
    assert grown["answers.yaml"] == "schema_version: 1\n\nduties:\n  - {duty_id: day, title: 白班}\n"
    grown = parts.added(grown, "holidays", {"holidays_id": "cn", "title": "假"})
    assert grown["answers.yaml"].endswith("\nholidays:\n  - {holidays_id: cn, title: 假}\n")


def test_parts_without_an_id_of_their_own_are_known_by_number() -> None:
    files = {"a.yaml": "schema_version: 1\nladders: [{ladder_id: a}, {title: b}, {ladder_id: a}, {ladder_id: c}]\n"}
    assert [one.key for one in parts.parts(files)] == ["@1", "@2", "@3", "c"]


def test_what_is_no_yaml_holds_no_parts_and_is_named() -> None:
    bombs = "schema_version: 1\nrules: &a [1]\nladders: *a\n"
    files = {**FILES, "broken.yaml": "rules: [", "alias.yaml": bombs, "deep.yaml": "a: " + "[" * 60 + "]" * 60}
    assert parts.broken_files(files) == ("alias.yaml", "broken.yaml", "deep.yaml")
    assert parts.parts(files) == parts.parts(FILES)
    with pytest.raises(CannotEdit):
        parts.added({"answers.yaml": "duties: ["}, "duties", {"duty_id": "x"})


def test_the_text_of_a_part_is_its_own_and_goes_back_as_it_was_written() -> None:
    text = parts.text_of(FILES, part())
    assert text.startswith("rule_id: ads.terms   # do not rename\ntitle: 广告词\n")
    assert "  # and only from newcomers\n" in text
    assert parts.changed_text(FILES, part(), text) == FILES
    files = parts.changed_text(FILES, part(), text.replace("title: 广告词", "title: 词  # 短"))
    assert difference(TEXT, files["rules.yaml"]) == ["-    title: 广告词", "+    title: 词  # 短"]
    for wrong in ("a: [", "", "- *x", "a: &x 1\nb: *x"):
        with pytest.raises(CannotEdit):
            parts.changed_text(FILES, part(), wrong)


@pytest.mark.parametrize("name", gallery.names())
def test_every_part_of_the_gallery_can_be_changed_added_and_taken_out_alone(name: str) -> None:
    files = gallery.texts(name)
    for one in parts.parts(files):
        text = parts.text_of(files, one)
        assert parts.same(parts.read(text), one.plain)
        assert parts.changed_text(files, one, text) == files
        if one.section not in ID_FIELDS:
            continue
        if not one.path.endswith("[0]"):
            continue
        assert len(parts.parts(parts.removed(files, one))) == len(parts.parts(files)) - 1
        changed = parts.changed(files, one, {**one.values, "title": "改过的 名称: #1"})
        assert len(difference(files[one.file], changed[one.file])) == 2
        grown = parts.added(files, one.section, {**one.values, ID_FIELDS[one.section]: "new_one"})
        assert parts.same(part("new_one", one.section, grown).values, {**one.values, ID_FIELDS[one.section]: "new_one"})
    assert parse(files).playbook.rules
