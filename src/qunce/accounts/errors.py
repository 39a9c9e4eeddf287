"""Errors of this package.

AccountsError
├── StaffRejected     a change of staff that would break the installation or is not valid; `code` says which
└── SecretUnreadable  a stored secret was encrypted with a key that is no longer there
"""

from __future__ import annotations


class AccountsError(Exception):
    """Base of all."""

    code = "accounts"


class StaffRejected(AccountsError):
    """A change of staff was refused. `reason` is a sentence for the person, `code` one for programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class SecretUnreadable(AccountsError):
    """None of the keys in the data folder opens a stored secret."""

    code = "secret_unreadable"
