"""One conversation over one connection: data and time are handed in, bytes and events come out.

Everything that changes the life of a call stands in TRANSITIONS; queues, ids and deadlines are plain data beside it. The session does no
I/O, reads no clock and starts no thread: whoever owns the connection calls it from one place at a time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from ._errors import OcppError
from ._frames import Call, CallError, CallResult, CallResultError, Send, UntypedPayload, own_error
from ._payloads import Payload, Request, Response, SendPayload
from ._tolerated import Tolerated

if TYPE_CHECKING:
    from ._codec import AnyFrame, Codec
    from ._quirks import Quirks

Role = Literal["csms", "station"]
Data = str | bytes | bytearray | memoryview


class State(Enum):
    """Where one of our own CALLs stands."""

    QUEUED = "queued"
    SENT = "sent"
    ABANDONED = "abandoned"  # cancelled while on its way: the peer still owes an answer, so the line stays taken
    RETRYING = "retrying"
    ENDED = "ended"


class Happening(Enum):
    """What can happen to one of our own CALLs."""

    TURN = "its turn comes"
    RESULT = "a CALLRESULT comes"
    ERROR = "a CALLERROR comes"
    INVALID = "an invalid answer comes"
    TIMEOUT = "its time is up"
    RETRY = "it failed and may be sent again"
    CANCEL = "it is cancelled"
    CLOSE = "the session is closed"


class Outcome(Enum):
    """How one of our own CALLs ended; each ends in exactly one of these."""

    ANSWERED = "answered"
    REFUSED = "refused"
    INVALID = "answered, but not validly"
    TIMED_OUT = "timed out"
    CANCELLED = "cancelled"
    CLOSED = "closed"


# (where it stands, what happens) -> (where it stands then, how it has ended just now). A pair that is absent cannot happen.
TRANSITIONS: Mapping[tuple[State, Happening], tuple[State, Outcome | None]] = {
    (State.QUEUED, Happening.TURN): (State.SENT, None),
    (State.QUEUED, Happening.CANCEL): (State.ENDED, Outcome.CANCELLED),
    (State.QUEUED, Happening.CLOSE): (State.ENDED, Outcome.CLOSED),
    (State.SENT, Happening.RESULT): (State.ENDED, Outcome.ANSWERED),
    (State.SENT, Happening.ERROR): (State.ENDED, Outcome.REFUSED),
    (State.SENT, Happening.INVALID): (State.ENDED, Outcome.INVALID),
    (State.SENT, Happening.TIMEOUT): (State.ENDED, Outcome.TIMED_OUT),
    (State.SENT, Happening.RETRY): (State.RETRYING, None),
    (State.SENT, Happening.CANCEL): (State.ABANDONED, Outcome.CANCELLED),
    (State.SENT, Happening.CLOSE): (State.ENDED, Outcome.CLOSED),
    (State.ABANDONED, Happening.RESULT): (State.ENDED, None),
    (State.ABANDONED, Happening.ERROR): (State.ENDED, None),
    (State.ABANDONED, Happening.INVALID): (State.ENDED, None),
    (State.ABANDONED, Happening.TIMEOUT): (State.ENDED, None),
    (State.ABANDONED, Happening.CLOSE): (State.ENDED, None),
    (State.RETRYING, Happening.TURN): (State.SENT, None),
    (State.RETRYING, Happening.CANCEL): (State.ENDED, Outcome.CANCELLED),
    (State.RETRYING, Happening.CLOSE): (State.ENDED, Outcome.CLOSED),
}


class TimedOut(NamedTuple):
    """Our CALL `id` got no answer in time."""

    id: str
    action: str


class Cancelled(NamedTuple):
    """Our CALL `id` was cancelled by us; an answer that still comes is reported as Unmatched."""

    id: str
    action: str


class Closed(NamedTuple):
    """Our CALL `id` was pending or queued when the session was closed."""

    id: str
    action: str


class Retrying(NamedTuple):
    """Our transaction message `id` failed (by `error`, or by a timeout when it is None) and is sent again at `due`."""

    id: str
    action: str
    due: float
    error: CallError | None


class Unmatched(NamedTuple):
    """An answer that belongs to no open CALL of ours: late, duplicate or unknown. It has changed nothing."""

    frame: CallResult[Any] | CallError | CallResultError


class Invalid(NamedTuple):
    """A frame of the peer that was refused; what the protocol wants as answer is already queued.

    `id` names our CALL that this ended (the peer's answer to it was invalid), else it is None.
    """

    error: OcppError
    id: str | None
    answer: CallError | CallResultError | None


class Refused(NamedTuple):
    """A valid CALL or SEND that the session did not take: `why` says it. A CALL's answer is already queued."""

    frame: Call[Any] | Send[Any]
    why: str
    answer: CallError | None


Event = (
    Call[Any]
    | CallResult[Any]
    | CallError
    | CallResultError
    | Send[Any]
    | TimedOut
    | Cancelled
    | Closed
    | Retrying
    | Unmatched
    | Invalid
    | Refused
    | Tolerated[Any]
)


class QueueFull(Exception):
    """As many CALLs wait as this session may hold (`max_queue`): wait for an answer before you call again."""


class SessionClosed(Exception):
    """The session was closed; make a new one for the new connection."""


class Retry(NamedTuple):
    """When a transaction message is sent again: OCPP 1.6 §3.7.1, 2.x E13.

    After a CALLERROR or a timeout, `interval` seconds times the number of transmissions so far are waited; `attempts`
    transmissions are made in all, under one id. Other transaction messages wait meanwhile, all others may overtake.
    """

    attempts: int = 3
    interval: float = 60.0


class _Own:
    """One of our own CALLs, until it has ended."""

    __slots__ = ("action", "data", "due", "id", "sent", "state", "timeout", "transaction")

    def __init__(self, id: str, action: str, data: bytes, timeout: float, transaction: bool) -> None:
        self.id = id
        self.action = action
        self.data = data
        self.timeout = timeout
        self.transaction = transaction  # retried, and kept in order among its kind
        self.state = State.QUEUED
        self.sent = 0
        self.due = 0.0

    def step(self, happening: Happening) -> Outcome | None:
        self.state, outcome = TRANSITIONS[self.state, happening]
        return outcome


def _random_id() -> str:
    return os.urandom(16).hex()


class Session:
    """The state of one OCPP-J connection, for either role and every version (OCPP-J 1.6 §4.1, 2.x Part 4 §4.1).

    `role` is "csms" or "station": which side we are. `new_id` makes the ids of our own CALLs, at most 36 characters. Times are seconds
    of any clock that does not go back, the same one in every call. `timeout` is how long an answer may take; `max_queue` bounds
    the CALLs that wait for their turn, `max_open` the CALLs of the peer that wait for our reply. A CALL whose id is that of another one
    still open is refused, or taken when `duplicates` is "take". `retry` repeats transaction messages. With `quirks` the session reads and writes
    with the codec that the station's vendor, model and firmware call for, once the station has told them.
    """

    __slots__ = (
        "_closed",
        "_codec",
        "_current",
        "_duplicates",
        "_graded",
        "_max_open",
        "_max_queue",
        "_new_id",
        "_open",
        "_out",
        "_pending",
        "_plain_codec",
        "_queue",
        "_quirks",
        "_retry",
        "_retrying",
        "_role",
        "_taken",
        "_timeout",
    )

    def __init__(
        self,
        codec: Codec[Any],
        role: Role,
        *,
        new_id: Callable[[], str] = _random_id,
        timeout: float = 30.0,
        max_queue: int = 100,
        max_open: int = 16,
        duplicates: Literal["refuse", "take"] = "refuse",
        retry: Retry | None = None,
        quirks: Quirks | None = None,
    ) -> None:
        if not hasattr(codec, "is_graded"):
            raise TypeError(f"a session takes a Codec, not {codec!r}: Session(Codec('ocpp2.0.1'), {role!r}) say")
        if role not in ("csms", "station"):
            raise ValueError(f'role is "csms" or "station", not {role!r}')
        if duplicates not in ("refuse", "take"):
            raise ValueError(f'duplicates is "refuse" or "take", not {duplicates!r}')
        for name, value, least in (("timeout", timeout, 0.0), ("max_queue", max_queue, 0), ("max_open", max_open, 1)):
            _require_number(name, value, least)
        if retry is not None:
            _require_number("retry.attempts", retry.attempts, 1)
            _require_number("retry.interval", retry.interval, 0.0)
        self._codec = self._plain_codec = codec
        self._graded = codec.is_graded
        self._quirks = quirks
        self._role: Role = role
        self._taken = codec.sent_by("csms" if role == "station" else "station")
        self._new_id = new_id
        self._timeout = timeout
        self._max_queue = max_queue
        self._max_open = max_open
        self._duplicates = duplicates
        self._retry = retry
        self._current: _Own | None = None  # the one that is outstanding
        self._retrying: _Own | None = None  # the transaction message that waits to be sent again
        self._queue: deque[_Own] | None = None
        self._pending: dict[str, str] | None = None  # what the codec needs to type the answer
        # The peer's CALLs that wait for our reply: id -> the response's type, or the action of one that is untyped.
        self._open: dict[str, type[Response] | str] | None = None
        self._out: list[bytes] | None = None
        self._closed = False

    @property
    def codec(self) -> Codec[Any]:
        """The codec that this session reads and writes with; `quirks` may change it."""
        return self._codec

    @property
    def role(self) -> Role:
        """Which side we are: "csms" or "station"."""
        return self._role

    @property
    def closed(self) -> bool:
        """Whether close() was called."""
        return self._closed

    @property
    def deadline(self) -> float | None:
        """When expire() wants to be called next, or None while nothing is awaited."""
        times = [own.due for own in (self._current, self._retrying) if own is not None]
        return min(times, default=None)

    def call(self, payload: Request[Any], now: float, *, timeout: float | None = None) -> str:
        """Queues a CALL and returns its id; it goes out at once if none of ours is outstanding.

        Raises EncodeError for an invalid payload, ValueError for one that this role does not send, QueueFull, SessionClosed.
        """
        self._require_open()
        _require_kind(payload, Request, "call() takes a request; reply() takes responses, send() a SEND's payload")
        self._require_sender(payload)
        if timeout is not None:
            _require_number("timeout", timeout, 0.0)
        queue = self._queue
        if queue is not None and len(queue) >= self._max_queue and (queue or self._current is not None):
            raise QueueFull(f"{len(queue)} calls are waiting already; wait for an answer, or raise max_queue")
        id = self._new_id()
        if any(own.id == id for own in self._owns()):
            raise ValueError(
                f"new_id() gave {id!r}, the id of a call that waits still; each call needs an id of its own"
            )
        data = self._codec.encode(Call(id, payload))
        action = payload.__action__
        transaction = self._retry is not None and self._is_transaction(payload)
        own = _Own(id, action, data, self._timeout if timeout is None else timeout, transaction)
        if queue is None:
            queue = self._queue = deque()
        queue.append(own)
        self._next(now)
        return id

    def send(self, payload: SendPayload) -> None:
        """Queues a SEND (2.1 only), which is never answered and waits for nothing (OCPP 2.1 Part 4 §4.2.4).

        Raises EncodeError for an invalid payload, ValueError where the version has no SEND, SessionClosed.
        """
        self._require_open()
        _require_kind(payload, SendPayload, "send() takes the payload of a SEND; call() takes requests")
        self._require_sender(payload)
        self._write(self._codec.encode(Send(self._new_id(), payload)))

    def reply(self, id: str, payload: Response | CallError) -> None:
        """Queues the answer to the peer's CALL `id`; answers go out whatever else waits.

        Raises ValueError when no such CALL is open or the response is that of another action, EncodeError for an invalid response: the
        CALL is open still, so that it can be answered otherwise. SessionClosed when it is too late.
        """
        open_calls = self._open
        wanted = open_calls.get(id) if open_calls else None
        if open_calls is None or wanted is None:
            self._require_open()
            raise ValueError(f"no call with the id {id!r} waits for a reply; it was answered before, or never came")
        given: Any = payload
        answer = CallResult(id, given) if type(given) is wanted else _answer(id, given, wanted)
        data = self._codec.encode(answer)
        if self._out is None:
            self._out = [data]
        else:
            self._out.append(data)
        del open_calls[id]

    def receive(self, data: Data, now: float) -> list[Event]:
        """Takes one message of the peer and returns what it means; nothing that the peer sends makes it raise.

        A CALLRESULTERROR comes as it is: the session keeps no record of the answers that it gave. What the codec's policy let pass or repaired is
        told by a Tolerated, which comes first.

        TypeError if `data` is no str and no buffer.
        """
        if self._closed:
            return []
        try:
            if self._graded:
                return self._receive_graded(data, now)
            frame: AnyFrame = self._codec.decode(data, self._pending)
        except OcppError as error:
            return [self._invalid(error, now)]
        return [self._take(frame) if type(frame) is Call else self._received(frame, now)]

    def _receive_graded(self, data: Data, now: float) -> list[Event]:
        """As receive, where a policy may let pass what is not in order."""
        tolerated = self._codec.decode_with_findings(data, self._pending)
        frame: Any = tolerated.frame
        if frame is None:  # of what gives no frame decode tells why
            frame = self._codec.decode(data, self._pending)
        event = self._received(frame, now)
        return [event] if tolerated.clean else [tolerated, event]

    def _received(self, frame: AnyFrame, now: float) -> Event:
        """What a frame of the peer means."""
        if isinstance(frame, Call):
            return self._take(frame)
        if isinstance(frame, Send):
            if type(frame.payload) not in self._taken and not self._takes_untyped(frame):
                return Refused(frame, "a SEND that the peer's role does not send", None)
            return frame
        if isinstance(frame, CallResultError):
            return frame
        return self._answered(frame, now)

    def expire(self, now: float) -> list[Event]:
        """Ends what is overdue at `now` and sends what is due; to be called when `deadline` has come. Returns the ends."""
        events: list[Event] = []
        current = self._current
        if current is not None and current.due <= now:
            self._free()
            if self._retries(current):
                events.append(self._await_retry(current, now, None))
            elif current.step(Happening.TIMEOUT) is Outcome.TIMED_OUT:
                events.append(TimedOut(current.id, current.action))
        self._next(now)
        return events

    def cancel(self, id: str, now: float) -> list[Event]:
        """Gives up our CALL `id`. One that is on its way still holds the line until its answer or its timeout comes.

        ValueError when no such CALL waits.
        """
        for own in self._owns():
            if own.id == id and own.state is not State.ABANDONED:
                break
        else:
            raise ValueError(f"no call of ours with the id {id!r} waits; it has ended already, or was never made")
        if own is self._retrying:
            self._retrying = None
        elif own is not self._current and self._queue is not None:
            self._queue.remove(own)
        own.step(Happening.CANCEL)
        self._next(now)
        return [Cancelled(own.id, own.action)]

    def close(self) -> list[Event]:
        """Ends everything that waits, in the order in which it was called, and refuses what comes after."""
        ended = [own for own in self._owns() if own.step(Happening.CLOSE) is Outcome.CLOSED]
        self._current = self._retrying = self._queue = self._pending = self._open = self._out = None
        self._closed = True
        return [Closed(own.id, own.action) for own in ended]

    def data_to_send(self) -> list[bytes]:
        """The messages to send now, in order, one WebSocket text message each; they are handed out once."""
        out, self._out = self._out, None
        return [] if out is None else out

    # What comes in

    def _take(self, frame: Call[Any]) -> Event:
        """A CALL of the peer: open until reply(), or refused."""
        payload: Payload = frame.payload
        answer: type[Response] | str | None = self._taken.get(type(payload))
        if answer is None:
            if not self._takes_untyped(frame):
                return self._refuse(frame, "wrong_direction")
            answer = frame.action
        id = frame.id
        open_calls = self._open
        if open_calls is None:
            open_calls = self._open = {}
        elif id in open_calls and self._duplicates == "refuse":
            return self._refuse(frame, "duplicate_id")
        if len(open_calls) >= self._max_open:
            return self._refuse(frame, "too_many_calls")
        open_calls[id] = answer
        if self._quirks is not None:
            self._know_station(frame)
        return frame

    def _takes_untyped(self, frame: Call[Any] | Send[Any]) -> bool:
        """Whether the peer may send what a policy let pass untyped: an action that is unknown, or that is its own."""
        message = self._codec.messages.get(frame.action)
        return isinstance(frame.payload, UntypedPayload) and (message is None or message.direction != self._role)

    def _know_station(self, frame: Call[Any]) -> None:
        """Take the codec for the station, if the message tells which it is."""
        from ._quirks import station_of, tells_station

        if self._quirks is not None and tells_station(frame.action):
            self._codec = self._quirks.codec_for(self._plain_codec, station_of(frame.payload))
            self._graded = self._codec.is_graded

    def _refuse(self, frame: Call[Any], name: str) -> Refused:
        answer = own_error(frame.id, name, self._codec.version)
        self._write(self._codec.encode(answer))
        return Refused(frame, answer.description, answer)

    def _answered(self, frame: CallResult[Any] | CallError, now: float) -> Event:
        """An answer of the peer: matched by its id alone."""
        current = self._current
        if current is None or frame.id != current.id:
            return Unmatched(frame)
        self._free()
        event: Event
        if isinstance(frame, CallError) and self._retries(current):
            event = self._await_retry(current, now, frame)
        else:
            happening = Happening.ERROR if isinstance(frame, CallError) else Happening.RESULT
            event = frame if current.step(happening) is not None else Unmatched(frame)
        self._next(now)
        return event

    def _invalid(self, error: OcppError, now: float) -> Event:
        """A frame that the codec refused: answered if the protocol wants it, and the end of our CALL if it was its answer."""
        answer = error.reply()
        ended = None
        current = self._current
        ours = current is not None and error.message_type in (3, 4) and error.message_id == current.id
        if isinstance(answer, CallResultError) and not ours:
            answer = None  # an answer to no call of ours is dropped: the peer could not tell what is meant
        if answer is not None:
            self._write(self._codec.encode(answer))
        if ours:
            assert current is not None
            self._free()
            if current.step(Happening.INVALID) is not None:
                ended = current.id
            self._next(now)
        return Invalid(error, ended, answer)

    # What goes out

    def _next(self, now: float) -> None:
        """Sends the call whose turn it is, if the line is free."""
        if self._current is not None:
            return
        own = self._retrying
        if own is not None and own.due <= now:
            self._retrying = None
        else:
            own = self._turn()
            if own is None:
                return
        own.step(Happening.TURN)
        own.sent += 1
        own.due = now + own.timeout
        self._current = own
        self._pending = {own.id: own.action}
        self._write(own.data)

    def _turn(self) -> _Own | None:
        """The first that waits; while a transaction message waits to be retried, no other transaction message may overtake it."""
        queue = self._queue
        if not queue:
            return None
        for own in queue:
            if self._retrying is None or not own.transaction:
                queue.remove(own)
                return own
        return None

    def _free(self) -> None:
        self._current = self._pending = None

    def _retries(self, own: _Own) -> bool:
        return (
            own.transaction and own.state is State.SENT and self._retry is not None and own.sent < self._retry.attempts
        )

    def _await_retry(self, own: _Own, now: float, error: CallError | None) -> Retrying:
        assert self._retry is not None
        own.step(Happening.RETRY)
        own.due = now + self._retry.interval * own.sent
        self._retrying = own
        return Retrying(own.id, own.action, own.due, error)

    def _owns(self) -> list[_Own]:
        """Our calls that have not ended, the oldest first."""
        return [own for own in (self._current, self._retrying, *(self._queue or ())) if own is not None]

    def _write(self, data: bytes) -> None:
        if self._out is None:
            self._out = [data]
        else:
            self._out.append(data)

    # Directions

    def _require_sender(self, payload: Request[Any] | SendPayload) -> None:
        """A request of ours must be one that this side sends; one that the codec does not know is its business."""
        message = self._codec.messages.get(payload.__action__)
        if message is not None and message.direction not in (self._role, "both"):
            raise ValueError(
                f"{payload.__action__} is sent by the {message.direction}, and this session is the {self._role}"
            )

    def _is_transaction(self, payload: Request[Any]) -> bool:
        """Whether a message belongs to a charging transaction and must not be lost (OCPP 1.6 §3.7, 2.x E13)."""
        told = self._codec.messages[payload.__action__].transaction
        return getattr(payload, told) is not None if isinstance(told, str) else told

    def _require_open(self) -> None:
        if self._closed:
            raise SessionClosed("the session is closed; make a new one for the new connection")


def _require_number(name: str, value: object, least: float) -> None:
    if not isinstance(value, int | float) or not least <= value < float("inf"):
        raise ValueError(f"{name} must be a number from {least} on, not {value!r}")


def _answer(id: str, payload: Response | CallError, wanted: type[Response] | str) -> CallError | CallResult[Any]:
    """The answer to a CALL where it is not simply the response that is wanted."""
    if isinstance(payload, CallError):
        if payload.id != id:
            raise ValueError(f"the CallError has the id {payload.id!r}, the call has {id!r}; they must be equal")
        return payload
    _require_kind(payload, Response, "reply() takes a response or a CallError")
    action = wanted if isinstance(wanted, str) else wanted.__action__
    if payload.__action__ != action:
        raise ValueError(
            f"{id!r} is a {action} call, so {type(payload).__name__} cannot answer it; give its own response"
        )
    return CallResult(id, payload)


def _require_kind(payload: object, kind: type, advice: str) -> None:
    if not isinstance(payload, kind):
        raise TypeError(f"{advice}, not {type(payload).__name__}")
