"""Open what people exported: plain, .gz, .zst or .zip, told by content, with limits, progress and an encoding.

    open_source(path) ─▶ DiskSource ─ stream() / lines() ─▶ a format
                             └─ member(name) ─▶ MemberSource ─ …        (for a zip)

Every `stream()` starts at the beginning again, so that a format may look twice. Progress is in bytes of the file on disk.
"""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final, Self, cast

from qunce.connectors.files.base import Head, Rejected
from qunce.connectors.files.errors import Hostile, Unreadable
from qunce.connectors.files.packing import MAGIC_GZ, MAGIC_ZIP, MAGIC_ZST, Counting, Guarded, Limits, ZstdRaw, is_packed
from qunce.connectors.files.textlines import detect_encoding, text_lines
from qunce.connectors.files.ziptree import open_zip

HEAD_BYTES: Final = 64 * 1024
BUFFER_BYTES: Final = 256 * 1024
MAX_LINE_BYTES: Final = 8 * 1024 * 1024


class OpenedSource:
    """What the file on disk and a member of a zip have in common. Rejected lines gather in `rejected` until they are taken."""

    path: Path | None = None

    def __init__(self, name: str, max_line_bytes: int) -> None:
        self.name = name
        self.rejected: list[Rejected] = []
        self.max_line_bytes = max_line_bytes
        self._head: bytes | None = None

    def stream(self) -> BinaryIO:
        """Return the decompressed bytes from the beginning."""
        raise NotImplementedError

    def head(self) -> Head:
        """Return the beginning of the file, for recognition."""
        return Head(name=self.name, data=self.head_bytes(), members=self.members())

    def head_bytes(self) -> bytes:
        """Return the first 64 kB after decompression. Raises Hostile for an archive inside an archive."""
        if self._head is None:
            with self.stream() as stream:
                self._head = stream.read(HEAD_BYTES)
        return self._head

    def encoding(self) -> str:
        """Return the encoding of the text, for `codecs`. Plain ASCII counts as UTF-8."""
        found = detect_encoding(self.head_bytes())
        if found.startswith("utf-16"):
            return "utf-16"
        return "utf-8-sig" if found == "ascii" else found

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (line number, text); see `base.FileSource.lines`."""
        head = self.head_bytes()
        self.rejected.clear()  # a second reading finds them again
        with self.stream() as stream:
            yield from text_lines(stream, head, max_line_bytes=self.max_line_bytes, reject=self.rejected.append)

    def members(self) -> tuple[str, ...]:
        """Return the member names of a zip, sorted; none here."""
        return ()

    def member(self, name: str) -> MemberSource:
        """Return one member of a zip. Raises KeyError if there is none of that name."""
        raise KeyError(name)


class MemberSource(OpenedSource):
    """One member of a zip."""

    def __init__(self, disk: DiskSource, name: str, info: zipfile.ZipInfo) -> None:
        super().__init__(name.rpartition("/")[2], disk.max_line_bytes)
        self.path_in_zip = name
        self.archive_name = disk.name
        self._disk = disk
        self._info = info

    def stream(self) -> BinaryIO:
        return self._disk.open_member(self._info)


class DiskSource(OpenedSource):
    """A file on disk; a context manager that closes what it opened."""

    def __init__(self, path: Path, *, max_line_bytes: int, limits: Limits) -> None:
        super().__init__(path.name, max_line_bytes)
        self._on_disk = path
        self.limits = limits
        self.total_bytes = path.stat().st_size
        self._files: list[Counting] = []
        self._finished: dict[str, int] = {}
        self._current: tuple[zipfile.ZipInfo, Guarded] | None = None
        with path.open("rb") as raw:
            self._magic = raw.read(8)
        self.path = None if is_packed(self._magic) else path
        self._zip: zipfile.ZipFile | None = None
        self._infos: dict[str, zipfile.ZipInfo] = {}
        if self._magic.startswith(MAGIC_ZIP):
            self._zip, self._infos = open_zip(cast(BinaryIO, self._raw()), limits)

    @property
    def bytes_read(self) -> int:
        """How far into the file on disk reading has come, at most `total_bytes`."""
        if self._zip is not None:
            self._count_member()
            return min(self.total_bytes, sum(self._finished.values()))
        return min(self.total_bytes, max((file.furthest for file in self._files[-1:]), default=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        for file in self._files:
            file.close()

    def stream(self) -> BinaryIO:
        if self._zip is not None:
            raise Unreadable(f"{self.name} holds several files.", "Import one of its members.")
        raw = self._raw()
        if self._magic.startswith(MAGIC_GZ):
            return self._guarded(cast(BinaryIO, gzip.GzipFile(fileobj=raw)), raw)
        if self._magic.startswith(MAGIC_ZST):
            return self._guarded(cast(BinaryIO, ZstdRaw(cast(BinaryIO, raw))), raw)
        return cast(BinaryIO, io.BufferedReader(raw, BUFFER_BYTES))

    def head_bytes(self) -> bytes:
        return b"" if self._zip is not None else super().head_bytes()

    def members(self) -> tuple[str, ...]:
        return tuple(sorted(self._infos))

    def member(self, name: str) -> MemberSource:
        return MemberSource(self, name, self._infos[name])

    def open_member(self, info: zipfile.ZipInfo) -> BinaryIO:
        """Return the bytes of a member, guarded."""
        if self._zip is None:
            raise KeyError(info.filename)
        try:
            inner = self._zip.open(info)
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise Unreadable(f"The zip is damaged or packed in a way not known here ({error}).", "Zip it again.") from None
        guard = Guarded(cast(BinaryIO, inner), lambda: info.compress_size, self.limits)
        self._count_member()
        self._current = (info, guard)
        return _not_nested(io.BufferedReader(guard, BUFFER_BYTES))

    def _count_member(self) -> None:
        """Note how much of the member being read is done, in packed bytes."""
        if self._current is not None:
            info, guard = self._current
            done = info.compress_size * min(guard.given, info.file_size) // max(1, info.file_size)
            self._finished[info.filename] = max(done, self._finished.get(info.filename, 0))

    def _raw(self) -> Counting:
        raw = Counting(self._on_disk.open("rb"))
        self._files = [file for file in self._files if not file.closed]
        self._files.append(raw)
        return raw

    def _guarded(self, inner: BinaryIO, raw: Counting) -> BinaryIO:
        return _not_nested(io.BufferedReader(Guarded(inner, lambda: raw.furthest, self.limits), BUFFER_BYTES))


def open_source(path: str | Path, *, max_line_bytes: int = MAX_LINE_BYTES, limits: Limits | None = None) -> DiskSource:
    """Open a file for reading in a `with` block. Raises Unreadable when missing, empty or damaged, Hostile for attacks."""
    path = Path(path)
    if not path.is_file():
        raise Unreadable(f"{path.name} is not a file.", "Give the path of an exported file.")
    if not path.stat().st_size:
        raise Unreadable(f"{path.name} is empty.", "Export the chat again.")
    return DiskSource(path, max_line_bytes=max_line_bytes, limits=limits or Limits())


def _not_nested(stream: io.BufferedReader) -> BinaryIO:
    if is_packed(stream.peek(8)[:8]):
        stream.close()
        raise Hostile("An archive lies inside the archive.", "Unpack the outer one and import what is inside.")
    return cast(BinaryIO, stream)
