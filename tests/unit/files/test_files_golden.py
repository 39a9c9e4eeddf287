"""Each format against invented exports in its shape: what is read, in the notation of `notation.py`.

`tests/fixtures/imports/<format>….json` is the export, `….told` what must come of it; `.zip.json` is a zip as {member: content}.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from qunce.connectors.files.registry import read_file
from tests.unit.files.notation import keys_of, options, rows_of, told, write

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures" / "imports"
CASES = sorted(path.name for path in FIXTURES.iterdir() if path.suffix != ".told")
GROWING = [name for name in CASES if not name.endswith((".zip.json", "_account.json", "_instagram.json"))]


def export(name: str, folder: Path) -> Path:
    """Return the export of a case, packed where it is a zip."""
    path = FIXTURES / name
    if not name.endswith(".zip.json"):
        return path
    packed = folder / name.removesuffix(".json")
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in json.loads(path.read_text("utf-8")).items():
            archive.writestr(member, content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))
    return packed


def first_half(name: str, folder: Path) -> Path:
    """Return the export as it would have been earlier, with half of its messages."""
    text = (FIXTURES / name).read_text("utf-8")
    if name.endswith(".jsonl"):
        lines = text.splitlines(keepends=True)
        return write(folder, f"earlier_{name}", "".join(lines[: len(lines) // 2]))
    content = json.loads(text)
    content["messages"] = content["messages"][: len(content["messages"]) // 2]
    return write(folder, f"earlier_{name}", content)


@pytest.mark.parametrize("name", CASES)
def test_an_export_is_recognised_and_told_in_full(name: str, tmp_path: Path) -> None:
    path = export(name, tmp_path)
    with read_file(path, None, options()) as reading:
        assert name.startswith(reading.format.name)
        rows = list(reading)
        assert 0 < reading.bytes_read <= reading.total_bytes
    assert told(rows) == (FIXTURES / f"{name}.told").read_text("utf-8").splitlines()


@pytest.mark.parametrize("name", CASES)
def test_a_second_import_gives_the_same_keys_and_no_key_twice(name: str, tmp_path: Path) -> None:
    path = export(name, tmp_path)
    first, second = keys_of(rows_of(path)), keys_of(rows_of(path))
    assert first == second
    assert len(set(first)) == len(first)


@pytest.mark.parametrize("name", GROWING)
def test_an_earlier_shorter_export_gives_keys_the_longer_one_has_too(name: str, tmp_path: Path) -> None:
    earlier = keys_of(rows_of(first_half(name, tmp_path)))
    assert set(earlier) <= set(keys_of(rows_of(FIXTURES / name)))
