"""Writes schemas/compat_ocpp.toml: how PyPI `ocpp` spells its classes, fields and members, read from the installed package.

    python -m tools.ocpp_names

Names and their order are facts that a package of the same shape must share. What a field holds, the schemas say.
"""

from __future__ import annotations

import dataclasses
import enum
import json
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

TABLE = Path(__file__).resolve().parents[1] / "schemas/compat_ocpp.toml"
MODULES = ("v16", "v201", "v21")
HEAD = """\
# How PyPI `ocpp` {version} spells its classes, fields and members; made by `python -m tools.ocpp_names`.
#
# A class of messages or datatypes is its fields in their order: `name` is required, `name?` is None when left out, `name=X` has a default.
# An enumeration is its members: `member=value`. An exception is its wire code and what it says by default.
"""

# What an exception says when its raiser says nothing. The peer's sentences are its own; these are ours.
OWN_WORDS = {
    "NotImplemented": "the action is not implemented here",
    "NotSupported": "the action is not supported here",
    "InternalError": "an internal error occurred",
    "ProtocolError": "the message breaks the protocol",
    "SecurityError": "a security issue stands in the way",
    "FormatViolation": "the message or its payload is not well formed",
    "FormationViolation": "the message or its payload is not well formed",
    "PropertyConstraintViolation": "a field holds a value that it may not hold",
    "OccurenceConstraintViolation": "a field is missing, or occurs too often or too seldom",
    "OccurrenceConstraintViolation": "a field is missing, or occurs too often or too seldom",
    "TypeConstraintViolation": "a field holds a value of another type",
    "GenericError": "an error that has no code of its own",
    "MessageTypeNotSupported": "the message type is not supported here",
    "RpcFrameworkError": "the message is no valid frame",
}


def field_text(field: dataclasses.Field[Any]) -> str:
    """One field as the table spells it."""
    if field.default_factory is not dataclasses.MISSING:
        return f"{field.name}={field.default_factory()!r}"
    if field.default is dataclasses.MISSING:
        return field.name
    if field.default is None:
        return f"{field.name}?"
    if isinstance(field.default, enum.Enum):
        return f"{field.name}={type(field.default).__name__}.{field.default.name}"
    return f"{field.name}={field.default!r}"


def own_classes(module: object, kind: type) -> dict[str, type]:
    """The classes that a module defines itself."""
    values: dict[str, Any] = dict(vars(module))
    classes = {name: value for name, value in values.items() if isinstance(value, type) and issubclass(value, kind)}
    return {name: cls for name, cls in classes.items() if cls.__module__ == values["__name__"]}


def table() -> str:
    """The whole table."""
    lines = [HEAD.format(version=metadata.version("ocpp")), "[exceptions]"]
    exceptions = import_module("ocpp.exceptions")
    said = dict(OWN_WORDS)
    for name, cls in own_classes(exceptions, exceptions.OCPPError).items():
        if "code" in vars(cls):
            lines.append(f"{name} = {json.dumps([vars(cls)['code'], said.pop(vars(cls)['code'])])}")
    lines += [
        f"{code.removesuffix('Error')}Error = {json.dumps([code, words])}" for code, words in said.items()
    ]  # what the peer lacks
    for version in MODULES:
        enums = import_module(f"ocpp.{version}.enums")
        lines += ["", f"[{version}.enums]"]
        for name, cls in own_classes(enums, enum.Enum).items():
            members: Any = vars(cls)["_member_map_"]
            if members:
                lines.append(f"{name} = {json.dumps([f'{key}={member.value}' for key, member in members.items()])}")
        for part in ("datatypes", "call", "call_result"):
            module = import_module(f"ocpp.{version}.{part}")
            lines += ["", f"[{version}.{part}]"]
            for name, cls in own_classes(module, object).items():
                if dataclasses.is_dataclass(cls):
                    lines.append(f"{name} = {json.dumps(' '.join(map(field_text, dataclasses.fields(cls))))}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TABLE.write_text(table(), encoding="utf-8")
