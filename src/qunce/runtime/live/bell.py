"""Wake a loop of this process at once instead of at its next round."""

from __future__ import annotations

import asyncio


class Bell:
    """Rings for one listener; a ring while nobody listens is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def ring(self) -> None:
        """Wake the listener."""
        self._event.set()

    async def wait(self, timeout_s: float) -> None:
        """Return at the next ring, or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()
