"""Writing: Structs as canonical JSON, checked by the same tables that the walker reads by.

Compact, fields in the schema's order, absent ones left out. A fault is raised as Stop at the first value, in that order, that breaks a rule;
its kinds and pointers are those of reading, and `at` means nothing.
"""

from __future__ import annotations

import decimal
import json.encoder
import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn, TypeGuard

from .formats import INT64_MAX, INT64_MIN, format_datetime, integral, is_uri
from .text import MAX_DEPTH, Fault, Stop
from .walk import number_value, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .schema import Field, ObjectType

quote: Callable[[str], str] = json.encoder.encode_basestring
_surrogate = re.compile("[\ud800-\udfff]").search
_INTEGRAL_BELOW = 10**16  # from here on floats are written as repr does


class Writer:
    """JSON in the making: `parts` joined are the text. `depth` is the number of brackets that are open around what is written."""

    __slots__ = ("depth", "limits", "parts", "path", "silent", "unset")

    def __init__(self, limits: Mapping[str, int], unset: object, depth: int = 0) -> None:
        self.limits = limits
        self.unset = unset
        self.depth = depth
        self.parts: list[str] = []
        self.path: list[str | int] = []
        self.silent = False  # in an error's details: there is no payload to point into

    def fault(self, kind: str, expected: object = None, *last: str | int | None) -> NoReturn:
        """End with a fault of the value at `path`; `last` are steps below it, None for one that is in it already."""
        path = "" if self.silent else pointer([*self.path, *(step for step in last if step is not None)])
        raise Stop(Fault(kind, path, 0, expected))

    def doubt(self, kind: str, expected: object = None, *last: str | int | None) -> None:
        """A rule is broken by a value that could be written all the same: a fault, as long as nobody says otherwise."""
        self.fault(kind, expected, *last)

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
            if (item is None or item is self.unset) and self._is_absent(field, item):
                continue
            self.parts.append(f'{before}"{field.name}":')
            before = ","
            field.write(self, field, item)
        self.parts.append("}" if before == "," else "{}")
        self.depth -= 1

    def _is_absent(self, field: Field, value: Any) -> bool:
        """Whether None or UNSET stands for an absent field; a required one must not be."""
        if field.kind == "any" and value is None:
            return False  # null is a value there
        if field.required:
            self.fault("missing", field.name, field.name)
        return value is None or (field.item or field).kind == "any"

    def _open_object(self, type_: ObjectType, value: dict[Any, Any]) -> None:
        """A dict of which the schema knows some keys, in its own order."""
        self._enter()
        before = "{"
        seen: set[str] = set()
        for key, item in _entries(value):
            name = self._key(before, key)
            before = ","
            field = type_.by_name.get(name)
            if field is None:
                self.path.append(name)
                self.free(item)
                self.path.pop()
            else:
                if name in seen:  # two keys with an equality of their own
                    self.fault("duplicate_key", None, name)
                seen.add(name)
                field.write(self, field, item)
        for field in type_.fields:
            if field.required and field.name not in seen:
                self.fault("missing", field.name, field.name)
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
        assert field.name is not None  # there are no lists of lists
        self._enter()
        self.path.append(field.name)
        before = "["
        count = 0
        for one in _items(value):
            if count == field.most:
                self.doubt("too_many", field.most)
            self.parts.append(before)
            before = ","
            self.path.append(count)
            item.write(self, item, one)
            self.path.pop()
            count += 1
        if count < field.least:
            self.doubt("too_few", field.least)
        self.path.pop()
        self.parts.append("]" if count else "[]")
        self.depth -= 1

    def _enter(self) -> None:
        """An opening bracket is due."""
        if self.depth == MAX_DEPTH:
            raise Stop(Fault("depth", "", 0, MAX_DEPTH))
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
            self.doubt("enum", tuple(field.values), field.name)
        self.parts.append(quote(text))

    def uri(self, field: Field, value: Any) -> None:
        """A URI, as it is written."""
        text = self._string(field, value)
        if not is_uri(text):
            self.doubt("format", "uri", field.name)
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
                self.doubt("length", longest, field.name)

    def date_time(self, field: Field, value: Any) -> None:
        """An aware datetime, as UTC."""
        if not isinstance(value, datetime):
            # The JSON type, a string, is what the writer makes, not what it takes.
            self.fault("null" if value is None else "type", "datetime", field.name)
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
            self.doubt("multiple_of", field.step.text, field.name)
        self.parts.append(text)

    def _check_bounds(self, field: Field, value: float) -> None:
        if field.minimum is not None and value < field.minimum:
            self.doubt("minimum", field.minimum, field.name)
        if field.maximum is not None and value > field.maximum:
            self.doubt("maximum", field.maximum, field.name)

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
            self.parts.append(quote(self._free_text(value)))
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
        elif is_dict(value):
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
        return text

    def _key(self, before: str, key: Any) -> str:
        """A key with its colon; what is wrong with it is wrong with its object."""
        if not isinstance(key, str):
            self.fault("type")
        name = self._free_text(key)
        self.parts.append(f"{before}{quote(name)}:")
        return name

    def _free_dict(self, value: Mapping[Any, Any]) -> None:
        self._enter()
        before = "{"
        for key, item in _entries(value):
            name = self._key(before, key)
            before = ","
            self.path.append(name)
            self.free(item)
            self.path.pop()
        self.parts.append("}" if before == "," else "{}")
        self.depth -= 1

    def _free_list(self, value: Any) -> None:
        self._enter()
        before = "["
        for index, item in enumerate(_items(value)):
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
        text = self._free_text(id)
        if not 1 <= len(text) <= longest:
            self.doubt("message_id_length", longest)
        self.parts.append(quote(text))

    def error_fields(self, code: Any, description: Any, details: Any) -> None:
        """What a refusal has behind its id."""
        for text in (code, description):
            if not isinstance(text, str):
                self.fault("error_field_type", "string")
            self.parts.append(f",{quote(self._free_text(text))}")
        if not is_dict(details):
            self.fault("error_field_type", "object")
        self.parts.append(",")
        self.silent = True
        self._free_dict(details)


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
    text = decimal.Decimal.__str__(value)
    whole = integral(text)
    return str(whole) if whole is not None and abs(whole) < _INTEGRAL_BELOW else text


def is_dict(value: object) -> TypeGuard[dict[Any, Any]]:
    """Whether it is a dict, of whatever."""
    return isinstance(value, dict)


def _items(value: Any) -> Iterable[Any]:
    """The items of a list or tuple as they are, whatever a subclass makes of them."""
    base: Any = list if isinstance(value, list) else tuple
    items: Iterable[Any] = base.__iter__(value)
    return items


def _entries(value: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """The same for a dict; any other mapping says itself what is in it."""
    base: Any = dict if isinstance(value, dict) else type(value)
    entries: Iterable[tuple[Any, Any]] = base.items(value)
    return entries


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
