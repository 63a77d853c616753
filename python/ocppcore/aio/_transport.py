"""What an endpoint needs of a WebSocket: three methods, which every library can offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

Take = Callable[[str | bytes], Awaitable[object] | None]
"""Takes a message of the peer; what it returns is to be awaited before the next one is read, None means go on."""


class TransportClosed(Exception):
    """Raised by `Transport.send` when the connection is gone."""


class Transport(Protocol):
    """An open WebSocket connection. A skin is an implementation of this; it knows nothing of OCPP."""

    async def read(self, take: Take) -> None:
        """Gives every message to `take`, one at a time and in order, until the connection is closed, by whom and how ever.

        While what `take` returned is awaited, nothing may be read, so that the peer has to wait.
        """
        ...

    def send(self, data: bytes) -> Awaitable[None] | None:
        """Sends `data`, which is UTF-8, as one text message; what it returns is awaited before the next one, None means that there is room.

        May be an `async def`. TransportClosed when the connection is closed, from the call or from what is awaited.
        """
        ...

    async def close(self, code: int, reason: str) -> None:
        """Closes the connection with a WebSocket close code; returns when it is closed, the peer willing or not."""
        ...

    def abort(self) -> None:
        """Drops the connection at once."""
        ...
