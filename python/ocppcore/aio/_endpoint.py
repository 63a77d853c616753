"""One end of one OCPP-J connection, in asyncio: a session, a router and a transport put together."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import logging
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from .._frames import Call, CallError, CallResult, CallResultError, Send, own_error
from .._payloads import Request, Response, SendPayload
from .._router import Context, Router
from .._session import Cancelled, Closed, Invalid, Refused, Retrying, Session, SessionClosed, TimedOut, Unmatched
from .._tolerated import Tolerated
from ._drive import current_task, start
from ._errors import CallClosed, CallFailed, CallInvalid, CallRefused, CallTimedOut
from ._transport import MAX_CLOSE_REASON, Transport, TransportClosed, require_close_code

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from .._codec import Codec
    from .._errors import OcppError
    from .._router import Answer
    from .._session import Event
    from ._observe import Called, Observer, Received

ResponseT = TypeVar("ResponseT", bound=Response)

log = logging.getLogger("ocppcore.aio")

_MANY_SENDS = 16  # SENDs whose handlers wait at the same time


class _Waiting(NamedTuple):
    """A call of ours that waits for its answer."""

    future: asyncio.Future[Any]
    action: str
    began: float


class Endpoint:
    """One end of a connection: `run()` serves the peer's calls with a router, `call()` makes our own.

    `transport` is the open WebSocket, `session` a fresh Session over the codec of the version that was negotiated, `identity` the station's,
    whichever side we are. `drain` is how many seconds handlers that still run get when the connection ends, before they are cancelled;
    `stall` how many seconds the peer may take nothing of what we send before the connection is dropped. `observer` is told what happens.

    An endpoint belongs to one event loop and is used from its thread. Nothing that the peer sends ends `run()` or makes it raise. What
    the peer can make it hold is bounded: by the session's `max_open` calls that are handled at once, and because it reads
    nothing more from a peer that does not read.
    """

    __slots__ = (
        "__weakref__",
        "_calls",
        "_closing",
        "_drain",
        "_ended",
        "_handlers",
        "_loop",
        "_observer",
        "_router",
        "_sends",
        "_session",
        "_stall",
        "_timer",
        "_transport",
        "_watch",
        "_write_context",
        "_writer",
        "_writing",
        "_written",
        "identity",
    )

    def __init__(
        self,
        transport: Transport,
        session: Session,
        router: Router,
        identity: str = "",
        *,
        drain: float = 10.0,
        stall: float = 30.0,
        observer: Observer | None = None,
    ) -> None:
        self.identity = identity
        self._transport = transport
        self._session = session
        self._router = router
        self._drain = drain
        self._stall = stall
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._calls: dict[str, _Waiting] = {}
        self._handlers: set[asyncio.Task[None]] = set()
        self._sends = 0  # how many of them handle a SEND
        self._timer: asyncio.TimerHandle | None = None
        self._writing = False
        self._writer: asyncio.Task[None] | None = None
        self._written = 0
        self._watch: asyncio.TimerHandle | None = None
        self._write_context = copy_context()
        self._closing = False
        self._ended = self._loop.create_future()

    @property
    def codec(self) -> Codec[Any]:
        """The codec of the version that was negotiated."""
        return self._session.codec

    @property
    def closed(self) -> bool:
        """Whether the connection has ended, or is being closed: no call can be made any more."""
        return self._closing or self._session.closed

    def __repr__(self) -> str:
        state = "closed" if self.closed else "open"
        return f"<Endpoint of {self.identity!r}, {self.codec.subprotocol}, {state}>"

    # Our own messages

    async def call(self, payload: Request[ResponseT], /, *, timeout: float | None = None) -> ResponseT:
        """Sends a CALL and gives its answer; calls wait for their turn, since one at a time may be on its way.

        `timeout` counts in seconds from when it is sent. To cancel the awaiting task gives the call up. Raises CallFailed
        (CallRefused, CallInvalid, CallTimedOut, CallClosed), and what `Session.call` raises for a request that cannot be sent: EncodeError,
        ValueError, QueueFull.
        """
        action: str = getattr(payload, "__action__", "")  # the session says what is wrong with one that has none
        if self._closing:
            raise CallClosed(action, "the connection is closed")
        now = self._loop.time()
        try:
            id = self._session.call(payload, now, timeout=timeout)
        except SessionClosed:
            raise CallClosed(action, "the connection is closed") from None
        future: asyncio.Future[ResponseT] = self._loop.create_future()
        self._calls[id] = _Waiting(future, action, now)
        self._arm()
        self._flush()
        try:
            return await future
        except asyncio.CancelledError:
            waiting = self._calls.pop(id, None)
            if waiting is not None and not self._session.closed:
                self._session.cancel(id, self._loop.time())
                self._flush()
                self._tell_called(waiting, "cancelled")
            raise

    async def send(self, payload: SendPayload, /) -> None:
        """Sends a SEND (2.1 only), which nobody answers; waits while the peer is slow. Raises what `Session.send` raises."""
        await self._room()
        self._session.send(payload)
        self._flush()
        await self._room()

    def reply(self, id: str, payload: Response | CallError, /) -> None:
        """Answers the peer's CALL `id`, whose handler has returned DEFERRED. Raises what `Session.reply` raises."""
        self._session.reply(id, payload)
        self._flush()

    # The connection's life

    async def run(self) -> None:
        """Reads and serves until the connection has ended, then sees to it that nothing is left running.

        Handlers that still run get `drain` seconds to finish. To cancel it drops the connection and cancels them at once.
        """
        drain = 0.0
        if self._observer is not None:
            self._tell(self._observer.connected, self.identity, self.codec.subprotocol)
        try:
            await self._transport.read(self._take)
            drain = self._drain
        finally:
            self._end()
            self._transport.abort()
            await self._finish(drain)
            if self._observer is not None:
                self._tell(self._observer.disconnected, self.identity, self.codec.subprotocol)
            if not self._ended.done():
                self._ended.set_result(None)

    async def close(self, code: int = 1000, reason: str = "", *, drain: float | None = None) -> None:
        """Ends the connection in good order: running handlers get `drain` seconds and their answers are sent, then it is closed.

        Meanwhile no new call of the peer is taken, and none of ours is made. Calls of ours that still wait raise CallClosed. `reason` is cut
        to what a close frame can hold; ValueError for a `code` that must not be in one (RFC 6455 §5.5.1, §7.4).
        """
        require_close_code(code)
        reason = reason.encode()[:MAX_CLOSE_REASON].decode(errors="ignore")
        if not self._closing:
            self._closing = True
            waiting = self._handlers - {current_task()}
            seconds = self._drain if drain is None else drain
            if waiting:
                await asyncio.wait(waiting, timeout=seconds)
            self._flush()
            if self._writer is not None:
                await asyncio.wait((self._writer,), timeout=seconds)
        self._end()
        await self._transport.close(code, reason)

    async def wait_closed(self) -> None:
        """Waits until `run()` has ended."""
        await asyncio.shield(self._ended)

    def _end(self) -> None:
        """Ends the session and with it every call that waits."""
        self._closing = True
        for handle in (self._timer, self._watch):
            if handle is not None:
                handle.cancel()
        self._timer = self._watch = None
        self._settle(self._session.close())

    async def _finish(self, drain: float) -> None:
        """Waits for the handlers that still run, then cancels them."""
        if self._writer is not None:
            self._writer.cancel()
        tasks = self._handlers - {current_task()}
        try:
            if tasks and drain:
                await asyncio.wait(tasks, timeout=drain)
        finally:
            for task in tasks:
                task.cancel()
            if self._writer is not None:
                tasks.add(self._writer)
            if tasks:
                await asyncio.wait(tasks, timeout=self._drain)

    # What comes in

    def _take(self, data: str | bytes) -> Awaitable[object] | None:
        """One message of the peer. Never waits for a handler; what is returned means that the peer must read first."""
        session = self._session
        for event in session.receive(data, self._loop.time()):
            if type(event) is Call:
                if not self._closing:
                    # A context of its own, so that what one handler sets is not seen by the next.
                    scope = copy_context()
                    context = Context(self, self.identity, event, data)
                    try:
                        handle = self._router.handle if self._observer is None else self._handle_observed
                        rest = scope.run(handle, event, context, session)
                        if rest is not None:
                            self._go_on(rest, scope, partial(self._handled, event))
                    except (Exception, asyncio.CancelledError):
                        log.exception("%s: %s could not be handled", self.identity, event.action)
                        self._answer_failed(event)
            elif type(event) is Send:
                if not self._closing:
                    self._handle_send(event, data)
            else:
                self._learn(event)
                if self._observer is not None and not isinstance(event, Tolerated):
                    self._tell_in(event, data)
        if not self._writing:
            messages = session.data_to_send()
            if messages:
                self._send_out(messages)
        return None if self._writer is None else self._room()

    def _handle_send(self, frame: Send[Any], data: str | bytes) -> None:
        if self._sends >= _MANY_SENDS:
            log.warning("%s: a %s is dropped, %d SENDs are being handled", self.identity, frame.action, self._sends)
            self._tell_handled(frame, data, "unwanted")
            return
        scope = copy_context()
        context = Context(self, self.identity, frame, data)
        try:
            handle = self._router.handle if self._observer is None else self._handle_observed
            rest = scope.run(handle, frame, context, self._session)
            if rest is not None and self._go_on(rest, scope, partial(self._handled_send, frame)):
                self._sends += 1
        except (Exception, asyncio.CancelledError):
            log.exception("%s: %s could not be handled", self.identity, frame.action)

    def _go_on(
        self, rest: Coroutine[Any, Any, None], scope: contextvars.Context, handled: Callable[[asyncio.Task[None]], None]
    ) -> bool:
        """Runs what a handler has left to do; whether it has to wait, so that a task goes on with it."""
        task = start(rest, self._loop, scope)
        if task is None:
            return False
        self._handlers.add(task)
        task.add_done_callback(handled)
        return True

    def _handle_observed(
        self, frame: Call[Any] | Send[Any], context: Context[Any], session: Session
    ) -> Coroutine[Any, Any, None] | None:
        """As Router.handle, and the observer is told of it."""
        began = self._loop.time()
        answer = self._router.route(frame, context)
        if isinstance(answer, Coroutine):
            return self._handle_observed_later(answer, frame, context, session, began)
        self._answer_observed(answer, frame, context, session, began)
        return None

    async def _handle_observed_later(
        self,
        rest: Coroutine[Any, Any, Answer],
        frame: Call[Any] | Send[Any],
        context: Context[Any],
        session: Session,
        began: float,
    ) -> None:
        try:
            answer = await rest
        except BaseException:
            self._tell_handled(frame, context.data, "failed", began)
            raise
        self._answer_observed(answer, frame, context, session, began)

    def _answer_observed(
        self, answer: Answer, frame: Call[Any] | Send[Any], context: Context[Any], session: Session, began: float
    ) -> None:
        outcome: Received
        if isinstance(frame, Send):
            outcome = "handled"
        elif answer is None:
            outcome = "deferred"
        else:
            outcome = "refused" if isinstance(answer, CallError) else "answered"
            self._router.reply(frame, answer, context, session)
        self._tell_handled(frame, context.data, outcome, began)

    def _handled(self, frame: Call[Any] | Send[Any], task: asyncio.Task[None]) -> None:
        self._handlers.discard(task)
        if task.cancelled():
            if not self._session.closed:
                log.error("%s: the handler of %s was cancelled, by itself or others", self.identity, frame.action)
                self._answer_failed(frame)
        elif (error := task.exception()) is not None:
            log.error("%s: the handler of %s could not be run to its end", self.identity, frame.action, exc_info=error)
            self._answer_failed(frame)
        self._flush()

    def _handled_send(self, frame: Send[Any], task: asyncio.Task[None]) -> None:
        self._sends -= 1
        self._handled(frame, task)

    def _answer_failed(self, frame: Call[Any] | Send[Any]) -> None:
        """Answers a call whose handler has come to no end; else the peer would wait, and the call stay open for good."""
        if isinstance(frame, Call):
            with contextlib.suppress(SessionClosed, ValueError):  # there is nobody to answer, or it was answered before
                self._session.reply(frame.id, own_error(frame.id, "handler_failed", self.codec.version))

    def _settle(self, events: list[Event]) -> None:
        for event in events:
            self._learn(event)

    def _learn(self, event: Event) -> None:
        """What became of a call of ours, or of a frame that nobody handles."""
        match event:
            case CallResult(id, payload):
                self._resolve(id, payload)
            case CallError(id):
                self._fail(id, "refused", lambda action: CallRefused(action, event))
            case TimedOut(id):
                self._fail(id, "timed out", CallTimedOut)
            case Closed(id):
                self._fail(id, "closed", CallClosed)
            case Invalid(error, id):
                log.warning("%s: %s", self.identity, error)
                if id is not None:
                    self._fail(id, "invalid", lambda action: CallInvalid(action, error), error)
            case Refused(frame, why):
                log.warning("%s: %s is refused: %s", self.identity, frame.action, why)
            case Retrying(id, action, due):
                log.warning("%s: %s %s is sent again in %.0f s", self.identity, action, id, due - self._loop.time())
            case Unmatched(frame):
                log.info("%s: an answer to no open call: %s", self.identity, frame.id)
            case CallResultError():
                log.warning("%s: refused our answer: %s %s", self.identity, event.code, event.description)
            case Tolerated() if self._observer is not None or log.isEnabledFor(logging.INFO):
                for finding in event.findings:
                    log.info("%s: let pass (%s): %s", self.identity, finding.verdict, finding.text)
                    if self._observer is not None:
                        self._tell(self._observer.tolerated, self.identity, self._known(finding.action), finding)
            case Call() | Send() | Cancelled() | Tolerated():
                pass
        if self._session.deadline is not None:
            self._arm()

    def _resolve(self, id: str, payload: object) -> None:
        waiting = self._calls.pop(id)
        if not waiting.future.done():
            waiting.future.set_result(payload)
        self._tell_called(waiting, "answered")

    def _fail(
        self, id: str, outcome: Called, error: Callable[[str], CallFailed], finding: OcppError | None = None
    ) -> None:
        waiting = self._calls.pop(id)
        if not waiting.future.done():
            waiting.future.set_exception(error(waiting.action))
        self._tell_called(waiting, outcome, finding)

    # What an observer is told

    def _tell(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:
            log.exception("%s: the observer failed", self.identity)

    def _tell_called(self, waiting: _Waiting, outcome: Called, finding: OcppError | None = None) -> None:
        if self._observer is not None:
            duration = self._loop.time() - waiting.began
            self._tell(self._observer.called, self.identity, waiting.action, outcome, duration, finding)

    def _tell_handled(
        self, frame: Call[Any] | Send[Any], data: Any, outcome: Received, began: float | None = None
    ) -> None:
        if self._observer is not None:
            duration = 0.0 if began is None else self._loop.time() - began
            action = self._known(frame.action)
            self._tell(self._observer.frame_in, self.identity, action, len(data), outcome, duration, None)

    def _known(self, action: str | None) -> str | None:
        """The action, unless it is whatever the peer wrote."""
        return action if action in self.codec.messages else None

    def _tell_in(self, event: Event, data: str | bytes) -> None:
        """Tells of a message that is no CALL or SEND to be handled."""
        assert self._observer is not None
        outcome: Received = "answer"
        action, finding = None, None
        if isinstance(event, Invalid):
            outcome, finding = "invalid", event.error
            action = self._known(finding.action)
        elif isinstance(event, Refused | Unmatched):
            outcome = "unwanted"
            if isinstance(event, Refused):
                action = event.frame.action
        elif isinstance(event, CallResult):
            action = event.action
        self._tell(self._observer.frame_in, self.identity, action, len(data), outcome, 0.0, finding)

    # Time

    def _arm(self) -> None:
        """Sees to it that the timer comes no later than the session's deadline; one that comes too early sets itself anew."""
        deadline = self._session.deadline
        if deadline is None or self._session.closed:
            return
        timer = self._timer
        if timer is not None:
            if timer.when() <= deadline:
                return
            timer.cancel()
        self._timer = self._loop.call_at(deadline, self._expire)

    def _expire(self) -> None:
        self._timer = None
        if self._session.closed:
            return
        deadline, now = self._session.deadline, self._loop.time()
        if deadline is not None and deadline <= now:
            self._settle(self._session.expire(now))
            self._flush()
        self._arm()

    # What goes out

    def _flush(self) -> None:
        """Sends what waits; where the peer is slow, a task goes on with it."""
        if self._writing:
            return
        messages = self._session.data_to_send()
        if messages:
            self._send_out(messages)

    def _send_out(self, messages: list[bytes]) -> None:
        self._writing = True
        wait = self._write(messages)
        if wait is None:
            self._writing = False
        else:
            self._write_on(wait, messages)

    def _write_on(self, wait: Awaitable[None], messages: list[bytes]) -> None:
        writer = start(self._write_slowly(wait, messages), self._loop, self._write_context)
        if writer is None:
            self._writing = False
        else:
            self._writer = writer
            writer.add_done_callback(self._wrote)
            self._watch = self._loop.call_later(self._stall, self._check, self._written)

    def _write(self, messages: list[bytes]) -> Awaitable[None] | None:
        """Takes messages and sends them until one has to be waited for; what to await then."""
        send = self._transport.send
        try:
            while messages:
                data = messages.pop(0)
                wait = send(data)
                self._written += 1
                if self._observer is not None:
                    self._tell(self._observer.frame_out, self.identity, len(data))
                if wait is not None:
                    return wait
        except TransportClosed:
            pass  # whoever reads learns it too, and ends the rest
        except Exception:
            self._lost()
        return None

    async def _write_slowly(self, wait: Awaitable[None] | None, messages: list[bytes]) -> None:
        try:
            while True:
                while wait is not None:
                    await wait
                    wait = self._write(messages)
                messages = self._session.data_to_send()
                wait = self._write(messages)
                if wait is None:
                    return
        except TransportClosed:
            pass
        except Exception:
            self._lost()

    def _lost(self) -> None:
        log.exception("%s: the connection failed while sending", self.identity)
        self._drop()

    def _wrote(self, _: asyncio.Task[None]) -> None:
        self._writer = None
        self._writing = False
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._flush()

    def _check(self, written: int) -> None:
        """Drops a peer that has taken nothing since the last look."""
        if self._written == written:
            log.warning("%s: has taken nothing for %g s, the connection is dropped", self.identity, self._stall)
            self._drop()
        else:
            self._watch = self._loop.call_later(self._stall, self._check, self._written)

    def _drop(self) -> None:
        self._closing = True  # what was read ahead is not handled any more
        self._transport.abort()

    async def _room(self) -> None:
        """Waits until what was queued is sent."""
        while self._writer is not None:
            await asyncio.wait((self._writer,))
