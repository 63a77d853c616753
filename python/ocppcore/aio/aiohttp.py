"""The skin for `aiohttp`, server and client: `pip install ocppcore[aiohttp]`.

`serve` listens by itself; an application that exists already takes the stations in with one route:

    app.router.add_get("/ocpp/{identity:.+}", handler(server))
"""

from __future__ import annotations

from ._extras import missing

try:
    import aiohttp
    from aiohttp import web
except ModuleNotFoundError as error:
    raise missing("aiohttp", error) from None

import contextlib
import ssl as ssl_module
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from ._drive import step
from ._errors import ConnectFailed
from ._server import Handshake, Refusal, Server
from ._transport import Take, TransportClosed

_TEXT, _BINARY = aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY
_HEARTBEAT = 20.0  # seconds between two pings to a peer that is silent, as websockets has it


class AiohttpTransport:
    """A connection of aiohttp, of either side, as a Transport."""

    __slots__ = ("_abort", "_finish", "_websocket")

    def __init__(
        self,
        websocket: web.WebSocketResponse | aiohttp.ClientWebSocketResponse,
        abort: Callable[[], object],
        finish: Callable[[], Awaitable[object]] | None = None,
    ) -> None:
        self._websocket = websocket
        self._abort = abort
        self._finish = finish

    async def read(self, take: Take) -> None:
        try:
            async for message in self._websocket:
                if message.type is _TEXT or message.type is _BINARY:
                    wait = take(message.data)
                    if wait is not None:
                        await wait
        finally:
            if self._finish is not None:
                await self._finish()

    def send(self, data: bytes) -> Awaitable[None] | None:
        return step(self._send(data))  # mostly it writes at once, and waits for nothing

    async def _send(self, data: bytes) -> None:
        try:
            await self._websocket.send_frame(data, _TEXT)
        except ConnectionError:
            raise TransportClosed from None

    async def close(self, code: int, reason: str) -> None:
        await self._websocket.close(code=code, message=reason.encode())

    def abort(self) -> None:
        self._abort()


def handler(
    server: Server, *, heartbeat: float | None = _HEARTBEAT, **options: Any
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """A request handler of aiohttp that takes stations in; `options` go to `web.WebSocketResponse`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            admission = await server.admit(_handshake(request))
        except Refusal as refusal:
            return web.Response(status=refusal.status, text=refusal.reason, headers=refusal.headers)
        websocket = web.WebSocketResponse(
            protocols=() if admission.agreed is None else (admission.agreed,),
            heartbeat=heartbeat,
            max_msg_size=server.max_size,
            **options,
        )
        await websocket.prepare(request)
        transport = request.transport
        assert transport is not None
        await server.run(AiohttpTransport(websocket, transport.abort), admission)
        return websocket

    return handle


def _handshake(request: web.Request) -> Handshake:
    offered = tuple(
        name.strip() for line in request.headers.getall("Sec-WebSocket-Protocol", ()) for name in line.split(",")
    )
    return Handshake(
        path=request.raw_path,
        offered=tuple(filter(None, offered)),
        authorization=request.headers.get("Authorization"),
        certificate=request.get_extra_info("peercert"),
    )


@contextlib.asynccontextmanager
async def serve(
    server: Server, host: str | None, port: int | None, *, ssl: ssl_module.SSLContext | None = None, **options: Any
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Listens while the block runs, then closes every connection in good order. Gives the addresses, for a `port` of 0.

    `options` are those of `handler`.
    """
    app = web.Application()
    app.router.add_get("/{path:.*}", handler(server, **options))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port, ssl_context=ssl)
        await site.start()
        try:
            yield [tuple(address) for address in runner.addresses]
        finally:
            await site.stop()
            await server.close()
    finally:
        await runner.cleanup()


async def open_websocket(
    url: str,
    subprotocols: tuple[str, ...],
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    max_size: int,
) -> tuple[AiohttpTransport, str | None]:
    """Opens a connection, for `connect`."""
    session = aiohttp.ClientSession()
    try:
        websocket = await session.ws_connect(
            url,
            protocols=subprotocols,
            headers=headers,
            max_msg_size=max_size,
            heartbeat=_HEARTBEAT,
            compress=15,
            ssl=True if ssl is None else ssl,
        )
    except aiohttp.WSServerHandshakeError as error:
        await session.close()
        raise ConnectFailed(f"the server answered {error.status}", error.status) from error
    except aiohttp.ClientError as error:
        await session.close()
        raise ConnectFailed(str(error)) from error
    except BaseException:
        await session.close()
        raise
    connection = websocket._response.connection  # pyright: ignore[reportPrivateUsage] - no public way leads to it
    assert connection is not None
    tcp = connection.transport
    assert tcp is not None
    return AiohttpTransport(websocket, tcp.abort, session.close), websocket.protocol
