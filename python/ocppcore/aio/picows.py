"""The skin for `picows`, server and client: `pip install ocppcore[picows]`. The quickest of the four; it has no compression.

It answers a handshake on the spot: a Server's `authenticate` must not wait for anything, and does not see the client's certificate, so that
profile 3 is not for it.
"""

from __future__ import annotations

from ._extras import missing

try:
    from picows import (
        WSCloseCode,
        WSError,
        WSFrame,
        WSListener,
        WSMsgType,
        WSTransport,
        WSUpgradeRequest,
        WSUpgradeResponse,
        WSUpgradeResponseWithListener,
        ws_connect,  # pyright: ignore[reportUnknownVariableType]
        ws_create_server,  # pyright: ignore[reportUnknownVariableType]
    )
except ModuleNotFoundError as error:
    raise missing("picows", error) from None

import asyncio
import contextlib
import logging
import ssl as ssl_module
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from ._errors import ConnectFailed
from ._server import Admission, Handshake, Refusal, Server
from ._transport import Take, TransportClosed

log = logging.getLogger("ocppcore.aio")

_PINGS: dict[str, Any] = {"enable_auto_ping": True, "auto_ping_idle_timeout": 20, "auto_ping_reply_timeout": 20}
_TEXT, _CLOSE = WSMsgType.TEXT, WSMsgType.CLOSE  # looked up once: to read an enumeration is not cheap
_DATA = (_TEXT, WSMsgType.BINARY, WSMsgType.CONTINUATION)
_CLOSE_TIMEOUT = 10.0  # seconds that the peer has to answer a close, as websockets has it


class PicowsTransport(WSListener):
    """A connection of picows, of either side, as a Transport."""

    def __init__(self, max_size: int, connected: Callable[[PicowsTransport], object] | None = None) -> None:
        self._max_size = max_size
        self._connected = connected
        self._websocket: WSTransport | None = None
        self._take: Take | None = None
        self._held: deque[bytes] = deque()  # what came while nobody takes; no more than a read buffer's worth
        self._holding: asyncio.Task[None] | None = None
        self._parts: list[bytes] = []
        self._room = asyncio.Event()
        self._room.set()
        self._gone = asyncio.get_running_loop().create_future()

    # What picows calls

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._websocket = transport
        if self._connected is not None:
            self._connected(self)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self._room.set()
        if not self._gone.done():
            self._gone.set_result(None)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        kind = frame.msg_type
        if kind is _CLOSE:
            if not transport.is_close_frame_sent:
                transport.send_close(frame.get_close_code())
            transport.disconnect()
            return
        if kind not in _DATA:
            return
        data = frame.get_payload_as_bytes()
        if self._parts or not frame.fin:
            self._parts.append(data)
            if sum(map(len, self._parts)) > self._max_size:
                transport.send_close(WSCloseCode.MESSAGE_TOO_BIG)
                transport.disconnect()
                return
            if not frame.fin:
                return
            data = b"".join(self._parts)
            self._parts.clear()
        if self._take is None or self._holding is not None:
            self._held.append(data)
            return
        wait = self._take(data)
        if wait is not None:
            self._hold(wait)

    def pause_writing(self) -> None:
        self._room.clear()

    def resume_writing(self) -> None:
        self._room.set()

    def _hold(self, wait: Awaitable[object] | None) -> None:
        """Reads nothing more until `wait` is over and what is held is taken."""
        assert self._websocket is not None
        self._websocket.underlying_transport.pause_reading()
        self._holding = asyncio.get_running_loop().create_task(self._let_go(wait))

    async def _let_go(self, wait: Awaitable[object] | None) -> None:
        take, websocket = self._take, self._websocket
        assert take is not None
        assert websocket is not None
        try:
            if wait is not None:
                await wait
            while self._held:
                wait = take(self._held.popleft())
                if wait is not None:
                    await wait
        finally:
            self._holding = None
            if not self._gone.done():
                websocket.underlying_transport.resume_reading()

    # What an endpoint calls

    async def read(self, take: Take) -> None:
        self._take = take
        if self._held:
            self._hold(None)
        await asyncio.shield(self._gone)
        holding = self._holding
        if holding is not None:
            await asyncio.wait((holding,))

    def send(self, data: bytes) -> Awaitable[None] | None:
        websocket = self._websocket
        if websocket is None or self._gone.done() or websocket.is_close_frame_sent:
            raise TransportClosed
        websocket.send(_TEXT, data)
        return None if self._room.is_set() else self._wait_for_room()

    async def _wait_for_room(self) -> None:
        await self._room.wait()
        if self._gone.done():
            raise TransportClosed

    async def close(self, code: int, reason: str) -> None:
        websocket = self._websocket
        if websocket is None or self._gone.done():
            return
        if not websocket.is_close_frame_sent:
            websocket.send_close(WSCloseCode(code), reason.encode())
        await asyncio.wait((self._gone,), timeout=_CLOSE_TIMEOUT)
        self.abort()

    def abort(self) -> None:
        if self._websocket is not None and not self._gone.done():
            self._websocket.disconnect(graceful=False)


@contextlib.asynccontextmanager
async def serve(
    server: Server, host: str | None, port: int | None, *, ssl: ssl_module.SSLContext | None = None, **options: Any
) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """Listens while the block runs, then closes every connection in good order. Gives the addresses, for a `port` of 0.

    `options` go to `picows.ws_create_server`. ValueError for an `ssl` that asks for client certificates.
    """
    if ssl is not None and ssl.verify_mode is ssl_module.CERT_REQUIRED:
        raise ValueError(
            "picows does not show the client's certificate at the handshake; take another skin for profile 3"
        )
    running: set[asyncio.Task[None]] = set()

    def listener(request: WSUpgradeRequest) -> WSUpgradeResponseWithListener:
        try:
            admission = _admit(server, _handshake(request))
        except Refusal as refusal:
            response = WSUpgradeResponse.create_error_response(refusal.status, refusal.reason.encode(), refusal.headers)
            return WSUpgradeResponseWithListener(response, None)

        def connected(transport: PicowsTransport) -> None:
            task = asyncio.get_running_loop().create_task(server.run(transport, admission))
            running.add(task)
            task.add_done_callback(running.discard)

        headers = {} if admission.agreed is None else {"Sec-WebSocket-Protocol": admission.agreed}
        transport = PicowsTransport(server.max_size, connected)
        return WSUpgradeResponseWithListener(WSUpgradeResponse.create_101_response(headers), transport)

    options = {"max_frame_size": server.max_size, **_PINGS, **options}
    listening = await ws_create_server(listener, host, port, ssl=ssl, **options)
    try:
        yield [socket.getsockname() for socket in listening.sockets]
    finally:
        listening.close()
        await server.close()
        if running:
            await asyncio.wait(tuple(running))


def _admit(server: Server, handshake: Handshake) -> Admission:
    admitting = server.admit(handshake)
    try:
        admitting.send(None)
    except StopIteration as done:
        admission: Admission = done.value
        return admission
    admitting.close()
    log.error("the server's `authenticate` waits for something, and picows cannot; make it sync, or take another skin")
    raise Refusal(500, "the server cannot check who this is")


def _handshake(request: WSUpgradeRequest) -> Handshake:
    headers = request.headers
    offered = tuple(name.strip() for line in headers.getall("Sec-WebSocket-Protocol", ()) for name in line.split(","))
    return Handshake(
        path=request.path.decode("latin-1"),
        offered=tuple(filter(None, offered)),
        authorization=headers.get("Authorization"),
    )


async def open_websocket(
    url: str,
    subprotocols: tuple[str, ...],
    headers: Mapping[str, str],
    ssl: ssl_module.SSLContext | None,
    max_size: int,
) -> tuple[PicowsTransport, str | None]:
    """Opens a connection, for `connect`."""
    try:
        websocket, transport = await ws_connect(
            lambda: PicowsTransport(max_size),
            url,
            ssl_context=ssl,
            max_frame_size=max_size,
            extra_headers={**headers, "Sec-WebSocket-Protocol": ", ".join(subprotocols)},
            **_PINGS,
        )
    except WSError as error:
        response = getattr(error, "response", None)
        status = None if response is None else int(response.status)
        text = str(error) if status is None else f"the server answered {status}"
        raise ConnectFailed(text, status) from error
    if not isinstance(transport, PicowsTransport):
        raise ConnectFailed("the connection was lost at the handshake")
    agreed: str | None = websocket.response.headers.get("Sec-WebSocket-Protocol")
    return transport, agreed
