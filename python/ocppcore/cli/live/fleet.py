"""Many stations at once, each on a connection of its own."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from ...aio import connect
from .clock import Clock
from .station import STATIONS, Station2, Station16

if TYPE_CHECKING:
    from collections.abc import Sequence


class Fleet:
    """`count` stations that speak the `versions` in turn and run `speed` times as fast as the world."""

    def __init__(self, url: str, count: int, versions: Sequence[str], speed: float, seed: int) -> None:
        clock = Clock(speed)
        random = Random(seed)
        self._url = url
        self.stations: list[Station16 | Station2] = [
            STATIONS[versions[number % len(versions)]](f"SIM{number + 1:05}", clock, Random(random.random()))
            for number in range(count)
        ]
        self.connected = 0
        self.broken: Counter[str] = Counter()  # connections that could not be made or ended, by reason
        self._random = random

    async def run(self, seconds: float) -> None:
        """Runs every station for so many seconds of the wall's clock, then closes all connections in good order."""
        async with asyncio.TaskGroup() as tasks:
            for station in self.stations:
                tasks.create_task(self._run(station, seconds))

    async def _run(self, station: Station16 | Station2, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        # Stations that all come in one instant are a storm, which a fleet is not.
        await asyncio.sleep(self._random.uniform(0, min(1.0, seconds / 10)))
        while loop.time() < end:
            try:
                async with connect(self._url, station.identity, station.router, versions=[station.subprotocol]) as csms:
                    self.connected += 1
                    try:
                        async with asyncio.timeout_at(end):
                            await station.live(csms)
                    except TimeoutError:
                        return
                    finally:
                        self.connected -= 1
            except Exception as error:  # whatever ended it is told at the end; the station comes again
                self.broken[f"{type(error).__name__}: {error}"] += 1
                await asyncio.sleep(1.0)

    @property
    def calls(self) -> Counter[str]:
        """What the stations said, by action."""
        return sum((station.calls for station in self.stations), Counter[str]())

    @property
    def failed(self) -> Counter[str]:
        """What was refused or got no answer, by action."""
        return sum((station.failed for station in self.stations), Counter[str]())

    @property
    def charges(self) -> int:
        """The charges that came to their end."""
        return sum(station.charges for station in self.stations)
