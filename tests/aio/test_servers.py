"""Servers and stations over the loopback interface, each library's server with each library's client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import Any

import pytest

from ocppcore import Codec, Context, Router, v16, v21, v201
from ocppcore.aio import CallClosed, ConnectFailed, Endpoint, Server, connect
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


@pytest.mark.parametrize(("server_skin", "client_skin"), PAIRS)
def test_the_handshake_says_what_it_must(server_skin: str, client_skin: str) -> None:
    async def main() -> None:
        server = Server(csms(), versions=["ocpp1.6", "ocpp2.0.1"])
        open_websocket = opener(client_skin)
        async with listening(server_skin, server) as url:
            with pytest.raises(ConnectFailed) as raised:
                async with connect(url, "CP001", station(), versions=["ocpp2.1"], open_websocket=open_websocket):
                    pytest.fail("connected")
            assert raised.value.status == 400
            with pytest.raises(ConnectFailed) as raised:
                async with connect(
                    url, "no identity", station(), open_websocket=open_websocket, versions=["ocpp2.0.1"]
                ):
                    pytest.fail("connected")
            assert raised.value.status == 404
            async with connect(
                url, "a/b c", station(), open_websocket=open_websocket, versions=["ocpp1.6"]
            ) as endpoint:
                assert endpoint.codec.version == "1.6"
                assert list(server.connections) == ["a/b c"]
        with pytest.raises(OSError):  # noqa: PT011 - each system has its own words for it
            async with connect(url, "CP001", station(), open_websocket=open_websocket):
                pytest.fail("connected")

    run(main())


@pytest.mark.parametrize("server_skin", SERVERS)
def test_without_a_common_version_the_standard_s_way(server_skin: str) -> None:
    async def main() -> None:
        async with listening(server_skin, Server(csms(), versions=["ocpp1.6"], no_common="close")) as url:
            with pytest.raises(OSError, match=r"agreed to none|subprotocol"):
                async with connect(url, "CP001", station(), versions=["ocpp2.1"]):
                    pytest.fail("connected")

    run(main())


@pytest.mark.parametrize(("server_skin", "client_skin"), PAIRS)
def test_the_old_connection_is_closed_when_a_new_one_comes(server_skin: str, client_skin: str) -> None:
    async def main() -> None:
        server, open_websocket = Server(csms()), opener(client_skin)
        async with (
            listening(server_skin, server) as url,
            connect(url, "CP001", station(), open_websocket=open_websocket) as old,
            connect(url, "CP001", station(), open_websocket=open_websocket) as new,
        ):
            await old.wait_closed()
            assert old.closed
            assert not new.closed
            assert (await server.connections["CP001"].call(v21.ClearCacheRequest())).status == "Accepted"
            assert (await new.call(v21.HeartbeatRequest())).current_time == NOW

    run(main())


@pytest.mark.parametrize(("server_skin", "client_skin"), PAIRS)
def test_handlers_that_run_are_answered_when_the_server_closes(server_skin: str, client_skin: str) -> None:
    router = Router()
    begun = asyncio.Event()

    @router.on
    async def beat(request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
        begun.set()
        await asyncio.sleep(0.05)
        return v201.HeartbeatResponse(current_time=NOW)

    async def main() -> None:
        server = Server(router)
        async with contextlib.AsyncExitStack() as stack:
            url = await stack.enter_async_context(listening(server_skin, server))
            connecting = connect(url, "CP001", station(), versions=["ocpp2.0.1"], open_websocket=opener(client_skin))
            async with connecting as endpoint:
                call = asyncio.create_task(endpoint.call(v201.HeartbeatRequest()))
                await begun.wait()
                await stack.aclose()
                assert (await call).current_time == NOW
                await endpoint.wait_closed()

    run(main())


@pytest.mark.parametrize("server_skin", SERVERS)
def test_a_peer_that_does_not_read_cannot_make_the_server_hold_more(server_skin: str) -> None:
    """It sends calls whose answers it never reads: the server must stop to read, and in the end drop it."""
    router = Router()
    handled = 0

    @router.on
    def transfer(request: v201.DataTransferRequest) -> v201.DataTransferResponse:
        nonlocal handled
        handled += 1
        return v201.DataTransferResponse(status="Accepted", data="x" * 500_000)

    async def main() -> None:
        server = Server(router, stall=0.5)
        async with listening(server_skin, server) as url:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(url.split(":")[2].split("/")[0]))
            writer.write(
                b"GET /CP001 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: ocpp2.0.1\r\n\r\n"
            )
            await reader.readuntil(b"\r\n\r\n")
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            ping = b"x" * 60_000
            call = b'[2,"%d","DataTransfer",{"vendorId":"v","data":"' + ping + b'"}]'
            messages = [call % number for number in range(500)]
            head = (b"".join((b"\x81\xfe", len(message).to_bytes(2), bytes(4))) for message in messages)
            writer.write(b"".join(part for pair in zip(head, messages, strict=True) for part in pair))
            while not server.connections:
                await asyncio.sleep(0.01)
            endpoint = server.connections["CP001"]
            unread = 30_000_000
            while not endpoint.closed:
                unread = min(unread, writer.transport.get_write_buffer_size())
                await asyncio.sleep(0.01)
            await endpoint.wait_closed()
            # 30 MB came, 250 MB would go back; what the buffers of two sockets hold was read and written, and no more.
            assert 0 < handled < 100
            assert unread > 10_000_000
            writer.transport.abort()

    run(main())


def test_an_oversized_message_does_not_reach_the_codec() -> None:
    need_module("websockets", "websockets")
    from websockets.asyncio.client import connect as raw
    from websockets.exceptions import ConnectionClosedError

    async def main() -> None:
        for skin in SERVERS:
            server = Server(csms(), versions=[Codec("ocpp2.0.1", max_size=10_000)])
            async with (
                listening(skin, server) as url,
                raw(f"{url}/CP001", subprotocols=["ocpp2.0.1"], compression=None) as websocket,  # type: ignore[list-item]
            ):
                await websocket.send("x" * 20_000)
                with pytest.raises(ConnectionClosedError):
                    await websocket.recv()

    run(main())


@pytest.mark.parametrize("skin", SERVERS)
def test_whoever_lacks_an_extra_is_told_what_to_install(skin: str) -> None:
    script = (
        f"import sys; sys.modules[{skin!r}] = None\n"
        f"try: import ocppcore.aio.{skin}\n"
        "except ModuleNotFoundError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert f"pip install 'ocppcore[{skin}]'" in result.stdout


def test_the_extras_are_loaded_by_those_who_use_them() -> None:
    script = (
        "import sys, ocppcore.aio\n"
        "print(sorted({'websockets', 'aiohttp', 'starlette', 'picows', 'opentelemetry', 'prometheus_client'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
