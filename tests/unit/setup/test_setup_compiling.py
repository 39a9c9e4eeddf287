"""A compiled engine is used only where it was made from the sources that are there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qunce.engine import freshness
from scripts.setup import compiling


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "core.py").write_text("def decide(): ...\n", "utf-8")
    monkeypatch.setattr(freshness, "ENGINE", tmp_path)
    monkeypatch.setattr(freshness, "STAMP", tmp_path / "compiled.json")
    return tmp_path


def test_sources_alone_are_fresh(engine: Path) -> None:
    assert not freshness.is_stale()
    freshness.check()


def test_a_compiled_engine_is_refused_once_a_source_has_changed(engine: Path) -> None:
    freshness.STAMP.write_text(json.dumps({"digest": freshness.digest()}), "utf-8")
    freshness.check()
    (engine / "core.py").write_text("def decide(): return 1\n", "utf-8")
    with pytest.raises(ImportError, match=r"bootstrap\.py compile"):
        freshness.check()


@pytest.mark.parametrize("stamp", ["", "[]", "{}", '{"digest": 7}'])
def test_a_broken_stamp_counts_as_stale(engine: Path, stamp: str) -> None:
    freshness.STAMP.write_text(stamp, "utf-8")
    assert freshness.is_stale()


def test_stale_modules_are_taken_away_with_their_stamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = tmp_path / "qunce" / "engine"
    (engine / "text").mkdir(parents=True)
    (engine / "freshness.py").write_text(Path(freshness.__file__).read_text("utf-8"), "utf-8")
    made = [engine / "text" / "views.so", tmp_path / f"{compiling.GROUP}__mypyc.so", engine / "compiled.json"]
    for path in made:
        path.write_text("{}", "utf-8")
    kept = tmp_path / "other.so"
    kept.write_text("", "utf-8")
    monkeypatch.setattr(compiling, "SOURCE", tmp_path)
    monkeypatch.setattr(compiling, "ENGINE", engine)
    said: list[str] = []
    compiling.remove_stale(said.append)
    assert not any(path.exists() for path in made)
    assert kept.exists()
    assert len(said) == 1
    compiling.remove_stale(said.append)
    assert len(said) == 1, "nothing is stale any more"


def test_modules_with_records_stay_as_they_are() -> None:
    chosen = compiling.modules()
    assert "qunce/engine/moderation/decide.py" in chosen
    assert not {"qunce/engine/core.py", "qunce/engine/desk/state.py", "qunce/engine/freshness.py"} & set(chosen)
