"""The frames of OCPP-J: what `Codec.decode` returns and `Codec.encode` takes.

    Call             [2, id, action, payload]
    CallResult       [3, id, payload]
    CallError        [4, id, code, description, details]
    CallResultError  [5, id, code, description, details]    2.1 only
    Send             [6, id, action, payload]               2.1 only

Frames are values: frozen, compared by their fields, built by position. A frame names no action beside its payload: it follows from
the payload's type. Since they are `gc=False`, a frame must not be put inside its own payload.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic

import msgspec

from ._codes import canonical_code, own_answer

if TYPE_CHECKING:
    # The default makes a bare `Call` mean `Call[Any]`; at run time that needs Python 3.13 and nobody misses it.
    from typing_extensions import TypeVar

    from ._payloads import Request, Response, SendPayload

    RequestT = TypeVar("RequestT", bound=Request[Any], default=Any, covariant=True)
    ResultT = TypeVar("ResultT", bound="Response | RawPayload", default=Any, covariant=True)
    SendT = TypeVar("SendT", bound=SendPayload, default=Any, covariant=True)
else:
    from typing import TypeVar

    RequestT = TypeVar("RequestT", covariant=True)
    ResultT = TypeVar("ResultT", covariant=True)
    SendT = TypeVar("SendT", covariant=True)


class RawPayload(msgspec.Struct, frozen=True, gc=False):
    """The payload of a CALLRESULT whose action is not known yet; `Codec.resolve` makes the typed one from it.

    `data` is its JSON text exactly as it stood, checked to be well-formed; `offset` says at which byte of the frame it began.
    """

    data: bytes
    offset: int = 0


class UntypedPayload(RawPayload, frozen=True, gc=False):
    """A payload that fits no Struct, let through by a policy that reports instead of refusing. No handler of a type is given it.

    `data` is its JSON text, not always an object; `action` is what the frame says, whether the version knows it or not.
    """

    action: str = ""

    @property
    def __action__(self) -> str:
        return self.action


class Call(msgspec.Struct, Generic[RequestT], frozen=True, gc=False):
    """A request: message type 2. `id` has 1 to 36 characters; `payload` is one of the version's `...Request` Structs."""

    id: str
    payload: RequestT

    @property
    def action(self) -> str:
        """The action that the payload's type stands for, "BootNotification" say."""
        return self.payload.__action__


class CallResult(msgspec.Struct, Generic[ResultT], frozen=True, gc=False):
    """The answer to a CALL: message type 3. `id` is the CALL's; `payload` a `...Response` Struct, or a RawPayload until it is resolved."""

    id: str
    payload: ResultT

    @property
    def action(self) -> str | None:
        """The action that is answered; None while the payload is raw, since the wire does not name it."""
        payload: Any = self.payload
        return None if type(payload) is RawPayload else payload.__action__


class CallError(msgspec.Struct, frozen=True, gc=False):
    """The refusal of a CALL: message type 4. `code` is the text as it stood on the wire, whatever it was.

    `description` has at most 255 characters when ocppcore writes it; `details` is a free-form JSON object.
    """

    id: str
    code: str
    description: str = ""
    details: dict[str, Any] = {}

    @property
    def canonical_code(self) -> str:
        """The code by its 2.x name, whichever version's spelling the peer used; a code that nobody knows stays as it is."""
        return canonical_code(self.code)


def own_error(id: str, name: str, version: str) -> CallError:
    """The refusal of a CALL that a session, router or endpoint gives by itself, "duplicate_id" say, as the version writes it."""
    code, says = own_answer(name, version)
    return CallError(id, code, says)


class CallResultError(msgspec.Struct, frozen=True, gc=False):
    """The refusal of a CALLRESULT: message type 5, 2.1 only. Fields as in CallError; `id` is the CALLRESULT's."""

    id: str
    code: str
    description: str = ""
    details: dict[str, Any] = {}

    @property
    def canonical_code(self) -> str:
        """The code by its 2.x name, whichever version's spelling the peer used; a code that nobody knows stays as it is."""
        return canonical_code(self.code)


class Send(msgspec.Struct, Generic[SendT], frozen=True, gc=False):
    """A message that nobody answers: message type 6, 2.1 only."""

    id: str
    payload: SendT

    @property
    def action(self) -> str:
        """The action that the payload's type stands for."""
        return self.payload.__action__


class Peek(msgspec.Struct, frozen=True, gc=False):
    """The head of a frame, read by `Codec.peek` without looking at the rest.

    `type` is the message type (2 to 6), `action` None for an answer. `source` is the data as given (a buffer's bytes) and `start` the byte
    at which the payload begins, -1 for a frame that has none.
    """

    type: int
    id: str
    action: str | None
    source: bytes | str
    start: int

    @property
    def payload(self) -> bytes | None:
        """The payload's text, unchecked: from its first byte to before the frame's last `]`. None for a refusal."""
        if self.start < 0:
            return None
        source = self.source
        data = source if isinstance(source, bytes) else source.encode("utf-8", "surrogatepass")
        return data[self.start :].rstrip(b" \t\r\n").removesuffix(b"]").rstrip(b" \t\r\n")

    def __repr__(self) -> str:
        return f"Peek(type={self.type!r}, id={self.id!r}, action={self.action!r})"
