"""Keep the columnar mirror: what happened as integers in Parquet files, for counting.

A mirror is a folder: `manifest.json`, immutable segments of facts and immutable dimension files. A change writes new files,
then replaces the manifest by an atomic rename; a crash before the rename leaves the old state and some files nobody names,
which the next change removes. One writer at a time (a file lock), any number of readers.

Segments hold a stretch of the journal each, sorted by local day and group inside, so that late imports append and day ranges
are still skipped by row-group statistics. Small segments are merged (`plan_compaction`), since many small files are slow to
read: one million rows in 120 files take twice as long as in one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

FORMAT: Final = 1
ROW_GROUP: Final = 131_072
FULL_SEGMENT: Final = 2_000_000
"""Rows from which a segment is not merged any more."""
SMALLEST_TIER: Final = 8_192
FAN_IN: Final = 8
"""How many segments of about one size are merged into one."""

FACT_SCHEMA: Final = pa.schema(
    [
        ("seq", pa.int64()),
        ("ts_ms", pa.int64()),
        ("day", pa.int32()),
        ("hour", pa.int8()),
        ("type", pa.int8()),
        ("group_id", pa.int64()),
        ("actor", pa.int64()),
        ("peer", pa.int64()),
        ("content", pa.int8()),
        ("length", pa.int32()),
        ("is_question", pa.int8()),
        ("reply_to", pa.int64()),
    ]
)
"""Facts. 0 = none in `group_id`, `actor`, `peer`, `content`, `reply_to`.

`day`: local day since 1970-01-01; `hour`: local hour; `type`: `domain.events.TYPE_CODES`; `actor`: identity it is about;
`peer`: identity on the other side (inviter, author replied or reacted to); `length`: characters of the text.
"""
ORDER: Final = [("day", "ascending"), ("group_id", "ascending"), ("seq", "ascending")]


class MirrorError(Exception):
    """The mirror folder cannot be used. `code` is stable."""

    def __init__(self, code: str, **data: object) -> None:
        super().__init__(code, data)
        self.code = code
        self.data = data


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One file of facts. `source` names the table it was read from; days and seqs are inclusive."""

    file: str
    source: str
    rows: int
    min_day: int
    max_day: int
    max_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One dimension file; `digest` of its content tells whether it has to be written again."""

    file: str
    rows: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """State of a mirror. `version` grows with every change: the key for caches of results."""

    version: int = 0
    segments: tuple[Segment, ...] = ()
    dimensions: dict[str, Dimension] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    retired: tuple[str, ...] = ()
    """Files of the version before; kept for one version, for readers that have just read its manifest."""

    @property
    def rows(self) -> int:
        """Number of facts."""
        return sum(segment.rows for segment in self.segments)

    def source_rows(self, source: str) -> int:
        """Return the number of facts read from one source."""
        return sum(segment.rows for segment in self.segments if segment.source == source)

    @property
    def files(self) -> frozenset[str]:
        """Every file that belongs to this state."""
        return frozenset(s.file for s in self.segments) | {d.file for d in self.dimensions.values()}

    def days(self) -> tuple[int, int] | None:
        """Return the first and the last local day with facts; None = no facts."""
        if not self.segments:
            return None
        return min(s.min_day for s in self.segments), max(s.max_day for s in self.segments)


class MirrorStore:
    """A mirror in a folder. Reading needs no lock; changing goes through `change`."""

    def __init__(self, folder: Path, *, full_segment: int = FULL_SEGMENT) -> None:
        self.folder = folder
        self._full_segment = full_segment

    def manifest(self) -> Manifest:
        """Return the present state; an empty one if there is no mirror yet. Raises MirrorError for a newer format."""
        try:
            data = json.loads((self.folder / "manifest.json").read_text("utf-8"))
        except FileNotFoundError:
            return Manifest()
        if data.pop("format") != FORMAT:
            raise MirrorError("mirror.newer_format", folder=str(self.folder))
        return Manifest(
            version=data["version"],
            segments=tuple(Segment(**s) for s in data["segments"]),
            dimensions={name: Dimension(**d) for name, d in data["dimensions"].items()},
            cursors=data["cursors"],
            retired=tuple(data["retired"]),
        )

    def segment_paths(self, manifest: Manifest, since_day: int, until_day: int) -> tuple[Path, ...]:
        """Return the files that may hold facts of the days from `since_day` to `until_day` (both inclusive)."""
        return tuple(self.folder / s.file for s in manifest.segments if s.min_day <= until_day and s.max_day >= since_day)

    def dimension_path(self, manifest: Manifest, name: str) -> Path | None:
        """Return a dimension's file; None = not written yet."""
        dimension = manifest.dimensions.get(name)
        return self.folder / dimension.file if dimension else None

    @contextmanager
    def change(self) -> Iterator[MirrorChange]:
        """Open a change; it takes effect as a whole at the end of the block, or not at all.

        Waits for another writer to finish.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            change = MirrorChange(self.folder, self.manifest(), self._full_segment)
            try:
                yield change
            except BaseException:
                change.discard()
                raise
            change.commit()


class MirrorChange:
    """A change being made. Made by `MirrorStore.change`."""

    def __init__(self, folder: Path, before: Manifest, full_segment: int) -> None:
        self._folder = folder
        self._before = before
        self._full_segment = full_segment
        self._written: list[str] = []
        self.manifest = before

    def add_facts(self, source: str, facts: pa.Table) -> None:
        """Add a stretch of facts read from `source`; any order, columns as FACT_SCHEMA."""
        if facts.num_rows == 0:
            return
        segment = self._write_segment(source, facts.cast(FACT_SCHEMA))
        self.manifest = replace(self.manifest, segments=(*self.manifest.segments, segment))
        self._compact()

    def drop_facts(self, source: str) -> None:
        """Take away everything read from `source`, and its cursor, so that it is read again."""
        kept = tuple(s for s in self.manifest.segments if s.source != source)
        cursors = {name: seq for name, seq in self.manifest.cursors.items() if name != source}
        self.manifest = replace(self.manifest, segments=kept, cursors=cursors)

    def set_cursor(self, source: str, seq: int) -> None:
        """Note that `source` has been read up to and including `seq`."""
        self.manifest = replace(self.manifest, cursors={**self.manifest.cursors, source: seq})

    def set_dimension(self, name: str, table: pa.Table) -> bool:
        """Write a dimension if its content differs from what is there; tell whether it did."""
        digest = _digest(table)
        known = self.manifest.dimensions.get(name)
        if known and known.digest == digest:
            return False
        dimension = Dimension(file=self._write(name, table), rows=table.num_rows, digest=digest)
        self.manifest = replace(self.manifest, dimensions={**self.manifest.dimensions, name: dimension})
        return True

    def commit(self) -> None:
        """Make the change the present state, and remove files nobody can be reading any more."""
        if replace(self.manifest, version=self._before.version) == self._before:
            return
        gone = self._before.files - self.manifest.files
        after = replace(self.manifest, version=self._before.version + 1, retired=tuple(sorted(gone)))
        data = {"format": FORMAT, **asdict(after)}
        temporary = self._folder / "manifest.json.new"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(data, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / "manifest.json")
        _sync_folder(self._folder)
        self.manifest = after
        keep = after.files | gone
        for path in self._folder.glob("*.parquet*"):
            if path.name not in keep:
                path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what was written and forget the change."""
        for name in self._written:
            (self._folder / name).unlink(missing_ok=True)

    def _compact(self) -> None:
        while merging := plan_compaction(self.manifest.segments, self._full_segment):
            table = pa.concat_tables([pq.read_table(self._folder / s.file) for s in merging])
            merged = self._write_segment(merging[0].source, table)
            kept = tuple(s for s in self.manifest.segments if s not in merging)
            self.manifest = replace(self.manifest, segments=(*kept, merged))

    def _write_segment(self, source: str, facts: pa.Table) -> Segment:
        ordered = facts.sort_by(ORDER)
        name = self._write(f"facts-{source}", ordered)
        days = ordered.column("day")
        return Segment(
            file=name,
            source=source,
            rows=ordered.num_rows,
            min_day=days[0].as_py(),
            max_day=days[-1].as_py(),
            max_seq=_largest(ordered.column("seq")),
        )

    def _write(self, stem: str, table: pa.Table) -> str:
        name = f"{stem}-{self._before.version + 1:08d}-{len(self._written):04d}.parquet"
        temporary = self._folder / f"{name}.new"
        pq.write_table(table, temporary, compression="zstd", row_group_size=ROW_GROUP)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(self._folder / name)
        self._written.append(name)
        return name


def plan_compaction(segments: Sequence[Segment], full_segment: int = FULL_SEGMENT) -> tuple[Segment, ...]:
    """Return segments of one source to merge into one, or nothing.

    Segments of about one size are merged eight at a time, so each fact is rewritten a few times only; the largest are merged
    as soon as they fill a segment together.
    """
    tiers: dict[tuple[str, int], list[Segment]] = {}
    for segment in segments:
        if segment.rows < full_segment:
            tiers.setdefault((segment.source, _tier(segment.rows)), []).append(segment)
    for _, members in sorted(tiers.items()):
        chosen: list[Segment] = []
        for segment in members:
            chosen.append(segment)
            rows = sum(s.rows for s in chosen)
            if len(chosen) == FAN_IN or (len(chosen) > 1 and rows >= full_segment):
                return tuple(chosen)
    return ()


def _tier(rows: int) -> int:
    tier = 0
    while rows >= SMALLEST_TIER:
        rows //= FAN_IN
        tier += 1
    return tier


def _digest(table: pa.Table) -> str:
    digest = blake2b(str(table.schema).encode(), digest_size=16)
    for batch in table.combine_chunks().to_batches():
        digest.update(batch.serialize())
    return digest.hexdigest()


def _largest(column: pa.ChunkedArray) -> int:
    return max(int(chunk.to_numpy().max()) for chunk in column.chunks if len(chunk))


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
