"""Servers and stations over the loopback interface, each library's server with each library's client."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppcore import Context, Router, v16, v21, v201
from ocppcore.aio import CallClosed, Endpoint, Server, connect
from support.needs import need_module
from support.skins import CLIENTS, SERVERS, listening, opener
from support.wires import run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
PAIRS = [(server, client) for server in SERVERS for client in CLIENTS]


def csms() -> Router:
    router = Router()

    @router.on
    def beat16(_: Context[Endpoint], request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
        return v16.HeartbeatResponse(current_time=NOW)

    @router.on
    async def beat201(_: Context[Endpoint], request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        return v201.HeartbeatResponse(current_time=NOW)

    @router.on
    async def beat21(context: Context[Endpoint], request: v21.HeartbeatRequest) -> v21.HeartbeatResponse:
        await asyncio.sleep(0)
        assert (await context.call(v21.ClearCacheRequest())).status == "Accepted"
        return v21.HeartbeatResponse(current_time=NOW)

    return router


def station() -> Router:
    router = Router()

    @router.on
    async def clear16(request: v16.ClearCacheRequest) -> v16.ClearCacheResponse:
        return v16.ClearCacheResponse(status="Accepted")

    @router.on
    async def clear201(request: v201.ClearCacheRequest) -> v201.ClearCacheResponse:
        return v201.ClearCacheResponse(status="Accepted")

    @router.on
    async def clear21(request: v21.ClearCacheRequest) -> v21.ClearCacheResponse:
        return v21.ClearCacheResponse(status="Accepted")

    return router


MODULES: dict[str, Any] = {"ocpp1.6": v16, "ocpp2.0.1": v201, "ocpp2.1": v21}


@pytest.mark.parametrize(("server_skin", "client_skin"), PAIRS)
@pytest.mark.parametrize("version", MODULES)
def test_calls_go_both_ways(server_skin: str, client_skin: str, version: str) -> None:
    async def main() -> None:
        server, module = Server(csms()), MODULES[version]
        async with (
            listening(server_skin, server) as url,
            connect(url, "RDAM|123", station(), versions=[version], open_websocket=opener(client_skin)) as endpoint,
        ):
            assert await endpoint.call(module.HeartbeatRequest()) == module.HeartbeatResponse(current_time=NOW)
            assert list(server.connections) == ["RDAM|123"]
            answer = await server.connections["RDAM|123"].call(module.ClearCacheRequest())
            assert answer == module.ClearCacheResponse(status="Accepted")
            assert server.connections["RDAM|123"].codec.subprotocol == endpoint.codec.subprotocol == version
        assert not server.connections

    run(main())


@pytest.mark.parametrize(("server_skin", "client_skin"), PAIRS)
def test_the_server_s_close_ends_the_station_s_endpoint(server_skin: str, client_skin: str) -> None:
    async def main() -> None:
        server = Server(csms())
        async with listening(server_skin, server) as url:
            connecting = connect(url, "CP001", Router(), open_websocket=opener(client_skin))
            endpoint = await connecting.__aenter__()
        await endpoint.wait_closed()
        with pytest.raises(CallClosed):
            await endpoint.call(v21.HeartbeatRequest())
        await connecting.__aexit__(None, None, None)

    run(main())


@pytest.mark.parametrize("server_skin", SERVERS)
def test_bad_frames_end_no_connection(server_skin: str) -> None:
    need_module("websockets", "websockets")
    from websockets.asyncio.client import connect as raw

    async def main() -> None:
        server = Server(csms())
        async with (
            listening(server_skin, server) as url,
            raw(f"{url}/CP001", subprotocols=["ocpp2.0.1"]) as websocket,  # type: ignore[list-item]
        ):
            # A text message that is no UTF-8 is a fault of the WebSocket itself, and aiohttp and uvicorn end the connection for it.
            for bad in ("", "{", "[2]", "null", '[3,"1",{}]', b"\x00"):
                await websocket.send(bad, text=True)
            await websocket.send('[2,"after","Heartbeat",{}]')
            while (frame := json.loads(await websocket.recv()))[1] != "after":
                assert frame[0] == 4
            assert frame[0] == 3

    run(main())
