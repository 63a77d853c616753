"""The repairs that a policy may name: declared rewrites of the JSON text at one place. Nothing here guesses a value.

A repair gets the text that stands at the place of a fault and gives the text that is to stand there, or None when it has nothing to do with
it; the whole is then checked anew by the strict rules. What a repair does is said beside it in REPAIRS, for people.
"""

from __future__ import annotations

import json
import re
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from ._pure.formats import INT64_MAX, INT64_MIN, integral, parse_datetime
from ._pure.write import quote

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._pure.schema import Field
    from ._pure.text import Fault

ABSENT = "null"
"""What stands where a field is to be left out: the reader takes a null that was declared so for an absent field."""

_number = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch
_integer = re.compile(r"-?(?:0|[1-9][0-9]*)").fullmatch
_space_in_time = re.compile(r"(\d{4}-\d\d-\d\d) +(\d\d:)").match
_half_zone = re.compile(r"(.*:\d\d(?:\.\d+)?) ?([+-]\d\d)(\d\d)?").fullmatch
_empty = re.compile(r'""|\[\s*\]|\{\s*\}').fullmatch
_no_zone = re.compile(r".*[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?").fullmatch


class Place:
    """Where a fault lies: its kind and what was expected, and what is around it, found out when a repair asks.

    `values` are the policy's own rewrites.
    """

    def __init__(self, fault: Fault, surroundings: Surroundings) -> None:
        self.kind = fault.kind
        self.expected = None if fault.kind == "missing" else fault.expected
        self.values: Mapping[str, str] = {}
        # What is missing is no field that could be repaired, but the object around it may be.
        self._path = fault.path.rpartition("/")[0] if fault.kind == "missing" else fault.path
        self._surroundings = surroundings

    @cached_property
    def field(self) -> Field | None:
        """The field, or the item of a list; None outside of the schema."""
        return self._surroundings.field(self._path)

    @property
    def optional(self) -> bool:
        """Whether the field may be left out."""
        field = self.field
        return (
            field is not None and field.name is not None and not field.required and (field.item or field).kind != "any"
        )

    def siblings(self) -> frozenset[str]:
        """The keys of the object to which a faulty key belongs."""
        return self._surroundings.keys_beside(self._path)

    def elements(self) -> int:
        """The number of elements that the frame has."""
        return self._surroundings.elements()


class Surroundings(Protocol):
    """What is around a place."""

    def field(self, path: str) -> Field | None:
        """The field at a pointer, or the item of a list; None for what the schema does not know."""
        ...

    def keys_beside(self, path: str) -> frozenset[str]:
        """The keys of the object that holds the field at a pointer."""
        ...

    def elements(self) -> int:
        """The number of elements that the frame has."""
        ...


def _as_string(place: Place, text: str) -> str | None:
    if place.kind == "message_id_type":
        return f'"{text}"' if _integer(text) else None
    if place.field is None or place.field.kind != "string":
        return None
    return f'"{text}"' if _number(text) or text in ("true", "false") else None


def _as_number(place: Place, text: str) -> str | None:
    if text[:1] != '"' or place.expected not in ("integer", "number"):
        return None
    inner = _string(text).strip()
    return inner if _number(inner) else None


def _as_boolean(place: Place, text: str) -> str | None:
    if text[:1] != '"' or place.expected != "boolean":
        return None
    inner = _string(text).lower()
    return inner if inner in ("true", "false") else None


def _integral(place: Place, text: str) -> str | None:
    if place.expected != "integer" or not _number(text):
        return None
    value = integral(text)
    return None if value is None or not INT64_MIN <= value <= INT64_MAX else str(value)


def _wrap(place: Place, text: str) -> str | None:
    return f"[{text}]" if place.expected == "array" else None


def _drop_null(place: Place, text: str) -> str | None:
    return ABSENT if text == "null" and place.optional else None


def _drop_empty(place: Place, text: str) -> str | None:
    return ABSENT if _empty(text) and place.optional else None


def _letter_case(place: Place, text: str) -> str | None:
    if text[:1] != '"':
        return None
    folded = _string(text).strip().casefold()
    names = cast("tuple[str, ...]", place.expected)
    meant = [name for name in names if name.casefold() == folded]
    if len(meant) != 1 or (place.kind == "unknown_key" and meant[0] in place.siblings()):
        return None
    return quote(meant[0])


def _replace(place: Place, text: str) -> str | None:
    new = place.values.get(_string(text)) if text[:1] == '"' else None
    return None if new is None else quote(new)


def _date_separator(place: Place, text: str) -> str | None:
    match = _space_in_time(time) if (time := _time(place, text)) is not None else None
    return None if match is None or time is None else quote(f"{match[1]}T{time[match.start(2) :]}")


def _zone_minutes(place: Place, text: str) -> str | None:
    match = _half_zone(time) if (time := _time(place, text)) is not None else None
    return None if match is None else quote(f"{match[1]}{match[2]}:{match[3] or '00'}")


def _assume_utc(place: Place, text: str) -> str | None:
    time = _time(place, text)
    return None if time is None or not _no_zone(time) else quote(f"{time}Z")


def _time(place: Place, text: str) -> str | None:
    return _string(text).strip() if place.expected == "date-time" and text[:1] == '"' else None


def _empty_payload(place: Place, text: str) -> str | None:
    return {"null": "{}", "": ",{}"}.get(text)


def _fill_error(place: Place, text: str) -> str | None:
    if text or place.expected != 5:
        return None
    return {3: ',"",{}', 4: ",{}"}.get(place.elements())


def _error_fields(place: Place, text: str) -> str | None:
    if place.expected == "object":
        return "{}" if text == "null" else f'{{"raw":{text}}}'
    return '""' if text == "null" else None


def _drop_surplus(place: Place, text: str) -> str | None:
    return "" if text else None


def _string(text: str) -> str:
    """The string that a JSON string stands for."""
    if "\\" not in text:
        return text[1:-1]
    value: str = json.loads(text, strict=False)
    return value


def _of_the_text(place: Place, text: str) -> str | None:  # such repairs are made by `_mend.py`, before there are places
    return None


class Repair(NamedTuple):
    """A rewrite: the kinds of fault that it can serve, what it does in words, and the function that does it."""

    serves: frozenset[str]
    says: str
    rewrite: Callable[[Place, str], str | None]


def _repair(serves: str, says: str, rewrite: Callable[[Place, str], str | None]) -> Repair:
    return Repair(frozenset(serves.split()), says, rewrite)


REPAIRS: Mapping[str, Repair] = {
    "as_string": _repair("type message_id_type", "a number or boolean becomes the string of its own text", _as_string),
    "as_number": _repair(
        "type message_type_invalid", "a string that holds a number becomes that number", _as_number
    ),
    "as_boolean": _repair("type", 'the strings "true" and "false", in any case, become booleans', _as_boolean),
    "integral": _repair("type", "a number without a fraction, 1.0 or 1e2, becomes an integer", _integral),
    "wrap": _repair("type", "one value where a list belongs becomes a list of it", _wrap),
    "drop_null": _repair("null", "an optional field that is null is left out", _drop_null),
    "drop_empty": _repair(
        "type enum format too_few missing", 'an optional field that is "", [] or {} is left out', _drop_empty
    ),
    "letter_case": _repair(
        "enum unknown_key", "a value or field name that is known but for the case of its letters, or white space around it, becomes that", _letter_case
    ),
    "replace": _repair("enum format length", "a string becomes the one that `values` has for it", _replace),
    "date_separator": _repair("format", "the space between a date and a time becomes T", _date_separator),
    "zone_minutes": _repair("format", "an offset without colon or minutes, +02 or +0200, becomes +02:00", _zone_minutes),
    "assume_utc": _repair("format", "a date-time without a zone is taken as UTC", _assume_utc),
    "empty_payload": _repair("payload_missing", "a payload that is null or missing becomes {}", _empty_payload),
    "fill_error": _repair(
        "arity", 'a refusal that ends early gets the description "" and the details {}', _fill_error
    ),
    "error_fields": _repair(
        "error_field_type",
        'null in a refusal becomes "" or {}, details that are no object become {"raw": ...}',
        _error_fields,
    ),
    "drop_surplus": _repair("arity", "elements behind a frame's last are left out", _drop_surplus),
    # Of text that is not quite JSON
    "stray_comma": _repair(
        "syntax", "a comma before a closing bracket or behind an opening one, or a second one before a key, is left out", _of_the_text
    ),
    "missing_value": _repair("syntax", 'a key without a value, "key":, is left out', _of_the_text),
    "control_character": _repair("syntax", "a control character in a string becomes its escape", _of_the_text),
    "lone_backslash": _repair("syntax", "a backslash that begins no escape becomes an escaped one", _of_the_text),
    "stray_bytes": _repair(
        "syntax", "NULs outside of strings, and a byte order mark before the text, are left out", _of_the_text
    ),
    "close_brackets": _repair(
        "truncated", "a text that ends behind a complete value gets the closing brackets that are due", _of_the_text
    ),
}  # fmt: skip


def rewritten(names: tuple[str, ...], place: Place, text: str) -> tuple[str, tuple[str, ...]] | None:
    """What the named repairs, one after the other, make of the text at a place, and which of them did; None when they cannot mend it."""
    new = text
    done: list[str] = []
    for name in names:
        repair = REPAIRS[name]
        made = repair.rewrite(place, new) if place.kind in repair.serves else None
        if made is not None:
            new = made
            done.append(name)
    if not done or (place.expected == "date-time" and new != ABSENT and parse_datetime(_string(new)) is None):
        return None
    return new, tuple(done)
