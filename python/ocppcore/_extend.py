"""What a codec knows: a version's messages, and those of a user merged in.

A user's messages become entries of the same compact model that describes the standard's, so that they run through the same tables, at the
same speed and with the same errors.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _versions

if TYPE_CHECKING:
    import msgspec

    from ._payloads import Message


class Vocabulary(NamedTuple):
    """The messages that a codec knows, and the model and classes that describe them. Never changed, only replaced."""

    module: str  # "v201"
    messages: Mapping[str, Message]
    classes: Mapping[str, type[msgspec.Struct]]
    model: Mapping[str, Any] | None  # None: the version's own, which the backends hold already

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
    )


def checked_limits(vocabulary: Vocabulary, raised: Mapping[str, int], limits: Mapping[str, int]) -> dict[str, int]:
    """The limits of a connection, checked: "Type.field" -> length, never below what is allowed already. ValueError else."""
    types = vocabulary.types()
    result = {}
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
