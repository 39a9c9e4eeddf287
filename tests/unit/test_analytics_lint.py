"""Metric expressions keep to what gives the same numbers on every engine."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import qunce.analytics

FOLDER = Path(qunce.analytics.__file__).parent
FILES = (FOLDER / "tables.py", FOLDER / "rolling.py", *sorted((FOLDER / "metrics").glob("*.py")),
         *(FOLDER / "segments" / f"{name}.py" for name in ("measures", "scans", "plan")))  # fmt: skip
DOCS = FOLDER.parents[2] / "docs" / "algorithms"

BANNED = {
    "nunique": "is approximate on ClickHouse: distinct, then count",
    "approx_nunique": "is approximate",
    "median": "is approximate on ClickHouse: walk the histogram",
    "quantile": "is approximate on ClickHouse: walk the histogram",
    "interval": "SQLite refuses interval arithmetic: count days as integers",
    "date": "a zone cast gives UTC days on some engines: use the stored local day",
    "now": "expressions do not read the clock",
    "sql": "name no engine",
    "any": "sums of booleans differ: use counted()",
    "mean": "floats differ between engines: return numerator and denominator",
}


def attributes(path: Path) -> list[tuple[str, int]]:
    tree = ast.parse(path.read_text("utf-8"))
    return [(node.attr, node.lineno) for node in ast.walk(tree) if isinstance(node, ast.Attribute)]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_expression_that_differs_between_engines(path: Path) -> None:
    found = [f"{path.name}:{line} .{name} {BANNED[name]}" for name, line in attributes(path) if name in BANNED]
    assert found == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_comparison_is_cast_or_summed(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in {"cast", "sum"}:
            assert not isinstance(node.value, ast.Compare | ast.BoolOp), f"{path.name}:{node.lineno} cast or sum of a boolean"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_window_with_an_order_names_a_total_one(path: Path) -> None:
    """Orders used in windows: by whole columns that are unique within the window, or with the person as last key."""
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "window"):
            continue
        for keyword in node.keywords:
            if keyword.arg == "order_by":
                assert ast.unparse(keyword.value) in {
                    "'response_s'",
                    "[ibis.desc('said'), 'person']",
                    "[ibis.desc('points'), 'person']",
                }, f"{path.name}:{node.lineno}"


def test_every_metric_has_its_page() -> None:
    from qunce.analytics.registry import all_metrics

    for metric in all_metrics():
        page = DOCS / f"{metric.algorithm}.md"
        assert page.is_file(), metric.algorithm
        assert f"`{metric.id}`" in page.read_text("utf-8"), f"{metric.id} is not on {page.name}"
