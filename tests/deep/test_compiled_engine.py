"""The compiled engine decides what its sources decide: the tests of decisions pass on it, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.setup.environment import ROOT

pytestmark = pytest.mark.deep
TESTS = (
    "tests/unit/test_moderation_scenarios.py", "tests/unit/test_moderation_properties.py", "tests/unit/test_desk_scenarios.py",
    "tests/unit/test_desk_properties.py", "tests/unit/test_replay_invariants.py", "tests/unit/test_moderation_promises.py",
)  # fmt: skip


@pytest.mark.skipif(shutil.which("cc") is None and shutil.which("gcc") is None, reason="there is no C compiler")
def test_the_tests_of_decisions_pass_on_the_compiled_engine(tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for name in ("src", "tests", "scripts", "requirements"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.so", "compiled.json"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    environment = {**os.environ, "PYTHONPATH": f"{copy / 'src'}:{copy}"}
    made = subprocess.run(
        [sys.executable, "-c", "from scripts.setup import compiling; print(compiling.compile_engine(print))"],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    where = "import qunce.engine.moderation.decide as one; print(one.__file__)"
    found = subprocess.run([sys.executable, "-c", where], cwd=copy, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip().endswith(".so")
    assert found.stdout.startswith(str(copy))
    passed = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", *TESTS],
        cwd=copy, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert passed.returncode == 0, passed.stdout[-3_000:]
