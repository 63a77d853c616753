"""The second pass over data that the strict check has refused: what a codec with a policy does then.

    strict check ─ refused ─ collect every fault ─ decide each by the policy ─ rewrite what is to be repaired ─ read again ─ ...

A repair is a rewrite of the JSON text at one place. The rewritten text goes through the same walk, so that whatever comes of it has passed
every rule but those that the policy lets go; the rounds are few and bounded, and each is linear. What fits its place in the Struct is kept there
as it came; fields that the schema does not know are kept beside the payload; a payload that does not fit comes untyped.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar, cast

import msgspec

from ._errors import Finding, OcppError
from ._frames import Call, CallResult, RawPayload, Send, UntypedPayload
from ._mend import mended
from ._pure.engine import FARTHEST, FRAME_DEPTH, Head, recover, size_of, start_of, text_or_bytes
from ._pure.text import Fault, Scanner, Stop
from ._pure.walk import Walk
from ._repairs import ABSENT, REPAIRS, Place, rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._payloads import Message
    from ._policy import Policy, PolicyRule
    from ._pure.schema import Field, ObjectType, Schema

FrameT = TypeVar("FrameT", covariant=True)
KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")

_SPACE = " \t\r\n"
_MOST_KEPT = 256  # answers of the policy; a quirk comes again
_LONGEST_KEPT = 256  # characters by which one is found: a peer may write a field's name, or a value, of any length
_MOST_ROUNDS = 8  # of repairs that bring more to light: a list in a list in ..., each wrapped
_OF_THE_TEXT = frozenset(("size", "utf8", "syntax", "truncated", "surrogate", "depth"))
# Faults of values that fit their place in a Struct all the same.
_FITTING = frozenset(
    ("length", "enum", "minimum", "maximum", "multiple_of", "too_few", "too_many", "unknown_key", "message_id_length")
)
# Faults that leave a frame whole but for its payload.
_IN_PAYLOAD = frozenset(
    ("type", "null", "format", "number_range", "missing", "duplicate_key", "payload_type", "action_unknown")
)


class Decision(NamedTuple):
    """A fault and what was decided about it. `at` is the place in the data as given, `original` what a repair has rewritten, to `became`."""

    fault: Fault
    at: int
    rule: PolicyRule | None
    original: str | None = None
    became: str | None = None

    @property
    def verdict(self) -> str:
        return "refuse" if self.rule is None else self.rule.verdict


class Text:
    """A text that has been rewritten in places, and knows of each character where it came from."""

    __slots__ = ("_origins", "_starts", "_verbatim", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self._starts, self._origins, self._verbatim = [0], [0], [True]

    def original(self, at: int) -> int:
        """Where in the original the character at `at` came from, or that for which it stands."""
        piece = bisect_right(self._starts, at) - 1
        origin = self._origins[piece]
        return origin + at - self._starts[piece] if self._verbatim[piece] else origin

    def rewritten(self, edits: list[tuple[int, int, str]]) -> Text:
        """The text with some spans replaced; they are in order and do not overlap."""
        new = Text("")
        new._starts, new._origins, new._verbatim = [], [], []
        parts: list[str] = []
        length = kept_from = 0
        for start, end, text in (*edits, (len(self.text), len(self.text), "")):
            if start > kept_from:
                self._copy_pieces(new, kept_from, start, length)
                parts.append(self.text[kept_from:start])
                length += start - kept_from
            if text or (start == len(self.text) == end and kept_from <= start):
                new._add(length, self.original(start), False)
                parts.append(text)
                length += len(text)
            kept_from = end
        new.text = "".join(parts)
        return new

    def _add(self, start: int, origin: int, verbatim: bool) -> None:
        self._starts.append(start)
        self._origins.append(origin)
        self._verbatim.append(verbatim)

    def _copy_pieces(self, new: Text, start: int, end: int, length: int) -> None:
        piece = bisect_right(self._starts, start) - 1
        while piece < len(self._starts) and self._starts[piece] < end:
            begin = max(self._starts[piece], start)
            new._add(length + begin - start, self.original(begin), self._verbatim[piece])
            piece += 1


class _Keeping(Walk):
    """A walk that collects, and keeps items beyond the last that may be there."""

    __slots__ = ()

    def surplus(self, item: Field, values: list[Any]) -> None:
        """Read them like the others."""
        more = True
        while more:
            self.begins()
            self.path.append(len(values))
            values.append(item.read(self, item, self.at))
            self.path.pop()
            more = self.more("]")


class Outcome(NamedTuple, Generic[FrameT]):
    """What came of a second pass: a value, or the error that says why there is none, and whether the policy refused.

    `text` is what was read in the end, `left` the faults that stayed in it; the whole walk alone tells them.
    """

    value: FrameT | None
    findings: Callable[[], list[Finding]]
    extras: dict[str, Any]
    error: OcppError | None
    refused: bool
    text: Text | None = None
    left: tuple[Fault, ...] = ()

    def accepted(self) -> FrameT:
        """The value; raises the error where there is none."""
        if self.error is not None:
            raise self.error
        return cast("FrameT", self.value)


class Subject(NamedTuple):
    """What is read: a frame, or the payload of an action, which may have stood at `offset` of a frame, `depth` brackets deep.

    `read` lets a walk read it. `head` is what is known of the frame, where the data does not say it.
    """

    read: Callable[[Walk], Any]
    head: Head | None = None
    type: ObjectType | None = None
    depth: int = 0
    offset: int = 0
    pending: Mapping[str, Any] | None = None


class Tolerance:
    """A codec's second look. `engine` is what the Python engine of the codec would be made of, `decode` the codec's own strict decode."""

    def __init__(
        self,
        engine: tuple[Schema, int, Mapping[str, int], Callable[..., OcppError]],
        policy: Policy,
        messages: Mapping[str, Message],
        decode: Callable[[str | bytes, Mapping[str, Any] | None], Any],
    ) -> None:
        self.decode = decode
        self.schema, self.max_size, self.limits, self.make_error = engine
        self.policy = policy
        self._messages = messages
        self._entries: dict[tuple[str, str, str], tuple[PolicyRule, ...]] = {}
        self._actions: dict[str, str] = {}
        # Type of the payload, kind of fault, pointer, JSON text -> whether it stays as it came (`_settle.py`).
        self.passed: dict[tuple[str, str, str, str], int] = {}
        # Kind of frame and of fault, action, pointer, JSON text -> the entry that decides, and what the text becomes (`_stepwise.py`).
        self.decided: dict[tuple[int | None, str, str | None, str, str], tuple[PolicyRule, str | None]] = {}

    def is_transaction(self, action: str) -> bool:
        """Whether a message belongs, or may belong, to a charging transaction."""
        message = self._messages.get(action)
        return message is not None and bool(message.transaction)

    def action_of(self, payload: str) -> str:
        """The action of a message, by the name of its payload's type."""
        if not self._actions:
            self._actions = {type_.name: action for (action, _), type_ in self.schema.payloads.items()}
        return self._actions[payload]

    def entries(self, kind: str, action: str, path: str) -> tuple[PolicyRule, ...]:
        """The entries of the policy that hold for a fault on its way in, the deciding one first. A quirk comes again, so they are kept."""
        key = (kind, action, path)
        found = self._entries.get(key)
        if found is None:
            found = tuple(self.policy.entries(kind, action, self.is_transaction(action), path, "in"))
            keep(self._entries, key, found, len(action) + len(path))
        return found

    def frame(self, data: str | bytes, pending: Mapping[str, Any] | None) -> Outcome[Any]:
        """The frame in `data`."""
        return _Reading(self, data, Subject(partial(Walk.frame, pending=pending), pending=pending)).outcome()

    def payload(self, data: Any, action: str, kind: str) -> Outcome[Any]:
        """A payload without a frame."""
        type_ = self.schema.payload_type(action, kind)
        subject = Subject(partial(_whole_payload, type_), Head(action=action), type_)
        return _Reading(self, text_or_bytes(data), subject).outcome()

    def resolved(self, frame: CallResult[Any], action: Any) -> Outcome[Any]:
        """The frame with its payload typed; the strict codec has looked at the arguments already."""
        name, type_ = self.schema.response_to(action)
        raw = frame.payload
        head = Head(RESULT, frame.id, name)
        subject = Subject(partial(_whole_payload, type_), head, type_, FRAME_DEPTH, raw.offset)
        outcome = _Reading(self, raw.data, subject).outcome()
        return outcome if outcome.value is None else outcome._replace(value=CallResult(frame.id, outcome.value))


def keep(kept: dict[KeyT, ValueT], key: KeyT, value: ValueT, length: int) -> None:
    """Keep an answer, unless what it is found by is long: data must not fill the memory."""
    if length <= _LONGEST_KEPT:
        if len(kept) >= _MOST_KEPT:
            kept.clear()
        kept[key] = value


_WITH_PAYLOAD: dict[str, Callable[[Any, Any], Any]] = {"call": Call, "send": Send, "callresult": CallResult}
RESULT = 3  # the message type of a CALLRESULT


def _whole_payload(type_: ObjectType, walk: Walk) -> Any:
    value = walk.payload(type_)
    walk.end_of_text()
    return value


class _Round(NamedTuple):
    """One walk over the text as it is by now: what it found, and what it knows of the frame."""

    text: Text
    walk: _Keeping
    value: Any
    found: list[Fault]
    head: Head
    action: str
    type: ObjectType | None


class _Reading:
    """One second pass over some data."""

    def __init__(self, tolerance: Tolerance, data: str | bytes, subject: Subject) -> None:
        self._tolerance = tolerance
        self._data = data
        self._subject = subject
        self._start = Scanner(data)
        self._repaired: list[Decision] = []
        # What was repaired, by place and repairs: none is made twice.
        self._tried: set[tuple[int, tuple[str, ...]]] = set()
        self._mending_tried = False
        self._absent: set[int] = set()  # where a field was declared to be left out

    def outcome(self) -> Outcome[Any]:
        """Read, decide, rewrite, and read again."""
        if size_of(self._data) > self._tolerance.max_size:
            longest = self._tolerance.max_size
            return self._ended(Fault("size", "", longest, longest))
        text = Text(self._start.text[: self._start.end])
        last: Fault | None = None
        for _ in range(_MOST_ROUNDS):
            now = self._walk(text)
            whole = self._mended(now)
            if whole is not None:
                text = whole
                frame = self._strictly(text)
                if frame is not None:
                    return self._accepted(frame, text)
                now = self._walk(text)
            decisions, edits = self._decide(now)
            if not edits:
                return self._finished(now, decisions)
            # What is refused may be what a repair mends, so it waits for the next round.
            self._repaired += (one for one in decisions if one.verdict == "repair")
            last = next(one.fault for one in decisions if one.verdict == "repair")
            text = text.rewritten(edits)
            frame = self._strictly(text)
            if frame is not None:
                return self._accepted(frame, text)
        assert last is not None  # there was a round
        return self._without(self._error(last, text.original(last.at), Head(), ""), None)

    def _data_of(self, text: Text) -> str | bytes:
        """The text in the form in which the data came; what is not UTF-8 stays what it was."""
        return text.text.encode("utf-8", "surrogateescape") if isinstance(self._data, bytes) else text.text

    def _strictly(self, text: Text) -> Any:
        """The frame in a text that is valid by now, as the codec reads it; None where there is none, or where a walk must look closer."""
        if self._subject.head is not None:
            return None
        try:
            frame = self._tolerance.decode(self._data_of(text), self._subject.pending)
        except OcppError:
            return None
        return None if isinstance(getattr(frame, "payload", None), RawPayload) else frame

    def _accepted(self, frame: Any, text: Text) -> Outcome[Any]:
        """A frame that the repairs have made valid."""

        def findings() -> list[Finding]:
            head = recover(self._data_of(text))
            head.action = head.action or getattr(frame, "action", None)
            return self._findings(self._repaired, head, head.action or "")

        return Outcome(frame, findings, {}, None, False, text)

    def _walk(self, text: Text) -> _Round:
        subject, schema = self._subject, self._tolerance.schema
        data = self._data_of(text)
        found: list[Fault] = []
        walk = _Keeping(schema, data, self._tolerance.limits, found, subject.depth)
        value: Any = None
        try:
            value = subject.read(walk)
        except Stop as stop:
            if stop.fault is not None:
                found.append(stop.fault)
        if subject.head is not None:
            return _Round(text, walk, value, found, subject.head, subject.head.action or "", subject.type)
        head = recover(data)
        if walk.answered is not None:
            head.action = walk.answered
        carried = {"call": "request", "send": "send", "callresult": "response"}
        kind = carried.get(schema.frames.get(head.number or 0, ""), "")
        return _Round(text, walk, value, found, head, head.action or "", schema.payloads.get((head.action or "", kind)))

    def _mended(self, now: _Round) -> Text | None:
        """The text with its JSON mended; None when it needs no mending, may not be mended, or cannot."""
        if self._mending_tried or not now.found or now.found[-1].kind not in ("syntax", "truncated"):
            return None
        self._mending_tried = True
        allowed: dict[str, PolicyRule] = {}
        for kind in ("syntax", "truncated"):
            for rule in self._tolerance.entries(kind, now.action, ""):
                if rule.verdict != "repair":
                    break
                allowed.update((name, rule) for name in rule.repair if kind in REPAIRS[name].serves)
        repairs = mended(now.text.text, frozenset(allowed)) if allowed else None
        if repairs is None:
            return None
        for one in repairs:
            old = now.text.text[one.start : one.end]
            fault = Fault(one.kind, "", one.at, None)
            rule = msgspec.structs.replace(allowed[one.name], repair=(one.name,))
            self._repaired.append(Decision(fault, now.text.original(one.at), rule, old, one.new))
        return now.text.rewritten([(one.start, one.end, one.new) for one in repairs])

    # Deciding

    def _decide(self, now: _Round) -> tuple[list[Decision], list[tuple[int, int, str]]]:
        """What is done about each fault of a walk, and the edits to make for it."""
        decisions: list[Decision] = []
        edits: list[tuple[int, int, str]] = []
        probe = _Probe(self._tolerance.schema, now, self._subject)
        end = -1
        for fault in now.found:
            at = now.text.original(fault.at)
            if fault.kind == "null" and at in self._absent:
                continue
            rule, edit = self._verdict(now, probe, fault, at)
            if edit is None:
                decisions.append(Decision(fault, at, rule))
                continue
            start, stop, new = edit
            if start < end:
                continue  # it is in what is rewritten: if it is still there then, it will be found again
            last_end, end = end, max(stop, start + 1)
            assert rule is not None  # it named the repair
            old = now.text.text[start:stop]
            if new == ABSENT:
                member = member_of(now.walk.text, start, stop, last_end)
                if member is not None:
                    edits.append((*member, ""))
                    decisions.append(Decision(fault, at, rule, old, ""))
                    end = member[1]
                    continue
                self._absent.add(now.text.original(start))
            became = "" if new == ABSENT else new
            if new != old:
                # What stays stays where it was: a fault inside it is told at its own place.
                before, kept, after = new.partition(old) if old else (new, "", "")
                edits += [(start, start, before), (stop, stop, after)] if kept else [edit]
                decisions.append(Decision(fault, at, rule, old, became))
            else:
                self._repaired.append(Decision(fault, at, rule, old, became))
        return decisions, edits

    def _verdict(
        self, now: _Round, probe: _Probe, fault: Fault, at: int
    ) -> tuple[PolicyRule | None, tuple[int, int, str] | None]:
        """The entry of the policy that decides about a fault, and the edit that it asks for."""
        span: tuple[int, int] | None = None
        place: Place | None = None
        for rule in self._tolerance.entries(fault.kind, now.action, fault.path):
            if rule.verdict != "repair":
                return rule, None
            if (at, rule.repair) in self._tried:
                continue
            if place is None or span is None:
                span, place = probe.span(fault), Place(fault, probe)
                if span is None:
                    continue
            place.values = rule.values
            made = rewritten(rule.repair, place, now.text.text[slice(*span)])
            if made is not None:
                self._tried.add((at, rule.repair))
                return msgspec.structs.replace(rule, repair=made[1]), (*span, made[0])
        return None, None

    # What comes of it

    def _finished(self, now: _Round, decisions: list[Decision]) -> Outcome[Any]:
        """There is nothing left to repair: what stays is told or ignored."""
        refused = next((one for one in decisions if one.verdict == "refuse"), None)
        if refused is not None:
            return self._without(self._error(refused.fault, refused.at, now.head, now.action), None)
        unfit = [one for one in decisions if not _fits(one.fault)]
        broken = next((one for one in unfit if one.fault.kind not in _IN_PAYLOAD or not self._has_payload(now)), None)
        all_decisions = [*self._repaired, *decisions]
        if broken is not None:
            return self._without(self._error(broken.fault, broken.at, now.head, now.action), all_decisions)
        probe = _Probe(self._tolerance.schema, now, self._subject)
        extras: dict[str, Any] = {}
        if unfit:
            value = self._untyped(now, probe)
        else:
            value = self._with_true_offset(now)
            for one in decisions:
                if one.fault.kind == "unknown_key":
                    extras[one.fault.path] = probe.member(one.fault.at)
        left = tuple(one.fault for one in decisions)
        return Outcome(
            value, lambda: self._findings(all_decisions, now.head, now.action), extras, None, False, now.text, left
        )

    def _untyped(self, now: _Round, probe: _Probe) -> Any:
        """The frame, or the payload, with the payload's text in place of a Struct."""
        start, end = probe.payload()
        text = now.walk.text[start:end].encode("utf-8", "surrogatepass")
        payload = UntypedPayload(text, self._offset(now.text.original(start)), now.action)
        if self._subject.head is not None:
            return payload
        make = _WITH_PAYLOAD[self._tolerance.schema.frames[cast("int", now.head.number)]]
        return make(now.head.id, payload)

    def _has_payload(self, now: _Round) -> bool:
        """Whether what is read is a payload, or a frame of a kind that has one."""
        return (
            self._subject.head is not None or self._tolerance.schema.frames.get(now.head.number or 0) in _WITH_PAYLOAD
        )

    def _with_true_offset(self, now: _Round) -> Any:
        """The frame; a raw payload knows where it stood in the data as given."""
        payload = getattr(now.value, "payload", None)
        if not self._repaired or not isinstance(payload, RawPayload):
            return now.value
        start, _ = _Probe(self._tolerance.schema, now, self._subject).payload()
        moved = RawPayload(payload.data, self._offset(now.text.original(start)))
        return CallResult(now.value.id, moved)

    def _ended(self, fault: Fault) -> Outcome[Any]:
        """Data that is not looked at."""
        head = self._subject.head or recover(start_of(self._data))
        action = head.action or ""
        entries = self._tolerance.entries(fault.kind, action, fault.path)
        rule = next((rule for rule in entries if rule.verdict != "repair"), None)
        decision = Decision(fault, fault.at, rule)
        known = None if decision.verdict == "refuse" else [decision]
        return self._without(self._error(fault, fault.at, head, action), known)

    def _without(self, error: OcppError, decisions: list[Decision] | None) -> Outcome[Any]:
        """Nothing can be made of the data; or nothing must be, with None for the decisions."""
        head = Head(error.message_type, error.message_id, error.action)
        refused = decisions is None
        return Outcome(None, lambda: self._findings(decisions or [], head, error.action or ""), {}, error, refused)

    def _findings(self, decisions: list[Decision], head: Head, action: str) -> list[Finding]:
        """The findings, in the order of the data."""
        told = (one for one in decisions if one.rule is not None and one.rule.verdict != "ignore")
        return [
            finding_of(one, self._error(one.fault, one.at, head, action))
            for one in sorted(told, key=lambda one: one.at)
        ]

    def _error(self, fault: Fault, at: int, head: Head, action: str) -> OcppError:
        start = self._subject.offset
        offset = self._offset(at)
        quoted = b" " * start + self._bytes if start <= FARTHEST else None  # as it stood in its frame
        return self._tolerance.make_error(
            fault.kind, fault.path, offset, fault.expected, quoted, head.number, head.id, action or None
        )

    def _offset(self, at: int) -> int:
        """The byte of a place in the data as given."""
        return self._subject.offset + (self._start.offset(at) if at <= self._start.end else at)

    @cached_property
    def _bytes(self) -> bytes:
        return self._data if isinstance(self._data, bytes) else self._data.encode("utf-8", "surrogatepass")


def finding_of(decision: Decision, error: OcppError) -> Finding:
    """The finding that tells of a decision; `error` is what a strict codec would have raised."""
    rule = decision.rule
    assert rule is not None
    return Finding.of(
        error, verdict=rule.verdict, repair=rule.repair, original=decision.original, became=decision.became
    )


def member_of(text: str, start: int, stop: int, kept_from: int) -> tuple[int, int] | None:
    """The member of an object whose value is here, with a comma that parts it from another; None where it is not easily told.

    What stands before `kept_from` is left out already.
    """
    at = _before(text, start)
    at = _before(text, at) if text[at] == ":" else 0
    key = text.rfind('"', 0, at) if text[at] == '"' else -1
    if key < 1 or text[key - 1] == "\\":
        return None
    before = _before(text, key)
    if text[before] == "," and before >= kept_from:
        return before, stop
    behind = stop
    while text[behind] in _SPACE:
        behind += 1
    return key, behind + 1 if text[behind] == "," else stop


def _before(text: str, at: int) -> int:
    """The place of the last character before this one that is no white space."""
    at -= 1
    while text[at] in _SPACE:
        at -= 1
    return at


def _fits(fault: Fault) -> bool:
    """Whether the value at fault fits its place in a Struct all the same."""
    return fault.kind in _FITTING or (fault.kind == "format" and fault.expected == "uri")


class _Probe:
    """Looks at what stands in the text of a round, once a fault has said where."""

    def __init__(self, schema: Schema, now: _Round, subject: Subject) -> None:
        self._schema = schema
        self._now = now
        self._is_frame = subject.head is None
        self._walk = now.walk
        self._keys: dict[str, frozenset[str]] = {}

    def _value_at(self, at: int) -> tuple[int, Any]:
        """Where the JSON value at a place ends, and what it is."""
        walk = self._walk
        walk.at, walk.depth, walk.silent, walk.path, walk.found = at, 0, True, [], []
        walk.begins()
        value = walk.anything()
        return walk.at, value

    def span(self, fault: Fault) -> tuple[int, int] | None:
        """From where to where the text goes that a repair of a fault rewrites; None where there is none."""
        text, at = self._now.walk.text, fault.at
        if fault.kind in _OF_THE_TEXT:
            return None
        try:
            if fault.kind in ("missing", "too_few"):  # at the closing bracket of what is empty, if it is
                start = _before(text, at)
                return (start, at + 1) if text[start] in "[{" else None
            if text[at] == "]" and fault.kind in ("payload_missing", "arity"):
                return at, at
            end, _ = self._value_at(at)
            if fault.kind == "arity":
                while self._walk.more("]"):
                    end, _ = self._value_at(self._walk.at)
                return text.rindex(",", 0, at), end
            return at, end
        except Stop:
            return None

    def field(self, path: str) -> Field | None:
        """The field, or the item of a list, at a pointer; None for what the schema does not know."""
        return field_at(self._now.type, path) if self._now.type is not None and path else None

    @cached_property
    def _tree(self) -> Any:
        """The payload as plain Python; None where the text is broken, so that nothing can come of it anyway."""
        try:
            return self._value_at(self.payload()[0])[1]
        except Stop:
            return None

    def keys_beside(self, path: str) -> frozenset[str]:
        """The keys of the object that holds the field at a pointer; none where of equal keys another one was the last."""
        value: Any = self._tree
        parent = path.rpartition("/")[0]
        keys = self._keys.get(parent)
        if keys is None:
            try:
                for step in steps_of(parent):
                    value = value[int(step) if type(value) is list else step]
                keys = frozenset(cast("Mapping[str, Any]", value))
            except (KeyError, IndexError, TypeError, ValueError):
                keys = frozenset[str]()
            self._keys[parent] = keys  # a hostile object has many faulty keys
        return keys

    def elements(self) -> int:
        """The number of elements that the frame has; 0 where the text is broken."""
        try:
            return len(self._value_at(0)[1])
        except Stop:
            return 0

    def payload(self) -> tuple[int, int]:
        """Where the payload begins and ends."""
        walk = self._walk
        walk.at, walk.depth, walk.silent, walk.path, walk.found = 0, 0, True, [], []
        if self._is_frame:
            walk.head()
            walk.payload_element()
        walk.begins()
        start = walk.at
        return start, self._value_at(start)[0]

    def member(self, at: int) -> Any:
        """The value of the member whose key is here."""
        end, _ = self._value_at(at)
        self._walk.at = end
        self._walk.colon()
        return self._value_at(self._walk.at)[1]


def steps_of(path: str) -> list[str]:
    """The steps of a JSON pointer."""
    steps = path.split("/")[1:]
    return [step.replace("~1", "/").replace("~0", "~") for step in steps] if "~" in path else steps


def field_at(type_: ObjectType, path: str) -> Field | None:
    """The field, or the item of a list, at a pointer; None for what the schema does not know."""
    field: Field | None = None
    inside: ObjectType | None = type_
    for step in steps_of(path):
        if field is not None and field.item is not None:
            field = field.item
        elif inside is not None:
            field = inside.by_name.get(step)
        else:
            return None
        if field is None:
            return None
        inside = field.type if field.kind == "object" else None
    return field
