"""OCPP-J connections in asyncio: an Endpoint over any WebSocket library, and servers and stations made of it.

    server = Server(router)
    async with serve(server, "0.0.0.0", 9000):
        ...
    async with connect("ws://csms.example.com/ocpp", "CP001", router) as endpoint:
        await endpoint.call(v201.HeartbeatRequest())

`serve` is that of `ocppcore.aio.websockets`, and `connect` opens its connections with it, unless told otherwise; the other skins are the modules
`aiohttp`, `starlette` and `picows` beside it.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from ._client import Backoff, Open, connect, stay_connected, url_of
from ._endpoint import Endpoint
from ._errors import CallClosed, CallFailed, CallInvalid, CallRefused, CallTimedOut, ConnectFailed, NoCommonVersion
from ._observe import Called, LoggingObserver, Observer, Observers, Received
from ._server import Admission, Authenticate, Handshake, Refusal, Server, identity_of
from ._transport import Take, Transport, TransportClosed

if TYPE_CHECKING:
    from .websockets import serve

__all__ = [
    "Admission",
    "Authenticate",
    "Backoff",
    "CallClosed",
    "CallFailed",
    "CallInvalid",
    "CallRefused",
    "CallTimedOut",
    "Called",
    "ConnectFailed",
    "Endpoint",
    "Handshake",
    "LoggingObserver",
    "NoCommonVersion",
    "Observer",
    "Observers",
    "Open",
    "Received",
    "Refusal",
    "Server",
    "Take",
    "Transport",
    "TransportClosed",
    "connect",
    "identity_of",
    "serve",
    "stay_connected",
    "url_of",
]


def __getattr__(name: str) -> object:
    if name == "serve":  # needs an extra
        return _import_module(f"{__name__}.websockets").serve
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
