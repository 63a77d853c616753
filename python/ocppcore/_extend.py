"""What a codec knows: a version's messages, and those of a user merged in.

A user's messages become entries of the same compact model that describes the standard's, so that they run through the same tables, at the
same speed and with the same errors.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import cache
from itertools import chain, count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeGuard

import msgspec

from . import _versions
from ._payloads import Message, Payload, Request, Response, SendPayload

if TYPE_CHECKING:
    from collections.abc import Iterable


class Vocabulary(msgspec.Struct, frozen=True):
    """The messages that a codec knows, and the model and classes that describe them. Never changed, save that the last two fill."""

    module: str  # "v201"
    messages: Mapping[str, Message]
    classes: Mapping[str, type[msgspec.Struct]]
    model: dict[str, Any] | None  # None: the version's own, which the backends hold already
    tables: dict[str, Any]  # the Schema of each backend that was asked for, made by `_backend.schema`
    requests: dict[str, Mapping[type[Payload], type[Response] | None]]  # what each side may send, made by `sent_by`

    def sent_by(self, role: str) -> Mapping[type[Payload], type[Response] | None]:
        """The types of the requests and SENDs that "csms" or "station" may send, and of their responses."""
        found = self.requests.get(role)
        if found is None:
            mine = (message for message in self.messages.values() if message.direction in (role, "both"))
            found = MappingProxyType({message.request: message.response for message in mine})
            self.requests[role] = found
        return found

    def types(self) -> Mapping[str, Any]:
        """The model's types by name."""
        types: Mapping[str, Any] = (self.model or _versions.model(self.module))["types"]
        return types


@cache
def built_in(module: str) -> Vocabulary:
    """What the standard defines."""
    return Vocabulary(
        module,
        MappingProxyType(dict(_versions.messages(module))),
        MappingProxyType(_versions.classes(module)),
        None,
        {},
        {},
    )


class Draft:
    """A vocabulary in the making: the old model's entries, and new ones entered beside or over them."""

    def __init__(self, old: Vocabulary) -> None:
        model = old.model or _versions.model(old.module)
        self.module = old.module
        self.model = model
        self.types: dict[str, Any] = dict(model["types"])
        self.enums: dict[str, list[str]] = dict(model["enums"])
        self.entries: dict[str, Any] = dict(model["messages"])
        self.classes = dict(old.classes)
        self.messages = dict(old.messages)
        self.names = {cls: name for name, cls in self.classes.items()}
        # How the standard's own fields are called in Python.
        self.attributes = {field["name"]: field["attr"] for type_ in self.types.values() for field in type_["fields"]}
        self._values = {tuple(values): name for name, values in self.enums.items()}

    def enter(self, name: str, type_: dict[str, Any], cls: type[msgspec.Struct] | None) -> None:
        """A type, over the one of that name if there is one; an open type has no class."""
        self.types[name] = type_
        if cls is not None:
            self.names.pop(self.classes.get(name), None)  # type: ignore[arg-type]
            self.classes[name] = cls
            self.names[cls] = name

    def enum(self, values: list[str], name: str) -> str:
        """The name of an enumeration; an equal one is used as it is."""
        known = self._values.get(tuple(values))
        if known is not None:
            return known
        name = _free(name, self.enums)
        self.enums[name] = values
        self._values[tuple(values)] = name
        return name

    def open_type(self, name: str) -> str:
        """The name of the type of objects of which nothing is known."""
        self.types.setdefault(name, {"draft": 6, "open": True, "fields": []})
        return name

    def free_name(self, name: str, longer: str) -> str:
        """A name that no type has: the short one, the longer one, or a numbered one."""
        return name if name not in self.types else _free(longer, self.types)

    def payload_name(self, action: str, kind: str, name: str) -> str:
        """The name of a payload's type: that of the one it replaces, where the two are called alike."""
        return name if self.entries.get(action, {}).get(kind) == name else self.free_name(name, f"{self.module}.{name}")

    def register(self, action: str, kind: str, name: str) -> None:
        """Make a type the payload of an action: its "request", "response" or "send"."""
        entry = self.entries.get(action)
        if entry is None:
            # Nobody but the user knows who sends a message of his own.
            entry = {"kind": "send" if kind == "send" else "call", "from": "both", self._block_key(): _OWN_BLOCK}
        elif (entry["kind"] == "send") != (kind == "send"):
            raise ValueError(f"messages: {action!r} is a {entry['kind']}, so it cannot have a {kind}")
        if kind == "send" and "send" not in self.model["frames"].values():
            raise ValueError(
                f"messages: {action!r} is a SEND, which OCPP {self.model['version']} does not have; use a Request"
            )
        self.entries[action] = {**entry, kind: name}

    def _block_key(self) -> str:
        return next(key for entry in self.entries.values() for key in ("profile", "block") if key in entry)

    def finished(self, actions: Iterable[str]) -> Vocabulary:
        """The new vocabulary; ValueError when one of the actions lacks its request or response."""
        for action in actions:
            entry = self.entries[action]
            kinds = ("send",) if entry["kind"] == "send" else ("request", "response")
            for kind in kinds:
                if kind not in entry:
                    raise ValueError(f"messages: {action!r} has no {kind}; give one")
            payloads: list[Any] = [self.classes[entry[kind]] for kind in kinds]
            self.messages[action] = Message(
                action=action,
                kind=entry["kind"],
                direction=entry["from"],
                block=entry[self._block_key()],
                request=payloads[0],
                response=payloads[1] if len(payloads) > 1 else None,
            )
        model = {**self.model, "types": self.types, "enums": self.enums, "messages": self.entries}
        return Vocabulary(self.module, MappingProxyType(self.messages), MappingProxyType(self.classes), model, {}, {})


_OWN_BLOCK = "extension"


def _free(name: str, taken: Iterable[str]) -> str:
    """The name, or with a number behind it when it is taken."""
    candidates = chain((name,), (f"{name}_{number}" for number in count(2)))
    return next(free for free in candidates if free not in taken)


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether the value is a mapping, of whatever."""
    return isinstance(value, Mapping)


def with_messages(old: Vocabulary, messages: Any) -> Vocabulary:
    """The vocabulary with a user's messages in it: Struct classes, or JSON Schemas by action. ValueError for what cannot be checked."""
    draft = Draft(old)
    actions = _enter_schemas(draft, messages) if is_mapping(messages) else _enter_classes(draft, messages)
    return draft.finished(actions)


def _enter_schemas(draft: Draft, messages: Mapping[Any, Any]) -> list[str]:
    from ._from_schemas import SchemaReader

    for action, schemas in messages.items():
        if not isinstance(action, str) or not action:
            raise ValueError(f"messages: an action is a non-empty str, not {action!r}")
        if not is_mapping(schemas) or not schemas or set(schemas) - {"request", "response", "send"}:
            raise ValueError(
                f"messages: {action!r} must be a dict of JSON Schemas under 'request' and 'response', or under 'send'"
            )
        for kind, schema in schemas.items():
            if not is_mapping(schema):
                raise ValueError(
                    f"messages: the {kind} of {action!r} must be a JSON Schema as a dict, not {type(schema).__name__}"
                )
            name, _ = SchemaReader(draft, schema, action).read(kind)
            draft.register(action, kind, name)
    return list(messages)


def _enter_classes(draft: Draft, classes: Iterable[Any]) -> list[str]:
    from ._from_structs import StructReader

    reader = StructReader(draft)
    given: dict[tuple[str, str], type[Any]] = {}
    for cls in classes:
        _enter_class(given, cls, _kind_of(cls))
    for cls in [cls for (_, kind), cls in given.items() if kind == "request"]:
        answer = _answer(cls, given, draft)
        if answer is not None:
            _enter_class(given, answer, "response", cls)
    for (action, kind), cls in given.items():
        name = draft.names.get(cls) or reader.read(cls, draft.payload_name(action, kind, cls.__name__))
        draft.register(action, kind, name)
    return list(dict.fromkeys(action for action, _ in given))


def _enter_class(
    given: dict[tuple[str, str], type[Any]], cls: type[Any], kind: str, request: type[Any] | None = None
) -> None:
    action = getattr(cls, "__action__", None)
    if not isinstance(action, str) or not action:
        raise ValueError(f'messages: {cls.__name__} needs its action: `__action__: ClassVar[str] = "..."`')
    if request is not None and action != request.__action__:
        raise ValueError(
            f"messages: {cls.__name__} has the action {action!r}, its request {request.__name__} {request.__action__!r}"
        )
    if given.setdefault((action, kind), cls) is not cls:
        raise ValueError(
            f"messages: both {given[action, kind].__name__} and {cls.__name__} are the {kind} of {action!r}"
        )


def _kind_of(cls: Any) -> str:
    if isinstance(cls, type):
        for base, kind in ((Request, "request"), (Response, "response"), (SendPayload, "send")):
            if issubclass(cls, base) and cls is not base:
                return kind
    raise ValueError(f"messages: {cls!r} is no subclass of Request[Answer], Response or SendPayload")


def _answer(request: type[Any], given: Mapping[tuple[str, str], type[Any]], draft: Draft) -> type[Any] | None:
    """The response class of a request class; None when the action has one already and the request names no other."""
    from ._from_structs import answer_of

    action: str = request.__action__
    known = draft.messages.get(action)
    owner, answer = answer_of(request) or (None, None)
    if known is not None and (owner is None or owner in draft.names):
        return None  # derived from the standard's own class
    if isinstance(answer, str):  # Request["Answer"]
        named = [cls for cls in given.values() if cls.__name__ == answer]
        answer = named[0] if named else getattr(sys.modules.get(owner.__module__), answer, None)
    if not (isinstance(answer, type) and issubclass(answer, Response)):
        if known is not None or (action, "response") in given:
            return None
        raise ValueError(
            f"messages: {request.__name__} names no answer: derive it from Request[Answer], Answer a subclass of Response"
        )
    return answer


def checked_limits(vocabulary: Vocabulary, raised: Mapping[str, int], limits: Mapping[str, object]) -> dict[str, int]:
    """The limits of a connection, checked: "Type.field" -> length, never below what is allowed already. ValueError else."""
    types = vocabulary.types()
    result: dict[str, int] = {}
    for name, length in limits.items():
        if not isinstance(length, int) or isinstance(length, bool):
            raise ValueError(f"limits: {name!r} must be an int, a number of characters, not {length!r}")
        type_name, _, wire_name = str(name).rpartition(".")
        if type_name not in types:
            known = _limited_fields(types) if not type_name else types
            raise ValueError(
                f"limits: unknown type in {name!r}, write 'Type.field'; {_versions.near(type_name or name, known)}"
            )
        fields = {field["name"]: field for field in types[type_name]["fields"]}
        if wire_name not in fields:
            raise ValueError(f"limits: {type_name} has no field {wire_name!r}; {_versions.near(wire_name, fields)}")
        longest = fields[wire_name].get("max_length")
        if longest is None:
            raise ValueError(f"limits: {name!r} has no length limit that could be raised")
        longest = raised.get(name, longest)
        if length < longest:
            raise ValueError(f"limits: {name!r} is {longest} already and can only be raised, not set to {length}")
        result[name] = length
    return result


def _limited_fields(types: Mapping[str, Any]) -> list[str]:
    return [
        f"{name}.{field['name']}" for name, type_ in types.items() for field in type_["fields"] if "max_length" in field
    ]
