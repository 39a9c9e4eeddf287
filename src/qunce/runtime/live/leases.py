"""Let a loop that must run once run once, in whichever process is there."""

from __future__ import annotations

from typing import Final

from qunce.runtime.models import Lease

TERM_MS: Final = 15_000
"""A holder that has not renewed for so long is taken for dead."""


def take(name: str, holder: str, now_ms: int) -> bool:
    """Take or renew a lease; return False while somebody else holds it.

    A clock set back must not lock everybody out: a lease that ends later than any could is free.
    """
    Lease.objects.get_or_create(name=name, defaults={"holder": "", "until_ms": 0})
    rows = Lease.objects.filter(name=name)
    until = now_ms + TERM_MS
    if rows.filter(holder=holder).update(until_ms=until):
        return True
    free = rows.filter(until_ms__lte=now_ms) | rows.filter(until_ms__gt=until)
    return free.update(holder=holder, until_ms=until) == 1


def drop(name: str, holder: str) -> None:
    """Give a lease back, so that the next one need not wait."""
    Lease.objects.filter(name=name, holder=holder).update(holder="", until_ms=0)
