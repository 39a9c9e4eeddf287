"""Errors of asking a platform for something. A new one says what the one who asked may do next.

ConnectorError
├─ Permanent        it will never work as asked (bad request, no such group, no right)
│  ├─ Unsupported       this channel cannot do it at all, or not to this member
│  └─ AuthFailed        our credentials are not accepted; nothing else will work either
├─ Retryable        nothing happened, or asking again does no harm: try again after `after_s`
└─ UnknownOutcome   it may have happened or not; asking again may do it twice
"""

from __future__ import annotations


class ConnectorError(Exception):
    """A request was not taken. `code` is the platform's own code or a short word of ours; it never holds a secret or a text."""

    def __init__(self, code: str, what: str = "") -> None:
        super().__init__(f"{code}: {what}" if what else code)
        self.code = code


class Permanent(ConnectorError):
    """It will never work as asked."""


class Unsupported(Permanent):
    """This channel cannot do it. `code` is the name of the capability."""


class AuthFailed(Permanent):
    """Our credentials are not accepted."""


class Retryable(ConnectorError):
    """Nothing happened, or asking again does no harm."""

    def __init__(self, code: str, what: str = "", *, after_s: float | None = None) -> None:
        super().__init__(code, what)
        self.after_s = after_s
        """How long the platform wants us to wait; None = it did not say."""


class UnknownOutcome(ConnectorError):
    """The request may have been carried out: no answer came, or one that says nothing."""
