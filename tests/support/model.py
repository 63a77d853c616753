"""The compact model as tests see it: payload types by message, and the fields of each.

It is read from the package's own `_model` folder, so that tests generate for whatever the model says today.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import ocppcore

MODEL_DIR = Path(ocppcore.__file__).parent / "_model"
MODULES = ("v16", "v201", "v21")


@dataclass(frozen=True)
class Payload:
    """One payload schema: what `decode_payload` takes to name it, and its type in the model."""

    module: str
    subprotocol: str
    action: str
    kind: str
    type_name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.type_name}"


class Model:
    """One version's compact model."""

    def __init__(self, module: str) -> None:
        raw = json.loads((MODEL_DIR / f"{module}.json").read_bytes())
        self.module = module
        self.version: str = raw["version"]
        self.subprotocol: str = raw["subprotocol"]
        self.enums: dict[str, list[str]] = raw["enums"]
        self.types: dict[str, dict[str, Any]] = raw["types"]
        self.messages: dict[str, dict[str, Any]] = raw["messages"]
        self.frames: dict[str, str] = raw["frames"]

    def payloads(self) -> list[Payload]:
        """Every payload schema of the version, in the model's order."""
        return [
            Payload(self.module, self.subprotocol, action, kind, message[kind])
            for action, message in self.messages.items()
            for kind in ("request", "response", "send")
            if kind in message
        ]

    def largest_enum(self, type_name: str) -> int:
        """The number of values of the largest enumeration that the type reaches; 1 when it reaches none."""
        size = 1
        for field in self.types[type_name]["fields"]:
            if field["kind"] == "enum":
                size = max(size, len(self.enums[field["ref"]]))
            elif field["kind"] == "object":
                size = max(size, self.largest_enum(field["ref"]))
        return size

    @cache  # noqa: B019 - the few models live as long as the test run
    def weight(self, type_name: str) -> int:
        """The number of fields of a full instance, lists counted with one item."""
        fields = self.types[type_name]["fields"]
        return 1 + sum(self.weight(f["ref"]) if f["kind"] == "object" else 1 for f in fields)


@cache
def model(module: str) -> Model:
    """The model of `v16`, `v201` or `v21`."""
    return Model(module)


def all_payloads() -> list[Payload]:
    """Every payload schema of every version: 387."""
    return [payload for module in MODULES for payload in model(module).payloads()]


@cache
def fault_kinds() -> dict[str, Any]:
    """What errors.json says: kinds, codes, spelling."""
    return json.loads((MODEL_DIR / "errors.json").read_bytes())


def wire_code(version: str, kind: str) -> str:
    """The wire code of a kind of fault, for a frame whose id could be read."""
    table = fault_kinds()
    entry = table["kinds"][kind]
    if version != "1.6":
        return entry["code"]
    code = entry.get("code_16", entry["code"])
    return table["spelling"].get(code, code)


def pointer(path: tuple[str | int, ...]) -> str:
    """A path as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
