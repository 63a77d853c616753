"""The bases of every payload, and what is known of a message.

A request names its response by its type argument: `class HeartbeatRequest(Request["HeartbeatResponse"])`. User messages subclass the
same bases and are registered with `Codec.extend`.
"""

from __future__ import annotations

from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, NamedTuple

import msgspec


class Payload(msgspec.Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of requests, responses and the payloads of SENDs: a frozen Struct whose class knows its action."""

    __action__: ClassVar[str]


if TYPE_CHECKING:
    from typing_extensions import TypeVar

    ResponseT = TypeVar("ResponseT", bound="Response", default=Any, covariant=True)

    class Request(
        Payload, Generic[ResponseT], frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True
    ):
        """The base of the payloads of CALLs; its type argument is the class of the response."""

else:

    class Request(Payload, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
        """The base of the payloads of CALLs; its type argument is the class of the response."""

        # `Request[Answer]` as list[int] has it: typing.Generic runs code of its own for every subclass, a tenth of an import.
        __class_getitem__ = classmethod(GenericAlias)


class Response(Payload, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of the payloads of CALLRESULTs."""


class SendPayload(Payload, frozen=True, gc=False, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The base of the payloads of SENDs (2.1)."""


class Message(NamedTuple):
    """What is known of an action: who sends it, where it belongs, and the classes of its payloads.

    `direction` is who sends it; `block` is the functional block ("B") or, in 1.6, the profile ("Core"). A "call" has a request and
    a response, a "send" has `request` alone: the payload that is sent. `transaction` tells whether it belongs to a charging
    transaction and must not be lost: True, False, or the attribute of the request that is set if it does.
    """

    action: str
    kind: Literal["call", "send"]
    direction: Literal["station", "csms", "both"]
    block: str
    request: type[Payload]
    response: type[Response] | None
    transaction: bool | str = False
