"""Make the figures that pages wish for, in the process that works in the background.

What nobody has seen yet is made at once. What is only out of date rests between rounds: while messages arrive the mirror
changes every few seconds, and an open dashboard would have all its figures made each time.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Final

from qunce.analytics.results import Results
from qunce.analytics.service import results
from qunce.runtime.threads import until_cancelled

logger = logging.getLogger(__name__)

LOOK_S: Final = 0.5
SHARE: Final = 10
"""A round of figures that were only out of date, and took n seconds, is followed by n × SHARE seconds without one."""
LONGEST_S: Final = 60.0
_wake = threading.Event()


def wake() -> None:
    """Look for wishes at once."""
    _wake.set()


async def make() -> None:
    """Make figures until cancelled, in a thread."""
    await until_cancelled(_loop, wake=_wake)


def _loop(stop: threading.Event) -> None:
    found, rest_until_s = results(), 0.0
    found.try_again()
    while not stop.is_set():
        rest_until_s = turn(found, rest_until_s, time.monotonic())
        _wake.wait(LOOK_S)
        _wake.clear()


def turn(found: Results, rest_until_s: float, now_s: float) -> float:
    """Make what is wished for; return until when what is only out of date rests."""
    found.make_wished(stale=False)
    if now_s < rest_until_s:
        return rest_until_s
    started = time.monotonic()
    if not found.make_wished(stale=True):
        return rest_until_s
    took = time.monotonic() - started
    return now_s + took + min(LONGEST_S, took * SHARE)
