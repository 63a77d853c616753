"""The peer's spellings: what PyPI `ocpp` makes of a wire name, and of a Python name, by its own rules.

The rules are odd (`_private` becomes `Private`, `associated` becomes `asSoCiated`) and its users' code is written for them, so they are kept
to the letter. Each name is worked out once and looked up ever after.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ... import _versions

_HUMP = re.compile("(.)([A-Z][a-z]+)")
_EDGE = re.compile(r"([a-z0-9])([A-Z])(?=\S)")
_ROOM = 8192  # names kept; a peer that invents names without end costs time, not memory

# What holds nothing that must be converted.
ATOMS = frozenset({str, int, float, bool, type(None)})


def _snake(name: str) -> str:
    name = name.replace("ocppCSMSURL", "ocpp_csms_url").replace("V2X", "_v2x").replace("V2G", "_v2g")
    return _EDGE.sub(r"\1_\2", _HUMP.sub(r"\1_\2", name)).lower()


def _camel(name: str) -> str:
    name = name.replace("soc", "SoC").replace("_v2x", "V2X")
    name = name.replace("ocpp_csms_url", "ocppCsmsUrl").replace("csms", "CSMS").replace("_url", "URL")
    name = name.replace("_SoCket", "Socket").replace("_v2g", "V2G")
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


class Spelling(dict[str, str]):
    """Name -> its other spelling, worked out by `rule` when it is first asked for."""

    def __init__(self, rule: Callable[[str], str]) -> None:
        self._rule = rule

    def __missing__(self, name: str) -> str:
        spelt = self._rule(name)
        if len(self) < _ROOM:
            self[str(name)] = spelt
        return spelt


SNAKE = Spelling(_snake)
"""Wire name -> the keyword argument that the peer's handlers get."""
CAMEL = Spelling(_camel)
"""Python name -> the wire name that the peer writes."""


# As Any, so that type checkers take what follows a check for data, not for a dict of unknown things.
_DICT: Any = dict
_LIST: Any = list


def renamed(data: Any, spelling: Mapping[str, str]) -> Any:
    """A copy of dicts and lists in which every key of every dict is spelt otherwise."""
    if isinstance(data, _DICT):
        return {
            spelling[key]: value if value.__class__ in ATOMS else renamed(value, spelling)
            for key, value in data.items()
        }
    if isinstance(data, _LIST):
        return [item if item.__class__ in ATOMS else renamed(item, spelling) for item in data]
    return data


def keywords(data: dict[str, Any]) -> dict[str, Any]:
    """As `renamed(data, SNAKE)`, for what a JSON reader has made: every message of a station goes through this."""
    out: dict[str, Any] = {}
    for key, value in data.items():
        cls = value.__class__
        if cls is dict:
            out[SNAKE[key]] = keywords(value)
        elif cls is list:
            out[SNAKE[key]] = [keywords(item) if item.__class__ is dict else renamed(item, SNAKE) for item in value]
        else:
            out[SNAKE[key]] = value
    return out


def renamed_outside(data: Any, spelling: Mapping[str, str], vendor: frozenset[str]) -> Any:
    """As `renamed`, but what stands under the names in `vendor` (either spelling) is left as it is."""
    if isinstance(data, _DICT):
        return {
            spelling[key]: value
            if value.__class__ in ATOMS or key in vendor
            else renamed_outside(value, spelling, vendor)
            for key, value in data.items()
        }
    if isinstance(data, _LIST):
        return [item if item.__class__ in ATOMS else renamed_outside(item, spelling, vendor) for item in data]
    return data


def without_nones(data: Any, vendor: frozenset[str] = frozenset()) -> Any:
    """A copy of dicts and lists without their Nones, but for what stands under the names in `vendor`."""
    if isinstance(data, _DICT):
        return {
            key: value if key in vendor else without_nones(value, vendor)
            for key, value in data.items()
            if value is not None
        }
    if isinstance(data, _LIST):
        return [without_nones(item, vendor) for item in data if item is not None]
    return data


@cache
def vendor_names() -> frozenset[str]:
    """The names, in both spellings, under which the schemas let anything stand: `customData`, and the `data` of DataTransfer."""
    names: set[str] = set()
    for version in _versions.VERSIONS:
        types = _versions.model(version.module)["types"]
        for type_ in types.values():
            for field in type_["fields"]:
                if field["kind"] == "any" or (field["kind"] == "object" and types[field["ref"]]["open"]):
                    names |= {field["name"], SNAKE[field["name"]]}
    return frozenset(names)
