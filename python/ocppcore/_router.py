"""From a typed request to its handler and back: the last step in, the first step out.

    router = Router()

    @router.on
    async def boot(context: Context[Any], request: v201.BootNotificationRequest) -> v201.BootNotificationResponse:
        ...

A router holds handlers and nothing of a conversation: one serves any number of connections, of all versions at once. It does no I/O
and starts no task: a handler that has to wait leaves a coroutine, which belongs to whoever called `handle`.
"""

from __future__ import annotations

import inspect
import logging
import types
import typing
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Generic, NamedTuple, Protocol, TypeVar, cast, overload

import msgspec

from ._codes import canonical_code, known_codes
from ._errors import EncodeError
from ._frames import Call, CallError, Send, UntypedPayload, own_error
from ._payloads import Payload, Request, Response, SendPayload
from ._session import SessionClosed
from ._versions import VERSIONS

if TYPE_CHECKING:
    from ._codec import Codec
    from ._session import Session

ResponseT = TypeVar("ResponseT", bound=Response)
HandlerT = TypeVar("HandlerT", bound=Callable[..., Any])
ConnectionT = TypeVar("ConnectionT", bound="Connection")

Routed = Call[Any] | Send[Any]
"""What a router takes: the frames that bring something to do."""

MAX_DESCRIPTION = 255
_STANDARD = frozenset(f"{__package__}.{version.module}.messages" for version in VERSIONS)
_log = logging.getLogger("ocppcore.router")


class Connection(Protocol):
    """What a context needs of whoever owns the connection; `ocppcore.aio.Endpoint` is one."""

    @property
    def codec(self) -> Codec[Any]:
        """The codec of the version that was negotiated."""
        ...

    def call(self, payload: Request[ResponseT], /, *, timeout: float | None = None) -> Awaitable[ResponseT]:
        """Sends a CALL and gives its answer."""
        ...

    def reply(self, id: str, payload: Response | CallError, /) -> None:
        """Answers the peer's CALL `id`."""
        ...


class Deferred:
    """The type of DEFERRED."""

    def __repr__(self) -> str:
        return "DEFERRED"


DEFERRED: Final = Deferred()
"""What a handler returns whose answer comes later, by `context.reply(...)`."""


class RefuseCall(Exception):
    """Raised by a handler to answer with a CALLERROR: `code` in any version's spelling, at most 255 characters of `description`.

    `details` is a JSON object for the peer. ValueError for a code that no version defines (OCPP-J 1.6 §4.2.3, 2.x Part 4 §4.3).
    """

    def __init__(self, code: str, description: str = "", details: Mapping[str, Any] | None = None) -> None:
        if code not in known_codes():
            raise ValueError(f"{code!r} is no error code of OCPP; take one of {', '.join(sorted(known_codes()))}")
        super().__init__(code, description)
        self.code = canonical_code(code)
        self.description = description[:MAX_DESCRIPTION]
        self.details = dict(details or {})


class Context(msgspec.Struct, Generic[ConnectionT], eq=False):
    """What a handler may know of the message at hand beside its payload.

    `connection` is where it came from and `identity` who is at its other end; `frame` is the Call or Send, `data` the message as it
    came, None if the caller did not keep it.
    """

    connection: ConnectionT
    identity: str
    frame: Routed
    data: str | bytes | bytearray | memoryview | None = None

    @property
    def id(self) -> str:
        """The message id."""
        return self.frame.id

    @property
    def action(self) -> str:
        """The action, "BootNotification" say."""
        return self.frame.action

    @property
    def subprotocol(self) -> str:
        """The WebSocket subprotocol of the connection, "ocpp2.0.1" say."""
        return self.connection.codec.subprotocol

    def call(self, payload: Request[ResponseT], *, timeout: float | None = None) -> Awaitable[ResponseT]:
        """Calls back on the same connection, while this handler and others run."""
        return self.connection.call(payload, timeout=timeout)

    def reply(self, payload: Response | CallError) -> None:
        """Gives the answer that this handler's DEFERRED has promised; raises what `Session.reply` raises."""
        self.connection.reply(self.frame.id, payload)

    def __repr__(self) -> str:
        return f"Context(identity={self.identity!r}, id={self.id!r}, action={self.action!r})"


Answer = Response | CallError | None
"""What goes back: a CALLRESULT's payload, a CALLERROR, or nothing, for a SEND and for what is deferred."""

Proceed = Callable[[Context[Any], Any], Awaitable[Any]]
Middleware = Callable[[Context[Any], Any, Proceed], Awaitable[Any]]
Handler = Callable[..., Any]


class HandlerFault(NamedTuple):
    """A mistake of a handler, for its author: `message` says what to change, `error` is what it raised, if it did.

    The peer has got an InternalError without any of this.
    """

    handler: Handler
    frame: Routed
    identity: str
    message: str
    error: Exception | None


def log_fault(fault: HandlerFault) -> None:
    """Writes a handler's fault to the logger `ocppcore.router`, with the traceback of what it raised."""
    _log.error("%s: %s", fault.identity, fault.message, exc_info=fault.error)


class _Entry:
    """A handler as it is run: with the middleware around it, with or without the context, and what it is to return."""

    __slots__ = ("handler", "response", "run", "takes_context")

    def __init__(self, handler: Handler, run: Handler, takes_context: bool, response: type[Response] | None) -> None:
        self.handler = handler
        self.run = run
        self.takes_context = takes_context
        self.response = response


class Router:
    """Handlers by the type of the request that they take.

    `report` gets each mistake of a handler; unless given it is logged.
    """

    __slots__ = ("_entries", "_handlers", "_middleware", "_otherwise", "_report")

    def __init__(self, *, report: Callable[[HandlerFault], None] = log_fault) -> None:
        self._report = report
        self._handlers: dict[type[Payload], Handler] = {}
        self._otherwise: Handler | None = None
        self._middleware: list[Middleware] = []
        self._entries: dict[type[Payload], _Entry] = {}  # what was made of the above, filled as messages come

    # Registration

    @property
    def handlers(self) -> Mapping[type[Payload], Handler]:
        """The type of each request or SEND that has a handler, and the handler."""
        return types.MappingProxyType(self._handlers)

    @overload
    def on(self, request: type[Request[Any] | SendPayload], /) -> Callable[[HandlerT], HandlerT]: ...
    @overload
    def on(self, request: type[Request[Any] | SendPayload], handler: HandlerT, /) -> HandlerT: ...
    @overload
    def on(self, handler: HandlerT, /) -> HandlerT: ...
    def on(self, first: Any, handler: Any = None, /) -> Any:
        """Registers a handler: `@router.on` by its annotation, or `@router.on(RequestType)`, or `router.on(RequestType, handler)`.

        A handler takes the context and the request, or the request alone, and returns the response; it may be async. An annotation
        may be a union of several types. A SEND's handler returns None. ValueError for a type that has a handler already or is no
        request, where its annotation cannot be read, and for a handler whose annotation promises the response of another request.
        """
        kind = _payload_type(first)
        if kind is None:
            return self._register(_annotated(first), first)
        kinds = (kind,)
        return partial(self._register, kinds) if handler is None else self._register(kinds, handler)

    def _register(self, kinds: Iterable[type[Payload]], handler: HandlerT) -> HandlerT:
        _parameters(handler)
        promised = _promised(handler)
        for kind in kinds:
            if not _is_request(kind):
                raise ValueError(
                    f"{kind.__name__} is no request; a handler takes a ...Request or the payload of a SEND"
                )
            if kind in self._handlers:
                raise ValueError(
                    f"{kind.__name__} has a handler already, {_name(self._handlers[kind])}; remove one of the two"
                )
            _check_answer(handler, promised, kind)
        for kind in kinds:
            self._handlers[kind] = handler
        self._entries.clear()
        return handler

    def otherwise(self, handler: HandlerT) -> HandlerT:
        """Registers the handler of every valid request that has no other; without one they are answered with NotSupported."""
        if self._otherwise is not None:
            raise ValueError(f"there is such a handler already, {_name(self._otherwise)}; remove one of the two")
        _parameters(handler)
        self._otherwise = handler
        self._entries.clear()
        return handler

    def use(self, middleware: Middleware) -> Middleware:
        """Puts an `async def (context, request, proceed)` around every handler; the first one that is put is the outermost.

        It gets what the handler returned by `await proceed(context, request)`, and what it raised as the exception that it is.
        """
        if not inspect.iscoroutinefunction(middleware) and not inspect.iscoroutinefunction(
            getattr(middleware, "__call__", None)  # noqa: B004 - an object whose call is a coroutine function
        ):
            raise ValueError(
                f"{_name(middleware)} is not async; write `async def {_name(middleware)}(context, request, proceed)`"
            )
        self._middleware.append(middleware)
        self._entries.clear()
        return middleware

    def include(self, other: Router) -> None:
        """Takes over the handlers of another router, as they are, without its middleware. ValueError where both have one."""
        for kind, handler in other._handlers.items():
            self._register((kind,), handler)

    # The way of a message

    def handle(self, frame: Routed, context: Context[Any], session: Session) -> Coroutine[Any, Any, None] | None:
        """Routes a frame and gives the answer to the session; a coroutine is what is left to run, None means that all is done.

        It never raises for what a handler does. The answer waits in `session.data_to_send()`.
        """
        answer: Any = self.route(frame, context)
        if type(answer) is types.CoroutineType:
            return self._handle_later(cast("Coroutine[Any, Any, Answer]", answer), frame, context, session)
        if answer is not None:
            try:
                session.reply(frame.id, answer)
            except (SessionClosed, EncodeError, ValueError) as error:
                self._not_taken(frame, context, session, error)
        return None

    def route(self, frame: Routed, context: Context[Any]) -> Answer | Coroutine[Any, Any, Answer]:
        """The answer to a frame, without giving it to anyone: at once, or from a coroutine. It never raises for what a handler does."""
        payload: Payload = frame.payload
        entry = self._entries.get(type(payload))
        if entry is None:
            entry = self._entry(frame, context)
            if entry is None:
                return _own(frame, context, "no_handler") if isinstance(frame, Call) else None
        try:
            answer: Any = entry.run(context, payload) if entry.takes_context else entry.run(payload)
        except Exception as error:
            return self._raised(frame, context, error)
        if type(answer) is entry.response:
            response: Response = answer
            return response
        if _is_awaitable(answer):
            return self._later(answer, entry, frame, context)
        return self._checked(entry, frame, context, answer)

    def reply(self, frame: Routed, answer: Response | CallError, context: Context[Any], session: Session) -> None:
        """Gives an answer to the session; one that is not valid is replaced by an InternalError. Both are reported to the author."""
        try:
            session.reply(frame.id, answer)
        except (SessionClosed, EncodeError, ValueError) as error:
            self._not_taken(frame, context, session, error)

    def _not_taken(self, frame: Routed, context: Context[Any], session: Session, error: Exception) -> None:
        if isinstance(error, SessionClosed):
            return  # the connection has gone while the handler ran: there is nobody to answer
        if isinstance(error, EncodeError):
            self._fault(frame, context, f"gave an answer that is not valid: {error}", error)
            session.reply(frame.id, _own(frame, context, "handler_failed"))
        else:
            self._fault(frame, context, f"gave an answer that the session does not take: {error}", error)

    async def _handle_later(
        self,
        rest: Coroutine[Any, Any, Answer],
        frame: Routed,
        context: Context[Any],
        session: Session,
    ) -> None:
        answer = await rest
        if answer is not None:
            self.reply(frame, answer, context, session)

    async def _later(self, rest: Awaitable[Any], entry: _Entry, frame: Routed, context: Context[Any]) -> Answer:
        try:
            answer = await rest
        except Exception as error:
            return self._raised(frame, context, error)
        if type(answer) is entry.response:
            response: Response = answer
            return response
        return self._checked(entry, frame, context, answer)

    def _entry(self, frame: Routed, context: Context[Any]) -> _Entry | None:
        payload: Payload = frame.payload
        kind: Any = type(payload)
        handler = self._handlers.get(kind, self._otherwise)
        message = context.connection.codec.messages.get(frame.action)
        if handler is None or message is None or kind is UntypedPayload:  # what fits no type has no handler
            return None
        run, takes_context = handler, _parameters(handler) == 2
        if self._middleware:
            run, takes_context = handler if takes_context else _without_context(handler), True
            for middleware in reversed(self._middleware):
                run = _around(middleware, run)
        entry = self._entries[kind] = _Entry(handler, run, takes_context, message.response)
        return entry

    def _checked(self, entry: _Entry, frame: Routed, context: Context[Any], answer: object) -> Answer:
        """What a handler returned, if it is none of the plain case: a subclass, DEFERRED, or a mistake."""
        wanted = entry.response
        if isinstance(frame, Send):
            if answer is None:
                return None
            return self._wrong(frame, context, f"returned {_kind(answer)}, and a SEND is never answered; return None")
        assert wanted is not None
        if isinstance(answer, wanted):
            return answer
        if isinstance(answer, Deferred):
            return None
        name = _short_name(wanted)
        if isinstance(answer, CallError):
            advice = "raise RefuseCall(code, description) to refuse a call"
        else:
            advice = f"return {name}(...), or DEFERRED and answer later with context.reply({name}(...))"
        return self._wrong(frame, context, f"returned {_kind(answer)}; {advice}")

    def _raised(self, frame: Routed, context: Context[Any], error: Exception) -> Answer:
        if isinstance(error, RefuseCall):
            if isinstance(frame, Call):
                return CallError(frame.id, context.connection.codec.spell(error.code), error.description, error.details)
            return self._wrong(frame, context, "raised RefuseCall, and a SEND is never answered; return None", error)
        told = f"raised {type(error).__name__}: {error}"
        return self._wrong(frame, context, f"{told}; raise RefuseCall(code, description) to choose the answer", error)

    def _wrong(
        self, frame: Routed, context: Context[Any], message: str, error: Exception | None = None
    ) -> CallError | None:
        self._fault(frame, context, message, error)
        return _own(frame, context, "handler_failed") if isinstance(frame, Call) else None

    def _fault(self, frame: Routed, context: Context[Any], message: str, error: Exception | None) -> None:
        payload: Payload = frame.payload
        entry = self._entries.get(type(payload))
        handler = entry.handler if entry is not None else self.route  # what replies without a handler is the caller
        message = f"{_name(handler)}, the handler of {frame.action}, {message}"
        try:
            self._report(HandlerFault(handler, frame, context.identity, message, error))
        except Exception:
            _log.exception("%s failed; it was told that %s", _name(self._report), message)


def _own(frame: Routed, context: Context[Any], name: str) -> CallError:
    return own_error(frame.id, name, context.connection.codec.version)


def _without_context(handler: Handler) -> Handler:
    def run(_: Context[Any], request: Any) -> Any:
        return handler(request)

    return run


def _around(middleware: Middleware, inner: Handler) -> Handler:
    async def proceed(context: Context[Any], request: Any) -> Any:
        answer: Any = inner(context, request)
        return await answer if _is_awaitable(answer) else answer

    def run(context: Context[Any], request: Any) -> Awaitable[Any]:
        return middleware(context, request, proceed)

    return run


def _is_awaitable(answer: object) -> bool:
    return type(answer) is types.CoroutineType or isinstance(answer, Awaitable)  # to ask the ABC is slow


# What a handler's signature says


def _parameters(handler: Handler) -> int:
    """How many arguments a handler takes: 2 (context and request) or 1 (the request)."""
    if not callable(handler):
        raise ValueError(f"a handler is a function, not {_kind(handler)}")
    for count in (2, 1):
        try:
            inspect.signature(handler).bind(*range(count))
        except TypeError:
            continue
        return count
    raise ValueError(f"{_name(handler)} must take (context, request) or (request), and need nothing else")


def _payload_type(value: object) -> type[Payload] | None:
    return value if isinstance(value, type) and issubclass(value, Payload) else None


def _is_request(kind: type[Payload]) -> bool:
    return hasattr(kind, "__action__") and issubclass(kind, (Request, SendPayload))


def _annotated(handler: Handler) -> tuple[type[Payload], ...]:
    """The request types that the annotation of a handler's last argument names."""
    last = _parameters(handler) - 1
    name = list(inspect.signature(handler).parameters)[last]
    function = inspect.unwrap(getattr(handler, "__func__", handler))
    advice = f"annotate {name!r} with a request, or give the type: @router.on(RequestType)"
    try:
        hint = _hint(function, name)
    except NameError as error:
        raise ValueError(
            f"the annotation of {name!r} of {_name(handler)} cannot be read here: {error}; give the type: @router.on(RequestType)"
        ) from None
    if hint is None:
        raise ValueError(f"{_name(handler)} does not say which request it takes; {advice}")
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if union else (hint,)
    for kind in kinds:
        if _payload_type(kind) is None:
            raise ValueError(f"{name!r} of {_name(handler)} is annotated with {kind!r}, which is no request; {advice}")
    return kinds


def _promised(handler: Handler) -> tuple[type[Response], ...]:
    """The responses that a handler is annotated to return; () where it says nothing, or names anything but responses."""
    try:
        hint = _hint(inspect.unwrap(getattr(handler, "__func__", handler)), "return")
    except Exception:  # it may name what exists for type checkers only
        return ()
    if typing.get_origin(hint) in (Awaitable, Coroutine):
        hint = typing.get_args(hint)[-1]
    union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    kinds = typing.get_args(hint) if union else (hint,)
    named = [kind for kind in kinds if kind is not Deferred]
    if not all(isinstance(kind, type) and issubclass(kind, Response) and kind is not Response for kind in named):
        return ()
    return tuple(named)


def _check_answer(handler: Handler, promised: tuple[type[Response], ...], kind: type[Payload]) -> None:
    """ValueError where what a handler promises cannot be the answer to a request."""
    if not promised or any(_answers(response, kind) for response in promised):
        return
    told = f"{_name(handler)} is annotated to return {' | '.join(map(_short_name, promised))}"
    if issubclass(kind, SendPayload):
        raise ValueError(f"{told}, and a SEND is never answered; annotate it with -> None")
    raise ValueError(
        f"{told}, which does not answer {_short_name(kind)}; change the annotation, or the request that it handles"
    )


def _answers(response: type[Response], kind: type[Payload]) -> bool:
    """Whether a response may answer a request: it is for the same action, and not another version's."""
    if issubclass(kind, SendPayload):
        return False
    if getattr(response, "__action__", kind.__action__) != kind.__action__:
        return False
    modules = {response.__module__, kind.__module__}
    return len(modules & _STANDARD) < 2  # a user's own class may answer for any version


def _hint(function: Any, name: str) -> Any:
    """One evaluated annotation; the others may name what exists for type checkers only."""
    raw = getattr(function, "__annotations__", {}).get(name)
    if not isinstance(raw, str):
        return raw
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)
    local = {name: cell.cell_contents for name, cell in cells}
    return eval(raw, function.__globals__, local)


def _name(handler: object) -> str:
    return getattr(handler, "__qualname__", None) or repr(handler)


def _short_name(kind: type[Payload]) -> str:
    """A payload's class as people write it, "v201.HeartbeatRequest"."""
    return f"{kind.__module__.removesuffix('.messages').rpartition('.')[2]}.{kind.__name__}"


def _kind(value: object) -> str:
    return (
        "None"
        if value is None
        else f"a {type(value).__name__}"
        if not isinstance(value, type)
        else f"the class {value.__name__}"
    )
