"""What a schema means, without how it is written; and the differences between two meanings.

References are followed, annotations dropped, `0.0` is `0`; the order of fields and values counts for nothing. A keyword that
is not known here is kept, so that it shows as a difference instead of vanishing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# These check nothing. `additionalItems` has no effect beside a single `items`; `default` is compared apart.
_ANNOTATIONS = {
    "$schema", "$id", "id", "$comment", "comment", "title", "description", "javaType", "additionalItems", "definitions", "default",
    "tsEnumNames",
}  # fmt: skip
_NUMBERS = {"minimum", "maximum", "maxLength", "minItems", "maxItems"}


def meaning(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in one form for all ways of writing it."""
    return _normal(schema, schema.get("definitions", {}))


def _normal(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return _normal(definitions[schema["$ref"].removeprefix("#/definitions/")], definitions)
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _ANNOTATIONS:
            continue
        if key == "properties":
            result[key] = {name: _normal(inner, definitions) for name, inner in value.items()}
        elif key == "items":
            result[key] = _normal(value, definitions)
        elif key in ("enum", "required"):
            result[key] = sorted(value)
        elif key in _NUMBERS:
            result[key] = int(value) if float(value).is_integer() else value
        else:
            result[key] = value
    if result.get("type") == "object":
        result.setdefault("properties", {})
        if result.get("additionalProperties", True) in (True, {}):
            result.pop("additionalProperties", None)
    else:
        result.pop("additionalProperties", None)  # no effect on what is no object
    for key in ("required", "minItems"):
        if not result.get(key, True):  # an empty list, 0: they ask for nothing
            del result[key]
    return result


def differences(official: dict[str, Any], ours: dict[str, Any], path: str = "") -> Iterator[str]:
    """Every place where two meanings differ: a line that names the place, what the source says and what the model says."""
    for key in sorted({*official, *ours}):
        theirs, own = official.get(key), ours.get(key)
        if theirs == own:
            continue
        if key == "properties" and theirs is not None and own is not None:
            for name in sorted({*theirs, *own}):
                if name not in own:
                    yield f"{path}.{name}: not in the model"
                elif name not in theirs:
                    yield f"{path}.{name}: in the model alone"
                else:
                    yield from differences(theirs[name], own[name], f"{path}.{name}")
        elif key == "items" and theirs is not None and own is not None:
            yield from differences(theirs, own, f"{path}[]")
        elif key == "required" or (key == "enum" and theirs and own):
            more = [f"+{name}" for name in theirs or () if name not in (own or ())]
            less = [f"-{name}" for name in own or () if name not in (theirs or ())]
            yield f"{path}: {key} {' '.join(more + less)} in the source"
        else:
            yield f"{path}: {key} is {_said(theirs)} in the source, {_said(own)} in the model"


def _said(value: Any) -> str:
    return "absent" if value is None else str(value)


def draft_of(schema: dict[str, Any]) -> int | None:
    """The number of the draft that a schema declares, None when it declares none."""
    declared = str(schema.get("$schema", ""))
    return next((number for number in (4, 6, 7) if f"draft-0{number}" in declared), None)


def defaults(schema: dict[str, Any]) -> dict[str, Any]:
    """Path -> default of every field that has one, or whose enumeration has one."""
    found: dict[str, Any] = {}

    def visit(inner: dict[str, Any], path: str) -> None:
        if "$ref" in inner:
            inner = schema.get("definitions", {})[inner["$ref"].removeprefix("#/definitions/")]
        if "default" in inner:
            found[path] = inner["default"]
        for name, field in inner.get("properties", {}).items():
            visit(field, f"{path}.{name}")
        if isinstance(inner.get("items"), dict):
            visit(inner["items"], f"{path}[]")

    visit(schema, "")
    return found
