"""What can be wrong with a message, as data first: kind, place, expectation; text and answer are made when asked for.

    OcppError           whatever ocppcore finds wrong with data
      FrameError        the text or the frame around the payload (decode, validate, peek)
      PayloadError      a value inside the payload (decode, validate, resolve)
      EncodeError       an object that cannot be written (encode, from_builtins)

Misuse of the library itself is ValueError or TypeError, never one of these.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from . import _versions
from ._codes import canonical_code, known_codes, spell_code
from ._frames import CallError, CallResultError
from ._quote import LONGEST_QUOTE, NOTHING_FOUND, end_of, printable, quoted, shorten

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


_LONGEST_DESCRIPTION = 255  # characters, the limit of 2.x; 1.6 sets none
_LONGEST_PATH = 255  # characters of a pointer that a text may show
_LONGEST_ECHO = 100  # characters of a message id that an answer repeats


class Rule(msgspec.Struct, frozen=True):
    """What one kind of fault means for one codec: errors.json, read for a version."""

    scope: str
    says: str
    code: str
    code_no_id: str


class Rules:
    """The kinds of fault for one version, with a codec's own codes in place of the table's where it has some."""

    __slots__ = ("by_kind", "codes", "ignored", "version")

    def __init__(self, version: _versions.Version, codes: tuple[tuple[str, str], ...]) -> None:
        self.version = version
        self.codes = codes
        own = dict(codes)
        number = version.number
        table = _versions.errors()["kinds"]
        self.by_kind: dict[str, Rule] = {}
        for kind, entry in table.items():
            code: str = entry.get("code_16", entry["code"]) if number == "1.6" else entry["code"]
            code = spell_code(own.get(kind, code), number)
            # An answer without an id exists in 2.x only.
            no_id = code if kind in own else spell_code(entry.get("code_no_id", code), number)
            self.by_kind[kind] = Rule(entry["scope"], entry["says"], code, no_id)
        # 1.6 and 2.1 ask to ignore a message type that they do not know, 2.0.1 to answer it.
        self.ignored = number not in table["message_type_unknown"]["answer"]

    def __reduce__(self) -> tuple[Any, ...]:
        return rules_of, (self.version.subprotocol, self.codes)


@cache
def rules_of(subprotocol: str, codes: tuple[tuple[str, str], ...] = ()) -> Rules:
    """The rules of a version; `codes` are pairs (kind, wire code) that replace the table's."""
    return Rules(_versions.version_of(subprotocol), codes)


def checked_codes(codes: Mapping[str, object], version: str) -> dict[str, str]:
    """A user's replacement of wire codes by kind, in the version's spelling; ValueError for a kind or a code that nobody knows."""
    kinds = _versions.errors()["kinds"]
    result: dict[str, str] = {}
    for kind, code in codes.items():
        if kind not in kinds:
            raise ValueError(f"codes: unknown kind of fault {kind!r}; {_versions.near(str(kind), kinds)}")
        if not isinstance(code, str) or code not in known_codes():
            raise ValueError(
                f"codes: unknown wire code {code!r} for {kind!r}; {_versions.near(str(code), known_codes())}"
            )
        result[kind] = spell_code(code, version)
    return result


class OcppError(Exception):
    """Data that breaks a rule of OCPP, or an object that would.

    The tree of its kinds:

        OcppError
        ├── FrameError      the text, or the frame around the payload
        ├── PayloadError    a value inside the payload
        └── EncodeError     an object that cannot be written

    - `kind`: the rule broken, one of a closed list (`schemas/errors.toml`): "missing", "length", "enum", ...
    - `rule`: the rule's stable id: the kind, or the name of a rule of the specification tier that a policy has asked for ("int32")
    - `path`: JSON pointer into the payload, by wire names; "" for the frame itself
    - `offset`: byte of the data at which the fault lies, in UTF-8 also when a str was given; None for objects
    - `expected`: what the rule asks for, its type depends on `kind`: a length, a tuple of enumeration values, a JSON type's name, ...
    - `found`: at most 64 characters of what stands there instead; None where nothing stands, and for objects
    - `message_type`, `message_id`, `action`: of the frame, where they could be read, also from a broken or truncated one
    - `code`: the wire code that answers it, in the version's spelling
    - `version`: "1.6", "2.0.1" or "2.1"

    `str(error)` says what is wrong, where, and what to do; `error.format(redact=True)` says it without anything that the peer wrote;
    `error.reply()` is the frame that answers it. An error can be pickled and copied.
    """

    __slots__ = (
        "_data",
        "_end",
        "_finding",
        "_found",
        "_rules",
        "_write",
        "action",
        "expected",
        "kind",
        "message_id",
        "message_type",
        "offset",
        "path",
    )

    def __init__(
        self,
        rules: Rules,
        kind: str,
        path: str = "",
        offset: int | None = None,
        expected: object = None,
        data: bytes | str | None = None,
        message_type: int | None = None,
        message_id: str | None = None,
        action: str | None = None,
    ) -> None:
        super().__init__()  # else `args` would hold what is given here, the data too
        self._rules = rules
        self.kind = kind
        self.path = path
        self.offset = offset
        self.expected = expected
        self.message_type = message_type
        self.message_id = message_id
        self.action = action
        self._data = data
        self._found: str | None = None
        self._end: int | None = None
        self._write: Callable[[OcppError], str] | None = None  # the native backend's `format`, of its own errors
        self._finding: Finding | None = None  # what a rule of the specification tier says

    @property
    def rule(self) -> str:
        """The stable id of the rule: the kind, or that of a rule of the specification tier that a policy refuses ("int32")."""
        return self.kind if self._finding is None else self._finding.rule

    @property
    def version(self) -> str:
        """The version's number: "1.6", "2.0.1" or "2.1"."""
        return self._rules.version.number

    @property
    def code(self) -> str:
        """The wire code that answers this fault, in the version's spelling; it does not mean that an answer is due, see `reply`."""
        rule = self._rules.by_kind[self.kind]
        return rule.code if _has_no_frame(self) or _echo(self.message_id) is not None else rule.code_no_id

    @property
    def found(self) -> str | None:
        """What stands at the place of the fault: at most 64 characters of its JSON text. None where nothing stands, and for objects."""
        self._look()
        return self._found

    @property
    def end(self) -> int | None:
        """The byte behind what is at fault, `offset` itself at the data's end; None for objects. At most 4 KiB into a list or an object."""
        self._look()
        return self._end

    @property
    def suggestion(self) -> str | None:
        """The key or the value that was probably meant, of those that the schema knows: a letter's case or a typing error away."""
        return None if self._finding is None else self._finding.suggestion

    def _look(self) -> None:
        """Look at the data, once; then let it go."""
        data, offset = self._data, self.offset
        if data is not None:
            if isinstance(data, str):
                data = data.encode("utf-8", "surrogatepass")
            if offset is not None:
                self._end = end = end_of(self.kind, data, offset)
                self._found = quoted(self.kind, data, offset, end)
            self._data = None

    def reply(self) -> CallError | CallResultError | None:
        """The frame to send in answer, or None where the protocol forbids one or there is nobody to answer.

        A CALL is answered in every version when its id could be read, else with the id "-1" in 2.x alone. A CALLRESULT is answered in 2.1
        alone, refusals and SENDs nowhere, an unknown message type in 2.0.1. The description names kind, place and expectation,
        never anything that the peer wrote; the frame stays under 1 KiB. (1.6 §4.2.3; 2.x part 4 §4.2.3, §4.4)
        """
        return _answer(self, self._rules, self.code, self._describe())

    def redact(self) -> str:
        """The text of this error without anything that the peer wrote: no values, no keys of its own, no message id."""
        return self.format(redact=True)

    def format(self, *, redact: bool = False) -> str:
        """What is wrong, where, what was found and expected, and what to do next, in one line.

        With `redact` nothing that the peer wrote is quoted: field names of the schemas stay, other keys become `*`.
        """
        says, expected = self._in_words()
        advice = "" if redact else self._advice() if self._finding is None else self._finding.fix
        return line(self, says, expected, None if redact else self.found, advice, self._rules.version, redact=redact)

    def _in_words(self) -> tuple[str, str]:
        """The rule, and what it expects."""
        if self._finding is not None:
            return self._finding.says, expectation_of(self._finding)
        return self._rules.by_kind[self.kind].says, _expectation(self.kind, self.expected)

    def _advice(self) -> str:
        """What to do next, where there is more to say than to mend the value."""
        return ""

    def _describe(self) -> str:
        """The description for the wire: this error's text without the peer's data."""
        says, expected = self._in_words()
        return _description(says, self.path, expected, self._rules.version)

    def __str__(self) -> str:
        write = self._write
        return self.format() if write is None else write(self)

    def _wording(self) -> tuple[str, str, bool, str | None]:
        """What `_write` keeps for all errors of this class, kind and expectation, to put together as `line` does.

        What is said and expected; what leads to the quote, "" where nothing is quoted; whether the action is told; the advice, None where it depends
        on what was found.
        """
        expected = _expectation(self.kind, self.expected)
        says = printable(self._rules.by_kind[self.kind].says + (f"; expected {expected}" if expected else ""))
        before_found = "" if self.kind in NOTHING_FOUND else ", found " if expected else "; found "
        return (
            says,
            before_found,
            self.kind != "action_unknown",
            None if self._suggests() else printable(self._advice()),
        )

    def _suggests(self) -> bool:
        """Whether there are names of which one may be suggested."""
        return False

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(kind={self.kind!r}, path={self.path!r}, offset={self.offset!r}, code={self.code!r})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # The quote goes along, not the data: a frame may be a megabyte.
        state = (
            self.kind,
            self.path,
            self.offset,
            self.expected,
            self.found,
            self.message_type,
            self.message_id,
            self.action,
            self.end,
            self._finding,
        )
        return _restore, (type(self), self._rules, state, getattr(self, "__notes__", None))


class FrameError(OcppError):
    """The data is no well-formed JSON text within the limits, or not a frame of this version."""

    __slots__ = ()

    def _advice(self) -> str:
        if self.kind == "size":
            return "Codec(max_size=...) raises the limit."
        if self.kind == "action_unknown":
            return "Codec.extend(messages=...) adds actions of your own."
        return ""


class PayloadError(OcppError):
    """A value inside the payload breaks its schema."""

    __slots__ = ()

    def _advice(self) -> str:
        if self.kind == "length":
            return "Codec.extend(limits=...) raises the limit for one field."
        meant = self.suggestion
        return "" if meant is None else f"It may be meant as {meant}."

    def _suggests(self) -> bool:
        return self._finding is None and self.kind in ("enum", "unknown_key") and isinstance(self.expected, tuple)

    @property
    def suggestion(self) -> str | None:
        if not self._suggests():
            return super().suggestion
        return meant_by((self.found or "").strip('"'), cast("tuple[str, ...]", self.expected))


def meant_by(name: str, names: tuple[str, ...]) -> str | None:
    """The name that a peer probably meant: a letter's case or a typing error away, or another name for the same."""
    if len(name) >= LONGEST_QUOTE - 2:  # cut, or long to compare
        return None
    return _meant_by(name, names)


@lru_cache(maxsize=256)  # a station errs in the same way all day, and to compare names is slow
def _meant_by(name: str, names: tuple[str, ...]) -> str | None:
    folded = {known.casefold(): known for known in names}
    if name.casefold() in folded:
        return folded[name.casefold()]
    aliases: dict[str, list[str]] = _versions.rules()["alias"]
    alias = next((known for known in aliases.get(name, ()) if known in names), None)
    return alias or _versions.nearest(name, names)


class EncodeError(OcppError):
    """An object cannot be written as a message: the pointer says which value, by wire names."""

    __slots__ = ()

    def _advice(self) -> str:
        if self.expected in ("date-time", "datetime"):
            return "Give an aware datetime: datetime.now(timezone.utc)."
        return ""


def line(
    fault: OcppError | Finding,
    says: str,
    expected: str,
    found: str | None,
    advice: str,
    version: _versions.Version,
    *,
    redact: bool = False,
) -> str:
    """What is wrong, where, what was found and expected, and what to do next, in one line."""
    path = _public_path(fault.path, version.module) if redact else fault.path
    text = f"{shorten(path, _LONGEST_PATH)}: {says}" if path else says
    if expected:
        text += f"; expected {expected}"
    if found is not None:
        text += f", found {found}" if expected else f"; found {found}"
    where: list[str] = []
    if fault.action is not None and fault.kind != "action_unknown":
        where.append(shorten(fault.action))
    if fault.message_id is not None and not redact:
        where.append(f"id {shorten(fault.message_id)!r}")
    if fault.offset is not None:
        where.append(f"byte {fault.offset}")
    if where:
        text += f" ({', '.join(where)})"
    return printable(f"{text}. {advice}" if advice else text)


class Finding(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One thing wrong with a message, or unwise in it, as `Codec.explain` lists it; in order of bytes.

    - `rule`: the stable id of the rule, as `schemas/rules.toml` and `ocppcore rule` have it. A rule that the JSON Schemas, the frame or
      JSON itself states has the name of its kind ("enum"); one that the text of the standard adds has its own ("int32").
    - `severity`: "error" for what a strict decode refuses, "warning" or "info" for what it takes
    - `kind`, `path`, `expected`, `found`, `version`, `message_type`, `message_id`, `action`: as an OcppError has them
    - `offset`, `end`: the range of bytes of the data that is meant, `end` behind its last; None for objects, equal where something is absent
    - `suggestion`: what was probably meant, to be written instead of the key or value; None where nothing is near
    - `hint`: what to do about this very fault, in a sentence, where more can be said than the rule's own advice
    - `code`: the wire code that answers it, in the version's spelling
    - `text`: all that in one line

    From `Codec.decode_with_findings` also what the codec's policy has done:

    - `verdict`: "report" or "repair"
    - `repair`: the names of the repairs made, in order
    - `original`, `became`: the JSON text that was repaired, and what it became
    """

    rule: str
    severity: Literal["error", "warning", "info"] = "error"
    kind: str
    path: str
    offset: int | None
    end: int | None = None
    expected: Any = None
    found: str | None = None
    suggestion: str | None = None
    hint: str | None = None
    code: str
    text: str
    version: str
    message_type: int | None = None
    message_id: str | None = None
    action: str | None = None
    verdict: Literal["report", "repair"] | None = None
    repair: tuple[str, ...] = ()
    original: str | None = None
    became: str | None = None

    @classmethod
    def of(
        cls,
        error: OcppError,
        severity: Literal["error", "warning", "info"] = "error",
        *,
        suggest: bool = True,
        **done: Any,
    ) -> Finding:
        """The finding that an error stands for; without `suggest` no names are compared. `done` is what a policy has done about it."""
        told = error._finding  # pyright: ignore[reportPrivateUsage]
        if told is not None:
            return msgspec.structs.replace(told, **done)
        found = error.found
        suggestion = error.suggestion if suggest else None
        rules = error._rules  # pyright: ignore[reportPrivateUsage]
        says = rules.by_kind[error.kind].says
        advice = error._advice() if suggest else ""  # pyright: ignore[reportPrivateUsage]
        return cls(
            rule=error.kind,
            severity=severity,
            kind=error.kind,
            path=error.path,
            offset=error.offset,
            end=error.end,
            expected=error.expected,
            found=found,
            suggestion=suggestion,
            code=error.code,
            text=line(error, says, _expectation(error.kind, error.expected), found, advice, rules.version),
            version=error.version,
            message_type=error.message_type,
            message_id=error.message_id,
            action=error.action,
            **done,
        )

    @property
    def tier(self) -> Literal["schema", "spec"]:
        """Who states the rule: "schema" for what a strict decode refuses, "spec" for what the text of the standard says beyond it."""
        return "schema" if self.rule == self.kind else "spec"

    @property
    def section(self) -> str | None:
        """Where the standard says so, "Part 2 K01.FR.03" say; None where the rule is not of this version."""
        section: str | None = self._described()["section"].get(self.version)
        return section

    @property
    def says(self) -> str:
        """The rule that is broken, in a few words that fit any place."""
        if self.tier == "spec":
            return str(self._described()["says"])
        return self._rules().by_kind[self.kind].says

    @property
    def fix(self) -> str:
        """What to do: the hint for this fault, else the rule's own advice."""
        return self.hint or str(self._described()["fix"])

    def reply(self) -> CallError | CallResultError | None:
        """The frame that answers it, by the rules of `OcppError.reply`: under 1 KiB, nothing in it of what the peer wrote."""
        rules = self._rules()
        return _answer(self, rules, self.code, _description(self.says, self.path, expectation_of(self), rules.version))

    def redact(self) -> Finding:
        """The same finding without what the peer wrote: no value, no key of its own; its text without the message id too."""
        version = self._rules().version
        return msgspec.structs.replace(
            self,
            path=_public_path(self.path, version.module),
            found=None,
            suggestion=None,
            text=line(self, self.says, expectation_of(self), None, "", version, redact=True),
        )

    def _rules(self) -> Rules:
        return rules_of(_versions.of_number(self.version).subprotocol)

    def _described(self) -> dict[str, Any]:
        entry: dict[str, Any] = _versions.rules()[self.tier][self.rule]
        return entry


def make_error(
    rules: Rules,
    kind: str,
    path: str,
    offset: int | None,
    expected: object,
    data: bytes | str | None,
    message_type: int | None,
    message_id: str | None,
    action: str | None,
) -> OcppError:
    """The error of the right class for a fault; what a backend calls once it knows kind and place."""
    make: type[OcppError]
    if offset is None and data is None:
        make = EncodeError
    elif rules.by_kind[kind].scope == "payload":
        make = PayloadError
    else:
        make = FrameError
    return make(rules, kind, path, offset, expected, data, message_type, message_id, action)


def error_maker(rules: Rules) -> Callable[..., OcppError]:
    """`make_error` bound to a codec's rules."""
    return partial(make_error, rules)


def refusal_of(finding: Finding, rules: Rules) -> OcppError:
    """The error for a finding of the specification tier that a policy refuses: of data, or of an object where it has no offset."""
    make = EncodeError if finding.offset is None else PayloadError
    head = finding.message_type, finding.message_id, finding.action
    state = finding.kind, finding.path, finding.offset, finding.expected, finding.found, *head, finding.end, finding
    return _restore(make, rules, state, None)


def _restore(cls: type[OcppError], rules: Rules, state: tuple[Any, ...], notes: list[str] | None) -> OcppError:
    kind, path, offset, expected, found, message_type, message_id, action, end, finding = state
    error = cls(rules, kind, path, offset, expected, None, message_type, message_id, action)
    error._found = found  # pyright: ignore[reportPrivateUsage]
    error._end = end  # pyright: ignore[reportPrivateUsage]
    error._finding = finding  # pyright: ignore[reportPrivateUsage]
    if notes is not None:
        error.__notes__ = list(notes)
    return error


def _has_no_frame(fault: OcppError | Finding) -> bool:
    """An object, or a payload that was read without its frame: no head, though the action is known."""
    return fault.offset is None or (fault.message_type is None and fault.action is not None)


def _echo(id: str | None) -> str | None:
    """The message id if an answer can repeat it."""
    return id if id is not None and 1 <= len(id) <= _LONGEST_ECHO and _is_unicode(id) else None


def _answer(
    fault: OcppError | Finding, rules: Rules, code: str, description: str
) -> CallError | CallResultError | None:
    """The frame that answers a fault, None where there is none; see `OcppError.reply`."""
    if _has_no_frame(fault):
        return None
    type_, id = fault.message_type, _echo(fault.message_id)
    kind_of_frame = _frame_kinds(rules.version.module).get(str(type_)) if type_ is not None else "call"
    if fault.kind == "message_type_unknown" or kind_of_frame is None:
        if rules.ignored:
            return None
    elif kind_of_frame == "callresult":
        if rules.version.number != "2.1" or id is None:
            return None
        return CallResultError(id, code, description)
    elif kind_of_frame != "call":
        return None
    if id is None:
        if rules.version.number == "1.6":
            return None
        id = "-1"
    return CallError(id, code, description)


def _description(says: str, path: str, expected: str, version: _versions.Version) -> str:
    """The description of a CALLERROR: kind, place and expectation, nothing that the peer wrote, in plain ASCII that needs no escapes."""
    path = _public_path(path, version.module)
    text = f"{path}: {says}" if path else says
    if expected:
        text += f"; expected {expected}"
    text = re.sub(r'[^ -~]|["\\]', "?", text)
    return text if len(text) < _LONGEST_DESCRIPTION else text[: _LONGEST_DESCRIPTION - 4] + "..."


@cache
def _frame_kinds(module: str) -> dict[str, str]:
    """Message type, as text -> kind of frame ("call", "callresult", ...) of a version."""
    kinds: dict[str, str] = _versions.model(module)["frames"]
    return kinds


def _public_path(path: str, module: str) -> str:
    """A pointer whose keys are the schemas' own; any other may be the peer's data and becomes `*`."""
    if not path:
        return path
    known = _versions.wire_names(module)
    return "".join("/" + (part if part in known or part.isdecimal() else "*") for part in path[1:].split("/"))


_TYPE_KINDS = frozenset(("type", "null", "payload_missing", "error_field_type"))
# What `says` says already, or the pointer.
_SAID = frozenset(("message_id_type", "message_id_length", "action_type", "payload_type", "missing"))
_COUNTS = {
    "length": "at most {} character",
    "too_few": "at least {} item",
    "too_many": "at most {} item",
    "depth": "at most {} level",
    "size": "at most {} byte",
    "arity": "{} element",
}
_BOUNDS = {"minimum": "at least {}", "maximum": "at most {}", "multiple_of": "a multiple of {}", "format": "{}"}


@lru_cache(maxsize=256, typed=True)  # as above; 1 is not 1.0 to its reader
def _expectation(kind: str, expected: object) -> str:
    """An expectation in words; "" where the kind says it all. It holds facts of the schema alone."""
    if expected is None or kind in _SAID:
        return ""
    if kind in _TYPE_KINDS:
        return f"{'an' if str(expected)[:1] in 'aio' else 'a'} {expected}"
    if kind in _COUNTS:
        return _COUNTS[kind].format(expected) + ("" if expected == 1 else "s")
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(expected)
    names = names_of(expected)
    if names is None:
        return str(expected)
    more = f" and {len(names) - 6} more" if len(names) > 6 else ""
    return f"one of {', '.join(names[:6])}{more}" if names else "none"


def expectation_of(finding: Finding) -> str:
    """What a finding's rule expects, in words; "" where the rule says it all."""
    expected = finding.expected
    return expectation(expected) if finding.tier == "spec" else _expectation(finding.kind, expected)


def expectation(expected: object) -> str:
    """What a rule of the text expects, in words: its data is a sentence's part, or the values to choose from."""
    names = names_of(expected)
    return _expectation("enum", tuple(names)) if names is not None else "" if expected is None else str(expected)


def names_of(expected: object) -> list[str] | None:
    """The names of an expectation that is a choice."""
    return list(map(str, cast("tuple[object, ...]", expected))) if isinstance(expected, tuple) else None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


__all__ = ["EncodeError", "Finding", "FrameError", "OcppError", "PayloadError", "canonical_code"]
