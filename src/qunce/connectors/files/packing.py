"""Decompress with limits: a few kilobytes must not become gigabytes, and a cut-off archive must not pass for a short one."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

import zstandard

from qunce.connectors.files.errors import Hostile, Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAGIC_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
MAGIC_GZ: Final = b"\x1f\x8b\x08"
MAGIC_ZST: Final = b"\x28\xb5\x2f\xfd"

_ZST_STEP: Final = 2048
"""Compressed bytes decoded at once: the format allows 32,768 : 1, so that one step stays under 64 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far a packed file may grow."""

    max_bytes: int = 64 * 1024**3
    """Decompressed size of one file or archive member."""
    max_ratio: int = 250
    """Decompressed ÷ compressed. Chats pack 5 to 40 times; bombs over 1,000 times."""
    ratio_from_bytes: int = 64 * 1024**2
    """Smaller results are harmless whatever their ratio."""
    max_members: int = 200_000


class Counting(io.RawIOBase):
    """A file on disk that counts how far it was read, for progress."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.furthest = 0

    def readinto(self, buffer: WriteableBuffer) -> int:
        data = self._raw.read(len(memoryview(buffer)))
        memoryview(buffer)[: len(data)] = data
        self.furthest = max(self.furthest, self._raw.tell())
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._raw.close()
        super().close()


class Guarded(io.RawIOBase):
    """Decompressed bytes that stop a bomb and call damage by its name."""

    def __init__(self, inner: BinaryIO, packed_bytes: Callable[[], int], limits: Limits) -> None:
        self._inner = inner
        self._packed_bytes = packed_bytes
        self._limits = limits
        self.given = 0
        """Bytes given so far."""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        try:
            data = self._inner.read(len(memoryview(buffer)))
        except EOFError:
            raise cut_off() from None
        except (zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, zstandard.ZstdError, NotImplementedError) as error:
            raise Unreadable(f"The archive is damaged ({error}).", "Copy or download it again.") from None
        memoryview(buffer)[: len(data)] = data
        self.given += len(data)
        self._check()
        return len(data)

    def _check(self) -> None:
        if self.given > self._limits.max_bytes:
            raise Hostile(
                f"The archive unpacks to more than {self._limits.max_bytes:,} bytes.", "Unpack it and import the parts."
            )
        packed = max(1, self._packed_bytes())
        if self.given > self._limits.ratio_from_bytes and self.given > packed * self._limits.max_ratio:
            raise Hostile(
                f"The archive unpacks to more than {self._limits.max_ratio} times its size, as zip bombs do.",
                "If you trust it, unpack it yourself and import the result.",
            )


class ZstdRaw(io.RawIOBase):
    """One or more zstd frames as a file. Unlike the library's reader it notices a cut-off frame."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._pending = b""
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        while not self._ready:
            if not self._step():
                return 0
        view = memoryview(buffer)
        count = min(len(view), len(self._ready))
        view[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count

    def _step(self) -> bool:
        data = self._pending or self._raw.read(_ZST_STEP)
        self._pending = b""
        if not data:
            if self._frame is not None:
                raise EOFError
            return False
        if self._frame is None:
            self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._ready = memoryview(self._frame.decompress(data))
        if self._frame.eof:
            self._pending, self._frame = self._frame.unused_data, None
        return True


def cut_off() -> Unreadable:
    """Return the error for an archive that ends in the middle."""
    return Unreadable("The archive ends in the middle.", "It was not copied completely; copy or download it again.")


def is_packed(head: bytes) -> bool:
    """Tell whether these first bytes are those of a zip, gz or zst file."""
    return head.startswith((*MAGIC_ZIP, MAGIC_GZ, MAGIC_ZST))
