"""`qunce simulate`: JSON lines on standard output or in a file."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
import zstandard

from qunce.domain.events import decode
from qunce.testing.simulator.command import add_arguments, run

SMALL = ["--groups", "2", "--members", "30", "--days", "3", "--end", "2026-11-12"]


def simulate(*options: str) -> int:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([*SMALL, *options]))


def test_lines_on_standard_output_are_events(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    assert simulate() == 0
    out, err = capfdbinary.readouterr()
    events = [decode(line) for line in out.splitlines()]
    assert events[-1].ts_ms < 1_794_412_800_000, "the end is midnight in Shanghai"
    assert err == f"{len(events)} events\n".encode()


def test_a_compressed_file_holds_the_same_lines(tmp_path: Path) -> None:
    plain, packed = tmp_path / "events.jsonl", tmp_path / "events.jsonl.zst"
    assert simulate("--out", str(plain)) == simulate("--out", str(packed)) == 0
    with packed.open("rb") as file:
        assert zstandard.ZstdDecompressor().stream_reader(file).read() == plain.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.jsonl", "events.jsonl.zst"]


@pytest.mark.parametrize("options", [("--activity", "0"), ("--out", "no/such/folder/events.jsonl"), ("--days", "100000")])
def test_what_cannot_be_done_is_said_in_one_line(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert simulate(*options) == 2
    told = capsys.readouterr().err
    assert told.startswith("qunce simulate: ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("options", [("--groups", "0"), ("--members", "x"), ("--end", "tomorrow")])
def test_malformed_options_are_refused(options: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit):
        simulate(*options)
