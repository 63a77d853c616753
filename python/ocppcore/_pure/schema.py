"""The tables of a version: the compact model with its classes, in the form in which the walker and the writer ask for it."""

from __future__ import annotations

import pkgutil
from typing import TYPE_CHECKING, Any

import msgspec

from .._versions import unknown_action
from .formats import INT64_MAX, INT64_MIN, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_JSON_TYPES = {
    "string": "string",
    "enum": "string",
    "datetime": "string",
    "uri": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
}
_NEVER_TOO_LONG = 1 << 62


class Field:
    """A field of an object type, or the items of a list.

    `read` and `write` are the functions of the walker and of the writer for its kind, put there when a schema is made; `judge` is what
    the walker makes of a string, None where it wants none. `name` is the wire
    name; None for items, which a pointer names by their index.
    """

    __slots__ = (
        "attr",
        "draft4",
        "item",
        "json_type",
        "judge",
        "kind",
        "least",
        "limit_key",
        "max_length",
        "maximum",
        "minimum",
        "most",
        "name",
        "read",
        "required",
        "step",
        "type",
        "values",
        "write",
    )

    def __init__(self, entry: dict[str, Any], owner: str, draft: int, *, is_item: bool = False) -> None:
        kind: str = entry["kind"]
        self.name: str | None = None if is_item else entry["name"]
        self.attr: str = entry["attr"]
        self.required: bool = entry["required"]
        self.draft4 = draft == 4  # under which 1.0 is no integer
        self.item: Field | None = None
        self.least, self.most = 0, _NEVER_TOO_LONG
        if "items" in entry and not is_item:
            self.item = Field(entry, owner, draft, is_item=True)
            low, high = entry["items"]
            self.least, self.most = low, _NEVER_TOO_LONG if high is None else high
            kind = "list"
        self.kind = kind
        self.json_type = _JSON_TYPES.get(kind, "array")
        self.limit_key = f"{owner}.{entry['name']}"  # under which a connection may raise the length
        self.max_length: int = entry.get("max_length", _NEVER_TOO_LONG)
        self.minimum: float | None = entry.get("minimum")
        self.maximum: float | None = entry.get("maximum")
        if kind == "number":
            self.minimum = None if self.minimum is None else float(self.minimum)
            self.maximum = None if self.maximum is None else float(self.maximum)
        elif kind == "integer":
            self.minimum = INT64_MIN if self.minimum is None else self.minimum
            self.maximum = INT64_MAX if self.maximum is None else self.maximum
        self.step = Step(entry["step"]) if "step" in entry else None
        self.values: dict[str, str] = {}  # of an enumeration, each under itself
        self.type: ObjectType
        self.read: Callable[[Any, Field, int], Any]
        self.judge: Callable[[Any, Field, str, int], Any] | None
        self.write: Callable[[Any, Field, Any], None]


class ObjectType:
    """An object type: its fields, in the schema's order, and the class that its values become; an open one's become dicts."""

    __slots__ = ("attributes", "by_name", "cls", "fields", "name", "names", "open", "required")

    def __init__(self, name: str, entry: dict[str, Any], cls: type[msgspec.Struct] | None) -> None:
        self.name = name
        self.open: bool = entry["open"]
        self.cls = cls
        self.fields = [Field(field, name, entry["draft"]) for field in entry["fields"]]
        self.names = tuple(str(field.name) for field in self.fields)
        self.by_name = dict(zip(self.names, self.fields, strict=True))
        # What values are gathered under while an object is read: Python names, wire names in a dict.
        for field in self.fields if self.open else ():
            field.attr = str(field.name)
        self.required = frozenset(field.attr for field in self.fields if field.required)


class Schema:
    """A version's tables. `model` is the compact model as JSON, `classes` the Struct classes by type name, `door` the classes of frames."""

    def __init__(self, model: bytes, classes: Mapping[str, type[msgspec.Struct]], door: Mapping[str, Any]) -> None:
        from .walk import JUDGES, READERS  # they import this module
        from .write import WRITERS

        parsed: dict[str, Any] = msgspec.json.decode(model)
        self.version: str = parsed["version"]
        self.door = dict(door)
        # Message type -> kind of frame.
        self.frames: dict[int, str] = {int(number): kind for number, kind in parsed["frames"].items()}
        self.types = {
            name: ObjectType(name, entry, None if entry["open"] else classes[name])
            for name, entry in parsed["types"].items()
        }
        enums = {name: {value: value for value in values} for name, values in parsed["enums"].items()}
        for name, entry in parsed["types"].items():
            for field, described in zip(self.types[name].fields, entry["fields"], strict=True):
                for one in (field, field.item):
                    if one is None:
                        continue
                    if one.kind == "enum":
                        one.values = enums[described["ref"]]
                    elif one.kind == "object":
                        one.type = self.types[described["ref"]]
                    one.read, one.write = READERS[one.kind], WRITERS[one.kind]
                    one.judge = JUDGES.get(one.kind)
        self.actions: frozenset[str] = frozenset(parsed["messages"])
        # (action, "request" | "response" | "send") -> type of the payload, and for a payload's class where it belongs.
        self.payloads: dict[tuple[str, str], ObjectType] = {}
        self.roles: dict[type, tuple[str, str, ObjectType]] = {}
        for action, entry in parsed["messages"].items():
            for kind in ("request", "response", "send"):
                if kind in entry:
                    type_ = self.types[entry[kind]]
                    self.payloads[action, kind] = type_
                    if type_.cls is not None:
                        self.roles[type_.cls] = (action, kind, type_)

    @classmethod
    def builtin(cls, module: str, classes: Mapping[str, type[msgspec.Struct]], door: Mapping[str, Any]) -> Schema:
        """The tables of a version that the package brings along, "v201" say."""
        model = pkgutil.get_data("ocppcore", f"_model/{module}.json")
        if model is None:
            raise ImportError(
                f"ocppcore/_model/{module}.json cannot be read: the package is installed without its data"
            )
        return cls(model, classes, door)

    def response_to(self, answered: object) -> tuple[str, ObjectType]:
        """The action and the type of an answer, asked by action, request class or response class; ValueError for any other."""
        if isinstance(answered, str):
            action = str(answered)
        elif isinstance(answered, type):
            action = self.roles[answered][0] if answered in self.roles else ""
        else:
            name = type(answered).__name__
            raise TypeError(f"an action is meant by its name, or by its request or response type, not by {name}")
        response = self.payloads.get((action, "response"))
        if response is None:
            if action not in self.actions:
                raise ValueError(unknown_action(answered, self.version, self.actions))
            raise ValueError(f"{action!r} has no response")
        return action, response

    def payload_type(self, action: object, kind: object) -> ObjectType:
        """The type of an action's "request", "response" or "send"; ValueError when there is none."""
        if not isinstance(action, str):
            raise TypeError("action must be str")
        if not isinstance(kind, str):
            raise TypeError("kind must be str")
        type_ = self.payloads.get((action, kind))
        if type_ is not None:
            return type_
        if kind not in ("request", "response", "send"):
            raise ValueError(f"unknown kind of payload {kind!r}: use 'request', 'response' or 'send'")
        if action not in self.actions:
            raise ValueError(unknown_action(action, self.version, self.actions))
        raise ValueError(f"{action!r} has no {kind}")

    def role_of(self, payload: object) -> tuple[str, str, ObjectType] | None:
        """Action, kind and type of a payload by its class or the nearest of its bases; None for a class that no message has."""
        for cls in type(payload).__mro__:
            role = self.roles.get(cls)
            if role is not None:
                return role
        return None
