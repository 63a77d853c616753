"""What an endpoint needs of a WebSocket: three methods, which every library can offer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

Take = Callable[[str | bytes], Awaitable[object] | None]
"""Takes a message of the peer; what it returns is to be awaited before the next one is read, None means go on."""

MAX_CLOSE_REASON = 123
"""Bytes that a close frame has for its reason (RFC 6455 §5.5: 125 with the code)."""


def require_close_code(code: int) -> None:
    """ValueError for a code that no close frame may hold (RFC 6455 §7.4, and the registry that it opens)."""
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise ValueError(f"{code!r} is no close code to send; take 1000 to 1003, 1007 to 1014, or 3000 to 4999")


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
