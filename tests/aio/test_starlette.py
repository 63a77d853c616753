"""What the skin for Starlette does that no server of the tests makes it do."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from support.needs import need_module
from support.wires import rounds, run


def test_to_abort_ends_the_reading_and_leaves_the_task_in_good_order() -> None:
    need_module("starlette", "starlette")
    from starlette.websockets import WebSocket

    from ocppcore.aio.starlette import StarletteTransport

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        pytest.fail(f"sent {message}")

    async def main() -> None:
        scope = {"type": "websocket", "path": "/CP001", "headers": [], "subprotocols": []}
        transport = StarletteTransport(WebSocket(scope, receive, send))
        cancelled: list[int] = []

        async def read() -> None:
            await transport.read(lambda data: None)
            task = asyncio.current_task()
            assert task is not None
            cancelled.append(task.cancelling())
            await asyncio.sleep(0)

        task = asyncio.create_task(read())
        await rounds()
        transport.abort()
        await task
        assert cancelled == [0]
        transport.abort()  # once more, when it has ended

    run(main())


def test_a_server_without_denial_responses_closes_instead() -> None:
    need_module("starlette", "starlette")
    from starlette.websockets import WebSocket

    from ocppcore import Router
    from ocppcore.aio import Server
    from ocppcore.aio.starlette import serve_websocket

    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    async def main() -> None:
        scope = {"type": "websocket", "path": "/CP 001", "headers": [], "subprotocols": []}
        await serve_websocket(Server(Router()), WebSocket(scope, receive, send))

    run(main())
    assert [message["type"] for message in sent] == ["websocket.close"]
    assert sent[0]["code"] == 1008
