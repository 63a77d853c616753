"""The station's part of a connection's start: the URL, the version, and when to try again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from .._codec import Codec
from .._session import Session
from ._endpoint import Endpoint
from ._server import NEWEST_FIRST

if TYPE_CHECKING:
    import ssl as ssl_module

    from .._router import Router
    from ._transport import Transport

log = logging.getLogger("ocppcore.aio")


class NoCommonVersion(ConnectionError):
    """The server agreed to none of the subprotocols that were offered; the connection is closed again."""


class Open(Protocol):
    """Opens a WebSocket with some library; the skins' `open_websocket` are such functions."""

    async def __call__(
        self,
        url: str,
        subprotocols: tuple[str, ...],
        headers: Mapping[str, str],
        ssl: ssl_module.SSLContext | None,
        max_size: int,
    ) -> tuple[Transport, str | None]:
        """The open transport and the subprotocol that the server chose. Raises OSError or the library's own exception."""
        ...


def url_of(url: str, identity: str) -> str:
    """The URL that a station connects to: the server's, and its identity percent-encoded (OCPP-J 1.6 §3.1.1, 2.x Part 4 §3.1.1)."""
    return f"{url.rstrip('/')}/{quote(identity, safe='')}"


def station_session(codec: Codec[Any]) -> Session:
    """The session of a station, as long as nobody asks for another."""
    return Session(codec, "station")


@contextlib.asynccontextmanager
async def connect(
    url: str,
    identity: str,
    router: Router,
    *,
    versions: Iterable[str | Codec[Any]] = NEWEST_FIRST,
    default: str | None = None,
    headers: Mapping[str, str] | None = None,
    ssl: ssl_module.SSLContext | None = None,
    open_websocket: Open | None = None,
    make_session: Callable[[Codec[Any]], Session] = station_session,
    drain: float = 10.0,
    stall: float = 30.0,
) -> AsyncGenerator[Endpoint]:
    """Connects a station once: `async with connect("ws://csms.example.com/ocpp", "CP001", router) as endpoint: ...`

    `versions` are offered in this order. A server that chooses none of them is taken to speak `default`, if that is given, else
    NoCommonVersion is raised. `open_websocket` is that of a skin, unless given that of `ocppcore.aio.websockets`. What
    it raises when the connection cannot be made comes out. The connection is closed when the block ends.
    """
    if open_websocket is None:
        from .websockets import open_websocket as with_websockets

        open_websocket = with_websockets
    codecs = [version if isinstance(version, Codec) else Codec(version) for version in versions]
    by_name = {codec.subprotocol: codec for codec in codecs}
    max_size = max(codec.max_size for codec in codecs)
    transport, agreed = await open_websocket(url_of(url, identity), tuple(by_name), headers or {}, ssl, max_size)
    codec = by_name.get(agreed or default or "")
    if codec is None:
        await transport.close(1002, "no common subprotocol")
        raise NoCommonVersion(f"{url} agreed to none of {', '.join(by_name)}")
    endpoint = Endpoint(transport, make_session(codec), router, identity, drain=drain, stall=stall)
    running = asyncio.create_task(endpoint.run())
    try:
        yield endpoint
        await endpoint.close()
    finally:
        if not endpoint.closed:
            await endpoint.close(1001, drain=0.0)
        await running
