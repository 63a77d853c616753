"""A Transport without a network: what is sent is in a list, what is received is put in; and two of them that are wired together."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from ocppcore.aio import Take, TransportClosed

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Runs a test's coroutine, at most two minutes long, and sees that it left no task behind."""

    async def guarded() -> T:
        async with asyncio.timeout(120):
            result = await main
        for _ in range(5):  # cancelled ones need a round to end
            await asyncio.sleep(0)
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, left
        return result

    return asyncio.run(guarded())


class Wire:
    """A Transport; `peer` is the other end, or None where the test is the peer."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.closed: tuple[int, str] | None = None
        self.aborted = False
        self.peer: Wire | None = None
        self.room = asyncio.Event()  # cleared by a test: a peer that reads nothing
        self.room.set()
        self._incoming: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    def put(self, *messages: str | bytes) -> None:
        for message in messages:
            self._incoming.put_nowait(message)

    def hang_up(self) -> None:
        self._incoming.put_nowait(None)

    @property
    def unread(self) -> int:
        return self._incoming.qsize()

    async def read(self, take: Take) -> None:
        while (data := await self._incoming.get()) is not None:
            wait = take(data)
            if wait is not None:
                await wait

    async def send(self, data: bytes) -> None:
        self.sent.append(data)
        if self.peer is not None:
            self.peer.put(data)
        await self.room.wait()
        if self.closed or self.aborted:
            raise TransportClosed

    async def close(self, code: int, reason: str) -> None:
        if self.closed is None:
            self.closed = code, reason
            self.room.set()
            self.hang_up()
            if self.peer is not None:
                self.peer.hang_up()

    def abort(self) -> None:
        self.aborted = True
        self.room.set()
        self.hang_up()
        if self.peer is not None:
            self.peer.hang_up()


def wires() -> tuple[Wire, Wire]:
    """Two ends of one connection."""
    one, other = Wire(), Wire()
    one.peer, other.peer = other, one
    return one, other


async def rounds(count: int = 10) -> None:
    """Lets the loop go round a few times."""
    for _ in range(count):
        await asyncio.sleep(0)
