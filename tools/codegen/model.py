"""Reads a version's schemas/*.toml into plain records and refuses what contradicts itself.

The language is defined in schemas/README.md. Every refusal is a ModelError whose text is a whole sentence that names the place.
"""

from __future__ import annotations

import json
import keyword
import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NoReturn

FieldKind = Literal["string", "integer", "number", "boolean", "datetime", "uri", "any", "enum", "object"]

SCALARS: dict[str, FieldKind] = {
    "string": "string",
    "int": "integer",
    "decimal": "number",
    "bool": "boolean",
    "datetime": "datetime",
    "uri": "uri",
    "any": "any",
}
FRAME_KINDS = ("call", "callresult", "callerror", "callresulterror", "send")
SENDERS = ("station", "csms", "both")
BODIES = {"request": "Request", "response": "Response", "send": ""}

# NAME[(args)][[lo..hi]][?][ = default]
_TYPE_STRING = re.compile(
    r"(?P<name>[A-Za-z]\w*)"
    r"(\((?P<args>[^()]*)\))?"
    r"(\[(?P<low>\d+)\.\.(?P<high>\d*)\])?"
    r"(?P<optional>\?)?"
    r"( = (?P<default>.+))?"
)
_RANGE = re.compile(r"(?P<low>-?\d+(\.\d+)?)?\.\.(?P<high>-?\d+(\.\d+)?)?")
_STEP = re.compile(r"step (?P<step>\d+(\.\d+)?)")
# The plain rule serves a name whose humps are written in lower case after their capital: `connectorId`, `language1`.
_PLAIN_NAME = re.compile(r"[a-z][a-z0-9]*([A-Z][a-z0-9]+)*")

_TOP = {"version", "subprotocol", "draft", "implicit", "implicit-place", "frames", "names", "enum", "enum-default", "type", "message", "unit", "block"}  # fmt: skip
_MESSAGE = {"from", "block", "profile", "kind", "draft", "transaction", *BODIES}


class ModelError(Exception):
    """A schemas file contradicts itself or the language; the text says where and how."""


@dataclass(frozen=True)
class Field:
    """One field of a type or payload. Constraints bind to the item when the field is a list."""

    name: str
    attr: str
    kind: FieldKind
    required: bool
    ref: str | None = None
    items: tuple[int, int | None] | None = None
    max_length: int | None = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    step: str | None = None
    default: Any = None
    unit: str | None = None


@dataclass(frozen=True)
class Type:
    """An object type or the body of a payload."""

    name: str
    draft: int
    open: bool
    fields: tuple[Field, ...]


@dataclass(frozen=True)
class Message:
    """An action: who sends it, where it belongs, and the names of its bodies by "request", "response" or "send".

    `transaction` says whether it belongs to a transaction: True, False, or the attribute whose presence tells.
    """

    action: str
    kind: Literal["call", "send"]
    sender: str
    group: Literal["block", "profile"]
    group_name: str
    bodies: dict[str, str]
    transaction: bool | str = False


@dataclass(frozen=True)
class Model:
    """What one version of the protocol says. `types` holds the object types first, then the bodies of the messages."""

    module: str
    version: str
    subprotocol: str
    frames: dict[str, str]
    enums: dict[str, list[str]]
    types: dict[str, Type]
    messages: dict[str, Message]
    blocks: dict[str, str]

    def body_names(self) -> set[str]:
        """The names of the types that are payloads."""
        return {name for message in self.messages.values() for name in message.bodies.values()}


def read(path: Path) -> Model:
    """The model in a file; its name without the suffix is the Python module's."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ModelError(f"{path.name} is not TOML: {error}.") from None
    return parse(data, path.stem)


def parse(data: dict[str, Any], module: str) -> Model:
    """The model in the parsed TOML of a version."""
    return _Reader(data, module).model()


class _Reader:
    """One reading of one file."""

    def __init__(self, data: dict[str, Any], module: str) -> None:
        self.module = module
        self.data = data
        for key in data:
            if key not in _TOP:
                self.refuse(f"the key {key!r} is not part of the language")
        for key in ("version", "subprotocol", "draft", "frames", "message"):
            if key not in data:
                self.refuse(f"the key {key!r} is missing")
        self.draft = self.checked_draft(data["draft"], "the file")
        self.enums: dict[str, list[str]] = data.get("enum", {})
        self.raw_types: dict[str, dict[str, str]] = data.get("type", {})
        self.names: dict[str, str] = data.get("names", {})
        self.implicit: dict[str, str] = data.get("implicit", {})
        self.enum_defaults: dict[str, str] = data.get("enum-default", {})
        self.used_names: set[str] = set()
        self.used_types: set[str] = set()

    def refuse(self, sentence: str) -> NoReturn:
        raise ModelError(f"{self.module}: {sentence}.")

    def model(self) -> Model:
        self.check_frames()
        self.check_enums()
        self.check_names()
        bodies = self.bodies()
        drafts = self.drafts(bodies)
        types: dict[str, Type] = {}
        for name, raw in self.raw_types.items():
            types[name] = self.type(name, raw, drafts.get(name, self.draft))
        messages: dict[str, Message] = {}
        for action, raw in self.data["message"].items():
            message = self.message(action, raw)
            messages[action] = message
            for part, name in message.bodies.items():
                if name in types or name in self.enums:
                    self.refuse(f"the {part} of {action} would be called {name}, and another type has that name")
                types[name] = self.type(name, raw[part], raw.get("draft", self.draft))
        for name in (*self.raw_types, *self.enums):
            if name not in self.used_types:
                self.refuse(f"{name} is declared and no payload reaches it")
        for name in self.names:
            if name not in self.used_names:
                self.refuse(f"[names] spells {name!r}, which no field is called")
        return Model(
            module=self.module,
            version=self.data["version"],
            subprotocol=self.data["subprotocol"],
            frames=dict(self.data["frames"]),
            enums=self.enums,
            types=self.with_units(types),
            messages=messages,
            blocks=self.data.get("block", {}),
        )

    def check_frames(self) -> None:
        kinds = list(self.data["frames"].values())
        for number, kind in self.data["frames"].items():
            if kind not in FRAME_KINDS or not number.isdigit():
                self.refuse(
                    f"[frames] says {number} = {kind!r}, and a frame is a number and one of {', '.join(FRAME_KINDS)}"
                )
        if len(set(kinds)) != len(kinds):
            self.refuse("[frames] gives two numbers to one kind of frame")

    def check_enums(self) -> None:
        for name, values in self.enums.items():
            if not values:
                self.refuse(f"the enumeration {name} has no values")
            if len(set(values)) != len(values):
                self.refuse(f"the enumeration {name} lists a value twice")
            if name in self.raw_types:
                self.refuse(f"{name} is both an enumeration and a type")
        for name, value in self.enum_defaults.items():
            if value not in self.enums.get(name, ()):
                self.refuse(f"[enum-default] gives {name} the value {value!r}, which it does not have")
        if bool(self.implicit) != ("implicit-place" in self.data):
            self.refuse("implicit and implicit-place must stand together")
        if self.data.get("implicit-place", "first") not in ("first", "last"):
            self.refuse('implicit-place must be "first" or "last"')

    def check_names(self) -> None:
        for name, attr in self.names.items():
            if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", attr) or keyword.iskeyword(attr):
                self.refuse(f"[names] spells {name!r} as {attr!r}, which is no snake_case name that Python can use")

    def bodies(self) -> list[tuple[dict[str, str], int]]:
        """Every payload body with the draft it is under."""
        found: list[tuple[dict[str, str], int]] = []
        for action, raw in self.data["message"].items():
            draft = self.checked_draft(raw.get("draft", self.draft), action)
            found += [(raw[part], draft) for part in BODIES if part in raw]
        return found

    def checked_draft(self, draft: Any, where: str) -> int:
        if draft not in (4, 6):
            self.refuse(f"the draft of {where} is {draft!r}, and only 4 and 6 are known")
        return int(draft)

    def drafts(self, bodies: list[tuple[dict[str, str], int]]) -> dict[str, int]:
        """The draft of every type: that of the payloads that reach it."""
        drafts: dict[str, int] = {}

        def visit(fields: dict[str, str], draft: int, above: tuple[str, ...]) -> None:
            implicit = {} if "*" in fields else self.implicit
            for name, text in {**fields, **implicit}.items():
                match = _TYPE_STRING.fullmatch(text)
                if name == "*" or match is None:
                    continue
                used = match["name"]
                self.used_types.add(used)
                if used not in self.raw_types:
                    continue
                if used in above:
                    self.refuse(f"the type {used} contains itself")
                if drafts.setdefault(used, draft) != draft:
                    self.refuse(f"the type {used} is used under draft 4 and under draft 6")
                visit(self.raw_types[used], draft, (*above, used))

        for fields, draft in bodies:
            visit(fields, draft, ())
        return drafts

    def type(self, name: str, raw: dict[str, str], draft: int) -> Type:
        is_open = "*" in raw
        if is_open and raw["*"] != "any":
            self.refuse(f'{name} has "*" = {raw["*"]!r}, and further keys can only be "any"')
        own = {key: text for key, text in raw.items() if key != "*"}
        if not is_open:
            for key in self.implicit:
                if key in own:
                    self.refuse(f"{name}.{key} is written out, though it is implicit")
            own = {**self.implicit, **own} if self.data.get("implicit-place") == "first" else {**own, **self.implicit}
        fields = tuple(self.field(f"{name}.{key}", key, text) for key, text in own.items())
        attrs: dict[str, str] = {}
        for each in fields:
            if each.attr in attrs:
                self.refuse(f"{name} has two fields with the attribute {each.attr}: {attrs[each.attr]} and {each.name}")
            attrs[each.attr] = each.name
        return Type(name, draft, is_open, fields)

    def field(self, where: str, name: str, text: str) -> Field:
        match = _TYPE_STRING.fullmatch(text)
        if match is None:
            self.refuse(f"the type string {text!r} of {where} does not read NAME[(args)][[lo..hi]][?][ = default]")
        kind, ref = self.kind(where, match["name"])
        found = Field(name, self.attr(where, name), kind, match["optional"] is None, ref)
        if match["low"] is not None:
            low, high = int(match["low"]), int(match["high"]) if match["high"] else None
            if high is not None and high < max(low, 1):
                self.refuse(f"{where} is a list of {low} to {high} items, which no list can satisfy")
            found = replace(found, items=(low, high))
        if match["args"] is not None:
            found = self.constrained(where, found, match["args"])
        default = self.default(where, found, match["default"])
        return found if default is None else replace(found, default=default)

    def kind(self, where: str, name: str) -> tuple[FieldKind, str | None]:
        if name in self.enums:
            return "enum", name
        if name in self.raw_types:
            return "object", name
        if name not in SCALARS:
            self.refuse(f"{where} is of type {name}, which is neither a scalar nor declared")
        return SCALARS[name], None

    def attr(self, where: str, name: str) -> str:
        if name in self.names:
            self.used_names.add(name)
            return self.names[name]
        if not _PLAIN_NAME.fullmatch(name):
            self.refuse(f"the plain rule does not serve the name of {where}, and [names] does not spell it")
        attr = re.sub(r"[A-Z]", lambda capital: "_" + capital[0].lower(), name)
        if keyword.iskeyword(attr):
            self.refuse(
                f"the attribute of {where} would be the Python keyword {attr!r}, and [names] does not spell another"
            )
        return attr

    def constrained(self, where: str, found: Field, args: str) -> Field:
        step = _STEP.fullmatch(args)
        if step is not None:
            if found.kind != "number" or float(step["step"]) == 0:
                self.refuse(f"{where} has a step, and only a decimal can have one, greater than 0")
            return replace(found, step=step["step"])
        match = _RANGE.fullmatch(args)
        if match is None or (match["low"] is None and match["high"] is None):
            self.refuse(f"the arguments ({args}) of {where} are neither a range such as 0..100 nor a step")
        low, high = match["low"], match["high"]
        if found.kind in ("string", "uri"):
            if low is not None or high is None or not high.isdigit():
                self.refuse(f"{where} is a string, whose only argument is its greatest length, such as (..36)")
            return replace(found, max_length=int(high))
        if found.kind not in ("integer", "number"):
            self.refuse(f"{where} has the arguments ({args}), and only strings and numbers have any")
        if found.kind == "integer" and "." in (low or "") + (high or ""):
            self.refuse(f"{where} is an integer with a bound that is none")
        number = int if found.kind == "integer" else float
        minimum = None if low is None else number(low)
        maximum = None if high is None else number(high)
        if minimum is not None and maximum is not None and maximum < minimum:
            self.refuse(f"{where} has the range {args}, which no number is in")
        return replace(found, minimum=minimum, maximum=maximum)

    def default(self, where: str, found: Field, text: str | None) -> Any:
        if text is None:
            return self.enum_defaults.get(found.ref) if found.kind == "enum" and found.ref is not None else None
        by_kind: dict[str, tuple[type, ...]] = {
            "boolean": (bool,),
            "integer": (int,),
            "number": (int, float),
            "string": (str,),
        }
        fits = by_kind.get(found.kind)
        try:
            value = json.loads(text)
        except ValueError:
            self.refuse(f"the default {text} of {where} is not JSON")
        if fits is None or not isinstance(value, fits) or (isinstance(value, bool) and found.kind != "boolean"):
            self.refuse(f"the default {text} of {where} does not fit its type")
        return value

    def message(self, action: str, raw: dict[str, Any]) -> Message:
        for key in raw:
            if key not in _MESSAGE:
                self.refuse(f"the message {action} has the key {key!r}, which is not part of the language")
        if raw.get("from") not in SENDERS:
            self.refuse(f"the message {action} must say who it is from: one of {', '.join(SENDERS)}")
        if ("block" in raw) == ("profile" in raw):
            self.refuse(f"the message {action} must name a block or a profile, not both")
        kind = raw.get("kind", "call")
        if kind not in ("call", "send"):
            self.refuse(f'the message {action} is of kind {kind!r}, and there are only "call" and "send"')
        if kind == "send" and "send" not in self.data["frames"].values():
            self.refuse(f"the message {action} is a send, and [frames] has no such frame")
        parts = [part for part in BODIES if part in raw]
        if parts != (["request", "response"] if kind == "call" else ["send"]):
            needs = "a request and a response" if kind == "call" else "one table called send"
            self.refuse(
                f"the message {action} is a {kind}, which has {needs}, and it has {' and '.join(parts) or 'neither'}"
            )
        if "block" in raw and raw["block"] not in self.data.get("block", {}):
            self.refuse(f"the message {action} is in the block {raw['block']}, which [block] does not name")
        group: Literal["block", "profile"] = "block" if "block" in raw else "profile"
        bodies = {part: action + BODIES[part] for part in parts}
        return Message(action, kind, raw["from"], group, raw[group], bodies, self.transaction(action, raw))

    def transaction(self, action: str, raw: dict[str, Any]) -> bool | str:
        """Whether a message belongs to a transaction: True, False, or the attribute of its request that tells."""
        told: bool | str = raw.get("transaction", False)
        if isinstance(told, bool):
            return told
        if told not in raw.get("request", {}):
            self.refuse(
                f"the message {action} belongs to a transaction when it has {told}, which is no field of its request"
            )
        return self.attr(f"{action}.request.{told}", told)

    def with_units(self, types: dict[str, Type]) -> dict[str, Type]:
        units: dict[str, str] = dict(self.data.get("unit", {}))
        result: dict[str, Type] = {}
        for type_ in types.values():
            fields = tuple(replace(f, unit=units.pop(f"{type_.name}.{f.name}", None)) for f in type_.fields)
            result[type_.name] = replace(type_, fields=fields)
        if units:
            self.refuse(f"[unit] speaks of {next(iter(units))}, which is no field")
        return result


SCOPES = ("text", "frame", "payload")


def read_errors(path: Path, versions: list[str]) -> dict[str, Any]:
    """schemas/errors.toml as the compact errors.json says it; `versions` are those that must have codes."""
    return parse_errors(tomllib.loads(path.read_text(encoding="utf-8")), versions)


def parse_errors(data: dict[str, Any], versions: list[str]) -> dict[str, Any]:
    """The kinds of fault and the wire codes, checked to name only codes that each version defines."""
    codes: dict[str, list[str]] = data["codes"]
    spelling: dict[str, str] = data["spelling"]
    if sorted(codes) != sorted(versions):
        raise ModelError(f"errors: [codes] must have a list for each version: {', '.join(versions)}.")
    for new, old in spelling.items():
        if old not in codes["1.6"]:
            raise ModelError(f"errors: [spelling] says {old} for {new}, and 1.6 has no such code.")
    answers = {name: _entry(f"the answer {name}", raw, data, versions) for name, raw in data["answer"].items()}
    kinds: dict[str, dict[str, Any]] = {}
    for name, raw in data["kind"].items():
        if raw.get("scope") not in SCOPES:
            raise ModelError(f"errors: the kind {name} must have one of the scopes {', '.join(SCOPES)}.")
        if any(version not in versions for version in raw.get("answer", ())):
            raise ModelError(f"errors: the kind {name} is answered on a version that does not exist.")
        kinds[name] = _entry(f"the kind {name}", raw, data, versions, "scope", "code-no-id", "answer")
    return {"spelling": spelling, "codes": codes, "kinds": kinds, "answers": answers}


def _entry(what: str, raw: dict[str, Any], data: dict[str, Any], versions: list[str], *more: str) -> dict[str, Any]:
    """A line of errors.toml, checked to say something and to name only codes that each version defines."""
    codes = data["codes"]
    if not raw.get("says"):
        raise ModelError(f"errors: {what} says nothing.")
    for key, value in raw.items():
        if key not in ("code", "code-16", "says", *more):
            raise ModelError(f"errors: {what} has the key {key!r}, which is not part of the language.")
        if key in ("code", "code-no-id") and any(value not in codes[v] for v in versions if v != "1.6"):
            raise ModelError(f"errors: {what} has the code {value}, which a 2.x version does not define.")
    old = raw.get("code-16", data["spelling"].get(raw["code"], raw["code"]))
    if old not in codes["1.6"]:
        raise ModelError(f"errors: {what} has the code {old} on 1.6, which does not define it.")
    return {key.replace("-", "_"): value for key, value in raw.items()}
