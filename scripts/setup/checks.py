"""The sequence of checks behind `bootstrap.py test`, as data: what is run, with which variables, and what it needs."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PYTHON_SOURCES = ("bootstrap.py", "scripts", "src", "tests")


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the sequence."""

    name: str
    """Short name for `--only`."""
    title: str
    command: tuple[str, ...]
    counts_tests: bool = False
    """Whether the command is pytest, whose closing line is read and added up; any other counts as one."""
    limit_s: int = 1200
    """After so long the check is stopped and has failed."""
    missing: str = ""
    """Why the check cannot run on this machine; empty when it can."""


def all_checks(python: Path, *, deep: bool, pytest_arguments: Sequence[str] = ()) -> list[Check]:
    """Return the checks of `test`, or those of `test --deep`, in their order: the quick and telling ones first."""
    if deep:
        return _deep_checks(python, pytest_arguments)
    return [*_static_checks(python), *_test_lanes(python, pytest_arguments)]


def _static_checks(python: Path) -> list[Check]:
    tools = python.parent
    return [
        Check(name="lint", title="lint (ruff)", command=(str(tools / "ruff"), "check", "--quiet", *PYTHON_SOURCES)),
        Check(
            name="format", title="format (ruff)", command=(str(tools / "ruff"), "format", "--check", "--quiet", *PYTHON_SOURCES)
        ),
        Check(name="imports", title="import contracts (import-linter)", command=(str(tools / "lint-imports"),)),
        Check(name="types", title="types (mypy --strict)", command=(str(tools / "mypy"), "--no-error-summary")),
        Check(name="templates", title="templates (djlint)", command=(str(tools / "djlint"), "src", "--lint", "--quiet")),
        Check(name="catalogues", title="English texts complete", command=(str(python), "scripts/catalogues.py", "--check")),
    ]


def _test_lanes(python: Path, arguments: Sequence[str]) -> list[Check]:
    pytest = (str(python), "-m", "pytest", "-q", "--no-header", "--color=no", *arguments)
    shared = ("-n", "logical", "--maxprocesses", "4")
    return [
        Check(
            name="unit",
            title="unit tests",
            command=(*pytest, *shared, "-m", "not deep", "--database", "sqlite", "tests/unit"),
            counts_tests=True,
        ),
        Check(
            name="sqlite",
            title="integration tests on SQLite",
            command=(*pytest, *shared, "-m", "not deep and not postgres", "--database", "sqlite", "tests/integration"),
            counts_tests=True,
        ),
        Check(
            name="postgres",
            title="integration tests on PostgreSQL",
            command=(*pytest, *shared, "-m", "not deep and not sqlite", "--database", "postgres", "tests/integration"),
            counts_tests=True,
        ),
        Check(
            name="browser",
            title="browser tests in Chromium",
            command=(*pytest, "-m", "not deep", "--database", "sqlite", "tests/e2e"),
            counts_tests=True,
            missing="" if find_chromium() else "Chromium is not here; mend: apt install chromium fonts-noto-cjk",
        ),
    ]


def _deep_checks(python: Path, arguments: Sequence[str]) -> list[Check]:
    pytest = (str(python), "-m", "pytest", "-q", "--no-header", "--color=no", *arguments)
    return [
        Check(
            name="deep",
            title="deep tests",
            command=(*pytest, "-m", "deep and not postgres", "--database", "sqlite", "tests"),
            counts_tests=True,
            limit_s=3600,
        ),
        Check(
            name="deep-postgres",
            title="deep tests on PostgreSQL",
            command=(*pytest, "-m", "deep and postgres", "--database", "postgres", "tests"),
            counts_tests=True,
            limit_s=3600,
        ),
    ]


def find_chromium() -> str | None:
    """Return the path of a Chromium or Chrome: QUNCE_CHROMIUM when set, else the first found, or None."""
    named = os.environ.get("QUNCE_CHROMIUM")
    return named or next((path for name in CHROMIUM_NAMES if (path := shutil.which(name))), None)
