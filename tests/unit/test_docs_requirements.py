"""docs/requirements.md says of each requirement where it lives, or `open`; what it names is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qunce.analytics.registry import all_metrics
from qunce.runtime.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = {"A": 17, "B": 16, "C": 37, "D": 20, "E": 20, "F": 22, "G": 12, "H": 15, "I": 17, "J": 24}
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs" / "requirements.md").read_text("utf-8").splitlines()
    if re.match(r"\| [A-J]\d\d \|", line)
]
DONE = [(row[0], re.findall(r"`([^`]+)`", row[3])) for row in ROWS if row[-1] != "open"]


def test_every_requirement_stands_there_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == [f"{letter}{n:02}" for letter, last in SECTIONS.items() for n in range(1, last + 1)]
    assert {len(row) for row in ROWS} == {4}


@pytest.mark.parametrize(("requirement", "named"), DONE, ids=[requirement for requirement, _ in DONE])
def test_a_requirement_that_is_done_names_where_and_its_test(requirement: str, named: list[str]) -> None:
    assert any(name.startswith(("page ", "metric ")) for name in named), "no page"
    assert any(name.startswith("tests/") for name in named), "no test"
    metrics = {metric.id for metric in all_metrics()}
    for name in named:
        kind, _, rest = name.partition(" ")
        if kind == "qunce":
            assert rest in COMMANDS, name
        elif kind == "metric":
            assert rest in metrics, name
        elif kind != "page":  # pages need Django's addresses: tests/integration/test_docs_pages.py
            assert (ROOT / name).is_file(), name
