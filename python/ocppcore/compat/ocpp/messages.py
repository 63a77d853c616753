"""The messages of OCPP-J as plain objects, payloads as dicts; reading, writing and validating them.

Reading is strict where the peer let things pass that no other stack understands (an element too many, NaN) and lenient about message ids:
a number is taken and given back as it came. Validation is ocppcore's, save that date-times and URIs are taken as they are.
"""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass
from decimal import Decimal
from functools import cache
from json.encoder import encode_basestring_ascii
from typing import Any

import msgspec

from ... import _versions
from ..._codec import Codec
from ..._errors import OcppError
from ..._policy import Policy
from . import exceptions
from .exceptions import (
    FormatViolationError,
    GenericError,
    InternalError,
    OCPPError,
    PropertyConstraintViolationError,
    ProtocolError,
    UnknownCallErrorCodeError,
    ValidationError,
)

ASYNC_VALIDATION = False
"""There for who sets it; validation takes microseconds here and never starts a thread."""

# What the peer never checks, and what its users therefore get and send: local times, times without a zone.
LENIENT = Policy([{"rule": "format", "verdict": "ignore", "reason": "the peer never checked them"}])

_ID = "1"
parse = msgspec.json.Decoder().decode
"""A text or buffer as plain data."""


class MessageType:
    """The numbers of the message types."""

    Call = 2
    CallResult = 3
    CallError = 4
    CallResultError = 5
    Send = 6


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):  # msgspec knows it
        return float(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Exception):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be sent: give text, numbers, lists, dicts or dataclasses of them")


_fast = msgspec.json.Encoder(decimal_format="number", enc_hook=_plain).encode
_ascii = json.JSONEncoder(separators=(",", ":"), allow_nan=False, default=_plain).encode


def encode(value: Any) -> str:
    """Any value as JSON: compact, in ASCII."""
    try:
        data = _fast(value)
    except OverflowError:  # an integer beyond 64 bits
        return _ascii(value)
    return data.decode() if data.isascii() else _ascii(msgspec.json.decode(data))


def encode_id(value: Any) -> str:
    """As `encode`, for what is text most of the time."""
    return encode_basestring_ascii(value) if value.__class__ is str else encode(value)


def result_text(unique_id: Any, text: str) -> str:
    """The text of a CALLRESULT whose payload has this text."""
    return f"[{MessageType.CallResult},{encode_id(unique_id)},{text}]"


class _Message:
    message_type_id: int
    unique_id: Any

    def _parts(self) -> list[Any]:
        raise NotImplementedError

    def to_json(self) -> str:
        """The message's text."""
        return encode([self.message_type_id, self.unique_id, *self._parts()])

    def __repr__(self) -> str:
        told = ", ".join(f"{name}={value}" for name, value in vars(self).items())
        return f"<{type(self).__name__} - {told}>"


class Call(_Message):
    """A request. The payload is a dict by wire names; of a dataclass the fields are taken as they are."""

    message_type_id = MessageType.Call

    def __init__(self, unique_id: Any, action: Any, payload: Any) -> None:
        self.unique_id = unique_id
        self.action = action
        self.payload: Any = payload
        if payload.__class__ is not dict and is_dataclass(payload) and not isinstance(payload, type):
            self.payload = asdict(payload)

    def _parts(self) -> list[Any]:
        return [self.action, self.payload]

    def create_call_result(self, payload: Any) -> CallResult:
        """The answer."""
        return CallResult(self.unique_id, payload, self.action)

    def create_call_error(self, exception: BaseException) -> CallError:
        """The refusal for an exception; what is no OCPPError is an internal error, of which the peer is told nothing."""
        if isinstance(exception, OCPPError):
            return CallError(self.unique_id, exception.code, exception.description, exception.details)
        return CallError(self.unique_id, InternalError.code, InternalError.default_description, {})


class CallResult(_Message):
    """An answer. The wire names no action; validation needs it."""

    message_type_id = MessageType.CallResult

    def __init__(self, unique_id: Any, payload: Any, action: Any = None) -> None:
        self.unique_id = unique_id
        self.payload = payload
        self.action = action

    def _parts(self) -> list[Any]:
        return [self.payload]

    def __repr__(self) -> str:
        return f"<CallResult - unique_id={self.unique_id}, action={self.action}, payload={self.payload}>"


class CallError(_Message):
    """A refusal of a request."""

    message_type_id = MessageType.CallError

    def __init__(self, unique_id: Any, error_code: Any, error_description: Any, error_details: Any = None) -> None:
        self.unique_id = unique_id
        self.error_code = error_code
        self.error_description = error_description
        self.error_details = error_details

    def _parts(self) -> list[Any]:
        return [self.error_code, self.error_description, self.error_details]

    def to_exception(self) -> OCPPError:
        """The exception for the code; UnknownCallErrorCodeError where OCPP defines none."""
        cls = _by_code().get(self.error_code)
        if cls is None:
            raise UnknownCallErrorCodeError(f"OCPP does not define the error code '{self.error_code}'")
        return cls(self.error_description, self.error_details)


class CallResultError(CallError):
    """A refusal of an answer, 2.1 only."""

    message_type_id = MessageType.CallResultError


class Send(Call):
    """A message that nobody answers, 2.1 only."""

    message_type_id = MessageType.Send


_CLASSES: dict[Any, type[_Message]] = {
    cls.message_type_id: cls for cls in (Call, CallResult, CallError, CallResultError, Send)
}
_LENGTHS: dict[type[_Message], tuple[int, ...]] = {
    Call: (4,),
    CallResult: (3,),
    CallError: (4, 5),
    CallResultError: (4, 5),
    Send: (4,),
}


@cache
def _by_code() -> dict[str, type[OCPPError]]:
    classes: list[Any] = [value for value in vars(exceptions).values() if isinstance(value, type)]
    return {cls.code: cls for cls in classes if hasattr(cls, "code")}


def unpack(msg: Any) -> Any:
    """The message in a text or buffer. Raises FormatViolationError, ProtocolError or PropertyConstraintViolationError, whatever the data."""
    try:
        frame = parse(msg)
    except Exception as error:
        raise FormatViolationError(details={"cause": f"no valid JSON: {error}"}) from error
    return message_of(frame)


def message_of(frame: Any) -> Any:
    """The message in what was parsed. Raises ProtocolError or PropertyConstraintViolationError."""
    if frame.__class__ is not list or not frame:
        raise ProtocolError(details={"cause": "a message is a list that begins with its type"})
    cls = _CLASSES.get(frame[0]) if frame[0].__class__ is int else None
    if cls is None:
        raise PropertyConstraintViolationError(details={"cause": "no known message type"})
    if len(frame) not in _LENGTHS[cls]:
        raise ProtocolError(details={"cause": f"a {cls.__name__} has {_LENGTHS[cls][-1]} elements"})
    return cls(*frame[1:])


def pack(msg: _Message) -> str:
    """The message's text."""
    return msg.to_json()


@cache
def codec_of(number: str) -> Codec[Any]:
    """The codec that reads and writes for "1.6", "2.0.1" or "2.1". ValueError for another version."""
    for version in _versions.VERSIONS:
        if version.number == number:
            return Codec(version.subprotocol).extend(policy=LENIENT)
    raise ValueError(
        f"there is no OCPP {number!r} here: use one of {[version.number for version in _versions.VERSIONS]}"
    )


async def validate_payload(message: Call | CallResult, ocpp_version: str) -> None:
    """Check the payload against its schema, at once. Raises the OCPPError that answers the fault."""
    _validate_payload(message, ocpp_version)


def _validate_payload(message: Call | CallResult, ocpp_version: str) -> None:
    if type(message) not in (Call, CallResult, Send):
        raise ValidationError(f"a Call or a CallResult can be validated, not {type(message).__name__}")
    check(codec_of(ocpp_version), message.message_type_id, message.action, encode(message.payload))


def check(codec: Codec[Any], kind: int, action: Any, text: str) -> None:
    """Check the text of a payload; raises the OCPPError that answers the fault. The id is nobody's business here."""
    try:
        require_valid(codec, kind, action, text)
    except OcppError as error:
        raise exception_of(error) from error


def require_valid(codec: Codec[Any], kind: int, action: Any, text: str) -> None:
    """As `check`; raises what the codec has found, as it stands."""
    if kind == MessageType.CallResult:
        codec.validate(f'[3,"{_ID}",{text}]', {_ID: action})
    else:
        codec.validate(f'[{kind},"{_ID}",{encode_id(action)},{text}]')


def exception_of(error: OcppError) -> OCPPError:
    """The exception of this package for what the codec has found."""
    cls = _by_code().get(error.code, GenericError)
    answer = error.reply()
    return cls(answer.description if answer is not None else str(error), {})
