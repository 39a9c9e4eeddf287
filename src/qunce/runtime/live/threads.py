"""Do the database's work of the loops in one thread: connections, caches and order stay in one place.

Taking in, reacting and delivering take turns in it. Side by side they were slower: SQLite has one writer, and who finds it
taken sleeps and tries again, longer each time; and a thread that computes keeps the interpreter from one that writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, connections

P = ParamSpec("P")
T = TypeVar("T")


class DatabaseThread:
    """One thread with its own database connection."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def do(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work` in the thread and return what it returns. After a lost connection the next work gets a fresh one.

        When the caller is cancelled, the work still runs to its end.
        """
        return await asyncio.get_running_loop().run_in_executor(self._executor, partial(_guarded, work, *args, **kwargs))

    async def close(self) -> None:
        """Close the connection and end the thread."""
        await self.do(connections.close_all)
        self._executor.shutdown()


def _guarded(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return work(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connections.close_all()
        raise
