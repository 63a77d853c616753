"""The second look in its common case: a message with few faults, each of which the policy lets pass or repairs where it stands.

    strict check ─ first fault ─ decide ─ rewrite the text there ─ strict check ─ ...

The codec's own engine reads, so that a quirk costs a strict check or two where the walk of `_tolerant.py` costs a whole one in Python. A value
that is kept as it came is set aside: one that its field allows stands in for it while the engine reads, and the Struct gets it back
afterwards. Whatever else there is (broken JSON, a fault in a frame's head, lists and objects, many faults, a refusal) is left to
`_tolerant.py`, which would do the same with the rest, only slower.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NoReturn, cast

import msgspec

from ._errors import Finding, OcppError
from ._frames import Call, CallResult, Send
from ._pure.engine import text_or_bytes
from ._pure.text import Fault
from ._pure.write import quote
from ._repairs import ABSENT, Place, rewritten
from ._tolerant import Decision, Outcome, field_at, finding_of, keep, member_of, steps_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._policy import PolicyRule
    from ._pure.schema import Field, ObjectType
    from ._tolerant import Tolerance

_MOST_STEPS = 4
_REPAIRABLE = frozenset(("type", "null", "format", "enum", "length"))
_KEPT = frozenset(
    ("enum", "length", "unknown_key")
)  # the value fits its place in the Struct all the same, or stands beside
_CARRIED: dict[str, tuple[str, Any]] = {
    "call": ("request", Call),
    "callresult": ("response", CallResult),
    "send": ("send", Send),
}

_STRING = r'"[^"\\\x00-\x1f]*"'
_match_scalar = re.compile(rf"{_STRING}|-?[0-9][-+.0-9eE]*|true|false|null").match
_match_member = re.compile(
    rf"({_STRING})[ \t\r\n]*:[ \t\r\n]*({_STRING}|-?(?:0|[1-9][0-9]{{0,17}})(?![.0-9eE])|true|false|null)"
).match


class _TooMuch(Exception):
    """This message needs the whole walk."""


class _Surroundings:
    """What a repair of a single value may ask for."""

    def __init__(self, type_: ObjectType) -> None:
        self._type = type_

    def field(self, path: str) -> Field | None:
        """The field at a pointer."""
        return field_at(self._type, path)

    def keys_beside(self, path: str) -> NoReturn:
        """The whole walk knows them."""
        raise _TooMuch

    def elements(self) -> NoReturn:
        """The whole walk knows them."""
        raise _TooMuch


def frame(tolerance: Tolerance, error: OcppError, data: Any, pending: Mapping[str, Any] | None) -> Outcome[Any]:
    """What comes of a frame that a strict check has refused with `error`."""
    given = text_or_bytes(data)
    return fault_by_fault(tolerance, error, given, pending) or tolerance.frame(given, pending)


def fault_by_fault(
    tolerance: Tolerance, error: OcppError, data: str | bytes, pending: Mapping[str, Any] | None
) -> Outcome[Any] | None:
    """The same, where it is enough to look at one fault after the other; None where it takes the whole walk."""
    schema = tolerance.schema
    carried = _CARRIED.get(schema.frames.get(error.message_type or 0, ""))
    if carried is None:
        return None
    kind, make = carried
    type_ = schema.payloads.get((error.action or "", kind))
    if type_ is None:
        return None
    look = _Look(tolerance, type_, error, data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)
    try:
        for _ in range(_MOST_STEPS):
            look.settle(error)
            try:
                read = tolerance.decode(look.data(), pending)
            except OcppError as next_error:
                error = next_error
            else:
                payload = look.with_what_came(read.payload)
                read = read if payload is read.payload else make(read.id, payload)
                return Outcome(read, look.findings, look.extras, None, False)
    except (_TooMuch, UnicodeDecodeError):  # the engine had no reason yet to look at the bytes of a text
        pass
    return None


class _Look:
    """One message, fault by fault. Its text has a character for each byte: what is looked at is ASCII, the rest is only copied."""

    def __init__(self, tolerance: Tolerance, type_: ObjectType, error: OcppError, data: bytes) -> None:
        self.extras: dict[str, Any] = {}
        self._tolerance = tolerance
        self._type = type_
        self._first = error
        self._data = data
        self._text = str(data, "latin-1") + "\0"  # an end that no look need fear
        self._decisions: list[Decision] = []
        self._aside: list[tuple[str, str]] = []  # pointers, and the texts of the values that stood there
        self._end = 0  # behind the last place that was rewritten
        self._longer = 0  # by how much the text is longer than the data

    def data(self) -> bytes:
        """The message as it is by now."""
        return self._text[:-1].encode("latin-1")

    def settle(self, error: OcppError) -> None:
        """Rewrite the text at a fault so that the engine can go on."""
        at = error.offset
        if at is None or at < self._end or not error.path:
            raise _TooMuch
        fault = Fault(error.kind, error.path, at - self._longer, error.expected)
        if fault.kind == "unknown_key":
            self._leave_out(fault, at)
            return
        match = _match_scalar(self._text, at)
        if fault.kind not in _REPAIRABLE or match is None:
            raise _TooMuch
        old, behind = match[0], match.end()
        rule, new = self._decide(fault, old)
        if new is None:
            self._decisions.append(Decision(fault, fault.at, rule))
            self._aside.append((fault.path, old))
            self._rewrite(at, behind, _stand_in(fault))
        elif new == ABSENT:
            member = member_of(self._text, at, behind, self._end)
            if member is None:
                raise _TooMuch
            self._decisions.append(Decision(fault, fault.at, rule, _utf8(old), ""))
            self._rewrite(*member, "")
        elif new == old:
            raise _TooMuch
        else:
            self._decisions.append(Decision(fault, fault.at, rule, _utf8(old), _utf8(new)))
            self._rewrite(at, behind, new)

    def with_what_came(self, payload: Any) -> Any:
        """The payload with the values that were set aside."""
        for path, text in self._aside:
            payload = _with(payload, self._type, steps_of(path), _utf8(text)[1:-1])
        return payload

    def findings(self) -> list[Finding]:
        """What was done, in the order of the data."""
        told = (one for one in self._decisions if one.rule is not None and one.rule.verdict != "ignore")
        return [finding_of(one, self._error(one.fault)) for one in told]

    def _error(self, fault: Fault) -> OcppError:
        first = self._first
        return self._tolerance.make_error(
            fault.kind, fault.path, fault.at, fault.expected, self._data,
            first.message_type, first.message_id, first.action,
        )  # fmt: skip

    def _decide(self, fault: Fault, old: str) -> tuple[PolicyRule, str | None]:
        """The entry that decides about a value, and what it is rewritten to; None for one that is kept. What comes again is looked up."""
        decided = self._tolerance.decided
        key = (self._first.message_type, fault.kind, self._first.action, fault.path, old)
        found = decided.get(key)
        if found is None:
            found = self._decision(fault, old)
            keep(decided, key, found, len(fault.path) + len(old))
        return found

    def _decision(self, fault: Fault, old: str) -> tuple[PolicyRule, str | None]:
        place = Place(fault, _Surroundings(self._type))
        for rule in self._tolerance.entries(fault.kind, self._first.action or "", fault.path):
            if rule.verdict == "repair":
                place.values = rule.values
                made = rewritten(rule.repair, place, _utf8(old))
                if made is not None:
                    new = made[0].encode().decode("latin-1")
                    return msgspec.structs.replace(rule, repair=made[1]), new
            elif rule.verdict != "refuse" and fault.kind in _KEPT:
                return rule, None
            else:
                break
        raise _TooMuch

    def _leave_out(self, fault: Fault, at: int) -> None:
        """Leave out a field that the schema does not know; it comes beside the payload."""
        match = _match_member(self._text, at)
        if match is None or fault.path in self.extras:
            raise _TooMuch
        rule, new = self._decide(fault, match[1])
        if new is not None:  # a key that is to become another one
            raise _TooMuch
        member = member_of(self._text, match.start(2), match.end(), self._end)
        if member is None:
            raise _TooMuch
        _utf8(match[0])
        self._decisions.append(Decision(fault, fault.at, rule))
        self.extras[fault.path] = msgspec.json.decode(_utf8(match[2]))
        self._rewrite(*member, "")

    def _rewrite(self, start: int, stop: int, new: str) -> None:
        self._text = f"{self._text[:start]}{new}{self._text[stop:]}"
        self._end = start + len(new)
        self._longer += len(new) - (stop - start)


def _stand_in(fault: Fault) -> str:
    """What the field of a value that is set aside allows."""
    return quote(cast("tuple[str, ...]", fault.expected)[0]) if fault.kind == "enum" else '""'


def _utf8(text: str) -> str:
    """What a text stands for whose characters are bytes."""
    return text.encode("latin-1").decode()


def _with(value: Any, type_: ObjectType, steps: list[str], new: Any) -> Any:
    """A payload, or a part of it, with another value at a place."""
    name, *rest = steps
    field = type_.by_name[name]
    inner: Any = value[field.attr] if type_.open else getattr(value, field.attr)
    if field.item is not None and rest:
        index, *rest = rest
        item = _with(inner[int(index)], cast("Any", field.item.type), rest, new) if rest else new
        inner = [*inner]
        inner[int(index)] = item
    else:
        inner = _with(inner, cast("Any", field.type), rest, new) if rest else new
    changed = {field.attr: inner}
    return {**value, **changed} if type_.open else msgspec.structs.replace(value, **changed)
