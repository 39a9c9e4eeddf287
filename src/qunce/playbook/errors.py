"""Name what can be wrong with a playbook.

PlaybookError
└── InvalidPlaybook   code "playbook.invalid": holds every Problem found, never only the first
"""

from __future__ import annotations

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """One mistake in a playbook, with its place and a mend."""

    file: str
    """Path inside the playbook folder, with `/`."""
    line: int
    """Line in that file, from 1; 0 = the file as a whole."""
    path: str
    """Where in the document: `rules[2].when[0].window`."""
    message: str
    fix: str
    """What to write instead, in the imperative."""
    code: str = "invalid"
    """Stable name of the kind of mistake."""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.path}: {self.message}. Fix: {self.fix}."


class PlaybookError(Exception):
    """Base of this package's errors."""

    code = "playbook.error"


class InvalidPlaybook(PlaybookError):
    """A playbook that cannot be used; `problems` is never empty."""

    code = "playbook.invalid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
