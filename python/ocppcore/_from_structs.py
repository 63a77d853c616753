"""A user's Struct classes as entries of the compact model.

The annotations say it all: msgspec reads them, and what they mean on the wire is what they mean in the generated classes. What the tables
cannot check is refused here, with what to write instead, rather than ignored later.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, cast, get_args, get_origin

import msgspec
from msgspec import inspect as look

from ._payloads import Request

if TYPE_CHECKING:
    from ._vocabulary import Draft

OPEN_TYPE = "AnyObject"  # the model's name for `dict[str, Any]`: an object whose keys nobody knows


class StructReader:
    """Reads Struct classes into a draft of a model."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        self._reading: list[type] = []  # from the outermost inwards: a class within itself would have no end

    def read(self, cls: type[msgspec.Struct], name: str | None = None) -> str:
        """The model's name for the class, its types and enumerations entered into the draft. ValueError for what cannot be checked."""
        known = self._draft.names.get(cls)
        if known is not None:
            return known
        if cls in self._reading:
            raise ValueError(
                f"{cls.__name__} contains itself: the depth of a message must be known; use `Any` for the inner one"
            )
        _check_config(cls)
        try:
            info = look.type_info(cls)
        except (NameError, TypeError) as error:
            raise ValueError(f"the annotations of {cls.__name__} cannot be read: {error}") from error
        assert isinstance(info, look.StructType)
        self._reading.append(cls)
        draft, inherited = self._inherited(cls)
        fields: list[dict[str, Any]] = []
        for field in info.fields:
            base = inherited.get(field.encode_name)
            if base is not None and (base[0].type, base[0].required) == (field.type, field.required):
                # Unchanged: the standard says more of it than an annotation can, a decimal step or a URI.
                fields.append({**base[1], "attr": field.name})
            else:
                fields.append(self._field(cls, field))
        self._reading.pop()
        name = self._draft.free_name(cls.__name__, f"{cls.__module__}.{cls.__qualname__}") if name is None else name
        self._draft.enter(name, {"draft": draft, "open": False, "fields": fields}, cls)
        return name

    def _inherited(self, cls: type[msgspec.Struct]) -> tuple[int, dict[str, tuple[look.Field, dict[str, Any]]]]:
        """The draft and, by wire name, the fields of the nearest base class that the model knows: as msgspec and as the model sees them."""
        for base in cls.__mro__[1:]:
            name = self._draft.names.get(base)
            if name is not None:
                info = look.type_info(base)
                assert isinstance(info, look.StructType)
                type_ = self._draft.types[name]
                model = {field["name"]: field for field in type_["fields"]}
                return type_["draft"], {field.encode_name: (field, model[field.encode_name]) for field in info.fields}
        return 6, {}

    def _field(self, cls: type, field: look.Field) -> dict[str, Any]:
        where = f"{cls.__name__}.{field.name}"
        type_, optional = _without_none(field.type, where)
        if field.default_factory is not msgspec.NODEFAULT:
            raise ValueError(f"{where}: a default is never put in for an absent field; write `... | None = None`")
        entry: dict[str, Any] = {"name": field.encode_name, "attr": field.name}
        inner, items = _item(type_, where)
        entry.update(self._kind(inner, where, field.encode_name))
        if items is not None:
            entry["items"] = items
        if field.required and optional:
            raise ValueError(
                f"{where}: null is not allowed on the wire; write `... | None = None` for a field that may be absent"
            )
        if not field.required:
            _check_absence(entry["kind"] == "any" and items is None, field, optional, where)
        entry["required"] = field.required
        return entry

    def _kind(self, type_: look.Type, where: str, wire_name: str) -> dict[str, Any]:
        """Kind and constraints of one value."""
        extra: dict[str, Any] = {}
        if isinstance(type_, look.Metadata):
            extra, type_ = _extra(type_), type_.type
        match type_:
            case look.StrType(min_length=None | 0, max_length=longest, pattern=None):
                kind = "uri" if extra.get("format") == "uri" else "string"
                return {"kind": kind} if longest is None else {"kind": kind, "max_length": longest}
            case look.StrType():
                raise ValueError(
                    f"{where}: only max_length can be checked of a string; check min_length and pattern in your handler"
                )
            case look.IntType(multiple_of=None):
                low = type_.ge if type_.gt is None else type_.gt + 1
                high = type_.le if type_.lt is None else type_.lt - 1
                return _bounded("integer", low, high)
            case look.IntType():
                raise ValueError(f"{where}: multiple_of of an integer cannot be checked; check it in your handler")
            case look.FloatType(gt=None, lt=None):
                step = type_.multiple_of
                number = _bounded("number", type_.ge, type_.le)
                return number if step is None else {**number, "step": format(Decimal(repr(step)), "f")}
            case look.FloatType():
                raise ValueError(f"{where}: bounds of a number include their value: use ge and le instead of gt and lt")
            case look.BoolType():
                return {"kind": "boolean"}
            case look.DateTimeType(tz=None | True):
                return {"kind": "datetime"}
            case look.DateTimeType():
                raise ValueError(f"{where}: times on the wire are aware; use datetime without tz=False")
            case look.LiteralType(values=values) if all(isinstance(value, str) for value in values):
                return {"kind": "enum", "ref": self._draft.enum([str(value) for value in values], where)}
            case look.EnumType():
                raise ValueError(f"{where}: an enumeration is written as Literal[...]; values come in as plain str")
            case look.StructType(cls=cls):
                return {"kind": "object", "ref": self.read(cls)}
            case look.DictType(key_type=look.StrType(), value_type=look.AnyType()):
                if wire_name == "customData" and "CustomDataType" in self._draft.types:
                    return {"kind": "object", "ref": "CustomDataType"}
                return {"kind": "object", "ref": self._draft.open_type(OPEN_TYPE)}
            case look.AnyType():
                return {"kind": "any"}
            case _:
                raise ValueError(
                    f"{where}: {type(type_).__name__.removesuffix('Type')} cannot be checked; use str, int, float, bool, datetime, "
                    "Literal[...] of strings, a msgspec Struct, dict[str, Any], Any, or a list of one of these"
                )


def answer_of(cls: type) -> Any:
    """The type argument that a request class gives to Request, with the class that gives it; None where none does."""
    for owner in cls.__mro__:
        for base in vars(owner).get("__orig_bases__", ()):
            if get_origin(base) is Request:
                return owner, get_args(base)[0]
    return None


def _check_config(cls: type[msgspec.Struct]) -> None:
    config = cls.__struct_config__
    if config.array_like or config.tag is not None:
        raise ValueError(f"{cls.__name__}: a message is a plain JSON object; leave array_like and tag out")
    if hasattr(cls, "__post_init__"):
        raise ValueError(
            f"{cls.__name__}: __post_init__ is not run for decoded messages; check further rules in your handler"
        )


def _check_absence(free: bool, field: look.Field, optional: bool, where: str) -> None:
    """What stands for an absent field must be what decode puts there: None, or UNSET where null is a value."""
    if free:
        # msgspec shows the default UNSET as no default of a field that is not required.
        if field.default is not msgspec.NODEFAULT:
            raise ValueError(
                f"{where}: null is a value here, so a field that may be absent is written `Any = msgspec.UNSET`"
            )
    elif field.default is msgspec.NODEFAULT:
        raise ValueError(f"{where}: UNSET is for `Any` alone; write `... | None = None` for a field that may be absent")
    elif field.default is not None or not optional:
        raise ValueError(f"{where}: a default is never put in for an absent field; write `... | None = None`")


def _without_none(type_: look.Type, where: str) -> tuple[look.Type, bool]:
    """The type without `| None`, and whether it had it."""
    extra: dict[str, Any] | None = None
    if isinstance(type_, look.Metadata) and isinstance(type_.type, look.UnionType):
        extra, type_ = _extra(type_), type_.type
    if not isinstance(type_, look.UnionType):
        return type_, False
    options = [option for option in type_.types if not isinstance(option, look.NoneType)]
    if len(options) == 2 and {type(option) for option in options} == {look.IntType, look.FloatType}:
        options = [option for option in options if isinstance(option, look.FloatType)]  # JSON has one kind of number
    if len(options) != 1:
        raise ValueError(
            f"{where}: a value has one type; a union cannot be checked, use `Any` and check it in your handler"
        )
    inner = options[0] if extra is None else look.Metadata(options[0], extra_json_schema=extra)
    return inner, len(options) != len(type_.types)


def _extra(type_: look.Metadata) -> dict[str, Any]:
    return cast("dict[str, Any] | None", type_.extra_json_schema) or {}  # pyright: ignore[reportUnknownMemberType]


def _item(type_: look.Type, where: str) -> tuple[look.Type, list[int | None] | None]:
    """The type of one value and, for a list, its bounds."""
    if not isinstance(type_, look.ListType):
        return type_, None
    inner, optional = _without_none(type_.item_type, where)
    if optional:
        raise ValueError(f"{where}: null is not allowed on the wire, nor as an item")
    if isinstance(inner, look.ListType):
        raise ValueError(f"{where}: lists of lists cannot be checked; use list[Any]")
    return inner, [type_.min_length or 0, type_.max_length]


def _bounded(kind: str, low: float | None, high: float | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": kind}
    if low is not None:
        entry["minimum"] = low
    if high is not None:
        entry["maximum"] = high
    return entry
