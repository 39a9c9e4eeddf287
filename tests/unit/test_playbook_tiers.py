"""Schemes of tiers as text: what is refused, with which place and mend, and what the shipped ones say."""

from __future__ import annotations

import pytest

from qunce.playbook import gallery
from qunce.playbook.diff import diff
from qunce.playbook.errors import InvalidPlaybook
from qunce.playbook.load import parse
from qunce.playbook.schema import Playbook
from qunce.playbook.tiers import level_rules
from qunce.playbook.write import write

HEAD = "schema_version: 1\nplaybook: {playbook_id: tiers, title: 分层}\n"
BUYERS = "where: [{did: order_paid}]"


def playbook(levels: str) -> Playbook:
    text = f"schema_version: 1\ntiers:\n  - scheme_id: spend\n    title: 消费\n    levels:\n{levels}"
    return parse({"playbook.yaml": HEAD, "tiers.yaml": text}).playbook


def level(level_id: str, where: str = "") -> str:
    return f"      - {{level_id: {level_id}, title: {level_id}{', ' if where else ''}{where}}}\n"


@pytest.mark.parametrize(
    ("levels", "code", "path"),
    [
        pytest.param(level("none"), "no_op", "levels", id="one level tells nobody apart"),
        pytest.param(level("a", BUYERS) + level("a"), "duplicate_id", "levels[1].level_id", id="a level stands twice"),
        pytest.param(level("a", BUYERS) + level("b", BUYERS), "impossible", "levels[1].where", id="some are on no level"),
        pytest.param(level("a") + level("b"), "no_op", "levels[0]", id="a level above the last holds everybody"),
        pytest.param(
            level("a", "where: [{did: order_payed}]") + level("b"), "reference", "levels[0].where[0].did", id="unknown event"
        ),
        pytest.param(
            level("a", "where: [{segment: rich}]") + level("b"), "reference", "levels[0].where[0].segment", id="unknown segment"
        ),
        pytest.param(
            level("a", "where: [{attr: joined_at, is: set}]") + level("b"), "subject", "levels[0].where[0].attr",
            id="tiers are about members, not memberships",
        ),
        pytest.param(
            "".join(level(f"l{number}", BUYERS) for number in range(12)) + level("z"), "size", "levels", id="too many levels"
        ),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_with_its_place_and_mend(levels: str, code: str, path: str) -> None:
    with pytest.raises(InvalidPlaybook) as caught:
        playbook(levels)
    problem = next(problem for problem in caught.value.problems if problem.code == code)
    assert problem.path == f"tiers[0].{path}"
    assert problem.line > 0
    assert problem.fix


def test_a_level_may_ask_for_a_segment_of_its_playbook() -> None:
    segments = "schema_version: 1\nsegments:\n  - {segment_id: buyers, title: 买家, where: [{did: order_paid}]}\n"
    tiers = "schema_version: 1\ntiers:\n  - scheme_id: s\n    title: S\n    levels:\n" + (
        level("a", "where: [{segment: buyers}]") + level("b")
    )
    found = parse({"playbook.yaml": HEAD, "s.yaml": segments, "t.yaml": tiers}).playbook
    assert list(level_rules(found.tiers, found.segments)) == ["s/a"]


def test_the_shipped_schemes_are_those_operators_name_and_survive_being_written() -> None:
    found = parse({"playbook.yaml": HEAD, **gallery.tiers()}).playbook
    assert [scheme.scheme_id for scheme in found.tiers] == ["abcd", "fan", "loyalty", "lifecycle", "spend", "talk_style"]
    assert [len(scheme.levels) for scheme in found.tiers] == [4, 4, 4, 4, 4, 4]
    assert all(level.advice and level.advice_en and level.title_en for scheme in found.tiers for level in scheme.levels)
    assert parse(write(found)).playbook == found


def test_a_changed_level_is_a_difference_of_its_scheme() -> None:
    old, new = playbook(level("a", BUYERS) + level("b")), playbook(level("c", BUYERS) + level("b"))
    assert [(change.section, change.item_id, change.key) for change in diff(old, new)] == [("tiers", "spend", "levels")]
