"""The versions of OCPP that ocppcore speaks, and what is known of each as data.

A version is three names: its number, its WebSocket subprotocol, and the module that holds its payload types. Everything else is read
from `_model/` or from the generated modules when it is first asked for.
"""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ._payloads import Message


class Version(NamedTuple):
    """One version of OCPP: its number, its WebSocket subprotocol and the name of its module."""

    number: str
    subprotocol: str
    module: str


VERSIONS = (
    Version("1.6", "ocpp1.6", "v16"),
    Version("2.0.1", "ocpp2.0.1", "v201"),
    Version("2.1", "ocpp2.1", "v21"),
)

_BY_SUBPROTOCOL = {version.subprotocol: version for version in VERSIONS}

# Names that people try, and what they most likely want. 2.0 was withdrawn in favour of 2.0.1; 1.2 and 1.5 were SOAP.
_ADVICE = {
    "ocpp2.0": "OCPP 2.0 was superseded by 2.0.1, which is not compatible with it: use 'ocpp2.0.1'",
    "ocpp1.2": "OCPP 1.2 knows SOAP only: use 'ocpp1.6' with a station that speaks JSON",
    "ocpp1.5": "OCPP 1.5 knows SOAP only: use 'ocpp1.6' with a station that speaks JSON",
}


def version_of(subprotocol: object) -> Version:
    """The version that a WebSocket subprotocol names; ValueError for any other name, saying which to use."""
    if not isinstance(subprotocol, str):
        raise TypeError(f"the subprotocol must be a str such as 'ocpp2.0.1', not {type(subprotocol).__name__}")
    version = _BY_SUBPROTOCOL.get(subprotocol)
    if version is not None:
        return version
    if subprotocol in _ADVICE:
        raise ValueError(f"unknown subprotocol {subprotocol!r}: {_ADVICE[subprotocol]}")
    meant = next((v for v in VERSIONS if subprotocol.strip().lower() in (v.number, v.module, v.subprotocol)), None)
    if meant is not None:
        raise ValueError(f"unknown subprotocol {subprotocol!r}: did you mean {meant.subprotocol!r}?")
    raise ValueError(f"unknown subprotocol {subprotocol!r}: use {', '.join(map(repr, _BY_SUBPROTOCOL))}")


def of_number(number: str) -> Version:
    """The version that has a number, "2.0.1" say."""
    return next(version for version in VERSIONS if version.number == number)


def _read(name: str) -> Any:
    import pkgutil  # reads from wheels, trees and zip files alike; only who needs the model pays for it

    text = pkgutil.get_data("ocppcore", f"_model/{name}")
    if text is None:
        raise ImportError(f"ocppcore/_model/{name} cannot be read: the package is installed without its data")
    return msgspec.json.decode(text)


@cache
def model(module: str) -> Any:
    """The compact model of a version as parsed JSON. It is shared: read it, never change it."""
    return _read(f"{module}.json")


@cache
def actions() -> frozenset[str]:
    """The actions of all versions. The models are read for them and not kept."""
    return frozenset(action for version in VERSIONS for action in _read(f"{version.module}.json")["messages"])


@cache
def errors() -> Any:
    """The kinds of fault and their wire codes, `_model/errors.json` as parsed JSON. It is shared: read it, never change it."""
    return _read("errors.json")


@cache
def columns() -> Any:
    """The tables that a log is read into, `_model/columns.json` as parsed JSON. It is shared: read it, never change it."""
    return _read("columns.json")


@cache
def rules() -> Any:
    """The catalogue of rules, `_model/rules.json` as parsed JSON. It is shared: read it, never change it. Nothing but explanations needs it."""
    return _read("rules.json")


def classes(module: str) -> dict[str, type[msgspec.Struct]]:
    """The Struct class of every type of a version, by the type's name in the schemas."""
    package = importlib.import_module(f"ocppcore.{module}")
    inside = package.__name__ + "."
    return {
        name: value
        for name, value in vars(package).items()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__module__.startswith(inside)
    }


def messages(module: str) -> Mapping[str, Message]:
    """The messages of a version by action."""
    found: Mapping[str, Message] = importlib.import_module(f"ocppcore.{module}").MESSAGES
    return found


@cache
def wire_names(module: str) -> frozenset[str]:
    """Every field name that a version's schemas use: the parts of a pointer that are no data of the peer's."""
    return frozenset(field["name"] for type_ in model(module)["types"].values() for field in type_["fields"])


def near(name: str, known: Iterable[str]) -> str:
    """A sentence's end that helps with a mistyped name: the known name that resembles it, or some of them."""
    names = sorted(known)
    close = nearest(name, names)
    if close is not None:
        return f"did you mean {close!r}?"
    return f"known are {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that resembles a mistyped one most; None when none does."""
    import difflib  # for mistakes only: it would slow down every import

    close = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
    return close[0] if close else None


def unknown_action(action: object, version: str, known: Iterable[str]) -> str:
    """What both backends tell who asks for an action that a codec does not know, by name or by a class."""
    if isinstance(action, type):
        return (
            f"unknown request or response type {full_name(action)}: OCPP {version} does not have it;"
            " give an action, or its request or response type of this version"
        )
    return f"unknown action {action!r}: OCPP {version} does not have it; {near(str(action), known)}"


def full_name(cls: type[Any]) -> str:
    """A class with its module, as CPython writes it: versions have classes of one name."""
    plain = cls.__module__ in ("builtins", "__main__")
    return cls.__qualname__ if plain else f"{cls.__module__}.{cls.__qualname__}"
