"""The skin for Starlette and FastAPI, server only: `pip install ocppcore[starlette]`, and an ASGI server such as uvicorn.

    @app.websocket("/ocpp/{identity:path}")
    async def ocpp(websocket: WebSocket) -> None:
        await serve_websocket(server, websocket)

The application closes `server` when it ends: `await server.close()` in its lifespan. Pings and the size limit are the ASGI server's
(`uvicorn --ws-ping-interval --ws-max-size`), and so is TLS; a station's certificate (profile 3) does not come through ASGI.
"""

from __future__ import annotations

from ._extras import missing

try:
    from starlette.responses import PlainTextResponse
    from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState
except ModuleNotFoundError as error:
    raise missing("starlette", error) from None

import asyncio
import contextlib
from urllib.parse import quote

from ._server import Handshake, Refusal, Server
from ._transport import Take, TransportClosed


class StarletteTransport:
    """A WebSocket of Starlette as a Transport."""

    __slots__ = ("_aborted", "_ended", "_reader", "_websocket")

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._reader: asyncio.Task[None] | None = None
        self._aborted = False
        self._ended = asyncio.Event()

    async def read(self, take: Take) -> None:
        reader = self._reader = asyncio.current_task()
        assert reader is not None
        receive = self._websocket.receive
        try:
            while not self._aborted and (message := await receive())["type"] == "websocket.receive":
                data: str | bytes | None = message.get("text")
                wait = take(message["bytes"] if data is None else data)
                if wait is not None:
                    await wait
        except asyncio.CancelledError:
            if not self._aborted:
                raise
            reader.uncancel()
        finally:
            self._reader = None
            self._ended.set()

    async def send(self, data: bytes) -> None:
        try:
            await self._websocket.send_text(data.decode())
        except (WebSocketDisconnect, RuntimeError, OSError):
            raise TransportClosed from None

    async def close(self, code: int, reason: str) -> None:
        if self._websocket.application_state is WebSocketState.CONNECTED:
            with contextlib.suppress(WebSocketDisconnect, RuntimeError, OSError):
                await self._websocket.close(code, reason)
        if self._reader is not None:
            await self._ended.wait()

    def abort(self) -> None:
        """ASGI has no way to drop a connection: the application ends, and the ASGI server does it."""
        if self._reader is not None and not self._aborted:
            self._aborted = True
            self._reader.cancel()


async def serve_websocket(server: Server, websocket: WebSocket) -> None:
    """Takes a station in, or refuses it, and serves it until its connection has ended: the whole of a WebSocket route."""
    try:
        admission = await server.admit(_handshake(websocket))
    except Refusal as refusal:
        if "websocket.http.response" in websocket.scope.get("extensions", {}):
            response = PlainTextResponse(refusal.reason, refusal.status, refusal.headers)
            await websocket.send_denial_response(response)
        else:
            await websocket.close(1008, refusal.reason)  # becomes a 403
        return
    await websocket.accept(subprotocol=admission.agreed)
    await server.run(StarletteTransport(websocket), admission)


def _handshake(websocket: WebSocket) -> Handshake:
    raw: bytes | None = websocket.scope.get("raw_path")
    return Handshake(
        path=quote(websocket.scope["path"]) if raw is None else raw.decode("latin-1"),
        offered=tuple(websocket.scope.get("subprotocols", ())),
        authorization=websocket.headers.get("Authorization"),
    )
