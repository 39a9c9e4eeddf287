"""Errors of reading files.

ImportRefused      the file as a whole cannot be used; nothing of it is kept
├─ UnknownFormat       no format recognised it
├─ Unreadable          damaged, truncated, or in an encoding that cannot be told
├─ Hostile             zip bomb, path escape, nested archives, over a limit
└─ Ambiguous           needs a word from the person, such as --date-order
"""

from __future__ import annotations


class ImportRefused(Exception):
    """A file cannot be imported. `code` is stable, `reason` says what is wrong, `fix` says what to do about it."""

    code = "refused"

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(f"{reason} {fix}")
        self.reason = reason
        self.fix = fix


class UnknownFormat(ImportRefused):
    code = "unknown_format"


class Unreadable(ImportRefused):
    code = "unreadable"


class Hostile(ImportRefused):
    code = "hostile"


class Ambiguous(ImportRefused):
    code = "ambiguous"
