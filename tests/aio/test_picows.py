"""What the skin for picows does with frames one by one: no peer of the tests sends them so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from support.needs import need_module
from support.wires import rounds, run


class Frame:
    def __init__(self, payload: bytes, kind: str = "TEXT", fin: bool = True) -> None:
        from picows import WSMsgType

        self.msg_type = WSMsgType[kind]
        self.fin = fin
        self.get_payload_as_bytes = lambda: payload


class WebSocket:
    """What stands for picows' transport: it notes what is done to it."""

    is_close_frame_sent = False

    def __init__(self) -> None:
        self.done: list[object] = []
        self.underlying_transport = self

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments: self.done.append((name, *map(str, arguments)))


@pytest.fixture(autouse=True)
def _picows() -> None:
    need_module("picows", "picows")


def transport_of(websocket: WebSocket, max_size: int = 100) -> Any:
    from ocppcore.aio.picows import PicowsTransport

    transport: Any = PicowsTransport(max_size)
    transport.on_ws_connected(websocket)
    return transport


def test_what_came_ahead_is_held_and_kept_in_order() -> None:
    async def main() -> None:
        websocket = WebSocket()
        transport = transport_of(websocket)
        taken: list[object] = []
        gates = {b"2": asyncio.Event(), b"4": asyncio.Event()}

        def take(data: str | bytes) -> Awaitable[object] | None:
            taken.append(data)
            return gates[data].wait() if data in gates else None  # type: ignore[index]

        transport.on_ws_frame(websocket, Frame(b"0"))  # before anybody reads
        reading = asyncio.create_task(transport.read(take))
        await rounds()
        for number in range(1, 6):
            transport.on_ws_frame(websocket, Frame(b"%d" % number))
        assert taken == [b"0", b"1", b"2"]
        assert ("pause_reading",) in websocket.done
        gates[b"2"].set()
        await rounds()
        assert taken == [b"0", b"1", b"2", b"3", b"4"]
        assert websocket.done == [("pause_reading",), ("resume_reading",), ("pause_reading",)]
        gates[b"4"].set()
        await rounds()
        assert taken == [b"0", b"1", b"2", b"3", b"4", b"5"]
        assert websocket.done[-1] == ("resume_reading",)
        transport.on_ws_disconnected(websocket)
        await reading

    run(main())


def test_fragments_are_one_message_up_to_its_size() -> None:
    async def main() -> None:
        websocket = WebSocket()
        transport = transport_of(websocket, max_size=10)
        taken: list[object] = []
        reading = asyncio.create_task(transport.read(taken.append))
        await rounds()
        transport.on_ws_frame(websocket, Frame(b"[2,", fin=False))
        transport.on_ws_frame(websocket, Frame(b"", "PONG"))
        transport.on_ws_frame(websocket, Frame(b'"x"', "CONTINUATION", fin=False))
        transport.on_ws_frame(websocket, Frame(b"]", "CONTINUATION"))
        transport.on_ws_frame(websocket, Frame(b"next"))
        assert taken == [b'[2,"x"]', b"next"]
        transport.on_ws_frame(websocket, Frame(b"x" * 8, fin=False))
        transport.on_ws_frame(websocket, Frame(b"x" * 8, "CONTINUATION"))
        assert taken == [b'[2,"x"]', b"next"]
        assert [done[0] for done in websocket.done if isinstance(done, tuple)][-2:] == ["send_close", "disconnect"]
        transport.on_ws_disconnected(websocket)
        await reading

    run(main())
