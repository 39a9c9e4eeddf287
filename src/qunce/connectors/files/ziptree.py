"""Look into a zip without trusting it: names, links, passwords, counts. Nothing is ever unpacked to disk."""

from __future__ import annotations

import re
import stat
import zipfile
from typing import BinaryIO, Final

from qunce.connectors.files.errors import Hostile, Unreadable
from qunce.connectors.files.packing import Limits, cut_off

_DRIVE: Final = re.compile(r"^[A-Za-z]:")
_IGNORED: Final = re.compile(r"(^|/)(__MACOSX/|\.DS_Store$|Thumbs\.db$|\._)")
_UTF8_FLAG: Final = 0x800
_ENCRYPTED_FLAG: Final = 0x1


def open_zip(raw: BinaryIO, limits: Limits) -> tuple[zipfile.ZipFile, dict[str, zipfile.ZipInfo]]:
    """Return the archive and its file members by safe name. Raises Hostile or Unreadable for what must not be read."""
    try:
        archive = zipfile.ZipFile(raw)
    except zipfile.BadZipFile:
        raise cut_off() from None
    infos = archive.infolist()
    if len(infos) > limits.max_members:
        raise Hostile(f"The zip holds more than {limits.max_members:,} files.", "Zip only the chat export itself.")
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        name = _safe_name(info)
        if not info.is_dir() and not _IGNORED.search(name):
            members[name] = info
    return archive, members


def _safe_name(info: zipfile.ZipInfo) -> str:
    name = _readable_name(info).replace("\\", "/")
    parts = name.split("/")
    if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\x00" in name:
        raise Hostile("The zip holds a file name that points outside of it.", "Do not use it; ask where it comes from.")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Hostile("The zip holds a symbolic link.", "Zip the files themselves.")
    if info.flag_bits & _ENCRYPTED_FLAG:
        raise Unreadable("The zip is protected by a password.", "Unpack it with the password and import the result.")
    return name


def _readable_name(info: zipfile.ZipInfo) -> str:
    """Undo the wrong reading of names written by Chinese Windows, which have no UTF-8 mark and are in GBK."""
    if info.flag_bits & _UTF8_FLAG or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename
