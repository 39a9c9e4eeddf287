"""Keep uploaded files until they are imported: inside the data folder, under names of our own, never served."""

from __future__ import annotations

import re
import shutil
import unicodedata
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.core.files.uploadedfile import UploadedFile

MOST_FILES: Final = 50
_LONGEST_NAME: Final = 120
_UNSAFE: Final = re.compile(r"[\\/:*?\"<>|\x00-\x1f\x7f]+")


def keep(files: Iterable[UploadedFile[Any]]) -> tuple[Path, ...]:
    """Store uploaded files in a folder of their own and return their paths. The name is kept, as people know it and formats
    may hint at it; whatever could lead out of the folder is taken out of it."""
    folder = Path(settings.DATA_DIR) / "uploads" / token_hex(12)
    folder.mkdir(mode=0o700)
    paths: list[Path] = []
    for number, file in enumerate(files):
        path = folder / _safe_name(file.name or "", number, {path.name for path in paths})
        with path.open("xb") as kept:
            shutil.copyfileobj(file, kept, 1 << 20)
        paths.append(path)
    return tuple(paths)


def forget(paths: Sequence[str]) -> None:
    """Remove files that were uploaded; paths elsewhere are left alone."""
    uploads = (Path(settings.DATA_DIR) / "uploads").resolve()
    for path in (Path(text).resolve() for text in paths):
        if path.is_relative_to(uploads):
            path.unlink(missing_ok=True)
            if path.parent != uploads and path.parent.is_dir() and not any(path.parent.iterdir()):
                path.parent.rmdir()


def _safe_name(name: str, number: int, taken: set[str]) -> str:
    plain = _UNSAFE.sub("_", unicodedata.normalize("NFC", name)).strip(". ") or f"file-{number}"
    plain = plain[-_LONGEST_NAME:]
    return plain if plain not in taken else f"{number}-{plain}"
