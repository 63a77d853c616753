"""What the Session of a ChargePoint reads and writes with: frames whose payloads stay plain data, as handlers in the keyword style want them.

To a Session it is a Codec. What a CALL holds is not checked here: `_handle_call` does that, which users override to see every CALL. The payload of
an answer is, since the session must know whether our CALL has ended well.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from ..._codec import Codec
from ..._errors import OcppError
from ..._frames import Call, CallError, CallResult, CallResultError, RawPayload, Send, UntypedPayload
from ..._payloads import Message, Request, Response, SendPayload
from ..._session import Refused, Session
from ._check import check_of
from ._names import ATOMS
from .messages import Call as MessageCall
from .messages import MessageType, encode, encode_id, message_of, parse, require_valid


class PlainRequest(Request[Any], frozen=True, gc=False, kw_only=False):
    """A request of ours as checked text."""

    action: str
    text: str

    @property
    def __action__(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.action


class PlainSend(SendPayload, frozen=True, gc=False, kw_only=False):
    """What we send unasked, as checked text."""

    action: str
    text: str

    @property
    def __action__(self) -> str:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
        return self.action


class PlainCall(msgspec.Struct, array_like=True, tag=MessageType.Call, forbid_unknown_fields=True, gc=False):
    """A request of the other side, as `messages.Call` has it, read in one go."""

    unique_id: str | int | float | bool | None
    action: str
    payload: Any

    def message(self) -> MessageCall:
        """The same for users to see."""
        return MessageCall(self.unique_id, self.action, self.payload)

    def __repr__(self) -> str:
        return repr(self.message())


read_call = msgspec.json.Decoder(PlainCall).decode
"""A CALL; raises ValueError for all else, and for what a Session must judge."""

# What a session is shown of other payloads, since it looks at ids alone; the payload itself is in `message`.
_SENT: Any = UntypedPayload(b"")
_RESULT = RawPayload(b"")
_MESSAGES: Mapping[str, Message] = MappingProxyType({})
_TAKEN: Mapping[Any, type[Response]] = MappingProxyType({PlainCall: Response, UntypedPayload: Response})


class PlainCodec:
    """A Codec to Session. `message` is the last that was read and is no CALL, with its payload, and `checked` whether that, an answer, is known
    to be valid. `unchecked` says to take any answer.

    `codec` gives the codec that knows the rules, `version` its version's number: users change both under way.
    """

    is_graded = False
    messages = _MESSAGES  # knows no direction: a ChargePoint is either side

    def __init__(self, codec: Callable[[], Codec[Any]], version: Callable[[], str]) -> None:
        self._codec = codec
        self._version = version
        self.message: Any = None
        self.checked = False
        self.unchecked = False

    @property
    def version(self) -> str:
        return self._version()

    def sent_by(self, role: str) -> Mapping[Any, type[Response]]:
        return _TAKEN

    def knows(self, kind: int) -> bool:
        """Whether the version has this type of message."""
        check = check_of(self._version())
        return check is not None and kind in check.message_types

    def decode(self, data: Any, pending: Mapping[Any, str] | None = None) -> Any:
        """A frame that `read_call` does not read; OcppError if it is none, or if it answers a CALL of ours with what is invalid."""
        try:
            message = message_of(parse(data))
            id, kind = message.unique_id, message.message_type_id
            if id.__class__ not in ATOMS:
                raise TypeError("a message id is text, or a number")
            if not self.knows(kind):
                raise TypeError(f"OCPP {self.version} has no message type {kind}")
            if kind == MessageType.Call or (kind == MessageType.Send and message.action.__class__ is not str):
                raise TypeError("an action is text")
        except Exception:
            self._codec().validate(data, pending)  # which says what is wrong, and what the answer is
            raise
        self.message = message
        if kind == MessageType.CallResult:
            self.checked = pending is not None and id in pending and id.__class__ is str and not self.unchecked
            if self.checked and pending is not None:
                self._require_valid(data, id, pending[id])
            return CallResult(id, _RESULT)
        if kind == MessageType.Send:
            return Send(id, _SENT)
        return (CallError if kind == MessageType.CallError else CallResultError)(id, message.error_code)

    def _require_valid(self, data: Any, id: str, action: str) -> None:
        codec = self._codec()
        try:
            codec.validate(data, {id: action})
        except OcppError as error:
            if not error.kind.startswith("message_id"):
                raise
            try:
                require_valid(codec, MessageType.CallResult, action, encode(self.message.payload))
            except OcppError as fault:
                fault.message_id = id
                raise fault from None

    def encode(self, frame: Any) -> str:
        """The text of a frame."""
        cls = frame.__class__
        if cls is Call or cls is Send:
            kind = MessageType.Call if cls is Call else MessageType.Send
            return f"[{kind},{encode_id(frame.id)},{encode_id(frame.payload.action)},{frame.payload.text}]"
        kind = MessageType.CallError if cls is CallError else MessageType.CallResultError
        return encode([kind, frame.id, frame.code, frame.description, frame.details])


class PlainSession(Session):
    """A Session for CALLs and answers that need none of its codec: the ones are read already, the others are checked text."""

    __slots__ = ()

    def take(self, call: PlainCall) -> Refused | None:
        """As `receive`, of a CALL: None when it is open from now on."""
        id: Any = call.unique_id
        frame: Any = Call
        event = self._take(frame(id, call))
        return event if isinstance(event, Refused) else None

    def settle(self, id: Any) -> None:
        """A CALL needs no `reply`: its answer is on its way, or never comes."""
        if self._open and id.__class__ in ATOMS:  # a list or an object as id was never taken
            self._open.pop(id, None)
