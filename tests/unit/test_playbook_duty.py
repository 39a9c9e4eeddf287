"""Rosters, holidays and answer rules that make no sense are refused, with a mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from qunce.playbook import gallery
from qunce.playbook.diff import diff
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.explain import explain
from qunce.playbook.load import parse
from qunce.playbook.write import write

GOOD = """schema_version: 1
playbook: {playbook_id: test, title: 测试}
answers:
  - rule_id: sla
    title: 三分钟应答
    duty: day
    first_within: 3m
    sooner: [{need: complaint, within: 1m}]
    escalate: [{after: 5m, to: [supervisor]}, {after: 10m, to: [owner]}]
duties:
  - duty_id: day
    title: 日班
    holidays: cn
    shifts:
      - {title: 早班, hours: "mon-fri 09:00-18:00", breaks: ["12:00-13:00"], staff: [zhang]}
holidays:
  - holidays_id: cn
    title: 节假日
    closed: [{first: 2026-10-01, last: 2026-10-07, title: 国庆节}]
    workdays: [{date: "2026-10-10", like: fri, title: 调休}]
"""

BAD: dict[str, tuple[str, str, str]] = {
    "an unknown roster": ("duty: day", "duty: night", "no duty 'night'"),
    "an unknown table of holidays": ("    holidays: cn", "    holidays: us", "no table of holidays 'us'"),
    "a day that does not exist": ("2026-10-07", "2026-10-32", "not a date"),
    "a holiday that ends before it begins": ("last: 2026-10-07", "last: 2026-09-30", "does not end after it begins"),
    "a day that is closed and worked": ('date: "2026-10-10"', "date: 2026-10-03", "closed and worked"),
    "a break outside the shift": ("12:00-13:00", "20:00-21:00", "lies outside"),
    "breaks that leave nothing": ("12:00-13:00", "09:00-18:00", "leave nothing"),
    "hours that are none": ("mon-fri 09:00-18:00", "9 to 5", "not hours"),
    "escalation steps out of order": ("after: 10m", "after: 4m", "not later than the step before"),
    "an escalation to nobody": ("to: [owner]", "to: []", "nobody is called"),
    "sooner that is not sooner": ("within: 1m", "within: 3m", "not sooner than 3m"),
    "sooner for what is not waited for": ("duty: day\n", "duty: day\n    needs: [question]\n", "is not among the needs"),
    "a rule that waits for nothing": ("duty: day\n", "duty: day\n    needs: []\n", "waits for nothing"),
    "an unknown key": ("first_within: 3m", "frist_within: 3m", "unknown key"),
    "the same person twice on a shift": ("[zhang]", "[zhang, zhang]", "stands here twice"),
}


def problems(text: str) -> str:
    with pytest.raises(InvalidPlaybook) as caught:
        parse({"playbook.yaml": text})
    assert all(problem.line and problem.fix for problem in caught.value.problems)
    return str(caught.value)


@pytest.mark.parametrize(("good", "bad", "message"), BAD.values(), ids=BAD.keys())
def test_refused(good: str, bad: str, message: str) -> None:
    assert good in GOOD
    assert message in problems(GOOD.replace(good, bad))


def test_the_documented_example_holds() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "algorithms" / "answer-clock.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    head = "schema_version: 1\nplaybook: {playbook_id: test, title: 测试}\n"
    playbook = parse({"playbook.yaml": head, "answers.yaml": example}).playbook
    assert [rule.rule_id for rule in playbook.answers] == ["answers.three_minutes"]
    assert all(parse(gallery.texts(name)).playbook.answers for name in gallery.names())


def test_a_rule_behind_one_for_all_groups_is_refused() -> None:
    text = GOOD.replace("duties:\n", "  - {rule_id: other, title: 别的, groups: [一群]}\nduties:\n")
    assert "stands before it" in problems(text)


def test_an_unused_roster_is_refused() -> None:
    assert "no answer rule follows 'day'" in problems(GOOD.replace("    duty: day\n", ""))


def test_writing_and_reading_gives_the_same() -> None:
    loaded = parse({"playbook.yaml": GOOD})
    again = parse(write(loaded.playbook))
    assert again.playbook == loaded.playbook
    assert again.content_hash == loaded.content_hash


def test_differences_are_told_by_part() -> None:
    old, new = (
        parse({"playbook.yaml": text}).playbook for text in (GOOD, GOOD.replace("first_within: 3m", "first_within: 2m"))
    )
    assert [(change.section, change.item_id, change.key) for change in diff(old, new)] == [("answers", "sla", "first_within")]


def test_it_is_explained_in_both_languages() -> None:
    playbook = parse({"playbook.yaml": GOOD}).playbook
    assert "投诉在1 分钟内" in explain(playbook, "zh").replace("在 ", "在")
    assert "complaints within 1 minute" in explain(playbook, "en")
