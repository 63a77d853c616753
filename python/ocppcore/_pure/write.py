"""Writing: Structs as canonical JSON, checked by the same tables that the walker reads by.

Compact, fields in the schema's order, absent ones left out. A fault is raised as Stop at the first value, in that order, that breaks a rule;
its kinds and pointers are those of reading, and `at` means nothing.
"""

from __future__ import annotations

import decimal
import json.encoder
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from .formats import INT64_MAX, INT64_MIN, format_datetime, is_uri
from .text import MAX_DEPTH, Fault, Stop
from .walk import number_value, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .schema import Field, ObjectType

quote: Callable[[str], str] = json.encoder.encode_basestring
_surrogate = re.compile("[\ud800-\udfff]").search
_INTEGRAL_BELOW = 10**16  # from here on floats are written as repr does


class Writer:
    """JSON in the making: `parts` joined are the text. `depth` is the number of brackets that are open around what is written."""

    __slots__ = ("depth", "limits", "parts", "path", "unset")

    def __init__(self, limits: Mapping[str, int], unset: object, depth: int = 0) -> None:
        self.limits = limits
        self.unset = unset
        self.depth = depth
        self.parts: list[str] = []
        self.path: list[str | int] = []

    def fault(self, kind: str, expected: object = None, *last: str | int | None) -> NoReturn:
        """End with a fault of the value at `path`; `last` are steps below it, None for one that is in it already."""
        steps = [*self.path, *(step for step in last if step is not None)]
        raise Stop(Fault(kind, pointer(steps), 0, expected))

    def text(self) -> str:
        """What has been written."""
        return "".join(self.parts)

    # Objects and lists of a schema

    def struct(self, type_: ObjectType, value: Any) -> None:
        """A Struct by its fields, an open type's dict key for key."""
        if type_.cls is None:
            self._open_object(type_, value)
            return
        self._enter()
        before = "{"
        for field in type_.fields:
            item = getattr(value, field.attr)
            if item is None or item is self.unset:
                if self._is_absent(field, item):
                    continue
            self.parts.append(f'{before}"{field.name}":')
            before = ","
            field.write(self, field, item)
        self.parts.append("}" if before == "," else "{}")
        self.depth -= 1

    def _is_absent(self, field: Field, value: Any) -> bool:
        """Whether None or UNSET stands for an absent field; a required one must not be."""
        if field.kind == "any" and value is None:
            return False
        if field.required:
            self.fault("missing", field.name, field.name)
        # UNSET in a field that is absent as None, and the other way round, is no value of it.
        return field.kind == "any" or value is None

    def _open_object(self, type_: ObjectType, value: dict[str, Any]) -> None:
        """A dict of which the schema knows some keys: these first in its order, then the others in theirs."""
        self._enter()
        before = "{"
        for field in type_.fields:
            if field.attr in value:
                self.parts.append(f"{before}{quote(field.attr)}:")
                before = ","
                field.write(self, field, value[field.attr])
            elif field.required:
                self.fault("missing", field.name, field.name)
        for name, item in value.items():
            if name in type_.by_name:
                continue
            self._key(before, name, "object")
            before = ","
            self.path.append(name)
            self.free(item)
            self.path.pop()
        self.parts.append("}" if before == "," else "{}")
        self.depth -= 1

    def nested(self, field: Field, value: Any) -> None:
        """An object inside a payload."""
        type_ = field.type
        if not isinstance(value, dict if type_.cls is None else type_.cls):
            self._wrong_type(field, value)
        if field.name is None:
            self.struct(type_, value)
            return
        self.path.append(field.name)
        self.struct(type_, value)
        self.path.pop()

    def list_of(self, field: Field, value: Any) -> None:
        """A list or tuple of values of one kind."""
        if not isinstance(value, (list, tuple)):
            self._wrong_type(field, value)
        item = field.item
        assert item is not None  # the field is a list
        assert field.name is not None
        self._enter(field.name)
        self.path.append(field.name)
        before = "["
        count = 0
        for one in value:
            if count == field.most:
                self.fault("too_many", field.most)
            self.parts.append(before)
            before = ","
            self.path.append(count)
            item.write(self, item, one)
            self.path.pop()
            count += 1
        if count < field.least:
            self.fault("too_few", field.least)
        self.path.pop()
        self.parts.append("]" if count else "[]")
        self.depth -= 1

    def _enter(self, *last: str) -> None:
        """An opening bracket is due."""
        if self.depth == MAX_DEPTH:
            self.fault("depth", MAX_DEPTH, *last)
        self.depth += 1

    def _wrong_type(self, field: Field, value: Any) -> NoReturn:
        self.fault("null" if value is None else "type", field.json_type, field.name)

    # Scalars

    def plain_string(self, field: Field, value: Any) -> None:
        """A string of limited length."""
        text = self._string(field, value)
        self._check_length(field, text)
        self.parts.append(quote(text))

    def enumeration(self, field: Field, value: Any) -> None:
        """One of the values of an enumeration."""
        text = self._string(field, value)
        if text not in field.values:
            self.fault("enum", tuple(field.values), field.name)
        self.parts.append(quote(text))

    def uri(self, field: Field, value: Any) -> None:
        """A URI, as it is written."""
        text = self._string(field, value)
        if not is_uri(text):
            self.fault("format", "uri", field.name)
        self._check_length(field, text)
        self.parts.append(quote(text))

    def _string(self, field: Field, value: Any) -> str:
        if not isinstance(value, str):
            self._wrong_type(field, value)
        text = str.__str__(value)
        if not text.isascii() and _surrogate(text):
            self.fault("surrogate", None, field.name)
        return text

    def _check_length(self, field: Field, text: str) -> None:
        if len(text) > field.max_length:
            longest = self.limits.get(field.limit_key, field.max_length)
            if len(text) > longest:
                self.fault("length", longest, field.name)

    def date_time(self, field: Field, value: Any) -> None:
        """An aware datetime, as UTC."""
        if not isinstance(value, datetime):
            self._wrong_type(field, value)
        text = format_datetime(value)
        if text is None:
            self.fault("format", "date-time", field.name)
        self.parts.append(f'"{text}"')

    def integer(self, field: Field, value: Any) -> None:
        """An int within its bounds."""
        if not isinstance(value, int) or isinstance(value, bool):
            self._wrong_type(field, value)
        if not INT64_MIN <= value <= INT64_MAX:
            self.fault("number_range", None, field.name)
        self._check_bounds(field, value)
        self.parts.append(int.__repr__(value))

    def decimal(self, field: Field, value: Any) -> None:
        """An int, float or Decimal; integral ones are written without a fraction. Its text is what the rules judge."""
        if not isinstance(value, (int, float, decimal.Decimal)) or isinstance(value, bool):
            self._wrong_type(field, value)
        text = _number_text(value)
        number = None if text is None else number_value(text, plain=text.lstrip("-").isdigit())
        if text is None or number is None:
            self.fault("number_range", None, field.name)
        self._check_bounds(field, number)
        if field.step is not None and not field.step.divides(text):
            self.fault("multiple_of", field.step.text, field.name)
        self.parts.append(text)

    def _check_bounds(self, field: Field, value: float) -> None:
        if field.minimum is not None and value < field.minimum:
            self.fault("minimum", field.minimum, field.name)
        if field.maximum is not None and value > field.maximum:
            self.fault("maximum", field.maximum, field.name)

    def boolean(self, field: Field, value: Any) -> None:
        """A bool."""
        if not isinstance(value, bool):
            self._wrong_type(field, value)
        self.parts.append("true" if value else "false")

    def any_field(self, field: Field, value: Any) -> None:
        """A field that may hold any JSON value."""
        if field.name is None:
            self.free(value)
            return
        self.path.append(field.name)
        self.free(value)
        self.path.pop()

    # Values of which no schema knows

    def free(self, value: Any) -> None:
        """Any JSON value as plain Python; the limit on depth ends cycles."""
        if value is None:
            self.parts.append("null")
        elif isinstance(value, str):
            self.parts.append(self._free_text(value))
        elif isinstance(value, bool):
            self.parts.append("true" if value else "false")
        elif isinstance(value, int):
            if not INT64_MIN <= value <= INT64_MAX:
                self.fault("number_range")
            self.parts.append(int.__repr__(value))
        elif isinstance(value, float):
            text = float.__repr__(value)
            if text in ("nan", "inf", "-inf"):
                self.fault("number_range")
            self.parts.append(text)
        elif isinstance(value, dict):
            self._free_dict(value)
        elif isinstance(value, (list, tuple)):
            self._free_list(value)
        else:
            self.other(value)

    def other(self, value: Any) -> None:
        """A value that JSON does not know."""
        self.fault("type")

    def _free_text(self, value: str) -> str:
        text = str.__str__(value)
        if not text.isascii() and _surrogate(text):
            self.fault("surrogate")
        return quote(text)

    def _key(self, before: str, name: Any, expected: object = None) -> None:
        """A key with its colon; a fault in it is one of the object."""
        if not isinstance(name, str):
            self.fault("type", expected)
        self.parts.append(f"{before}{self._free_text(name)}:")

    def _free_dict(self, value: Mapping[Any, Any]) -> None:
        self._enter()
        before = "{"
        for name, item in value.items():
            self._key(before, name)
            before = ","
            self.path.append(name)
            self.free(item)
            self.path.pop()
        self.parts.append("}" if before == "," else "{}")
        self.depth -= 1

    def _free_list(self, value: Any) -> None:
        self._enter()
        before = "["
        for index, item in enumerate(value):
            self.parts.append(before)
            before = ","
            self.path.append(index)
            self.free(item)
            self.path.pop()
        self.parts.append("]" if before == "," else "[]")
        self.depth -= 1

    # Frames

    def frame_id(self, id: Any, longest: int) -> None:
        """The message id."""
        if not isinstance(id, str):
            self.fault("message_id_type", "string")
        if not 1 <= len(id) <= longest:
            self.fault("message_id_length", longest)
        self.parts.append(self._free_text(id))

    def error_fields(self, code: Any, description: Any, details: Any) -> None:
        """What a refusal has behind its id."""
        for text in (code, description):
            if not isinstance(text, str):
                self.fault("error_field_type", "string")
            self.parts.append(f",{self._free_text(text)}")
        if not isinstance(details, dict):
            self.fault("error_field_type", "object")
        self.parts.append(",")
        self.error_details(details)

    def error_details(self, details: dict[Any, Any]) -> None:
        """The details of an error: free-form, and outside of what a pointer points into."""
        try:
            self._free_dict(details)
        except Stop as stop:
            assert stop.fault is not None  # a writer raises no other
            raise Stop(stop.fault._replace(path="")) from None


def _number_text(value: float | decimal.Decimal) -> str | None:
    """How a number is written; None when it is not finite or far beyond 64 bits."""
    if isinstance(value, int):
        return int.__repr__(value) if INT64_MIN <= value <= INT64_MAX else None
    if isinstance(value, float):
        if abs(value) < _INTEGRAL_BELOW and float.is_integer(value):
            return str(int(value))
        text = float.__repr__(value)
        return None if text in ("nan", "inf", "-inf") else text
    if not value.is_finite():
        return None
    if abs(value) < _INTEGRAL_BELOW and value == value.to_integral_value():
        return str(int(value))
    return decimal.Decimal.__str__(value)


WRITERS: dict[str, Callable[[Writer, Field, Any], None]] = {
    "string": Writer.plain_string,
    "enum": Writer.enumeration,
    "datetime": Writer.date_time,
    "uri": Writer.uri,
    "integer": Writer.integer,
    "number": Writer.decimal,
    "boolean": Writer.boolean,
    "object": Writer.nested,
    "list": Writer.list_of,
    "any": Writer.any_field,
}
