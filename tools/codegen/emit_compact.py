"""The compact model: one line of JSON per version that both backends and the tools read at run time."""

from __future__ import annotations

import json
from typing import Any

from tools.codegen.model import Field, Message, Model, Type


def compact_json(value: Any) -> str:
    """JSON without spaces, in one line. It has no header: what is generated here is data that programs embed."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def compact(model: Model) -> dict[str, Any]:
    """The model as its JSON says it."""
    return {
        "version": model.version,
        "subprotocol": model.subprotocol,
        "module": model.module,
        "frames": model.frames,
        "enums": model.enums,
        "types": {name: _type(type_) for name, type_ in model.types.items()},
        "messages": {action: _message(message) for action, message in model.messages.items()},
    }


def _type(type_: Type) -> dict[str, Any]:
    return {"draft": type_.draft, "open": type_.open, "fields": [_field(field) for field in type_.fields]}


def _field(field: Field) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": field.name, "attr": field.attr, "kind": field.kind, "required": field.required}
    constraints = {
        "ref": field.ref,
        "max_length": field.max_length,
        "minimum": field.minimum,
        "maximum": field.maximum,
        "step": field.step,
        "items": field.items,
        "default": field.default,
    }
    return entry | {key: value for key, value in constraints.items() if value is not None}


def _message(message: Message) -> dict[str, Any]:
    told = {"transaction": message.transaction} if message.transaction else {}
    return {"kind": message.kind, "from": message.sender, message.group: message.group_name, **message.bodies, **told}
