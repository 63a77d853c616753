"""msgspec at its best for every message: Structs made of schemas/*.toml as benches/baseline.py's are written by hand, and full instances.

Frozen, outside the garbage collector, closed, with `Literal` enumerations, lengths, bounds and aware date-times. They are made at run time by
`msgspec.defstruct`, and share nothing with the classes that ocppcore ships but the facts.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from benches.frames import START, text
from tools.codegen.model import Field, Model, read

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
VERSIONS = ("v16", "v201", "v21")
SCALARS: dict[str, Any] = {"string": str, "uri": str, "integer": int, "number": float, "boolean": bool, "any": Any}


@cache
def model(version: str) -> Model:
    """What schemas/ says of a version."""
    return read(SCHEMAS / f"{version}.toml")


def requests(version: str) -> list[tuple[str, str]]:
    """Action and type of every CALL of a version."""
    return [
        (action, message.bodies["request"])
        for action, message in model(version).messages.items()
        if message.kind == "call"
    ]


# --- the classes -----------------------------------------------------------------------------------


@cache
def struct(version: str, name: str) -> Any:
    """The Struct of a type, or a plain dict where the type is open."""
    of = model(version).types[name]
    if of.open:
        return dict[str, Any]
    fields: list[Any] = []
    for field in of.fields:
        kind = annotation(version, field)
        if field.required:
            fields.append((field.attr, kind))
        elif field.kind == "any":
            fields.append((field.attr, kind, msgspec.UNSET))
        else:
            fields.append((field.attr, kind | None, None))
    return msgspec.defstruct(
        name,
        fields,
        rename={field.attr: field.name for field in of.fields},
        frozen=True,
        gc=False,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def annotation(version: str, field: Field) -> Any:
    """The annotation of a field that is there."""
    limits: dict[str, Any] = {"ge": field.minimum, "le": field.maximum, "max_length": field.max_length}
    if field.kind == "object":
        item: Any = struct(version, str(field.ref))
    elif field.kind == "enum":
        item = Literal[tuple(model(version).enums[str(field.ref)])]
    elif field.kind == "datetime":
        item = Annotated[datetime, Meta(tz=True)]
    else:
        item = limited(SCALARS[field.kind], limits)
    if field.items is None:
        return item
    low, high = field.items
    return limited(list[item], {"min_length": low or None, "max_length": high})


def limited(kind: Any, limits: dict[str, Any]) -> Any:
    given = {name: value for name, value in limits.items() if value is not None}
    return Annotated[kind, Meta(**given)] if given else kind


# --- the instances ---------------------------------------------------------------------------------


def full(version: str, name: str, random: Random) -> dict[str, Any]:
    """An instance of a type by wire names: every field, lists of two items where that many are allowed; what a type leaves open stays empty."""
    return {field.name: value_of(version, field, random) for field in model(version).types[name].fields}


def value_of(version: str, field: Field, random: Random) -> Any:
    if field.items is None:
        return item_of(version, field, random)
    low, high = field.items
    return [item_of(version, field, random) for _ in range(max(low, min(2, high or 2)))]


def item_of(version: str, field: Field, random: Random) -> Any:
    """One value, or one item of a list."""
    low, high = field.minimum, field.maximum
    if field.kind == "object":
        return full(version, str(field.ref), random)
    if field.kind == "enum":
        return random.choice(model(version).enums[str(field.ref)])
    if field.kind == "datetime":
        return f"{START + timedelta(seconds=random.randrange(10**7)):%Y-%m-%dT%H:%M:%S}.{random.randrange(1000):03d}Z"
    if field.kind == "uri":
        return "https://example.com/" + text(random, 8)
    if field.kind == "boolean":
        return random.random() < 0.5
    if field.kind == "integer":
        return random.randint(int(low or 0), int(high if high is not None else 10**6))
    if field.kind == "number":
        return round(random.uniform(float(low or 0), float(high if high is not None else 10_000)), 1)
    return text(random, random.randint(1, min(field.max_length or 20, 20)))
