"""The servers that benches.gateway measures: three WebSocket libraries, and for each what it may do with a message.

python -m benches.servers websockets ocppcore     # prints its port, serves until it is killed
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib import import_module
from typing import Any

import msgspec
import uvloop

from benches.baseline import DECODERS
from ocppcore import Context, Gateway, Router, v201
from ocppcore.aio import Admission, Server, Transport

SUBPROTOCOL = "ocpp2.0.1"
LIBRARIES = ("websockets", "aiohttp", "picows")

Serve = Callable[..., AbstractAsyncContextManager[list[tuple[Any, ...]]]]


def router(handler: Callable[..., Any]) -> Router:
    """A router of one handler."""
    made = Router()
    made.on(v201.TransactionEventRequest, handler)
    return made


def answer(context: Context[Any], request: v201.TransactionEventRequest) -> v201.TransactionEventResponse:
    """What every server that reads answers."""
    return v201.TransactionEventResponse()


async def answer_async(context: Context[Any], request: v201.TransactionEventRequest) -> v201.TransactionEventResponse:
    """The same from an async handler, which does not wait for anything."""
    return v201.TransactionEventResponse()


class Plain(Server):
    """A server whose skin is ours and whose loop is what someone would write without a session: a message in, a message out."""

    def __init__(self, react: Callable[[bytes], bytes]) -> None:
        super().__init__(Router(), versions=[SUBPROTOCOL])
        self._react = react

    async def run(self, transport: Transport, admission: Admission) -> None:
        react, send = self._react, transport.send

        def take(data: str | bytes) -> Awaitable[object] | None:
            return send(react(data if isinstance(data, bytes) else data.encode()))

        await transport.read(take)


def echo(data: bytes) -> bytes:
    """No codec at all."""
    return bytes(data)


def msgspec_own_checks() -> Callable[[bytes], bytes]:
    """Hand-written msgspec: the envelope, then the payload by its action; it checks what msgspec checks."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
    payloads = {action: msgspec.json.Decoder(decoder.type.__args__[3]).decode for action, decoder in DECODERS.items()}
    encode = msgspec.json.Encoder().encode

    def react(data: bytes) -> bytes:
        _, id, action, payload = envelope(data)
        payloads[action](payload)
        return encode((3, id, {}))

    return react


class HandWritten:
    """Hand-written msgspec with routing and the checks that a careful author adds: the id, the frame's type, calls in progress, the handler's
    answer, and errors that are answered. It still knows no duplicate keys, no `null`, and no place of a fault.
    """

    def __init__(self) -> None:
        self._envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
        self._payloads = {
            action: msgspec.json.Decoder(decoder.type.__args__[3]).decode for action, decoder in DECODERS.items()
        }
        self._handlers: dict[str, Callable[[str, Any], Any]] = {"TransactionEvent": lambda id, request: {}}
        self._answers = {"TransactionEvent": v201.TransactionEventResponse}
        self._open: set[str] = set()
        self._encode = msgspec.json.Encoder().encode

    def react(self, data: bytes) -> bytes:
        """One message."""
        try:
            kind, id, action, raw = self._envelope(data)
        except msgspec.DecodeError:
            return b'[4,"-1","RpcFrameworkError","",{}]'
        if kind != 2 or not 0 < len(id) <= 36 or id in self._open:
            return self._encode((4, id, "RpcFrameworkError", "", {}))
        decode = self._payloads.get(action)
        if decode is None:
            return self._encode((4, id, "NotImplemented", "", {}))
        try:
            request = decode(raw)
        except msgspec.ValidationError as error:
            return self._encode((4, id, "PropertyConstraintViolation", str(error)[:255], {}))
        self._open.add(id)
        try:
            made = msgspec.convert(self._handlers[action](id, request), self._answers[action])
            return self._encode((3, id, made))
        except Exception:
            return self._encode((4, id, "InternalError", "", {}))
        finally:
            self._open.discard(id)


class Forwarding(Server):
    """A gateway that hands frames on as they came: here back to where they came from."""

    def __init__(self, validate: bool) -> None:
        super().__init__(Router(), versions=[SUBPROTOCOL])
        self._validate = validate

    async def run(self, transport: Transport, admission: Admission) -> None:
        gateway = Gateway(admission.codec, validate=self._validate)
        send = transport.send

        def take(data: str | bytes) -> Awaitable[object] | None:
            raw = data if isinstance(data, bytes) else data.encode()
            assert gateway.passes(raw, "station")
            return send(raw)

        await transport.read(take)


class Peer(Server):
    """PyPI's `ocpp` behind the same skin."""

    def __init__(self) -> None:
        super().__init__(Router(), versions=[SUBPROTOCOL])

    async def run(self, transport: Transport, admission: Admission) -> None:
        routing: Any = import_module("ocpp.routing")
        peer: Any = import_module("ocpp.v201")

        class Connection:
            async def send(self, message: str) -> None:
                sent = transport.send(message.encode())
                if sent is not None:
                    await sent

        class ChargePoint(peer.ChargePoint):  # type: ignore[misc]
            @routing.on("TransactionEvent")  # type: ignore[untyped-decorator]
            def on_event(self, **_: Any) -> Any:
                return peer.call_result.TransactionEvent()

        station: Any = ChargePoint("CS1", Connection())
        await transport.read(lambda data: station.route_message(data if isinstance(data, str) else data.decode()))


WORKS: dict[str, Callable[[], Server]] = {
    "echo": lambda: Plain(echo),
    "ocppcore, sync handler": lambda: Server(router(answer), versions=[SUBPROTOCOL]),
    "ocppcore, async handler": lambda: Server(router(answer_async), versions=[SUBPROTOCOL]),
    "forward": lambda: Forwarding(validate=False),
    "forward, validated": lambda: Forwarding(validate=True),
    "msgspec, its own checks": lambda: Plain(msgspec_own_checks()),
    "msgspec, routing and checks": lambda: Plain(HandWritten().react),
    "ocpp": Peer,
}


class Every(Server):
    """All of them in one process, each for the stations whose identity begins with its number, so that what a process is given by luck, of
    memory and of hashes, serves or hurts all alike.
    """

    def __init__(self) -> None:
        super().__init__(Router(), versions=[SUBPROTOCOL])
        self._works = [work() for work in WORKS.values()]

    async def run(self, transport: Transport, admission: Admission) -> None:
        await self._works[int(admission.identity.partition("-")[0])].run(transport, admission)


async def main(library: str, work: str = "") -> None:
    """Serve one of them, or every one, until killed."""
    serve: Serve = import_module(f"ocppcore.aio.{library}").serve
    options: dict[str, Any] = {"compression": None, "ping_interval": None} if library == "websockets" else {}
    async with serve(WORKS[work]() if work else Every(), "127.0.0.1", 0, **options) as [(_, port, *_)]:
        print(json.dumps(port), flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
