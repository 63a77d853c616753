"""The station's part of a connection's start: the URL, the version, and when to try again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random as random_module
import ssl as ssl_module
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypedDict
from urllib.parse import quote, urlsplit, urlunsplit

from .._codec import Codec
from .._session import Session
from ._endpoint import Endpoint
from ._errors import CallFailed, NoCommonVersion
from ._server import NEWEST_FIRST, codecs_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._router import Router
    from ._observe import Observer
    from ._transport import Transport

log = logging.getLogger("ocppcore.aio")


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
        """The open transport and the subprotocol that the server chose. OSError when it cannot be opened; ConnectFailed is one."""
        ...


class Backoff(NamedTuple):
    """How long a station waits before it tries to connect again (OCPP 2.x Part 4 ch. 8, variables of OCPPCommCtrlr).

    `wait_minimum` seconds (RetryBackOffWaitMinimum) and a random part of up to `random_range` seconds (RetryBackOffRandomRange) before the
    first attempt; then twice the wait before and a new random part, `repeat_times` times (RetryBackOffRepeatTimes); then the same
    wait each time. A connection that was made begins it anew. 1.6 asks for a back-off and names no numbers.
    """

    wait_minimum: float = 10.0
    repeat_times: int = 5
    random_range: float = 10.0

    def waits(self, random: Callable[[], float] = random_module.random) -> Iterator[float]:
        """The seconds to wait before each attempt; `random` gives numbers from 0 to 1."""
        wait = self.wait_minimum + random() * self.random_range
        yield wait
        for _ in range(self.repeat_times):
            wait = 2 * wait + random() * self.random_range
            yield wait
        while True:
            yield wait


def url_of(url: str, identity: str) -> str:
    """The URL that a station connects to: the server's, and its identity percent-encoded (OCPP-J 1.6 §3.1.1, 2.x Part 4 §3.1.1).

    A query of the server's URL stays behind the identity. ValueError for a URL that is no WebSocket's, and where there is no identity.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("ws", "wss") or not parts.netloc or parts.fragment:
        raise ValueError(f"{url!r} is no WebSocket URL; give 'ws://host:port/path', or 'wss://...' for TLS")
    if not identity:
        raise ValueError("the identity is empty; give the one by which the CSMS knows the station")
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{quote(identity, safe='')}"))


def station_session(codec: Codec[Any]) -> Session:
    """The session of a station, as long as nobody asks for another."""
    return Session(codec, "station")


class ConnectSettings(TypedDict, total=False):
    """The settings of `connect`, which `stay_connected` passes on."""

    versions: Iterable[str | Codec[Any]]
    default: str | None
    password: str | bytes | None
    headers: Mapping[str, str] | None
    ssl: ssl_module.SSLContext | None
    open_websocket: Open | None
    make_session: Callable[[Codec[Any]], Session]
    drain: float
    stall: float
    observer: Observer | None


@contextlib.asynccontextmanager
async def connect(
    url: str,
    identity: str,
    router: Router,
    *,
    versions: Iterable[str | Codec[Any]] = NEWEST_FIRST,
    default: str | None = None,
    password: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    ssl: ssl_module.SSLContext | None = None,
    open_websocket: Open | None = None,
    make_session: Callable[[Codec[Any]], Session] = station_session,
    drain: float = 10.0,
    stall: float = 30.0,
    observer: Observer | None = None,
) -> AsyncGenerator[Endpoint]:
    """Connects a station once: `async with connect("ws://csms.example.com/ocpp", "CP001", router) as endpoint: ...`

    `versions` are subprotocols, or codecs for them, and are offered in this order. A server that chooses none of them is taken to
    speak `default`, if that is given, else NoCommonVersion is raised. `password` is for HTTP Basic, a `str` as UTF-8 for 2.x and
    `bytes.fromhex(key)` for 1.6; `ssl` for wss (`ocppcore.aio.security.client_context`). `open_websocket` is that of a skin, unless given that of
    `ocppcore.aio.websockets`. ValueError for a `url` or `versions` that make no sense; OSError, of which ConnectFailed is one, when the
    connection cannot be made. It is closed when the block ends.
    """
    if open_websocket is None:
        from .websockets import open_websocket as with_websockets

        open_websocket = with_websockets
    address = url_of(url, identity)
    by_name = codecs_of(versions, default)
    max_size = max(codec.max_size for codec in by_name.values())
    sent = dict(headers or {})
    if password is not None:
        from .security import basic_header

        sent["Authorization"] = basic_header(identity, password)
    transport, agreed = await open_websocket(address, tuple(by_name), sent, ssl, max_size)
    codec = by_name.get(agreed or default or "")
    if codec is None:
        await transport.close(1002, "no common subprotocol")
        chosen = f"chose {agreed!r}" if agreed else "chose no subprotocol (default=... says what it speaks then)"
        raise NoCommonVersion(f"{url} {chosen}; it was offered {', '.join(by_name)}")
    endpoint = Endpoint(transport, make_session(codec), router, identity, drain=drain, stall=stall, observer=observer)
    running = asyncio.create_task(endpoint.run())
    try:
        yield endpoint
        await endpoint.close()
    finally:
        if not endpoint.closed:
            await endpoint.close(1001, drain=0.0)
        await running


async def stay_connected(
    url: str,
    identity: str,
    router: Router,
    connected: Callable[[Endpoint], Awaitable[object]] | None = None,
    *,
    backoff: Backoff = Backoff(),  # noqa: B008 - a value
    random: Callable[[], float] = random_module.random,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    **settings: Unpack[ConnectSettings],
) -> None:
    """Keeps a station connected until it is cancelled: connects, serves, and when the connection ends waits and connects again.

    `connected` is awaited with the endpoint of each new connection, for what a station says first, or does as long as it is connected; it is
    cancelled when the connection ends. A CallFailed that it raises ends the connection; any other exception comes out. `settings` are those
    of `connect`.
    """
    waits = backoff.waits(random)
    while True:
        try:
            async with connect(url, identity, router, **settings) as endpoint:
                waits = backoff.waits(random)
                await _while_connected(endpoint, connected)
        except OSError as error:
            log.warning("%s: cannot connect to %s: %s", identity, url, error)
        wait = next(waits)
        log.info("%s: connects again in %.1f s", identity, wait)
        await sleep(wait)


async def _while_connected(endpoint: Endpoint, connected: Callable[[Endpoint], Awaitable[object]] | None) -> None:
    if connected is None:
        await endpoint.wait_closed()
        return

    async def work() -> None:
        try:
            await connected(endpoint)
        except CallFailed as failed:
            log.warning("%s: the connection is closed, since a call failed: %s", endpoint.identity, failed)
        else:
            await endpoint.wait_closed()

    working = asyncio.ensure_future(work())
    closed = asyncio.ensure_future(endpoint.wait_closed())
    try:
        await asyncio.wait((working, closed), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working  # its exception, if it has one
    finally:
        for task in (working, closed):
            task.cancel()
        await asyncio.wait((working, closed))
