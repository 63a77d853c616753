"""The one walker: it reads a frame, its payload and every value in it, checks them by the schema's tables, and builds what they mean.

    frame ─ payload ─ object ─ field ─ string, integer, ..., list, object, any

It goes over the text once, left to right. What it finds wrong it reports: a strict walk ends at the first fault, one that collects (explain)
passes over the value and goes on, as far as the text can be read. `path` holds the steps to the list or object that is being read; the
field at fault adds its own name.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol

from .formats import INT64_MAX, INT64_MIN, integral, is_uri, parse_datetime
from .text import Fault, Scanner, Stop, match_member, match_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .schema import Field, ObjectType, Schema

MAX_ID = 36  # code points of a message id
ELEMENTS = {"call": 4, "callresult": 3, "callerror": 5, "callresulterror": 5, "send": 4}
# Kinds of fault that are the last that a value could have: it may be kept when they are let pass.
LAST_FAULTS = frozenset(("enum", "length", "minimum", "maximum", "multiple_of", "unknown_key"))
# What becomes of a fault.
REFUSED, IGNORED, TOLD = range(3)
_CARRIES = {"call": "request", "send": "send"}  # the kind of the payload that follows an action


class Head(NamedTuple):
    """What stands before the payload. In a walk that collects, what was at fault is None."""

    number: int | None
    kind: str | None
    id: str | None
    action: str | None
    action_at: int


class SecondLook(Protocol):
    """What a codec's policy makes of faults."""

    def __call__(self, error: Exception, data: Any, pending: Any) -> Any:
        """What becomes of data that was refused."""
        ...

    def tolerated(self, data: Any, pending: Any) -> Any:
        """The same, with all that is wrong with it."""
        ...

    def passes(self, payload: ObjectType, kind: str, path: str, expected: object, token: str) -> int:
        """Whether a value of this JSON text stays as it came: REFUSED, IGNORED or TOLD."""
        ...


class Walk(Scanner):
    """A walk over one text.

    `limits` are lengths that the connection raised, asked only where the schema's own is exceeded. With `found`, a list, faults are
    collected there; without, the first one is raised as Stop, unless `look` has the value kept as it is. `depth` is the number of brackets
    that are open around the text.
    """

    __slots__ = ("answered", "found", "limits", "look", "passed", "path", "schema", "silent", "typed")

    def __init__(
        self,
        schema: Schema,
        data: str | bytes,
        limits: Mapping[str, int],
        found: list[Fault] | None = None,
        depth: int = 0,
        look: SecondLook | None = None,
    ) -> None:
        super().__init__(data, depth)
        self.schema = schema
        self.limits = limits
        self.found = found
        self.look = look
        self.passed = REFUSED  # the highest of what `look` has said; as long as it has said nothing this
        self.path: list[str | int] = []
        self.silent = False  # in an error's details: there is no payload to point into
        self.answered: str | None = None  # the action whose response was read
        self.typed: tuple[ObjectType, int] | None = None  # of what type a payload is, and where it begins

    # Faults

    def report(self, kind: str, at: int, expected: object = None, last: str | None = None) -> None:
        """Something is wrong with the value at `at`; `last` is a step below `path`, None for one that is in it already."""
        steps = self.path if last is None else [*self.path, last]
        self._tell(Fault(kind, "" if self.silent else pointer(steps), at, expected))

    def _report_frame(self, kind: str, at: int, expected: object = None) -> None:
        self._tell(Fault(kind, "", at, expected))

    def _tell(self, fault: Fault) -> None:
        if self.found is not None:
            self.found.append(fault)
        elif self.look is None or not self._passes(self.look, fault):
            raise Stop(fault)

    def _passes(self, look: SecondLook, fault: Fault) -> bool:
        """Whether a value in a payload stays as it came: whoever has reported a fault goes on with it."""
        if self.typed is None or fault.kind not in LAST_FAULTS:
            return False
        token = match_token(self.text, fault.at)
        passed = token and look.passes(self.typed[0], fault.kind, fault.path, fault.expected, token[0])
        if not passed:
            return False
        if passed > self.passed:
            self.passed = passed
        return True

    def _frame_ends(self, kind: str, expected: object) -> NoReturn:
        """The frame's closing bracket stands where an element should; what follows is not looked at."""
        self._report_frame(kind, self.at, expected)
        raise Stop(None)

    # The frame

    def frame(self, pending: Mapping[str, Any] | None) -> Any:
        """The whole text as a frame. A walk that collects returns nothing of use."""
        head = self.head()
        door = self.schema.door
        result: Any = None
        if head.kind in ("call", "send"):
            type_ = self._requested(head)
            self.payload_element()
            payload = self.payload(type_)
            result = door["Call" if head.kind == "call" else "Send"](head.id, payload)
        elif head.kind == "callresult":
            self.payload_element()
            payload = self._answer(head.id, pending)
            result = door["CallResult"](head.id, payload)
        elif head.kind is not None:
            code = self._error_text()
            description = self._error_text()
            self._element(5)
            details = self._error_details()
            result = door["CallError" if head.kind == "callerror" else "CallResultError"](
                head.id, code, description, details
            )
        else:
            self._rest_of_frame()
        self._end_of_frame(head.kind)
        return result

    def head(self) -> Head:
        """The frame up to its id or, where it has one, its action."""
        if self.begins() != "[":
            self._misplaced("frame_not_array", None)
            self.end_of_text()
            raise Stop(None)
        self.open()
        numbers = tuple(self.schema.frames)
        if self.space() == "]":
            self._frame_ends("message_type_invalid", numbers)
        number = self._message_type(numbers)
        kind = None if number is None else self.schema.frames.get(number)
        self._element(None if kind is None else ELEMENTS[kind])
        self.begins()
        at = self.at
        id = self._frame_string("message_id_type")
        if id is not None and not 1 <= len(id) <= MAX_ID:
            self._report_frame("message_id_length", at, MAX_ID)
        if kind not in _CARRIES:
            return Head(number, kind, id, None, at)
        self._element(4)
        self.begins()
        at = self.at
        return Head(number, kind, id, self._frame_string("action_type"), at)

    def _message_type(self, numbers: tuple[int, ...]) -> int | None:
        """The first element: an integer literal that the version has."""
        first, at = self.begins(), self.at
        if first not in "-0123456789":
            self._misplaced("message_type_invalid", numbers)
            return None
        match = self.number()
        if match.lastindex is not None:
            self._report_frame("message_type_invalid", at, numbers)
            return None
        number = plain_integer(match[0])
        if number not in numbers:
            self._report_frame("message_type_unknown", at, numbers)
            return None
        return number

    def _frame_string(self, fault: str) -> str | None:
        """An element of the frame that must be a string."""
        if self.begins() == '"':
            return self.string()
        self._misplaced(fault, "string")
        return None

    def _misplaced(self, kind: str, expected: object) -> None:
        """An element of a wrong type; `true`, `false` and `null` are read to their end first."""
        at = self.at
        if self.text[at] in "tfn":
            self.literal()
            self._report_frame(kind, at, expected)
        else:
            self._report_frame(kind, at, expected)
            self._pass_over()

    def _pass_over(self) -> None:
        """A value that is no part of a payload."""
        before, self.silent = self.silent, True
        self.anything()
        self.silent = before

    def _element(self, elements: int | None) -> None:
        """Pass the comma before an element that must come."""
        follows = self.space()
        if follows == "]":
            self._frame_ends("arity", elements)
        if follows != ",":
            self.unexpected(self.at)
        self.at += 1

    def payload_element(self) -> None:
        """Pass the comma before the payload, and the white space behind it."""
        if self.space() == "]":
            self._frame_ends("payload_missing", "object")
        self._element(None)
        self.space()

    def _requested(self, head: Head) -> ObjectType | None:
        """The type of the payload that an action stands for."""
        if head.kind is None or head.action is None:
            return None
        type_ = self.schema.payloads.get((head.action, _CARRIES[head.kind]))
        if type_ is None:
            self._report_frame("action_unknown", head.action_at)
        return type_

    def _answer(self, id: str | None, pending: Mapping[str, Any] | None) -> Any:
        """The payload of a CALLRESULT: the response to the action that `pending` has for its id, else kept as it stands."""
        answered = None if pending is None or id is None else _looked_up(pending, id)
        if answered is not None:
            self.answered, type_ = self.schema.response_to(answered)
            return self.payload(type_)
        start = self.at
        self.payload(None)
        data = self.text[start : self.at].encode("utf-8", "surrogatepass")
        return self.schema.door["RawPayload"](data, self.offset(start))

    def payload(self, type_: ObjectType | None) -> Any:
        """A payload; with no type to check it by, any object."""
        if self.begins() == "{":
            if type_ is None:
                return self.anything()
            self.typed = type_, self.at
            return self.object_of(type_)
        at = self.at
        if self.text[at] == "n":
            self.literal()
            self._report_frame("payload_missing", at, "object")
        else:
            self._misplaced("payload_type", "object")
        return None

    def _error_text(self) -> str | None:
        """Code or description of an error."""
        self._element(5)
        return self._frame_string("error_field_type")

    def _error_details(self) -> Any:
        self.silent = True
        if self.begins() == "{":
            return self.anything()
        self._misplaced("error_field_type", "object")
        return None

    def _rest_of_frame(self) -> None:
        """What stands in a frame of a kind that nobody knows."""
        while self.space() == ",":
            self.at += 1
            self._pass_over()

    def _end_of_frame(self, kind: str | None) -> None:
        if self.more("]"):
            self.begins()
            self._report_frame("arity", self.at, None if kind is None else ELEMENTS[kind])
            self._pass_over()
            self._rest_of_frame()
            self.more("]")
        self.end_of_text()

    # Values of a payload. Each method takes the field, and where the value begins if its caller knows.

    def object_of(self, type_: ObjectType) -> Any:
        """An object, by the fields of its type; its opening brace is here."""
        text = self.text
        fields = type_.by_name
        values: dict[str, Any] = {}
        self.open()
        ended = self.closes("}")
        while not ended:
            match = match_member(text, self.at)
            if match is None:
                self._odd_key(type_, values)
            else:
                name, string = match.groups()
                field = fields.get(name)
                end = match.end()
                at = end if string is None else end - len(string) - 2
                if field is None or field.attr in values:
                    self._strange_key(type_, values, name, match.start(1) - 1, at)
                elif string is None or field.judge is None:
                    self.at = at
                    values[field.attr] = field.read(self, field, at)
                else:
                    self.at = end
                    values[field.attr] = field.judge(self, field, string, at)
            if text[self.at] == ",":
                self.at += 1
            else:
                ended = not self.more("}")
        if not values.keys() >= type_.required:
            for field in type_.fields:
                if field.required and field.attr not in values:
                    self.report("missing", self.at - 1, field.name, field.name)
            return None
        return values if type_.cls is None else type_.cls(**values)

    def _odd_key(self, type_: ObjectType, values: dict[str, Any]) -> None:
        """A member whose key holds an escape, or whose text is broken."""
        if self.space() != '"':
            self.unexpected(self.at)
        start = self.at
        name = self.string()
        field = type_.by_name.get(name)
        if field is None or field.attr in values:
            self._strange_key(type_, values, name, start, None)
        else:
            self.colon()
            values[field.attr] = field.read(self, field, self.at)

    def _strange_key(self, type_: ObjectType, values: dict[str, Any], name: str, start: int, at: int | None) -> None:
        """A member that the type does not know, or that was there before. `at` is where its value begins, None before its colon."""
        if name in type_.by_name:
            self.report("duplicate_key", start, None, name)
        elif not type_.open:
            self.report("unknown_key", start, type_.names, name)
        if at is None:
            self.colon()
        else:
            self.at = at
        self.path.append(name)
        value = self.anything()
        self.path.pop()
        if type_.open and name not in type_.by_name:
            values[name] = value

    def list_of(self, field: Field, at: int) -> Any:
        """A list of values of one kind."""
        if self.text[at] != "[":
            return self._wrong_type(field, at)
        item = field.item
        assert item is not None  # the field is a list
        values: list[Any] = []
        self.open()
        ended = self.closes("]")
        if field.name is not None:
            self.path.append(field.name)
        while not ended:
            at = self._item_at()
            if len(values) == field.most:
                self.report("too_many", at, field.most)
                self.surplus(item, values)
                break
            self.path.append(len(values))
            values.append(item.read(self, item, at))
            self.path.pop()
            ended = not self.more("]")
        if len(values) < field.least:
            self.report("too_few", self.at - 1, field.least)
        if field.name is not None:
            self.path.pop()
        return values

    def _item_at(self) -> int:
        self.begins()
        return self.at

    def surplus(self, item: Field, values: list[Any]) -> None:
        """Items beyond the last that may be there: no field wants them."""
        self.anything()
        while self.more("]"):
            self.anything()

    def nested(self, field: Field, at: int) -> Any:
        """An object inside a payload."""
        if self.text[at] != "{":
            return self._wrong_type(field, at)
        if field.name is None:
            return self.object_of(field.type)
        self.path.append(field.name)
        value = self.object_of(field.type)
        self.path.pop()
        return value

    def text_value(self, field: Field, at: int) -> Any:
        """A string, judged by what the field makes of strings."""
        if self.text[at] != '"':
            return self._wrong_type(field, at)
        judge = field.judge
        assert judge is not None  # the field is one of strings
        return judge(self, field, self.string(), at)

    def plain_string(self, field: Field, value: str, at: int) -> str:
        """A string of limited length."""
        if len(value) > field.max_length:
            self._check_length(field, value, at)
        return value

    def enumeration(self, field: Field, value: str, at: int) -> str:
        """One of the values of an enumeration."""
        known = field.values.get(value)
        if known is None:
            self.report("enum", at, tuple(field.values), field.name)
            return value
        return known

    def date_time(self, field: Field, value: str, at: int) -> Any:
        """A date-time, as a datetime that keeps its offset."""
        time = parse_datetime(value)
        if time is None:
            self.report("format", at, "date-time", field.name)
        return time

    def uri(self, field: Field, value: str, at: int) -> str:
        """A URI, as it is written."""
        if not is_uri(value):
            self.report("format", at, "uri", field.name)
        if len(value) > field.max_length:
            self._check_length(field, value, at)
        return value

    def _check_length(self, field: Field, value: str, at: int) -> None:
        """A string that is too long for the schema; the connection may allow more."""
        longest = self.limits.get(field.limit_key, field.max_length)
        if len(value) > longest:
            self.report("length", at, longest, field.name)

    def integer(self, field: Field, at: int) -> Any:
        """An integer, as an int, however the draft lets it be spelled."""
        if self.text[at] not in "-0123456789":
            return self._wrong_type(field, at)
        match = self.number()
        value: int | None = None
        if match.lastindex is None:
            value = plain_integer(match[0])
        elif not field.draft4:
            value = integral(match[0])
        if value is None:
            self.report("type", at, "integer", field.name)
            return None
        if not INT64_MIN <= value <= INT64_MAX:
            self.report("number_range", at, None, field.name)
        elif field.minimum is not None and value < field.minimum:
            self.report("minimum", at, field.minimum, field.name)
        elif field.maximum is not None and value > field.maximum:
            self.report("maximum", at, field.maximum, field.name)
        return value

    def decimal(self, field: Field, at: int) -> Any:
        """A number, as a float."""
        if self.text[at] not in "-0123456789":
            return self._wrong_type(field, at)
        match = self.number()
        value = number_value(match[0], match.lastindex is None)
        if value is None:
            self.report("number_range", at, None, field.name)
            return None
        if field.minimum is not None and value < field.minimum:
            self.report("minimum", at, field.minimum, field.name)
        if field.maximum is not None and value > field.maximum:
            self.report("maximum", at, field.maximum, field.name)
        if field.step is not None and not field.step.divides(match[0]):
            self.report("multiple_of", at, field.step.text, field.name)
        return float(value)

    def boolean(self, field: Field, at: int) -> Any:
        """`true` or `false`."""
        if self.text[at] not in "tfn":
            return self._wrong_type(field, at)
        value = self.literal()
        if value is None:
            self.report("null", at, "boolean", field.name)
        return value

    def free(self, field: Field, at: int) -> Any:
        """A field that may hold any JSON value."""
        if field.name is None:
            return self.anything()
        self.path.append(field.name)
        value = self.anything()
        self.path.pop()
        return value

    def _wrong_type(self, field: Field, at: int) -> None:
        """A value whose first character does not fit; `true`, `false` and `null` are read to their end first."""
        if self.begins() in "tfn":
            value = self.literal()
            self.report("null" if value is None else "type", at, field.json_type, field.name)
        else:
            self.report("type", at, field.json_type, field.name)
            self.anything()

    # Values of which no schema knows

    def anything(self) -> Any:
        """Any JSON value, as Python's own. The limit on depth bounds the recursion."""
        first, at = self.begins(), self.at
        if first == '"':
            return self.string()
        if first == "{":
            return self._any_object()
        if first == "[":
            return self._any_list()
        if first in "tfn":
            return self.literal()
        match = self.number()
        value: float | None
        if match.lastindex is None:
            value = plain_integer(match[0])
            if INT64_MIN <= value <= INT64_MAX:
                return value
        else:
            value = number_value(match[0], plain=False)
            if value is not None:
                return value
        self.report("number_range", at)
        return None

    def _any_object(self) -> dict[str, Any]:
        """Of equal keys the last one wins."""
        values: dict[str, Any] = {}
        self.open()
        ended = self.closes("}")
        while not ended:
            if self.space() != '"':
                self.unexpected(self.at)
            name = self.string()
            self.colon()
            self.path.append(name)
            values[name] = self.anything()
            self.path.pop()
            ended = not self.more("}")
        return values

    def _any_list(self) -> list[Any]:
        values: list[Any] = []
        self.open()
        ended = self.closes("]")
        while not ended:
            self.path.append(len(values))
            values.append(self.anything())
            self.path.pop()
            ended = not self.more("]")
        return values


def plain_integer(text: str) -> int:
    """The value of an integer literal; of one with more digits than 64 bits can have, some number beyond them."""
    return int(text) if len(text) <= 20 else INT64_MAX + 1


def number_value(text: str, plain: bool) -> float | None:
    """The float of a number; None where it is out of range: 64 bits for an integer literal, what is finite for any other."""
    if plain and not INT64_MIN <= plain_integer(text) <= INT64_MAX:
        return None
    value = float(text)
    return value if isfinite(value) else None


def pointer(steps: list[str | int]) -> str:
    """The JSON pointer (RFC 6901) of some keys and indices."""
    path = "".join([f"/{step}" for step in steps])
    if "~" in path or path.count("/") > len(steps):  # in a key, which few have
        return "".join([f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in steps])
    return path


# What reads a value, by the kind of its field, and what judges a string that has been read.
READERS: dict[str, Callable[[Walk, Field, int], Any]] = {
    "string": Walk.text_value,
    "enum": Walk.text_value,
    "datetime": Walk.text_value,
    "uri": Walk.text_value,
    "integer": Walk.integer,
    "number": Walk.decimal,
    "boolean": Walk.boolean,
    "object": Walk.nested,
    "list": Walk.list_of,
    "any": Walk.free,
}
JUDGES: dict[str, Callable[[Walk, Field, str, int], Any]] = {
    "string": Walk.plain_string,
    "enum": Walk.enumeration,
    "datetime": Walk.date_time,
    "uri": Walk.uri,
}


def _looked_up(pending: Mapping[str, Any], id: str) -> Any:
    """What `pending` says of an id."""
    try:
        get = pending.get
    except AttributeError:
        name = type(pending).__name__
        raise TypeError(f"pending must map message ids to actions or payload types, not be a {name}") from None
    return get(id)
