"""Both backends side by side, and what they answer in a form that can be compared."""

from __future__ import annotations

import math
import os
import struct
from datetime import datetime
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from ocppcore import Codec, OcppError

from .model import MODULES, model

if TYPE_CHECKING:
    from collections.abc import Callable

HAS_NATIVE = find_spec("ocppcore._native") is not None
if not HAS_NATIVE and os.environ.get("CI") == "true" and os.environ.get("OCPPCORE_BACKEND") != "python":
    raise RuntimeError("ocppcore._native is missing, and CI leaves nothing out: run `make build`")
BACKENDS = ("native", "python") if HAS_NATIVE else ("python",)
SUBPROTOCOLS = {module: model(module).subprotocol for module in MODULES}


@cache
def codec(module: str, backend: str, **options: Any) -> Any:
    """The codec of a version (`v16`, `v201`, `v21`) on a backend, made once."""
    return Codec(SUBPROTOCOLS[module], backend=backend, **options)


def fault(error: OcppError) -> tuple[Any, ...]:
    """Everything that an error says and both backends must say alike."""
    return (
        type(error).__name__,
        error.kind,
        error.path,
        error.offset,
        exact(error.expected),
        error.code,
        error.message_type,
        error.message_id,
        error.action,
        str(error),
        error.found,
        error.reply(),
    )


def exact(value: Any) -> Any:
    """The value in a form whose equality is exact: types, the sign of zero, time-zone offsets and order of keys count."""
    if isinstance(value, msgspec.Struct):
        return (type(value), *(exact(getattr(value, name)) for name in value.__struct_fields__))
    if isinstance(value, dict):
        return (dict, *((key, exact(item)) for key, item in value.items()))
    if isinstance(value, (list, tuple)):
        return (type(value), *map(exact, value))
    if isinstance(value, float):
        return (float, "nan" if math.isnan(value) else struct.pack(">d", value))
    if isinstance(value, datetime):
        return (datetime, value.replace(tzinfo=None), value.utcoffset())
    return (type(value), value)


def outcome(call: Callable[..., Any], *args: Any, **options: Any) -> tuple[Any, ...]:
    """What a call gives: ("value", ...), ("fault", ...) for an OcppError, ("misuse", ...) for TypeError and ValueError.

    Any other exception passes through: it is a failure whatever the test.
    """
    try:
        return ("value", exact(call(*args, **options)))
    except OcppError as error:
        return ("fault", *fault(error))
    except (TypeError, ValueError) as error:
        return ("misuse", type(error).__name__)


def both(module: str, method: str, *args: Any, **options: Any) -> tuple[Any, ...]:
    """The one outcome that every backend present gives for a method of the codec; they are asserted to agree."""
    answers = {name: outcome(getattr(codec(module, name), method), *args, **options) for name in BACKENDS}
    first = answers[BACKENDS[0]]
    for name, answer in answers.items():
        assert answer == first, f"{method}{args!r}: {name} says {answer}, {BACKENDS[0]} says {first}"
    return first
