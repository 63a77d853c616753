"""A clock that runs faster than the wall's, so that a charge of an hour takes seconds."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """Simulated time: `speed` of its seconds pass in one of the wall's, from the moment at which it is made, inside a running loop."""

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._start = datetime.now(UTC)

    def now(self) -> datetime:
        """The simulated instant."""
        return self._start + timedelta(seconds=(self._loop.time() - self._began) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Waits for simulated seconds."""
        await asyncio.sleep(seconds / self.speed)
