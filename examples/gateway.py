"""A gateway: `python examples/gateway.py UPSTREAM-URL [PORT]`.

Each station that connects here gets a connection of its own to the CSMS behind. Frames pass as they came, byte for byte, once they have been found
valid; heartbeats are answered here, and what is not valid is too.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from ocppcore import Gateway, Router, Session, v16, v21, v201
from ocppcore.aio import Admission, Endpoint, Server, Take, Transport, serve, url_of
from ocppcore.aio.websockets import open_websocket

router = Router()


@router.on
def heartbeat_16(request: v16.HeartbeatRequest) -> v16.HeartbeatResponse:
    return v16.HeartbeatResponse(current_time=datetime.now(UTC))


@router.on
def heartbeat_201(request: v201.HeartbeatRequest) -> v201.HeartbeatResponse:
    return v201.HeartbeatResponse(current_time=datetime.now(UTC))


@router.on
def heartbeat_21(request: v21.HeartbeatRequest) -> v21.HeartbeatResponse:
    return v21.HeartbeatResponse(current_time=datetime.now(UTC))


class Side:
    """One side's connection as a Transport: messages that pass go to the other side, the others to whoever reads."""

    def __init__(self, inner: Transport, passes: Callable[[str | bytes], bool]) -> None:
        self.inner = inner
        self.passes = passes
        self.other: Side | None = None
        self.turn = asyncio.Lock()  # two may want to send: the endpoint, and the other side

    async def read(self, take: Take) -> None:
        await self.inner.read(lambda data: self.pass_on(data) if self.passes(data) else take(data))

    async def pass_on(self, data: str | bytes) -> None:
        assert self.other is not None
        await self.other.send(data.encode() if isinstance(data, str) else data)

    async def send(self, data: bytes) -> None:
        async with self.turn:
            sent = self.inner.send(data)
            if sent is not None:
                await sent

    async def close(self, code: int, reason: str) -> None:
        await self.inner.close(code, reason)

    def abort(self) -> None:
        self.inner.abort()


class GatewayServer(Server):
    """A server that opens a connection to the CSMS behind for each station."""

    def __init__(self, upstream: str) -> None:
        super().__init__(router)
        self.upstream = upstream

    async def run(self, transport: Transport, admission: Admission) -> None:
        codec, identity = admission.codec, admission.identity
        opened, _ = await open_websocket(url_of(self.upstream, identity), (codec.subprotocol,), {}, None, self.max_size)
        gateway = Gateway(codec, keep={"Heartbeat"}, validate=True)
        station = Side(transport, lambda data: gateway.passes(data, "station"))
        csms = Side(opened, lambda data: gateway.passes(data, "csms"))
        station.other, csms.other = csms, station
        behind = Endpoint(csms, Session(codec, "station"), Router(), identity)
        running = asyncio.create_task(behind.run())
        # When one side ends, so does the other.
        running.add_done_callback(lambda _: station.abort())
        try:
            await super().run(station, admission)
        finally:
            await behind.close()
            await running


async def main(upstream: str, port: int) -> None:
    async with serve(GatewayServer(upstream), "127.0.0.1", port) as [(host, bound, *_)]:
        print(f"listening at ws://{host}:{bound}/IDENTITY, behind is {upstream}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 9001))
