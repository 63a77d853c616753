"""The ChargePoint: one connection, handlers by action, calls that wait for their answers; for either side of OCPP.

The underscore names that users of the peer override are seams here too: `_connection`, `_send`, `_handle_call`, `_get_specific_response`,
`_call_lock`, `_unique_id_generator`, `_response_queue`, `_response_timeout`, `_call`, `_call_result`, `_ocpp_version`, and `route_map`.

Beneath them stands a Session: it knows which CALLs are open in either direction, has one of ours outstanding at a time and matches answers by id.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import sys
import time
import typing
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import asdict, fields, is_dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import msgspec

from ..._codec import Codec
from ..._codes import own_answer
from ..._errors import OcppError
from ..._frames import Call as CallFrame
from ..._payloads import Request, Response, SendPayload
from ..._session import Invalid, Refused, Unmatched
from ._answers import Responses, result_of
from ._check import check_of
from ._handlers import Handler, handler_of
from ._names import ATOMS, CAMEL, SNAKE, keywords, renamed, without_nones
from ._plain import PlainCall, PlainCodec, PlainRequest, PlainSend, PlainSession, read_call
from .exceptions import (
    InternalError,
    NotImplementedError,
    NotSupportedError,
    OCPPError,
    PropertyConstraintViolationError,
    ProtocolError,
    TypeConstraintViolationError,
)
from .messages import (
    Call,
    CallError,
    CallResult,
    CallResultError,
    MessageType,
    Send,
    check,
    codec_of,
    encode,
    exception_of,
    require_valid,
    result_text,
)
from .routing import create_route_map

__all__ = [
    "LOGGER",
    "ChargePoint",
    "asdict",
    "camel_to_snake_case",
    "extract_charge_point_id",
    "remove_nones",
    "serialize_as_dict",
    "snake_to_camel_case",
]

LOGGER = logging.getLogger("ocpp")

# As Any, so that type checkers take what follows a check for data.
_TYPED: Any = (Request, Response, SendPayload)
_MAPPING: Any = (dict, Mapping)
_NOBODY = object()
_LONGEST = 1e9  # seconds: to a Session no wait is endless

# Set while a CALL is handled in a task of its own: resolving it lets the reader go on.
_reader: contextvars.ContextVar[asyncio.Future[None] | None] = contextvars.ContextVar("reader", default=None)


def camel_to_snake_case(data: Any) -> Any:
    """A copy with every key by the name that handlers get it by."""
    return renamed(data, SNAKE)


def snake_to_camel_case(data: Any) -> Any:
    """A copy with every key by the wire name, as far as a rule can tell; a ChargePoint knows the schema's own spelling too."""
    return renamed(data, CAMEL)


def remove_nones(data: Any) -> Any:
    """A copy of dicts and lists without their Nones."""
    return without_nones(data)


def serialize_as_dict(dataclass: Any) -> dict[str, Any]:
    """A dataclass as a dict, with all that it holds."""
    return asdict(dataclass)


def extract_charge_point_id(path: str | None) -> str | None:
    """The last part of a WebSocket's path, decoded as it stands; None where there is none."""
    last = urlsplit(path or "").path.rstrip("/").rpartition("/")[2].strip()
    return last or None


def _checked_call(codec: Codec[Any], msg: Call | PlainCall, raw_msg: Any) -> Any:
    """Raise what answers an invalid CALL; else the text of the message, or None where it is that of its payload alone."""
    if raw_msg is not None:
        try:
            codec.validate(raw_msg)
            return raw_msg
        except OcppError as error:
            if not error.kind.startswith("message_id"):
                raise exception_of(error) from error
    check(codec, MessageType.Call, msg.action, encode(msg.payload))
    return None


def _resolve(free: asyncio.Future[None] | None) -> None:
    if free is not None and not free.done():
        free.set_result(None)


@cache
def _plan(cls: type) -> tuple[tuple[str, str], ...] | None:
    """Attribute and wire name of each field of a dataclass; None for any other class."""
    return tuple((field.name, CAMEL[field.name]) for field in fields(cls)) if is_dataclass(cls) else None


def _outgoing(value: Any) -> Any:
    """Dataclasses, dicts and lists as a payload by wire names, without Nones."""
    cls = value.__class__
    if cls in ATOMS:
        return value
    plan = _plan(cls)
    if plan is not None:
        out: dict[str, Any] = {}
        for name, wire in plan:
            item = getattr(value, name)
            if item is not None:
                out[wire] = item if item.__class__ in ATOMS else _outgoing(item)
        return out
    if isinstance(value, _MAPPING):
        return {CAMEL[key]: _outgoing(item) for key, item in value.items() if item is not None}
    if cls is list or cls is tuple:
        return [_outgoing(item) for item in value if item is not None]
    return value


class ChargePoint:
    """One connection. Subclasses of a version know its messages; users subclass these and decorate methods with `on` and `after`.

    `connection` has `async recv()` and `async send(str)`. `response_timeout` is how many seconds an answer may take.
    """

    _call: Any = None
    _call_result: Any = None
    _ocpp_version: str

    def __init__(self, id: Any, connection: Any, response_timeout: float = 30, logger: Any = LOGGER) -> None:
        self.id = id
        self.logger = logger
        self.route_map: Any = create_route_map(self)
        self._connection = connection
        self._response_timeout = response_timeout
        self._call_lock = asyncio.Lock()
        self._response_queue: Any = Responses()
        self._unique_id_generator: Callable[[], Any] = uuid.uuid4
        self._tasks: set[asyncio.Task[Any]] = set()
        self._plain = PlainCodec(lambda: self._codec, lambda: self._ocpp_version)
        self._session = PlainSession(typing.cast("Codec[Any]", self._plain), "csms", new_id=lambda: self._next_id)
        self._next_id: Any = None  # of the message that the session is about to make
        self._outstanding: Any = _NOBODY  # the id of our CALL that waits for its answer
        self._answered: Any = None  # the last answer to a CALL of ours that came, and is valid therefore
        self._line: asyncio.Future[None] | None = None  # who waits for the session to have no CALL outstanding

    @property
    def _codec(self) -> Codec[Any]:
        """The codec that reads and writes: override it with one that knows more, or tolerates more."""
        return codec_of(self._ocpp_version)

    # What comes in

    async def start(self) -> None:
        """Take messages until the connection raises, which is left to the caller."""
        while True:
            message = await self._connection.recv()
            self.logger.info("%s: receive message %s", self.id, message)
            await self.route_message(message)

    async def route_message(self, raw_msg: Any) -> None:
        """Take one message: handle a CALL or SEND, hand an answer to who waits for it. No message makes this raise.

        It returns when a CALL is answered, or when its handler waits for the other side: that one's answer must be read.
        """
        try:
            msg = read_call(raw_msg)
        except Exception:
            await self._receive(raw_msg)
            return
        refused = self._session.take(msg)
        if refused is not None:
            self.logger.warning("%s: %s is refused: %s", self.id, msg, refused.why)
            await self._flush()
            return
        handling = self._handle_call
        if getattr(handling, "__func__", None) is not ChargePoint._handle_call:
            await self._in_task(self._overridden(msg.message()))
            return
        try:
            await self._process(msg, raw_msg)
        except Exception as error:
            await self._refuse_for(msg, error)

    async def _receive(self, raw_msg: Any) -> None:
        """Take what is no CALL, or a broken one."""
        try:
            event: Any = self._session.receive(raw_msg, time.monotonic())[0]
        except Exception as error:
            self.logger.warning("%s: a message that is none: %s", self.id, error)
            return
        msg = self._plain.message
        if isinstance(event, Invalid):
            self.logger.warning("%s: a message that is none: %s", self.id, event.error)
            if event.id is not None:
                self._end_of_call(None)
                self._response_queue.fail(event.id, exception_of(event.error))
        elif isinstance(event, Refused):
            self.logger.warning("%s: %s is refused: %s", self.id, msg, event.why)
        elif isinstance(event, Unmatched):
            self.logger.warning("%s: no call of ours waits for this answer: %s", self.id, msg)
            self._free_line()
            self._response_queue.put_nowait(msg)
        elif msg.message_type_id in (MessageType.CallResult, MessageType.CallError):
            self._end_of_call(msg if self._plain.checked else None)
            self._response_queue.put_nowait(msg)
        elif msg.message_type_id == MessageType.Send:
            await self._in_task(self._handle_send(msg))
        else:
            self.logger.warning("%s: our answer was refused: %s", self.id, msg)
        await self._flush()

    async def _flush(self) -> None:
        """Send what the session wants sent."""
        for message in self._session.data_to_send():
            await self._send(typing.cast("str", message))

    async def _in_task(self, handling: Coroutine[Any, Any, Any]) -> Any:
        """Run to the end, or to the first call() within. What it returned in the former case."""
        loop = asyncio.get_running_loop()
        free: asyncio.Future[None] = loop.create_future()
        context = contextvars.copy_context()
        context.run(_reader.set, free)
        task: asyncio.Task[Any]
        if sys.version_info >= (3, 12):
            task = asyncio.Task(handling, loop=loop, context=context, eager_start=True)
            if task.done():
                return task.result()
        else:
            task = loop.create_task(handling, context=context)
        self._tasks.add(task)
        task.add_done_callback(lambda _: _resolve(free))
        task.add_done_callback(self._tasks.discard)
        try:
            await free
        except asyncio.CancelledError:
            task.cancel()
            raise
        return task.result() if task.done() else None

    async def _answer(self, msg: Call | PlainCall, handling: Awaitable[Any]) -> Any:
        """Handle a CALL and answer it, whatever its handling raises."""
        try:
            return await handling
        except Exception as error:
            await self._refuse_for(msg, error)
        return None

    async def _refuse_for(self, msg: Call | PlainCall, error: Exception) -> None:
        """Answer a CALL with what its handling has raised, if it is not that the connection has broken."""
        if isinstance(error, OCPPError):
            self.logger.warning("%s: %s is refused: %s", self.id, msg, error)
        elif isinstance(error, ConnectionError):
            raise error
        else:
            self.logger.error("%s: error while handling %s", self.id, msg, exc_info=error)
        await self._refuse(msg, error)

    async def _overridden(self, msg: Call) -> None:
        """Handle a CALL by what a user has put in the place of `_handle_call`."""
        try:
            await self._answer(msg, self._handle_call(msg))
        finally:  # even if it was answered by `_send` alone, or not at all
            self._session.settle(msg.unique_id)

    async def _refuse(self, msg: Call | PlainCall, error: Exception) -> None:
        id: Any = msg.unique_id
        refusal = Call(id, msg.action, msg.payload).create_call_error(error)
        self._session.settle(id)
        await self._send(refusal.to_json())

    async def _handle_call(self, msg: Call) -> Any:
        """Check the CALL, run its handlers, send the answer. Returns the CallResult, or None where a handler raised.

        Raises the OCPPError that answers a CALL that is invalid or has no handler.
        """
        payload = await self._process(msg, None)
        return None if payload is None else CallResult(msg.unique_id, payload, msg.action)

    async def _process(self, msg: Call | PlainCall, raw_msg: Any) -> Any:
        handlers = self._handlers(msg)
        codec = None if handlers.get("_skip_schema_validation", False) else self._codec
        text = None if codec is None else _checked_call(codec, msg, raw_msg)
        arguments = self._arguments(msg)
        handler = handlers["_on_action"]
        try:
            wants = handler_of(handler)
            answer = handler(**arguments) if wants.is_plain else self._run(handler, wants, msg, arguments, text)
        except Exception as error:
            return await self._failed(msg, error)
        if hasattr(answer, "__await__"):
            later = self._later(answer, msg, handlers, arguments, text, codec)
            if raw_msg is None or not wants.awaits:  # in a task already, or without need of one
                return await later
            return await self._in_task(self._answer(msg, later))
        payload, message = self._answer_of(answer, msg, text, codec)
        self._session.settle(msg.unique_id)
        await self._send(message)
        if "_after_action" in handlers:
            self._start_hook(msg, handlers, arguments, text, payload)
        return payload

    async def _later(
        self,
        answer: Any,
        msg: Call | PlainCall,
        handlers: Any,
        arguments: dict[str, Any],
        text: Any,
        codec: Codec[Any] | None,
    ) -> Any:
        """As the rest of `_process`, when what the handler answers has come."""
        try:
            answer = await answer
        except asyncio.CancelledError:
            self._session.settle(msg.unique_id)
            raise
        except Exception as error:
            return await self._failed(msg, error)
        payload, message = self._answer_of(answer, msg, text, codec)
        self._session.settle(msg.unique_id)
        await self._send(message)
        if "_after_action" in handlers:
            self._start_hook(msg, handlers, arguments, text, payload)
        return payload

    async def _failed(self, msg: Call | PlainCall, error: Exception) -> None:
        self.logger.error("%s: error while handling request '%s'", self.id, msg, exc_info=error)
        await self._refuse(msg, error)

    def _handlers(self, msg: Call | PlainCall) -> Any:
        """The handlers of the message's action."""
        try:
            handlers = self.route_map[msg.action]
            handlers["_on_action"]
        except (KeyError, TypeError):
            raise self._unhandled(msg.action) from None
        return handlers

    def _unhandled(self, action: Any) -> OCPPError:
        """What answers a CALL without a handler."""
        if not isinstance(action, str):
            return ProtocolError("the action is no text")
        if action in self._codec.messages:
            return NotSupportedError(own_answer("no_handler", self._ocpp_version)[1])
        return NotImplementedError(f"OCPP {self._ocpp_version} has no such action")

    def _arguments(self, msg: Call | PlainCall) -> dict[str, Any]:
        """The keyword arguments of the handlers."""
        known = check_of(self._ocpp_version)
        payload = msg.payload
        if known is not None and msg.action in known.stepped_calls:
            payload = msg.payload = known.as_peer_hands_on(MessageType.Call, msg.action, payload)
        if payload.__class__ is not dict:
            raise TypeConstraintViolationError("the payload is no object")
        return keywords(payload) if payload else payload

    def _run(self, handler: Any, wants: Handler, msg: Call | PlainCall, arguments: dict[str, Any], text: Any) -> Any:
        """What the handler returns, with the arguments that it wants."""
        if wants.is_typed:
            return handler(self._typed(msg, text))
        if wants.wants_id:
            return handler(**arguments, call_unique_id=msg.unique_id)
        return handler(**arguments)

    def _typed(self, msg: Call | PlainCall, text: Any) -> Any:
        """The message's payload as ocppcore's own type."""
        if text is None:
            return self._payload(msg.payload, msg.action, "send" if isinstance(msg, Send) else "request")
        return self._fits(self._codec.decode(text).payload)

    def _payload(self, payload: Any, action: str, kind: typing.Literal["request", "response", "send"]) -> Any:
        try:
            return self._fits(self._codec.decode_payload(encode(payload), action, kind))
        except OcppError as error:
            raise exception_of(error) from error

    def _fits(self, payload: Any) -> Any:
        """The payload, unless it is one that no type can hold and the codec has let pass."""
        if not isinstance(payload, _TYPED):
            raise PropertyConstraintViolationError("a date-time that is none")
        return payload

    def _answer_of(self, answer: Any, msg: Call | PlainCall, text: Any, codec: Codec[Any] | None) -> tuple[Any, str]:
        """A handler's answer as a payload, and the message that bears it; `text` is the CALL's if its id is in order.

        Raises InternalError where it is no answer, and says why in the log.
        """
        id: Any = msg.unique_id
        payload: Any = {} if answer is None else _outgoing(answer)
        if payload.__class__ is not dict:
            payload, told = self._typed_answer(answer, msg.action)
            return payload, result_text(id, told)
        message = encode((MessageType.CallResult, id, payload))
        try:
            if text is not None and codec is not None:
                codec.validate(message, {id: msg.action})
                return payload, message
        except OcppError:  # what is wrong, and whether it can be mended, comes to light below
            pass
        try:
            payload, told = self._checked(MessageType.CallResult, msg.action, payload, codec)
        except OCPPError as error:
            self.logger.error("%s: the handler of %s answers with what is invalid: %s", self.id, msg.action, error)
            raise InternalError from error
        return payload, result_text(id, told)

    def _typed_answer(self, answer: Any, action: str) -> tuple[Any, str]:
        """As `_answer_of`, for what should be ocppcore's own response."""
        if not isinstance(answer, Response):
            self.logger.error(
                "%s: the handler of %s returns %r; return an object of call_result", self.id, action, answer
            )
            raise InternalError
        if answer.__action__ != action:
            self.logger.error("%s: the handler of %s returns a %s", self.id, action, type(answer).__name__)
            raise InternalError
        try:
            text = self._codec.encode_payload(answer).decode()
        except OcppError as error:
            self.logger.error("%s: the handler of %s answers with %s", self.id, action, error)
            raise InternalError from error
        return msgspec.json.decode(text), text

    def _checked(self, kind: int, action: str, payload: Any, codec: Codec[Any] | None) -> tuple[Any, str]:
        """An outgoing payload and its text, checked unless there is no codec, its names mended where the peer's rule cannot write them."""
        text = encode(payload)
        if codec is None:
            return payload, text
        try:
            require_valid(codec, kind, action, text)
        except OcppError as error:
            known = check_of(self._ocpp_version)
            mended = payload if known is None else known.mended(kind, action, payload)
            if mended == payload:
                raise exception_of(error) from error
            text = encode(mended)
            check(codec, kind, action, text)
            return mended, text
        return payload, text

    def _start_hook(
        self, msg: Call | PlainCall, handlers: Any, arguments: dict[str, Any], text: Any, answer: Any
    ) -> None:
        """Run the after-handler; what it raises is logged."""
        hook = handlers["_after_action"]
        if handlers.get("_inject_response", False):
            arguments = {**arguments, "call_response": keywords(answer)}
        try:
            running = self._run(hook, handler_of(hook), msg, arguments, text)
        except Exception:
            self.logger.exception("%s: error after %s", self.id, msg)
            return
        if inspect.isawaitable(running):
            task = asyncio.ensure_future(self._logged(running, msg))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _logged(self, running: Any, msg: Call | PlainCall) -> None:
        try:
            await running
        except Exception:
            self.logger.exception("%s: error after %s", self.id, msg)

    async def _handle_send(self, msg: Send) -> None:
        """A SEND has handlers as a CALL has, and no answer."""
        try:
            handlers = self._handlers(msg)
            if not handlers.get("_skip_schema_validation", False):
                check(self._codec, MessageType.Send, msg.action, encode(msg.payload))
            arguments = self._arguments(msg)
            handler = handlers["_on_action"]
            running = self._run(handler, handler_of(handler), msg, arguments, None)
            if inspect.isawaitable(running):
                await running
        except Exception:
            self.logger.exception("%s: error while handling %s, which nobody answers", self.id, msg)

    # What goes out

    async def call(
        self, payload: Any, suppress: bool = True, unique_id: Any = None, skip_schema_validation: bool = False
    ) -> Any:
        """Send a request and return its answer: a dataclass of `call_result`, or ocppcore's response for ocppcore's request.

        A CALLERROR gives None, or is raised if not `suppress`. Raises the OCPPError of an invalid request before it is sent, and
        TimeoutError when no answer has come within `response_timeout`. What nobody answers (a SEND of 2.1) is sent, and None returned.
        """
        typed = isinstance(payload, _TYPED)
        action = payload.__action__ if typed else type(payload).__name__
        unique_id = str(self._unique_id_generator()) if unique_id is None else unique_id
        known = check_of(self._ocpp_version)
        sends = known is not None and known.is_send(action)
        call: Call = (Send if sends else Call)(unique_id, action, {})
        if typed:
            try:
                text = self._codec.encode_payload(payload).decode()
            except OcppError as error:
                raise exception_of(error) from error
        else:
            codec = None if skip_schema_validation else self._codec
            call.payload, text = self._checked(call.message_type_id, action, _outgoing(payload), codec)
        if sends:
            self._next_id = unique_id
            self._session.send(PlainSend(action, text))
            await self._flush()
            return None
        _resolve(_reader.get())
        async with self._call_lock:
            response = await self._ask(PlainRequest(action, text), unique_id, skip_schema_validation)
        if isinstance(response, CallError):
            self.logger.warning("%s: received %s", self.id, response)
            if suppress:
                return None
            raise response.to_exception()
        response.action = action
        if (
            response is not self._answered and not skip_schema_validation
        ):  # its id is a number, or it came by another way
            try:
                check(self._codec, MessageType.CallResult, action, encode(response.payload))
            except OCPPError as error:
                await self._refuse_answer(unique_id, error)
                raise
        if typed:
            return self._payload(response.payload, action, "response")
        name = type(payload).__name__
        return result_of(
            getattr(self._call_result, name), response.payload, {} if known is None else known.nested(name)
        )

    async def _refuse_answer(self, unique_id: Any, error: OCPPError) -> None:
        """Answer an invalid answer to a CALL with a number as id, where the version knows how (2.1 FR.06); the session does it for text."""
        known = check_of(self._ocpp_version)
        if unique_id.__class__ is not str and known is not None and MessageType.CallResultError in known.message_types:
            await self._send(CallResultError(unique_id, error.code, error.description, {}).to_json())

    async def _ask(self, payload: PlainRequest, unique_id: Any, unchecked: bool) -> Any:
        """Send a CALL when none of ours is outstanding, and wait for its answer."""
        while (deadline := self._session.deadline) is not None:
            await self._line_is_free(deadline)
        self._next_id, self._outstanding, self._plain.unchecked = unique_id, unique_id, unchecked
        self._session.call(payload, time.monotonic(), timeout=min(max(self._response_timeout, 0), _LONGEST))
        try:
            await self._flush()
            return await self._get_specific_response(unique_id, self._response_timeout)
        except TimeoutError as error:
            frame = self._plain.encode(CallFrame(unique_id, payload))
            raise TimeoutError(f"Waited {self._response_timeout}s for response on {frame}.") from error
        except asyncio.CancelledError:
            if self._outstanding == unique_id:  # the other side owes an answer still, and is asked nothing else before
                self._outstanding = _NOBODY
                self._session.cancel(unique_id, time.monotonic())
            raise
        finally:
            if self._outstanding == unique_id:  # its time is up, or the answer came by another way than the session's
                self._session.expire(self._session.deadline or 0.0)
                self._end_of_call(None)

    def _end_of_call(self, answer: Any) -> None:
        """The session has our CALL no longer outstanding."""
        self._outstanding, self._answered = _NOBODY, answer
        self._free_line()

    async def _line_is_free(self, deadline: float) -> None:
        """Wait until a CALL that was given up is answered, or overdue."""
        waiter = self._line
        if waiter is None:
            waiter = self._line = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await asyncio.shield(waiter)
        except TimeoutError:
            self._session.expire(deadline)
            self._free_line()

    def _free_line(self) -> None:
        if self._line is not None and self._session.deadline is None:
            _resolve(self._line)
            self._line = None

    async def _get_specific_response(self, unique_id: Any, timeout: float) -> Any:
        """The CallResult or CallError with this id; TimeoutError when it does not come in time."""
        return await self._response_queue.of(unique_id, timeout)

    async def _send(self, message: str) -> None:
        self.logger.info("%s: send %s", self.id, message)
        await self._connection.send(message)
