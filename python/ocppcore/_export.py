"""JSON Schemas made from the compact model, for people and tools outside: the codec itself reads none.

Each is under the draft that the official one declares and means the same; names, ids and layout are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_META_SCHEMA = {4: "http://json-schema.org/draft-04/schema#", 6: "http://json-schema.org/draft-06/schema#"}
_ID_KEYWORD = {4: "id", 6: "$id"}
_FORMATS = {"datetime": "date-time", "uri": "uri"}


def json_schema(model: Mapping[str, Any], type_name: str) -> dict[str, Any]:
    """The JSON Schema of a type or payload of a compact model, "BootNotificationRequest" say; ValueError for an unknown name.

    What it refers to stands in its `definitions`, under the model's names. Values that its fields have by default are annotations.
    """
    types: Mapping[str, Any] = model["types"]
    if type_name not in types:
        raise ValueError(f"OCPP {model['version']} has no type {type_name!r}")
    type_ = types[type_name]
    schema: dict[str, Any] = {
        "$schema": _META_SCHEMA[type_["draft"]],
        _ID_KEYWORD[type_["draft"]]: f"urn:ocppcore:{model['version']}:{type_name}",
        "title": type_name,
    }
    definitions: dict[str, Any] = {}
    for name in _reached(types, type_name):
        entry = types.get(name)
        definitions[name] = {"type": "string", "enum": list(model["enums"][name])} if entry is None else _object(entry)
    if definitions:
        schema["definitions"] = definitions
    return schema | _object(type_)


def _reached(types: Mapping[str, Any], type_name: str) -> list[str]:
    """The types and enumerations that a type is made of, however deep, by name."""
    found: set[str] = set()
    pending = [type_name]
    while pending:
        for field in types.get(pending.pop(), {"fields": ()})["fields"]:
            ref = field.get("ref")
            if ref is not None and ref not in found:
                found.add(ref)
                pending.append(ref)
    return sorted(found)


def _object(type_: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object"}
    if not type_["open"]:
        schema["additionalProperties"] = False
    schema["properties"] = {field["name"]: _field(field) for field in type_["fields"]}
    required = [field["name"] for field in type_["fields"] if field["required"]]
    if required:  # draft 4 allows no empty list here
        schema["required"] = required
    return schema


def _field(field: Mapping[str, Any]) -> dict[str, Any]:
    schema = _value(field)
    if "items" in field:
        low, high = field["items"]
        schema = {"type": "array", "items": schema}
        if low:
            schema["minItems"] = low
        if high is not None:
            schema["maxItems"] = high
    if "default" in field and "$ref" not in schema:  # a reference has no siblings in these drafts
        schema["default"] = field["default"]
    return schema


def _value(field: Mapping[str, Any]) -> dict[str, Any]:
    kind: str = field["kind"]
    if kind in ("enum", "object"):
        return {"$ref": f"#/definitions/{field['ref']}"}
    if kind == "any":
        return {}
    schema: dict[str, Any] = {"type": "string" if kind in _FORMATS else kind}
    if kind in _FORMATS:
        schema["format"] = _FORMATS[kind]
    for key, keyword in (("max_length", "maxLength"), ("minimum", "minimum"), ("maximum", "maximum")):
        if key in field:
            schema[keyword] = field[key]
    if "step" in field:
        schema["multipleOf"] = float(field["step"])
    return schema
