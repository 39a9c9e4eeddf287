"""The requirement files: every pin with a hash, no address, each level holding the one below."""

import ast
import re
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest

from scripts.lock import APART, LEVELS, pins

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted((ROOT / "requirements").glob("*.txt"))
ONLY_IN_TESTS = {"pytest_database.py"}
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
    assert rows - {("package", "version")} == wanted


def test_the_program_imports_nothing_that_only_the_checks_install() -> None:
    installed = packages_distributions()
    locked = {_normal(name) for name, _version in pins("run")}
    strays = {
        f"{path.relative_to(ROOT)} imports {module}"
        for path in (ROOT / "src").rglob("*.py")
        if path.name not in ONLY_IN_TESTS
        for module in _imported(path)
        if module in installed and module != "qunce" and not locked & {_normal(name) for name in installed[module]}
    }
    assert not strays


def _imported(path: Path) -> set[str]:
    """Return the top-level names of the modules a file imports, wherever in the file it does."""
    nodes = list(ast.walk(ast.parse(path.read_bytes())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    absolute = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    return {name.partition(".")[0] for name in plain | absolute}


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
