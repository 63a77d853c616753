"""The skin for the library `websockets`, server and client: `pip install ocppcore[websockets]`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._extras import missing

try:
    from websockets.asyncio.client import connect as _connect
    from websockets.asyncio.server import ServerConnection, broadcast
    from websockets.asyncio.server import serve as _serve
    from websockets.datastructures import Headers
    from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus
    from websockets.http11 import Response
    from websockets.typing import Subprotocol
except ModuleNotFoundError as error:
    raise missing("websockets", error) from None

import contextlib
import http
import ssl as ssl_module
from collections.abc import AsyncGenerator, Awaitable, Mapping

from ._errors import ConnectFailed
from ._server import Admission, Handshake, Refusal, Server
from ._transport import Take, TransportClosed

if TYPE_CHECKING:
    from websockets.asyncio.connection import Connection
    from websockets.http11 import Request


class WebSocketsTransport:
    """A connection of the library `websockets` as a Transport."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def read(self, take: Take) -> None:
        receive = self._connection.recv
        try:
            while True:
                wait = take(await receive(decode=False))
                if wait is not None:
                    await wait
        except ConnectionClosed:
            pass

    def send(self, data: bytes) -> Awaitable[None] | None:
        # What broadcast does for many connections it does for one: it writes at once, and waits for nothing.
        if self._connection.transport.get_write_buffer_size() == 0:
            broadcast((self._connection,), data.decode())
            return None
        return self._send(data)

    async def _send(self, data: bytes) -> None:
        try:
            await self._connection.send(data, text=True)
        except ConnectionClosed:
            raise TransportClosed from None

    async def close(self, code: int, reason: str) -> None:
        await self._connection.close(code, reason)

    def abort(self) -> None:
        self._connection.transport.abort()


class _ServerConnection(ServerConnection):
    admission: Admission


@contextlib.asynccontextmanager
async def serve(
    server: Server, host: str | None, port: int | None, *, ssl: ssl_module.SSLContext | None = None, **options: Any
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Listens while the block runs, then closes every connection in good order. Gives the addresses, for a `port` of 0.

    `options` go to `websockets.asyncio.server.serve`: ping_interval, compression, write_limit, ...
    """

    async def process_request(connection: ServerConnection, request: Request) -> Response | None:
        try:
            assert isinstance(connection, _ServerConnection)
            connection.admission = await server.admit(_handshake(connection, request))
        except Refusal as refusal:
            body = refusal.reason.encode()
            headers = Headers({"Content-Type": "text/plain; charset=utf-8", "Content-Length": str(len(body))})
            headers.update(refusal.headers)
            return Response(refusal.status, http.HTTPStatus(refusal.status).phrase, headers, body)
        return None

    def select_subprotocol(connection: ServerConnection, _: object) -> Subprotocol | None:
        assert isinstance(connection, _ServerConnection)
        agreed = connection.admission.agreed
        return None if agreed is None else Subprotocol(agreed)

    async def handle(connection: ServerConnection) -> None:
        assert isinstance(connection, _ServerConnection)
        await server.run(WebSocketsTransport(connection), connection.admission)

    options = {"max_size": server.max_size, **options}
    listening = await _serve(
        handle,
        host,
        port,
        ssl=ssl,
        process_request=process_request,
        select_subprotocol=select_subprotocol,
        create_connection=_ServerConnection,
        **options,
    )
    try:
        yield [socket.getsockname() for socket in listening.sockets]
    finally:
        listening.close(close_connections=False)
        await server.close()
        listening.close()
        await listening.wait_closed()


def _handshake(connection: ServerConnection, request: Request) -> Handshake:
    offered = tuple(
        name.strip() for line in request.headers.get_all("Sec-WebSocket-Protocol") for name in line.split(",")
    )
    return Handshake(
        path=request.path,
        offered=tuple(filter(None, offered)),
        authorization=request.headers.get("Authorization"),
        certificate=connection.transport.get_extra_info("peercert"),
    )


async def open_websocket(
    url: str,
    subprotocols: tuple[str, ...],
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    max_size: int,
) -> tuple[WebSocketsTransport, str | None]:
    """Opens a connection, for `connect`."""
    options: dict[str, Any] = {} if ssl is None else {"ssl": ssl}
    try:
        connection = await _connect(
            url,
            subprotocols=[Subprotocol(name) for name in subprotocols],
            additional_headers=headers,
            max_size=max_size,
            **options,
        )
    except InvalidStatus as error:
        status = error.response.status_code
        reason = error.response.body.decode(errors="replace") if error.response.body else error.response.reason_phrase
        raise ConnectFailed(f"the server answered {status}: {reason}", status) from error
    except (InvalidHandshake, EOFError) as error:
        raise ConnectFailed(str(error)) from error
    return WebSocketsTransport(connection), connection.subprotocol
