"""Every skin of `ocppcore.aio` as a server on the loopback interface and as a client."""

from __future__ import annotations

import asyncio
import importlib
import ssl as ssl_module
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from ocppcore.aio import Open, Server
from support.needs import need_module

CLIENTS = ("websockets", "aiohttp", "picows")
SERVERS = (*CLIENTS, "starlette")


@asynccontextmanager
async def listening(
    skin: str, server: Server, ssl: ssl_module.SSLContext | None = None, **options: Any
) -> AsyncGenerator[str]:
    """A server that listens on a free port of the loopback interface, and the URL to connect to."""
    need_module(skin, skin)
    if skin == "starlette":
        need_module("uvicorn", "uvicorn")
        assert ssl is None
        async with _uvicorn(server) as port:
            yield f"ws://127.0.0.1:{port}/ocpp"
        return
    module = importlib.import_module(f"ocppcore.aio.{skin}")
    async with module.serve(server, "127.0.0.1", 0, ssl=ssl, **options) as addresses:
        scheme, host = ("ws", "127.0.0.1") if ssl is None else ("wss", "localhost")
        yield f"{scheme}://{host}:{addresses[0][1]}/ocpp"


@asynccontextmanager
async def _uvicorn(server: Server) -> AsyncGenerator[int]:
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import WebSocketRoute
    from starlette.websockets import WebSocket

    from ocppcore.aio.starlette import serve_websocket

    async def ocpp(websocket: WebSocket) -> None:
        await serve_websocket(server, websocket)

    app = Starlette(routes=[WebSocketRoute("/{path:path}", ocpp)])
    config = uvicorn.Config(
        app, "127.0.0.1", 0, lifespan="off", log_config=None, ws="websockets-sansio", ws_max_size=server.max_size
    )
    listens = uvicorn.Server(config)
    serving = asyncio.create_task(listens._serve())  # without uvicorn's signal handlers
    while not listens.started:
        await asyncio.sleep(0.005)
    try:
        yield listens.servers[0].sockets[0].getsockname()[1]
    finally:
        await server.close()
        listens.should_exit = True
        await serving


def opener(skin: str) -> Open:
    """The function that opens a WebSocket with a library."""
    need_module(skin, skin)
    open_websocket: Open = importlib.import_module(f"ocppcore.aio.{skin}").open_websocket
    return open_websocket
