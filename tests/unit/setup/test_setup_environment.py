"""The private environment: when it is left alone, when it is filled again, and what is said when it cannot be."""

from __future__ import annotations

import ast
import importlib.util
import json
from pathlib import Path

import pytest

from scripts.setup import environment
from scripts.setup.environment import Environment, SetupError, ensure
from scripts.setup.indexes import pip_index_url

ROOT = Path(__file__).resolve().parents[3]


class Machine:
    """A machine without network: making and installing are recorded."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.done: list[str] = []
        self.lines: list[str] = []
        self.broken = False

    def make(self, folder: Path) -> None:
        self.done.append("made")
        (folder / "bin").mkdir(parents=True, exist_ok=True)
        (folder / "bin" / "python").touch()

    def install(self, wanted: Environment) -> None:
        if self.broken:
            raise SetupError("no network")
        self.done.append(f"installed {wanted.requirement}")

    def ensure(self, requirement: str) -> list[str]:
        """Return what was done."""
        self.done = []
        ensure(Environment(folder=self.folder, requirement=requirement), self.lines.append)
        return self.done


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    files = tmp_path / "requirements"
    files.mkdir()
    for name in ("run", "test", "deep", "synapse"):
        (files / f"{name}.txt").write_text(f"{name}==1\n", "utf-8")
    machine = Machine(tmp_path / ".venv")
    monkeypatch.setattr(environment, "REQUIREMENTS", files)
    monkeypatch.setattr(environment, "_check_can_make", lambda: None)
    monkeypatch.setattr(environment, "_make", machine.make)
    monkeypatch.setattr(environment, "_install", machine.install)
    monkeypatch.setattr(environment, "_runs", lambda _python: False)
    return machine


def test_the_first_start_makes_and_fills_it_and_the_second_leaves_it_alone(machine: Machine) -> None:
    assert machine.ensure("run") == ["made", "installed run"]
    assert machine.ensure("run") == []


def test_a_higher_level_adds_to_it_and_serves_the_lower_ones(machine: Machine) -> None:
    machine.ensure("run")
    assert machine.ensure("test") == ["installed test"]
    assert machine.ensure("run") == []
    assert machine.ensure("deep") == ["installed deep"]
    assert machine.ensure("test") == []


def test_a_changed_requirement_file_fills_it_again(machine: Machine) -> None:
    machine.ensure("run")
    (environment.REQUIREMENTS / "run.txt").write_text("run==2\n", "utf-8")
    assert machine.ensure("run") == ["installed run"]


def test_an_interrupted_installation_is_not_taken_for_a_finished_one(machine: Machine) -> None:
    machine.broken = True
    with pytest.raises(SetupError):
        machine.ensure("run")
    machine.broken = False
    assert "installed run" in machine.ensure("run")


def test_a_moved_folder_makes_it_anew(machine: Machine) -> None:
    machine.ensure("run")
    stamp = machine.folder / environment.STAMP
    stamp.write_text(json.dumps(json.loads(stamp.read_text("utf-8")) | {"place": "elsewhere"}), "utf-8")
    assert machine.ensure("run") == ["made", "installed run"]


@pytest.mark.parametrize("stamp", ["", "{", "[]", '"x"'])
def test_a_damaged_stamp_counts_as_none(machine: Machine, stamp: str) -> None:
    machine.ensure("run")
    (machine.folder / environment.STAMP).write_text(stamp, "utf-8")
    assert "installed run" in machine.ensure("run")


def test_a_python_without_venv_is_told_which_package_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "_shared_uv", lambda: None)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(SetupError, match=r"mend: apt install python3\.\d+-venv"):
        environment._check_can_make()
    monkeypatch.setattr(environment, "_shared_uv", lambda: "uv")
    environment._check_can_make()


REASONS = {
    "uv without network": ("error: Failed to fetch: …\n  Caused by: dns error", "the package index cannot be reached"),
    "pip without network": (
        "Retrying …: Temporary failure in name resolution\nERROR: none",
        "the package index cannot be reached",
    ),
    "a wrong hash": (
        "Collecting a\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES\n",
        "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
    ),
    "nothing said": ("", "no installer ran"),
}


@pytest.mark.parametrize(("log", "reason"), REASONS.values(), ids=REASONS)
def test_a_failed_installation_is_explained_in_a_few_words(tmp_path: Path, log: str, reason: str) -> None:
    path = tmp_path / "setup.log"
    path.write_text(log, "utf-8")
    assert environment._reason(path) == reason


def test_the_index_of_pip_is_found_in_the_environment_and_then_in_its_files(tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "pip" / "pip.conf"
    settings.parent.mkdir(parents=True)
    settings.write_text("[global]\nindex-url = https://mirror.test/simple\ntrusted-host = %(x\n", "utf-8")
    assert pip_index_url({"HOME": str(tmp_path)}) == "https://mirror.test/simple"
    assert pip_index_url({"HOME": str(tmp_path), "PIP_INDEX_URL": "https://own.test/simple"}) == "https://own.test/simple"


def test_the_door_parses_on_old_pythons_so_that_it_can_name_the_new_one() -> None:
    source = (ROOT / "bootstrap.py").read_bytes()
    tree = ast.parse(source, feature_version=(3, 4))
    assert source.isascii()
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr | ast.AnnAssign | ast.arg)]
