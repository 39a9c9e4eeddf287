"""Say what an import did: for the screen, the exit code and `--json`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class FileReport:
    """One file. Counts are events; a row of a file may be several (a message and its reactions)."""

    name: str
    format: str = ""
    """Name of the format; empty when the file was refused before it was recognised."""
    format_title: str = ""
    read: int = 0
    added: int = 0
    already_there: int = 0
    rejected: int = 0
    messages: int = 0
    orders: int = 0
    groups: int = 0
    people: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    rejected_by: dict[str, int] = field(default_factory=dict)
    """Rejected rows by code."""
    samples: list[dict[str, str]] = field(default_factory=list)
    """The first rejected rows: where, reason, fix; never their text."""
    rejects_file: str = ""
    """Name of the rejects file in the data folder's `rejects`; empty when nothing was rejected."""
    refused: str = ""
    """Why the whole file was refused; empty when it was read."""
    refused_code: str = ""
    fix: str = ""


@dataclass(slots=True)
class Report:
    """All files of one import."""

    files: list[FileReport] = field(default_factory=list)
    dry_run: bool = False
    seconds: float = 0.0
    staff_found: list[str] = field(default_factory=list)
    staff_missing: dict[str, list[str]] = field(default_factory=dict)
    """Names given with --staff that nobody in the files has, with the nearest names that somebody has."""
    community: str = ""

    def total(self, name: str) -> int:
        """Return the sum of one count over all files."""
        return sum(int(getattr(file, name)) for file in self.files)

    @property
    def exit_code(self) -> int:
        """0 all rows used · 1 some rows rejected · 2 a file refused."""
        if any(file.refused for file in self.files):
            return 2
        return 1 if self.total("rejected") else 0

    def as_json(self) -> dict[str, Any]:
        """Return the whole report with its sums."""
        sums = {name: self.total(name) for name in ("read", "added", "already_there", "rejected", "messages", "orders")}
        return {**sums, "exit_code": self.exit_code, **asdict(self)}
