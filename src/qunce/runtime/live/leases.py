"""Let a loop that must run once run once, in whichever process is there."""

from __future__ import annotations

from typing import Final

from django.db import connection

from qunce.runtime.models import Lease

TERM_MS: Final = 15_000
"""A holder that has not renewed for so long is taken for dead."""


def take(name: str, holder: str, now_ms: int) -> bool:
    """Take or renew a lease; return False while somebody else holds it.

    A clock set back must not lock everybody out: a lease that ends later than any could is free.
    """
    until = now_ms + TERM_MS
    known, _ = Lease.objects.get_or_create(name=name, defaults={"holder": holder, "until_ms": until})
    rows = Lease.objects.filter(name=name)
    if known.holder == holder:
        fresh = now_ms + TERM_MS // 2 < known.until_ms <= until
        return fresh or renew(name, holder, now_ms)
    free = rows.filter(until_ms__lte=now_ms) | rows.filter(until_ms__gt=until)
    return free.update(holder=holder, until_ms=until) == 1


def renew(name: str, holder: str, now_ms: int) -> bool:
    """Renew a lease, and hold it until the caller's transaction ends; return False when it was lost."""
    with connection.cursor() as cursor:  # asked in every transaction that reacts: the ORM takes five times as long
        cursor.execute("UPDATE lease SET until_ms = %s WHERE name = %s AND holder = %s", (now_ms + TERM_MS, name, holder))
        return bool(cursor.rowcount == 1)


def drop(name: str, holder: str) -> None:
    """Give a lease back, so that the next one need not wait."""
    Lease.objects.filter(name=name, holder=holder).update(holder="", until_ms=0)
