"""OCPP-J messages, typed and fully validated: bytes in, msgspec Structs out, for OCPP 1.6, 2.0.1 and 2.1.

    from ocppcore import Call, Codec, v201

    codec = Codec("ocpp2.0.1")
    match codec.decode(data):
        case Call(id, v201.BootNotificationRequest() as request):
            ...

The modules `v16`, `v201` and `v21` hold the messages of each version; they, the session and the router are loaded when they are first used.
"""

from importlib import import_module as _import_module
from typing import TYPE_CHECKING

from ._codec import Codec
from ._errors import EncodeError, Finding, FrameError, OcppError, PayloadError
from ._frames import Call, CallError, CallResult, CallResultError, Peek, RawPayload, Send, UntypedPayload
from ._payloads import Message, Request, Response, SendPayload
from ._tolerated import Tolerated

if TYPE_CHECKING:
    from . import v16, v21, v201
    from ._batch import Verdicts
    from ._gateway import Gateway
    from ._policy import Policy, PolicyRule
    from ._quirks import Profile, Quirks, Rewrite, Station
    from ._router import DEFERRED, Connection, Context, HandlerFault, RefuseCall, Router
    from ._session import (
        Cancelled,
        Closed,
        Invalid,
        QueueFull,
        Refused,
        Retry,
        Retrying,
        Session,
        SessionClosed,
        TimedOut,
        Unmatched,
    )

__version__ = "0.1.0"  # the workspace's, in Cargo.toml

__all__ = [
    "DEFERRED",
    "Call",
    "CallError",
    "CallResult",
    "CallResultError",
    "Cancelled",
    "Closed",
    "Codec",
    "Connection",
    "Context",
    "EncodeError",
    "Finding",
    "FrameError",
    "Gateway",
    "HandlerFault",
    "Invalid",
    "Message",
    "OcppError",
    "PayloadError",
    "Peek",
    "Policy",
    "PolicyRule",
    "Profile",
    "QueueFull",
    "Quirks",
    "RawPayload",
    "RefuseCall",
    "Refused",
    "Request",
    "Response",
    "Retry",
    "Retrying",
    "Rewrite",
    "Router",
    "Send",
    "SendPayload",
    "Session",
    "SessionClosed",
    "Station",
    "TimedOut",
    "Tolerated",
    "Unmatched",
    "UntypedPayload",
    "Verdicts",
    "__version__",
    "v16",
    "v21",
    "v201",
]


_ROUTER = frozenset({"DEFERRED", "Connection", "Context", "HandlerFault", "RefuseCall", "Router"})


def __getattr__(name: str) -> object:
    if name in ("v16", "v201", "v21"):
        return _import_module(f"{__name__}.{name}")
    if name == "Verdicts":
        return _import_module(f"{__name__}._batch").Verdicts
    if name == "Gateway":
        return getattr(_import_module(f"{__name__}._gateway"), name)
    if name in _ROUTER:
        return getattr(_import_module(f"{__name__}._router"), name)
    if name in ("Policy", "PolicyRule"):
        return getattr(_import_module(f"{__name__}._policy"), name)
    if name in ("Profile", "Quirks", "Rewrite", "Station"):
        return getattr(_import_module(f"{__name__}._quirks"), name)
    if name in __all__:  # what is left is the session's
        return getattr(_import_module(f"{__name__}._session"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
