"""Let one worker at a time change who belongs, or follow with tags: the loop, a job, or a command."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from django.db import OperationalError, connections

from qunce.runtime.clock import now_ms
from qunce.runtime.live import leases

NAME: Final = "segments"
RENEW_S: Final = 5.0
_TRY_S: Final = 0.25


@contextmanager
def kept(wait_s: float = 0.0, name: str = NAME) -> Iterator[Callable[[], bool] | None]:
    """Hold the lease for the block. Yields what tells, inside a transaction, whether it is still ours; None = somebody has it.

    Waits up to `wait_s` for whoever has it.
    """
    me = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    until = time.monotonic() + wait_s
    while not leases.take(name, me, now_ms()):
        if time.monotonic() >= until:
            yield None
            return
        time.sleep(_TRY_S)
    done = threading.Event()
    helper = threading.Thread(target=_renew, args=(name, me, done), name=f"{name}-lease", daemon=True)
    helper.start()
    try:
        yield lambda: leases.renew(name, me, now_ms())
    finally:
        done.set()
        helper.join()
        leases.drop(name, me)


def _renew(name: str, me: str, done: threading.Event) -> None:
    """Renew while long computations touch no database; who is busy writing renews with what it writes."""
    try:
        while not done.wait(RENEW_S):
            try:
                leases.renew(name, me, now_ms())
            except OperationalError:
                continue
    finally:
        connections.close_all()
