"""A user's JSON Schemas as entries of the compact model, and Struct classes made for them.

The language is that of the official schemas: what they use is understood, anything else is refused by its name.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeGuard, cast

import msgspec

from ._payloads import Request, Response, SendPayload

if TYPE_CHECKING:
    from ._vocabulary import Draft

# Keywords that check nothing. `default` is documentation in OCPP, and `additionalItems` does nothing beside a single `items`.
_SILENT = frozenset(
    (
        "$schema",
        "$id",
        "id",
        "$comment",
        "comment",
        "title",
        "description",
        "examples",
        "default",
        "javaType",
        "additionalItems",
    ),
)
_BY_TYPE: dict[str, frozenset[str]] = {
    "object": frozenset(("properties", "required", "additionalProperties")),
    "array": frozenset(("items", "minItems", "maxItems")),
    "string": frozenset(("enum", "maxLength", "format")),
    "integer": frozenset(("minimum", "maximum")),
    "number": frozenset(("minimum", "maximum", "multipleOf")),
    "boolean": frozenset(),
    "any": frozenset(),
}
_PYTHON: dict[str, Any] = {
    "string": str,
    "uri": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "datetime": datetime,
    "any": Any,
}
_CONFIG: dict[str, Any] = {
    "frozen": True,
    "gc": False,
    "kw_only": True,
    "omit_defaults": True,
    "forbid_unknown_fields": True,
}


class SchemaReader:
    """Reads the JSON Schemas of one payload into a draft of a model."""

    def __init__(self, draft: Draft, root: Mapping[str, Any], action: str) -> None:
        self._draft = draft
        self._root = root
        self._action = action
        self._draft_number = 4 if "draft-04" in str(root.get("$schema", "")) else 6
        self._reading: list[int] = []  # the objects from the outermost inwards: one within itself would have no end

    def read(self, kind: str) -> tuple[str, type[msgspec.Struct]]:
        """The model's name of the payload's type and the class made for it; `kind` is "request", "response" or "send"."""
        base = {"request": Request, "response": Response, "send": SendPayload}[kind]
        title = _class_name(self._action) + ("" if kind == "send" else kind.capitalize())
        schema = {key: value for key, value in self._root.items() if key not in ("definitions", "$defs")}
        if schema.get("type", "object") != "object":
            raise ValueError(f'{title}: a payload is an object: `type` must be "object"')
        if schema.get("additionalProperties", True) is not False:
            raise ValueError(
                f"{title}: `additionalProperties` must be false: the fields of a payload's class are fixed"
            )
        fields = self._fields({"type": "object", **schema}, title)
        name = self._draft.payload_name(self._action, kind, title)
        cls = self._struct(title, fields, base, {"__action__": self._action})
        self._draft.enter(name, self._type(fields), cls)
        return name, cls

    def _type(self, fields: list[dict[str, Any]], *, open: bool = False) -> dict[str, Any]:
        return {"draft": self._draft_number, "open": open, "fields": fields}

    def _fields(self, schema: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
        """The fields of an object, required or not."""
        self._check_keywords(schema, "object", where)
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        for wire_name in required:
            if wire_name not in properties:
                raise ValueError(f"{where}: `required` names {wire_name!r}, which is not among its `properties`")
        taken: set[str] = set()
        fields: list[dict[str, Any]] = []
        for wire_name, inner in properties.items():
            attr = self._draft.attributes.get(wire_name) or _attribute(wire_name)
            while attr in taken:
                attr += "_"
            taken.add(attr)
            value = self._value(inner, f"{where}.{wire_name}")
            fields.append({"name": wire_name, "attr": attr, **value, "required": wire_name in required})
        return fields

    def _value(self, schema: Any, where: str) -> dict[str, Any]:
        """Kind and constraints of a value, a list of values included."""
        schema, name = self._resolved(schema, where)
        if schema.get("type") != "array":
            return self._single(schema, where, name)
        self._check_keywords(schema, "array", where)
        item, item_name = self._resolved(schema.get("items", {}), where)
        if item.get("type") == "array":
            raise ValueError(
                f"{where}: `items` of type array inside an array cannot be checked; leave the inner `items` out"
            )
        lowest, highest = _count(schema, "minItems", where), _count(schema, "maxItems", where)
        return {**self._single(item, where, item_name), "items": [lowest or 0, highest]}

    def _single(self, schema: Mapping[str, Any], where: str, name: str | None) -> dict[str, Any]:
        kind = schema.get("type", "string" if "enum" in schema else "any")
        if not isinstance(kind, str) or kind not in _BY_TYPE:
            raise ValueError(
                f"{where}: `type` {kind!r} cannot be checked; use one of {', '.join(sorted(set(_BY_TYPE) - {'any'}))}"
            )
        self._check_keywords(schema, kind, where)
        if kind == "object":
            return {"kind": "object", "ref": self._object(schema, where, name)}
        entry: dict[str, Any] = {"kind": kind}
        if kind == "string":
            return self._string(schema, where, name)
        for keyword_, key in (("minimum", "minimum"), ("maximum", "maximum")):
            if keyword_ in schema:
                entry[key] = _bound(schema[keyword_], kind, f"{where}: `{keyword_}`")
        if "multipleOf" in schema:
            entry["step"] = format(Decimal(repr(schema["multipleOf"])), "f")
        return entry

    def _string(self, schema: Mapping[str, Any], where: str, name: str | None) -> dict[str, Any]:
        longest = _count(schema, "maxLength", where)
        format_ = schema.get("format")
        if "enum" in schema:
            values = schema["enum"]
            if not _is_names(values) or not values:
                raise ValueError(f"{where}: `enum` must be a list of strings")
            if format_ is not None or any(longest is not None and len(value) > longest for value in values):
                raise ValueError(f"{where}: `enum` says it all; leave `maxLength` and `format` out")
            return {"kind": "enum", "ref": self._draft.enum(list(values), name or where)}
        if format_ == "date-time" and longest is None:
            return {"kind": "datetime"}
        if format_ == "date-time":
            raise ValueError(f"{where}: `maxLength` cannot be checked beside format date-time; leave it out")
        if format_ not in (None, "uri"):
            raise ValueError(f"{where}: `format` {format_!r} cannot be checked; use date-time or uri, or leave it out")
        kind = "string" if format_ is None else "uri"
        return {"kind": kind} if longest is None else {"kind": kind, "max_length": longest}

    def _object(self, schema: Mapping[str, Any], where: str, name: str | None) -> str:
        """The name of an object's type; an equal one of the standard is used as it is, with its class."""
        if id(schema) in self._reading:
            raise ValueError(f"{where}: `$ref` makes a type contain itself: the depth of a message must be known")
        self._reading.append(id(schema))
        fields = self._fields(schema, where)
        self._reading.pop()
        open_ = schema.get("additionalProperties", True)
        if not isinstance(open_, bool):
            raise ValueError(f"{where}: `additionalProperties` must be true or false; a schema there cannot be checked")
        name = _class_name(name or str(schema.get("title") or where.replace(".", "_")))
        type_ = self._type(fields, open=open_)
        known = self._draft.types.get(name)
        if known is not None and _bare(known) == _bare(type_):
            return name
        name = self._draft.free_name(name, f"{_class_name(self._action)}.{name}")
        self._draft.enter(
            name, type_, None if open_ else self._struct(name.rpartition(".")[2], fields, msgspec.Struct, {})
        )
        return name

    def _resolved(self, schema: Any, where: str) -> tuple[Mapping[str, Any], str | None]:
        """The schema behind a `$ref`, and the name it has there."""
        if schema is True:
            return {}, None
        if not is_mapping(schema):
            raise ValueError(f"{where}: a schema must be an object, not {schema!r}")
        if "$ref" not in schema:
            return schema, None
        ref = schema["$ref"]
        match = re.fullmatch(r"#/(definitions|\$defs)/([^/]+)", str(ref))
        target = self._root.get(match[1], {}).get(match[2]) if match else None
        if match is None or not is_mapping(target):
            raise ValueError(
                f"{where}: `$ref` {ref!r} leads nowhere; it must be '#/definitions/Name' or '#/$defs/Name'"
            )
        return target, match[2]

    def _check_keywords(self, schema: Mapping[str, Any], kind: str, where: str) -> None:
        for key in schema:
            if key in _SILENT or key in ("type", *_BY_TYPE[kind]):
                continue
            others = sorted(name for name, keys in _BY_TYPE.items() if key in keys)
            why = (
                f"it belongs to {' or '.join(others)}"
                if others
                else "ocppcore cannot check it: leave it out and check it in your handler"
            )
            raise ValueError(f"{where}: keyword `{key}` is not understood on {kind}; {why}")

    def _struct(
        self, name: str, fields: list[dict[str, Any]], base: Any, namespace: dict[str, Any]
    ) -> type[msgspec.Struct]:
        """The class of a type: named and annotated as a generated one would be."""
        made: list[Any] = []
        for field in fields:
            annotation = self._annotation(field)
            if field["required"]:
                made.append((field["attr"], annotation))
            elif field["kind"] == "any" and "items" not in field:
                made.append((field["attr"], annotation, msgspec.UNSET))
            else:
                made.append((field["attr"], annotation | None, None))
        rename = {field["attr"]: field["name"] for field in fields}
        return msgspec.defstruct(name, made, bases=(base,), namespace=namespace, rename=rename, **_CONFIG)

    def _annotation(self, field: Mapping[str, Any]) -> Any:
        kind = field["kind"]
        if kind == "enum":
            item: Any = Literal[tuple(self._draft.enums[field["ref"]])]
        elif kind == "object":
            item = self._draft.classes.get(field["ref"], dict[str, Any])
        else:
            item = _PYTHON[kind]
            limits = {"max_length": field.get("max_length"), "ge": field.get("minimum"), "le": field.get("maximum")}
            if any(limit is not None for limit in limits.values()):
                item = Annotated[item, msgspec.Meta(**limits)]
        if "items" not in field:
            return item
        lowest, highest = field["items"]
        if lowest or highest is not None:
            return Annotated[list[item], msgspec.Meta(min_length=lowest or None, max_length=highest)]
        return list[item]


def _is_names(value: object) -> TypeGuard[list[str] | tuple[str, ...]]:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in cast("list[object]", value))


def _bare(type_: Mapping[str, Any]) -> Any:
    """What a type asks of JSON, without how Python names it."""
    fields = [{key: value for key, value in field.items() if key != "attr"} for field in type_["fields"]]
    return {**type_, "fields": fields}


def _count(schema: Mapping[str, Any], key: str, where: str) -> int | None:
    value = schema.get(key)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise ValueError(f"{where}: `{key}` must be a whole number, not {value!r}")
    return value


def _bound(value: Any, kind: str, where: str) -> int | float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{where} must be a number, not {value!r}")
    if kind == "integer" and value != int(value):
        raise ValueError(f"{where} of an integer must be whole, not {value!r}")
    return int(value) if kind == "integer" else value


def _class_name(text: str) -> str:
    """A class name from any text: its words joined."""
    name = "".join(word[:1].upper() + word[1:] for word in re.split(r"\W+|_", text) if word)
    return name if name[:1].isalpha() else f"Type{name}"


def _attribute(wire_name: str) -> str:
    """A Python attribute for a wire name of the user's: snake_case, never a keyword, never private."""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", wire_name)
    name = re.sub(r"\W+", "_", words).strip("_").lower()
    if not name[:1].isalpha():
        name = f"field_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name


def is_mapping(value: object) -> TypeGuard[Mapping[Any, Any]]:
    """Whether the value is a mapping, of whatever."""
    return isinstance(value, Mapping)
