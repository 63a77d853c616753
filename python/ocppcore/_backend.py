"""The seam between the door and the two backends: picks one, makes its tables, and knows why it was picked.

A backend is a module with four classes, the same in both:

    Schema.builtin(module, classes, door)      the tables of a version
    Schema(model, classes, door)               the tables of a model given as JSON: a version with a user's messages merged in
    Engine(schema, max_size, limits, make_error, second_look=None)
        decode, validate, peek, resolve, encode, decode_payload, encode_payload, decode_many, _check_many
    LogReader(schema, max_size, tables, most_frames, most_bytes, most_open)
        lines, frame, full, take                frames of a log into columns, `Columns` by table

`door` hands in the classes of the frames, so that no backend imports them. `native` is the extension module built from Rust, `python` the
readable one; they give the same answer on every input. What only one implementation serves, `explain` and `from_builtins`, is Python's.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ._frames import Call, CallError, CallResult, CallResultError, Peek, RawPayload, Send
from ._tolerated import Tolerated

if TYPE_CHECKING:
    from ._vocabulary import Vocabulary

BackendName = Literal["native", "python"]

VARIABLE = "OCPPCORE_BACKEND"
_MODULES: dict[str, str] = {"native": "ocppcore._native", "python": "ocppcore._pure"}
_DOOR: dict[str, object] = {
    "Call": Call,
    "CallResult": CallResult,
    "CallError": CallError,
    "CallResultError": CallResultError,
    "Send": Send,
    "RawPayload": RawPayload,
    "Peek": Peek,
    "Tolerated": Tolerated,
    "UNSET": msgspec.UNSET,
}


class Choice(msgspec.Struct, frozen=True):
    """Which backend runs, and why, in words for `ocppcore doctor`."""

    name: BackendName
    reason: str


def choose(asked: str | None = None) -> Choice:
    """The backend to use: the one asked for, else the one OCPPCORE_BACKEND names, else the native one where it is there.

    ValueError for an unknown name, ImportError when the native backend is asked for and cannot be loaded.
    """
    by = "asked for by argument"
    if asked is None:
        asked = os.environ.get(VARIABLE) or None
        by = f"asked for by {VARIABLE}"
    if asked is None:
        missing = why_not_native()
        if missing is None:
            return Choice("native", "the extension module is installed")
        return Choice("python", f"no native backend: {missing}")
    if asked == "python":
        return Choice("python", by)
    if asked == "native":
        missing = why_not_native()
        if missing is not None:
            raise ImportError(
                f"the native backend was {by} but {missing}; install a wheel built for this Python and platform, "
                "or use backend='python', which gives the same answers, slower"
            )
        return Choice("native", by)
    raise ValueError(f"unknown backend {asked!r} ({by}): use 'native' or 'python'")


@cache
def why_not_native() -> str | None:
    """Why the extension module cannot be used; None when it can."""
    try:
        importlib.import_module(_MODULES["native"])
    except ModuleNotFoundError:
        return "the extension module ocppcore._native is not installed"
    except ImportError as error:
        return f"the extension module ocppcore._native does not load: {error}"
    return None


def load(name: BackendName) -> Any:
    """The backend's module."""
    return importlib.import_module(_MODULES[name])


def schema(vocabulary: Vocabulary, name: BackendName) -> Any:
    """A backend's tables for a vocabulary, made when they are first needed; codecs that differ in their limits alone share them."""
    made = vocabulary.tables.get(name)
    if made is None:
        make, classes = load(name).Schema, dict(vocabulary.classes)
        if vocabulary.model is None:
            made = make.builtin(vocabulary.module, classes, _DOOR)
        else:
            made = make(msgspec.json.encode(vocabulary.model), classes, _DOOR)
        made = vocabulary.tables.setdefault(name, made)
    return made
