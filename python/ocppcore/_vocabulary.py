"""What a codec knows: a version's messages, and those of a user merged in.

A user's messages become entries of the same compact model that describes the standard's, so that they run through the same tables, at the
same speed and with the same errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import chain, count
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec

from . import _versions
from ._payloads import Message, Payload, Response

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
