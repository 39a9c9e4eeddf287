"""The requirement files: every pin with a hash, no address, each level holding the one below."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.lock import APART, LEVELS, pins

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
_DIRECT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]+\])?==(\S+)", re.MULTILINE)


def test_every_file_belongs_to_a_level_or_stands_apart() -> None:
    assert {path.stem for path in FILES} == {*LEVELS, *APART}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_holds_pins_with_hashes_and_no_address(path: Path) -> None:
    text = path.read_text("utf-8")
    assert "/" not in text
    for entry in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"[a-z0-9._\[\],-]+==\S+", entry), entry.splitlines()[0]
        assert "--hash=sha256:" in entry, entry.splitlines()[0]


@pytest.mark.parametrize(("lower", "upper"), list(pairwise(LEVELS)))
def test_a_level_pins_what_the_level_below_pins(lower: str, upper: str) -> None:
    assert pins(lower) <= pins(upper)


def test_the_list_of_dependencies_names_each_with_its_version() -> None:
    document = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    rows = set(re.findall(r"^\| ([A-Za-z0-9._-]+) \| ([^ |]+) \|", document, re.MULTILINE))
    wanted = {pair for path in (ROOT / "requirements").glob("*.in") for pair in _DIRECT.findall(path.read_text("utf-8"))}
    assert rows == wanted
