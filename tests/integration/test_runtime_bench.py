"""Every case of the benchmark works and says what it measured; how fast is not tested."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qunce.runtime.bench import command
from qunce.runtime.bench.cases import CASES, Case
from qunce.runtime.bench.figures import Figure, table
from qunce.runtime.bench.plan import Plan
from qunce.runtime.cli.main import main

FIELDS = {
    "case", "name", "size", "value", "best", "by_cpu", "runs", "unit", "target", "more_is_better", "cpu_s", "peak_mb",
    "baseline", "baseline_value", "note", "ratio", "met",
}  # fmt: skip
PAGES = {"page groups", "page group", "page members", "page member", "page search", "page login"}


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the cases find the community and the mirror that the first of them made."""
    return tmp_path_factory.mktemp("bench")


@pytest.fixture
def few_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the first metrics only, as each takes a process of its own."""
    from qunce.analytics import registry

    chosen = registry.all_metrics()[:2]
    monkeypatch.setattr(registry, "all_metrics", lambda: chosen)


@pytest.mark.sqlite
@pytest.mark.usefixtures("few_metrics")
@pytest.mark.parametrize("case", [name for name in CASES if not name.endswith("postgres")])
def test_case_measures_at_a_tiny_scale(case: str, kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = _measure(case, tmp_path / "figures.json", "--keep", str(kept))
    assert said["not_measured"] == {}
    assert said["figures"]
    assert {"cores", "memory_gb", "load", "python"} <= said["before"].keys()
    for figure in said["figures"]:
        assert figure.keys() == FIELDS
        assert figure["case"] == case
        assert figure["value"] > 0
        assert figure["met"] is None or isinstance(figure["met"], bool)
        assert bool(figure["baseline"]) == (figure["ratio"] is not None)
    assert {figure["name"] for figure in said["figures"]} >= PAGES or case != "pages"
    assert said["figures"][0]["name"] in capsys.readouterr().out


@pytest.mark.postgres
@pytest.mark.parametrize("case", ["append-postgres", "import-postgres"])
def test_case_measures_on_a_server_in_databases_of_its_own(case: str, tmp_path: Path) -> None:
    said = _measure(case, tmp_path / "figures.json", "--postgres", _server_url())
    assert said["not_measured"] == {}
    assert all(figure["value"] > 0 for figure in said["figures"])
    assert _left_over() == []


def test_a_case_that_breaks_is_named_and_the_others_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def breaks(plan: Plan) -> Iterator[Figure]:
        yield from plan.shop.run("simulating:nothing")

    def works(plan: Plan) -> Iterator[Figure]:
        yield Figure(case="works", name="works", size="", value=1, unit="s")

    cases = {"breaks": Case(title="", figures=breaks), "works": Case(title="", figures=works)}
    monkeypatch.setattr(command, "CASES", cases)
    out = tmp_path / "figures.json"
    assert main(["bench", "--json", str(out)]) == 1
    said = json.loads(out.read_text("utf-8"))
    assert said["not_measured"]["breaks"].startswith("broken: simulating:nothing")
    assert [figure["name"] for figure in said["figures"]] == ["works"]
    assert "breaks broken" in capsys.readouterr().out


def test_the_list_names_every_case(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(CASES)


@pytest.mark.parametrize(
    ("more_is_better", "ratio", "met"),
    [
        pytest.param(True, 2.0, True, id="twice as many as the baseline is two times better"),
        pytest.param(False, 0.5, False, id="twice as long as the baseline is half as good"),
    ],
)
def test_ratio_and_target_follow_the_direction(more_is_better: bool, ratio: float, met: bool) -> None:
    figure = Figure(
        case="x", name="x", size="", value=200, unit="s", target=150, more_is_better=more_is_better, baseline="other",
        baseline_value=100,
    )  # fmt: skip
    assert figure.ratio == ratio
    assert figure.met is met
    assert "other: 100" in table([figure])


def _measure(case: str, out: Path, *more: str) -> dict[str, list[dict[str, object]]]:
    assert main(["bench", "--only", case, "--scale", "0.001", "--json", str(out), *more]) == 0
    said: dict[str, list[dict[str, object]]] = json.loads(out.read_text("utf-8"))
    return said


def _server_url() -> str:
    return os.environ["DATABASE_URL"]


def _left_over() -> list[str]:
    import psycopg

    with psycopg.connect(_server_url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'qunce_bench_%'").fetchall()
    return [str(row[0]) for row in rows]
