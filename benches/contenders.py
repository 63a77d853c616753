"""The readers of frames that other Python programs are built on, each as its users would set it up.

`CONTENDERS` maps a name to what makes, for an action, a callable that takes a frame's bytes. A contender refuses by raising.
"""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import msgspec

from benches.baseline import DECODERS
from benches.frames import all_kinds

Read = Callable[[bytes], Any]
VERSIONS = {kind.action: kind.subprotocol for kind in all_kinds()}


def payload_type(action: str) -> Any:
    """The Struct of a payload in the type of its whole frame."""
    return DECODERS[action].type.__args__[3]


@cache
def official_schema(action: str) -> dict[str, Any]:
    """The official JSON Schema of a request, from the copy in PyPI's `ocpp`."""
    version = {"ocpp1.6": "v16", "ocpp2.0.1": "v201"}[VERSIONS[action]]
    folder = Path(import_module("ocpp").__path__[0]) / version / "schemas"
    path = next(p for name in (f"{action}Request", action) if (p := folder / f"{name}.json").exists())
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8-sig"))
    return schema


def stdlib(action: str) -> Read:
    """`json.loads`: parses only."""
    return json.loads


def orjson_loads(action: str) -> Read:
    """`orjson.loads`: parses only."""
    import orjson

    return orjson.loads


def msgspec_untyped(action: str) -> Read:
    """`msgspec.json.decode` without a type: parses only."""
    return msgspec.json.Decoder().decode


def msgspec_typed(action: str) -> Read:
    """msgspec's decoder of the whole frame, told the action beforehand."""
    return DECODERS[action].decode


def msgspec_two_steps(action: str) -> Read:
    """msgspec as a server must use it: the envelope first, then the payload by its action."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
    payloads = {name: msgspec.json.Decoder(payload_type(name)).decode for name in DECODERS}

    def read(frame: bytes) -> Any:
        _, _, name, payload = envelope(frame)
        return payloads[name](payload)

    return read


def pydantic_models(action: str) -> Read:
    """pydantic's models of the same shape, strict, from the bytes of the whole frame."""
    import pydantic

    parts: tuple[Any, ...] = (typing.Literal[2], str, typing.Literal[action], _model(payload_type(action)))
    frame: Any = types.GenericAlias(tuple, parts)
    adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(frame)
    return adapter.validate_json


@cache
def _model(struct: type[msgspec.Struct]) -> Any:
    """A msgspec Struct as the pydantic model that says the same."""
    import pydantic

    fields: dict[str, Any] = {
        field.name: (
            _annotation(typing.get_type_hints(struct, include_extras=True)[field.name]),
            pydantic.Field(... if field.default is msgspec.NODEFAULT else field.default, alias=field.encode_name),
        )
        for field in msgspec.structs.fields(struct)
    }
    config = pydantic.ConfigDict(extra="forbid", frozen=True)
    return pydantic.create_model(struct.__name__, __config__=config, **fields)


def _annotation(kind: Any) -> Any:
    import pydantic

    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        meta = arguments[1]
        limits = {
            name: value
            for name in ("min_length", "max_length", "ge", "le")
            if (value := getattr(meta, name, None)) is not None
        }
        if arguments[0] is datetime:
            return pydantic.AwareDatetime
        return typing.Annotated[_annotation(arguments[0]), pydantic.Field(**limits)]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(_annotation, arguments))]  # noqa: UP007 - made of a tuple
    if origin is list:
        return list[_annotation(arguments[0])]  # type: ignore[misc]
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _model(kind)
    if kind in (int, str, bool, float):
        return typing.Annotated[kind, pydantic.Strict()] if kind is not float else float
    return cast("Any", kind)


def jsonschema_rs_validator(action: str) -> Read:
    """orjson, then jsonschema-rs over the official schema, formats asserted."""
    import jsonschema_rs
    import orjson

    validate = jsonschema_rs.validator_for(official_schema(action), validate_formats=True).validate

    def read(frame: bytes) -> Any:
        value = orjson.loads(frame)
        validate(value[3])
        return value

    return read


def fastjsonschema_validator(action: str) -> Read:
    """orjson, then fastjsonschema's generated code over the official schema."""
    import fastjsonschema
    import orjson

    validate = fastjsonschema.compile(official_schema(action))

    def read(frame: bytes) -> Any:
        value = orjson.loads(frame)
        validate(value[3])
        return value

    return read


def mobilityhouse(action: str) -> Read:
    """PyPI's `ocpp`: unpack, then validate, without its hop to a thread."""
    messages: Any = import_module("ocpp.messages")
    messages.ASYNC_VALIDATION = False
    version = VERSIONS[action].removeprefix("ocpp")
    unpack, validate = messages.unpack, messages.validate_payload

    def read(frame: bytes) -> Any:
        message = unpack(frame.decode())
        coroutine: Any = validate(message, version)
        try:
            coroutine.send(None)
        except StopIteration:
            return message
        raise RuntimeError("ocpp's validation suspended")

    return read


def ocppcore_native(action: str) -> Read:
    """ocppcore, native backend: typed decode."""
    from ocppcore import Codec

    return Codec(VERSIONS[action], backend="native").decode


def ocppcore_validate(action: str) -> Read:
    """ocppcore, native backend: all rules, no object."""
    from ocppcore import Codec

    return Codec(VERSIONS[action], backend="native").validate


def ocppcore_python(action: str) -> Read:
    """ocppcore, Python backend: typed decode."""
    from ocppcore import Codec

    return Codec(VERSIONS[action], backend="python").decode


CONTENDERS: dict[str, Callable[[str], Read]] = {
    "ocppcore decode": ocppcore_native,
    "ocppcore validate": ocppcore_validate,
    "ocppcore decode, Python backend": ocppcore_python,
    "json": stdlib,
    "orjson": orjson_loads,
    "msgspec untyped": msgspec_untyped,
    "msgspec typed, told the action": msgspec_typed,
    "msgspec in two steps": msgspec_two_steps,
    "pydantic": pydantic_models,
    "orjson + jsonschema-rs": jsonschema_rs_validator,
    "orjson + fastjsonschema": fastjsonschema_validator,
    "ocpp": mobilityhouse,
}
