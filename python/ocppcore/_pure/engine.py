"""The engine of a codec: its methods, written around one walk and one writer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._batch import check_each, decode_each, frames_of
from .._versions import full_name
from .convert import PlainWriter
from .formats import INT64_MAX, INT64_MIN
from .text import Fault, Scanner, Stop
from .tree import Node, read_tree
from .walk import MAX_ID, REFUSED, TOLD, SecondLook, Walk, plain_integer
from .write import Writer, quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .schema import ObjectType, Schema

_RECOVERY_WINDOW = 4096  # bytes of data that is too long that are looked at for its head
FRAME_DEPTH = 1  # brackets that are open before a frame's payload
_LONGEST_ECHO = 100  # code points of an id in a refusal: that of another may have been too long
FARTHEST = 1 << 26  # byte at which a resolved payload can have stood for an error to quote from it
_REFUSALS = ("callerror", "callresulterror")
_RESULT = 3  # the message type of a CALLRESULT


class Head:
    """What stands intact at the start of data: message type, id and action."""

    __slots__ = ("action", "id", "number")

    def __init__(self, number: int | None = None, id: str | None = None, action: str | None = None) -> None:
        self.number = number
        self.id = id
        self.action = action


class Survey(NamedTuple):
    """What there is to say about a frame, for explanations.

    `errors` are in the order of the data; `payload` is the tree of one that has a type and stands in a text without a fault; `broken`
    says that the text could not be read to its end.
    """

    data: bytes
    errors: list[Exception]
    head: Head
    payload: Node | None
    schema: Schema | None
    broken: bool


class Engine:
    """The Python engine of a codec; `ocppcore.Codec` documents its methods.

    `limits` maps "Type.field" to a raised maximum length; `make_error` makes the exception for a fault. `second_look`, if there is one, says
    which values stay as they came (`passes`); what is refused all the same it is given as what `decode` would raise, and its
    arguments: what it gives or raises is the answer.
    """

    __slots__ = ("_limits", "_make_error", "_max_size", "_schema", "_second_look")

    _schema: Schema
    _max_size: int
    _limits: Mapping[str, int]
    _make_error: Callable[..., Exception]
    _second_look: SecondLook | None

    def __new__(
        cls,
        schema: Schema,
        max_size: int,
        limits: Mapping[str, int],
        make_error: Callable[..., Exception],
        second_look: SecondLook | None = None,
    ) -> Engine:
        engine = object.__new__(cls)  # not super(): behind an engine stands Codec, which makes engines
        # A codec refuses to be changed, also by its own methods.
        for name, value in (
            ("schema", schema),
            ("max_size", max_size),
            ("limits", limits),
            ("make_error", make_error),
            ("second_look", second_look),
        ):
            object.__setattr__(engine, f"_{name}", value)
        return engine

    # In

    def decode(self, data: Any, pending: Mapping[str, Any] | None = None) -> Any:
        """The frame in `data`."""
        look = self._second_look
        if look is None:
            return self._decoded(data, pending)
        settled = self._decode_settled(data, pending)
        if settled is not None:
            return settled[0]
        try:
            return self._decoded(data, pending)
        except Exception as error:
            refused = error
        return look(refused, data, pending)

    def decode_with_findings(self, data: Any, pending: Mapping[str, Any] | None = None) -> Any:
        """The frame, and what the policy has let pass in it."""
        door, look = self._schema.door, self._second_look
        if look is None:
            return door["Tolerated"](self._decoded(data, pending))
        settled = self._decode_settled(data, pending)
        if settled is not None:
            frame, faultless, clean = settled
            if faultless:
                return door["Tolerated"](frame)
            if isinstance(data, (str, bytes)):  # no other buffer need say the same later
                if pending is not None and type(frame) is door["CallResult"]:
                    pending = {frame.id: pending.get(frame.id)}  # nor need the mapping
                return door["Tolerated"](frame, None, None, not clean, look, data, pending)
        return look.tolerated(data, pending)

    def _decode_settled(self, data: Any, pending: Mapping[str, Any] | None = None) -> tuple[Any, bool, bool] | None:
        """The frame as `decode` gives it, whether it has no fault, and whether none of which the policy tells; None where that takes a second look."""
        try:
            data = text_or_bytes(data)
            self._check_size(data)
            walk = Walk(self._schema, data, self._limits, look=self._second_look)
            frame = walk.frame(pending)
        except Exception:
            return None  # a strict walk will tell what is wrong first
        return frame, walk.passed == REFUSED, walk.passed < TOLD

    def _decoded(self, data: Any, pending: Mapping[str, Any] | None) -> Any:
        data = text_or_bytes(data)
        self._check_size(data)
        walk = Walk(self._schema, data, self._limits)
        try:
            return walk.frame(pending)
        except Stop as stop:
            fault = stop.fault
        raise self._in_frame(walk, fault, data)

    def validate(self, data: Any, pending: Mapping[str, Any] | None = None) -> None:
        """Check a frame."""
        self._decoded(data, pending)

    def decode_many(self, frames: Any, pending: Mapping[str, Any] | None = None) -> list[Any]:
        """The frame or the error of each."""
        return decode_each(self.decode, frames, pending)

    def _check_many(self, frames: Any, threads: int) -> tuple[bytes, bytes]:
        """The columns of Verdicts; one frame after the other, since threads would only take turns."""
        return check_each(self.validate, frames_of(frames))

    def peek(self, data: Any) -> Any:
        """The head of a frame."""
        data = text_or_bytes(data)
        self._check_size(data)
        walk = Walk(self._schema, data, self._limits)
        try:
            head = walk.head()
            start = -1
            if head.kind not in _REFUSALS:
                walk.payload_element()
                start = walk.offset(walk.at)
            return self._schema.door["Peek"](head.number, head.id, head.action, data, start)
        except Stop as stop:
            fault = stop.fault
        raise self._in_frame(walk, fault, data)

    def resolve(self, frame: Any, action: Any) -> Any:
        """The frame with its payload typed."""
        schema = self._schema
        result_class, raw_class = schema.door["CallResult"], schema.door["RawPayload"]
        if not isinstance(frame, result_class):
            raise TypeError(f"resolve takes a CallResult, not {type(frame).__name__}")
        name, type_ = schema.response_to(action)
        payload = frame.payload
        if not isinstance(payload, raw_class):
            if type_.cls is not None and isinstance(payload, type_.cls):
                return frame
            raise ValueError(f"the frame holds a {type(payload).__name__}, which does not answer {name!r}")
        data = text_or_bytes(payload.data)
        walk = Walk(schema, data, self._limits, depth=FRAME_DEPTH)
        try:
            value = walk.payload(type_)
            walk.end_of_text()
            return result_class(frame.id, value)
        except Stop as stop:
            fault = stop.fault
        assert fault is not None  # a strict walk stops at a fault
        start = payload.offset
        offset = start + walk.offset(fault.at)
        raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
        quoted = b" " * start + raw if start <= FARTHEST else None  # as it stood in its frame
        raise self._make_error(
            fault.kind, fault.path, offset, fault.expected, quoted, _RESULT, _readable(frame.id), name
        )

    def decode_payload(self, data: Any, action: str, kind: str) -> Any:
        """A payload without a frame."""
        type_ = self._schema.payload_type(action, kind)
        data = text_or_bytes(data)
        self._check_size(data, Head(action=action))
        walk = Walk(self._schema, data, self._limits)
        try:
            payload = walk.payload(type_)
            walk.end_of_text()
            return payload
        except Stop as stop:
            fault = stop.fault
        raise self._error(walk, fault, data, Head(action=action))

    def explain(self, data: Any, pending: Mapping[str, Any] | None = None) -> list[Exception]:
        """The error for every fault of a frame that can be found, in the order of the data; the first is decode's."""
        return self.survey(data, pending).errors

    def survey(self, data: Any, pending: Mapping[str, Any] | None = None) -> Survey:
        """A frame as far as it can be read: its errors, and where its payload is."""
        text = text_or_bytes(data)
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if len(raw) > self._max_size:
            error = self._too_long(text, None)
            return Survey(raw, [error], recover(start_of(text)), None, None, broken=True)
        found: list[Fault] = []
        walk = Walk(self._schema, text, self._limits, found)
        broken = False
        try:
            walk.frame(pending)
        except Stop as stop:
            if stop.fault is not None:
                found.append(stop.fault)
                broken = True
        head = recover(text)
        if walk.answered is not None:
            head.action = walk.answered
        # Each error quotes from the bytes: a str would be encoded anew for each.
        errors = [self._error(walk, fault, raw, head) for fault in found]
        payload = None
        if walk.typed is not None and not broken:
            type_, at = walk.typed
            payload = read_tree(Walk(self._schema, text, self._limits, []), type_, at)
        return Survey(raw, errors, head, payload, self._schema, broken=broken)

    # Out

    def encode(self, frame: Any) -> bytes:
        """A frame as canonical JSON."""
        kind, number = self._kind_of_frame(frame)
        head = Head(number, _readable(frame.id))
        write_rest = self._rest_of_frame(kind, frame, head)
        writer = self._writer(head, FRAME_DEPTH)
        try:
            writer.parts.append(f"[{number},")
            writer.frame_id(frame.id, _LONGEST_ECHO if kind in _REFUSALS else MAX_ID)
            write_rest(writer)
            writer.parts.append("]")
            return writer.text().encode()
        except Stop as stop:
            fault = stop.fault
        raise self._unwritten(fault, head)

    def _writer(self, head: Head, depth: int = 0) -> Writer:  # the head is for those that go by the action
        return Writer(self._limits, self._schema.door["UNSET"], depth)

    def _kind_of_frame(self, frame: Any) -> tuple[str, int]:
        """The kind of a frame and its message type."""
        door, version = self._schema.door, self._schema.version
        for name in ("Call", "CallResult", "CallError", "CallResultError", "Send"):
            if isinstance(frame, door[name]):
                kind = name.lower()
                for number, known in self._schema.frames.items():
                    if known == kind:
                        return kind, number
                raise ValueError(f"OCPP {version} has no {name} frames")
        raise TypeError(
            f"encode takes a frame (Call, CallResult, CallError, CallResultError, Send), not {type(frame).__name__}; "
            "a payload goes into one, Call(id, payload), or to encode_payload"
        )

    def _rest_of_frame(self, kind: str, frame: Any, head: Head) -> Callable[[Writer], None]:
        """What writes the elements behind the id. That the frame holds what it may hold is looked at before."""
        if kind in _REFUSALS:
            return lambda writer: writer.error_fields(frame.code, frame.description, frame.details)
        payload = frame.payload
        if kind == "callresult" and isinstance(payload, self._schema.door["RawPayload"]):
            if not isinstance(payload.data, bytes):
                raise TypeError("the data of a RawPayload must be bytes, as decode gives it")
            return lambda writer: writer.parts.append("," + self._raw_text(payload.data))
        action, role, type_ = self._role(payload)
        wanted = {"call": "request", "callresult": "response", "send": "send"}[kind]
        if role != wanted:
            raise ValueError(f"a {type(frame).__name__} holds a {wanted}, and {type(payload).__name__} is a {role}")
        head.action = action
        before = "," if kind == "callresult" else f",{quote(action)},"

        def write_payload(writer: Writer) -> None:
            writer.parts.append(before)
            writer.struct(type_, payload)

        return write_payload

    def _role(self, payload: object) -> tuple[str, str, ObjectType]:
        """Action, kind and type of a payload; TypeError when the version has no such payload."""
        role = self._schema.role_of(payload)
        if role is None:
            raise TypeError(
                f"{full_name(type(payload))} is no payload of OCPP {self._schema.version}: use a request, a response or "
                "the payload of a SEND of this version, or make your own known by codec.extend(messages=[...])"
            )
        return role

    def _raw_text(self, data: bytes) -> str:
        """The text of a raw payload on its way out: any well-formed object, as it is."""
        walk = Walk(self._schema, data, self._limits, depth=FRAME_DEPTH)
        walk.payload(None)
        walk.end_of_text()
        return walk.text[: walk.end]

    def encode_payload(self, payload: Any) -> bytes:
        """A payload without a frame."""
        action, _, type_ = self._role(payload)
        head = Head(action=action)
        writer = self._writer(head)
        try:
            writer.struct(type_, payload)
            return writer.text().encode()
        except Stop as stop:
            fault = stop.fault
        raise self._unwritten(fault, head)

    def from_builtins(self, action: str, kind: str, obj: Any) -> Any:
        """The Struct of a payload given as plain objects."""
        type_ = self._schema.payload_type(action, kind)
        writer = PlainWriter(self._schema, self._schema.door["UNSET"])
        try:
            writer.free(obj)
            walk = Walk(self._schema, writer.text(), self._limits)
            return walk.payload(type_)
        except Stop as stop:
            fault = stop.fault
        raise self._unwritten(fault, Head(action=action))

    # Faults

    def _check_size(self, data: str | bytes, head: Head | None = None) -> None:
        if len(data) * (4 if isinstance(data, str) else 1) > self._max_size and size_of(data) > self._max_size:
            raise self._too_long(data, head)

    def _too_long(self, data: str | bytes, head: Head | None) -> Exception:
        if head is None:
            head = recover(start_of(data))
        size = self._max_size
        return self._make_error("size", "", size, size, data, head.number, head.id, head.action)

    def _in_frame(self, walk: Walk, fault: Fault | None, data: str | bytes) -> Exception:
        """The error for the fault at which the walk over a frame has ended."""
        head = recover(data)
        if walk.answered is not None:
            head.action = walk.answered
        return self._error(walk, fault, data, head)

    def _error(self, walk: Walk, fault: Fault | None, data: str | bytes, head: Head) -> Exception:
        assert fault is not None  # a strict walk ends at a fault
        offset = walk.offset(fault.at)
        return self._make_error(fault.kind, fault.path, offset, fault.expected, data, head.number, head.id, head.action)

    def _unwritten(self, fault: Fault | None, head: Head) -> Exception:
        """The error for an object: it has no offset."""
        assert fault is not None  # a writer ends at a fault
        return self._make_error(fault.kind, fault.path, None, fault.expected, None, head.number, head.id, head.action)


def text_or_bytes(data: Any) -> str | bytes:
    """Data as the walker takes it: str and bytes as they are, any other buffer as a copy that nobody else can change."""
    if isinstance(data, bytes):
        return data if type(data) is bytes else bytes(memoryview(data))
    if isinstance(data, str):
        return data if type(data) is str else str.__str__(data)
    try:
        return bytes(memoryview(data))
    except TypeError:
        name = type(data).__name__
        advice = "; from_builtins takes a payload of dicts and lists" if isinstance(data, (dict, list)) else ""
        raise TypeError(
            f"data must be str or an object with a buffer (bytes, bytearray, memoryview), not {name}{advice}"
        ) from None


def _readable(id: Any) -> str | None:
    """A message id for an error to tell; None when it is no text."""
    if not isinstance(id, str):
        return None
    try:
        return str.__str__(id).encode().decode()
    except UnicodeEncodeError:
        return None


def size_of(data: str | bytes) -> int:
    """The number of bytes, as UTF-8."""
    return len(data) if isinstance(data, bytes) or data.isascii() else len(data.encode("utf-8", "surrogatepass"))


def start_of(data: str | bytes) -> bytes:
    """The first bytes of data that is too long."""
    if isinstance(data, str):
        data = data[:_RECOVERY_WINDOW].encode("utf-8", "surrogatepass")
    return data[:_RECOVERY_WINDOW]


def recover(data: str | bytes) -> Head:
    """The head of a broken frame, as far as it stands intact."""
    head = Head()
    scanner = Scanner(data)
    try:
        if scanner.begins() != "[":
            return head
        scanner.open()
        if scanner.begins() not in "-0123456789":
            return head
        match = scanner.number()
        # A number that the data's end cuts off may not be all of it.
        if match.lastindex is not None or scanner.at == scanner.end:
            return head
        number = plain_integer(match[0])
        if not INT64_MIN <= number <= INT64_MAX:
            return head
        head.number = number
        head.id = _next_string(scanner)
        if head.id is not None and number in (2, 6):
            head.action = _next_string(scanner)
    except Stop:
        pass  # no further than this
    return head


def _next_string(scanner: Scanner) -> str | None:
    """The string behind a comma; None when something else is there."""
    if scanner.space() != ",":
        return None
    scanner.at += 1
    return scanner.string() if scanner.begins() == '"' else None
