"""Every case of the benchmark works and says what it measured; how fast is not tested."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from qunce.runtime.bench import command
from qunce.runtime.bench.cases import CASES, Case
from qunce.runtime.bench.engine_cases import NO_BOTS, decide
from qunce.runtime.bench.figures import Figure, table
from qunce.runtime.bench.machine import describe
from qunce.runtime.bench.plan import Plan
from qunce.runtime.bench.sizes import sizes
from qunce.runtime.cli.main import main

FIELDS = {
    "case", "name", "size", "value", "best", "by_cpu", "runs", "unit", "target", "more_is_better", "of_core", "cpu_s",
    "peak_mb", "baseline", "baseline_value", "note", "ratio", "met",
}  # fmt: skip
MACHINE = describe(Path("/"))
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


def test_without_nonebot_its_rows_stay_and_say_so() -> None:
    timed = {"seconds": [1.0], "cpu": [1.0], "peak_mb": 1.0, "counts": [10], "mean_chars": 8.0, "wall_ns": [5], "cpu_ns": [4]}
    absent = {"absent": True, "seconds": [], "cpu": []}
    figures = list(decide(_plan(timed, absent)))
    assert [figure.ratio for figure in figures] == [pytest.approx(0.2), None, None, None]
    assert {figure.note for figure in figures} == {"", NO_BOTS}
    assert NO_BOTS in command.text_of(
        {"full": False, "scale": 1.0, "made": "", "before": MACHINE, "after": MACHINE}, figures, {}
    )


def test_what_one_core_does_is_held_against_cpu_time() -> None:
    figure = Figure(case="x", name="x", size="", value=10, by_cpu=30, unit="/s", target=20, more_is_better=True, of_core=True)
    assert figure.met is True
    assert "yes CPU" in table([figure])


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


def _plan(timed: dict[str, object], bots: dict[str, object]) -> Plan:
    class Shop:
        def run(self, target: str, params: object) -> dict[str, object]:
            return bots if target == "rivals:nonebot" else timed

    return Plan(sizes(full=False, scale=0.001), Shop())  # type: ignore[arg-type]  # nothing but `run` is asked for


def _server_url() -> str:
    return os.environ["DATABASE_URL"]


def _left_over() -> list[str]:
    import psycopg

    with psycopg.connect(_server_url()) as connection:
        rows = connection.execute("SELECT datname FROM pg_database WHERE datname LIKE 'qunce_bench_%'").fetchall()
    return [str(row[0]) for row in rows]
