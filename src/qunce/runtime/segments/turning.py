"""Take turns at following the journal until cancelled, whatever a turn runs into."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from django.db import OperationalError, close_old_connections

from qunce.playbook.errors import InvalidPlaybook
from qunce.runtime.segments.moves import Overtaken
from qunce.runtime.threads import until_cancelled

logger = logging.getLogger(__name__)

BATCH: Final = 2_000
"""Events, and people whose time has come, looked at in one turn; a turn that read as many is followed by the next at once."""
AGAIN_MS: Final = 600_000
"""A run that failed, or rules that cannot be read, are tried again after so long."""


class Follower(Protocol):
    """What takes turns."""

    def turn(self) -> int:
        """Take a turn; return how many events it read."""
        ...


async def keep_turning(make: Callable[[], Follower], *, what: str, look_s: float) -> None:
    """Take turns, `look_s` seconds apart, in a thread; `make` gives the follower, anew after trouble. Logs name `what`."""
    await until_cancelled(partial(_loop, make, what, look_s))


def _loop(make: Callable[[], Follower], what: str, look_s: float, stop: threading.Event) -> None:
    follower: Follower | None = None
    while not stop.wait(0 if follower is None else look_s):
        close_old_connections()
        try:
            follower = follower or make()
            while not stop.is_set() and follower.turn() >= BATCH:
                pass
        except (Overtaken, OperationalError):
            logger.warning("following starts over", extra={"action": f"{what}.again"})
            follower = None
            stop.wait(look_s)
        except InvalidPlaybook:
            # The loop that reacts says so on the pages; nothing is followed until somebody publishes anew.
            stop.wait(AGAIN_MS / 1000)
        except Exception:  # a loop border: whatever it was, the next turn tries again
            logger.exception("following failed", extra={"action": f"{what}.failed"})
            stop.wait(look_s * 10)
