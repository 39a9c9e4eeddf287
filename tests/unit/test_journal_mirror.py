"""The mirror's folder: atomic changes, merged segments, day ranges, nothing left lying about."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qunce.journal.mirror import FACT_SCHEMA, MirrorError, MirrorStore, Segment, plan_compaction


def facts(*rows: tuple[int, int]) -> pa.Table:
    """Facts of (seq, day)."""
    blank = dict.fromkeys(FACT_SCHEMA.names, 0)
    return pa.Table.from_pylist([{**blank, "seq": seq, "day": day, "group_id": 1} for seq, day in rows], schema=FACT_SCHEMA)


def add(store: MirrorStore, *rows: tuple[int, int]) -> None:
    with store.change() as change:
        change.add_facts("message", facts(*rows))
        change.set_cursor("message", max(seq for seq, _ in rows))


def seqs(store: MirrorStore, since: int = 0, until: int = 10**6) -> list[int]:
    paths = store.segment_paths(store.manifest(), since, until)
    return sorted(seq for path in paths for seq in pq.read_table(path).column("seq").to_pylist())


def test_an_absent_folder_is_an_empty_mirror(tmp_path: Path) -> None:
    manifest = MirrorStore(tmp_path / "none").manifest()
    assert (manifest.version, manifest.rows, manifest.days()) == (0, 0, None)


def test_facts_are_sorted_by_day_and_found_by_day(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    add(store, (1, 30), (2, 10), (3, 20))
    add(store, (4, 90))
    manifest = store.manifest()
    assert manifest.days() == (10, 90)
    assert (manifest.version, manifest.rows, manifest.cursors) == (2, 4, {"message": 4})
    assert seqs(store, 40, 100) == [4]
    assert seqs(store, 0, 15) == [1, 2, 3]
    assert pq.read_table(store.segment_paths(manifest, 0, 20)[0]).column("day").to_pylist() == [10, 20, 30]


def test_a_change_that_breaks_leaves_no_trace(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    add(store, (1, 1))
    before = {path.name for path in tmp_path.iterdir()}

    def break_off() -> None:
        with store.change() as change:
            change.add_facts("message", facts((2, 2)))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert {path.name for path in tmp_path.iterdir()} == before
    assert seqs(store) == [1]


def test_what_a_crash_left_is_swept_by_the_next_change(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    (tmp_path / "facts-message-00000001-0000.parquet.new").write_bytes(b"torn")
    (tmp_path / "facts-message-00000009-0000.parquet").write_bytes(b"never named")
    add(store, (1, 1))
    assert len(list(tmp_path.glob("*.parquet*"))) == 1
    assert seqs(store) == [1]


def test_a_change_of_nothing_is_no_new_version(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    add(store, (1, 1))
    with store.change() as change:
        change.set_cursor("message", 1)
        change.add_facts("message", facts())
    assert store.manifest().version == 1


def test_dimensions_are_written_only_when_they_differ(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    for values, written in (([1, 2], True), ([1, 2], False), ([1, 3], True)):
        with store.change() as change:
            assert change.set_dimension("groups", pa.table({"group_id": values})) is written
    path = store.dimension_path(store.manifest(), "groups")
    assert path
    assert pq.read_table(path).column("group_id").to_pylist() == [1, 3]
    assert store.dimension_path(store.manifest(), "none") is None


def test_a_reader_of_the_version_before_still_finds_its_files(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path, full_segment=4)
    add(store, (1, 1), (2, 1))
    before = store.manifest()
    add(store, (3, 1), (4, 1))  # merges both into a full segment
    assert len(store.manifest().segments) == 1
    assert all(path.exists() for path in store.segment_paths(before, 0, 9))
    add(store, (5, 1))
    assert not any(path.exists() for path in store.segment_paths(before, 0, 9))


def test_dropped_facts_are_gone_with_their_cursor(tmp_path: Path) -> None:
    store = MirrorStore(tmp_path)
    add(store, (1, 1))
    with store.change() as change:
        change.drop_facts("message")
    assert (store.manifest().rows, store.manifest().cursors) == (0, {})


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 99}), "utf-8")
    with pytest.raises(MirrorError, match="newer_format"):
        MirrorStore(tmp_path).manifest()


@given(st.lists(st.integers(1, 40), max_size=60))
def test_merging_loses_nothing_and_ends(sizes: list[int]) -> None:
    segments: list[Segment] = []
    for number, rows in enumerate(sizes):
        segments.append(_segment(str(number), rows))
        while merging := plan_compaction(segments, full_segment=100):
            assert len(merging) > 1
            segments = [s for s in segments if s not in merging]
            segments.append(_segment("+".join(s.file for s in merging), sum(s.rows for s in merging)))
    assert sum(s.rows for s in segments) == sum(sizes)
    assert len([s for s in segments if s.rows < 100]) < 8


def test_sources_are_not_mixed() -> None:
    segments = [_segment(str(number), 1, "ab"[number % 2]) for number in range(14)]
    assert plan_compaction(segments) == ()


def _segment(file: str, rows: int, source: str = "message") -> Segment:
    return Segment(file=file, source=source, rows=rows, min_day=0, max_day=0, max_seq=0)
