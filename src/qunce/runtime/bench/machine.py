"""Describe the machine and how busy it is, without its name."""

from __future__ import annotations

import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

from qunce import __version__


def describe(folder: Path) -> dict[str, Any]:
    """Return what decides about speed; `folder` is where the data lies."""
    return {
        "qunce": __version__, "python": platform.python_version(), "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "disk": _file_system(folder), "load": [round(load, 2) for load in os.getloadavg()],
    }  # fmt: skip


def sentence(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Return the same in one line."""
    disk = f", {before['disk']}" if before["disk"] else ""
    return (
        f"{before['cores']} cores, {before['memory_gb']} GB, {before['system']}{disk}, Python {before['python']}, "
        f"SQLite {before['sqlite']}; load average {before['load'][0]} before, {after['load'][0]} after"
    )


def _file_system(folder: Path) -> str:
    """Return the kind of file system (a memory disk makes every commit free); empty where the system does not say."""
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    best, kind = "", ""
    for line in mounts.read_text("utf-8").splitlines():
        _, point, name, *_ = line.split()
        if (folder.is_relative_to(point)) and len(point) >= len(best):
            best, kind = point, name
    return kind
