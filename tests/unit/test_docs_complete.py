"""The documents hold what they must: each variable and command is described, each link leads somewhere."""

from __future__ import annotations

import argparse
import re
from importlib import import_module
from pathlib import Path

import pytest

from qunce.runtime.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text("utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/qunce/**/docs.md")])
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```", re.DOTALL)


def variables() -> set[str]:
    """Return the names of the environment variables that the sources read."""
    found: set[str] = set()
    for path in [*ROOT.glob("src/**/*.py"), *ROOT.glob("scripts/**/*.py"), *ROOT.glob("tests/*.py")]:
        found |= set(re.findall(r"\b(QUNCE_[A-Z_]*[A-Z]|DATABASE_URL)\b", path.read_text("utf-8")))
    return found


def anchors(path: Path) -> set[str]:
    """Return the anchors of a document's headings, as repository pages make them."""
    headings = re.findall(r"^#+ (.+)$", _CODE.sub("", path.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def test_every_environment_variable_is_described() -> None:
    assert variables() <= set(re.findall(r"^\| `([A-Z_]+)` \|", OPERATIONS, re.MULTILINE))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_described_with_its_options(name: str) -> None:
    described = "".join(line for line in OPERATIONS.splitlines() if line.startswith(f"| `qunce {name}"))
    parser = argparse.ArgumentParser(add_help=False)
    import_module(COMMANDS[name].module).add_arguments(parser)
    options = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    assert {option for option in options if option not in described} == set()
    assert described


@pytest.mark.parametrize("path", DOCUMENTS, ids=[str(path.relative_to(ROOT)) for path in DOCUMENTS])
def test_every_link_leads_somewhere(path: Path) -> None:
    for link in _LINK.findall(_CODE.sub("", path.read_text("utf-8"))):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in anchors(target), link


def test_both_readmes_have_the_same_parts() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md"))
    for part in (
        r"^#+ ",
        r"^\| ",
        r"\]\((docs/[a-z/]+|src/[^)]+)",
        r"`(?:\./qunce|--)[^`]*`",
        r"^(?:\./qunce|python3) \S+(?: --\S+)?",
    ):
        assert re.findall(part, english, re.MULTILINE) == re.findall(part, chinese, re.MULTILINE), part


def test_pictures_are_small_and_used() -> None:
    used = "".join(path.read_text("utf-8") for path in ROOT.glob("*.md"))
    for picture in (ROOT / "docs" / "images").iterdir():
        assert picture.stat().st_size < 300_000, picture.name
        assert f"docs/images/{picture.name}" in used, picture.name
