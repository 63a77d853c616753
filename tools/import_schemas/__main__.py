"""Prints where JSON Schemas differ from the model. See `tools/import_schemas/__init__.py`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ocppcore._export import json_schema
from tools.codegen.emit_compact import compact
from tools.codegen.model import read
from tools.import_schemas.compare import defaults, differences, draft_of, meaning
from tools.import_schemas.source import SourceError, read_schemas

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("v16", "v201", "v21")


def load_model(module: str) -> dict[str, Any]:
    """The compact model as the schemas file says it now, generated or not."""
    return compact(read(ROOT / f"schemas/{module}.toml"))


def payload_names(model: dict[str, Any]) -> dict[str, str]:
    """The names that a source may use for a payload -> the model's name. Files of 1.6 call a request by its action alone."""
    names: dict[str, str] = {}
    for action, message in model["messages"].items():
        for part, suffix in (("request", "Request"), ("response", "Response"), ("send", "")):
            if part in message:
                names[action + suffix] = message[part]
        names.setdefault(action, message.get("request", message.get("send")))
    return names


def compare(model: dict[str, Any], source: str, *, any_draft: bool = False) -> Iterator[str]:
    """Every difference between a source and a model, one line each, by payload.

    `any_draft` is for copies that were wrapped in another draft: it overlooks the draft and the defaults.
    """
    names = payload_names(model)
    schemas = read_schemas(source, model["module"], names)
    for name in sorted(set(names.values())):
        if name not in schemas:
            yield f"{name}: not in the source"
            continue
        official, ours = schemas[name], json_schema(model, name)
        for line in differences(meaning(official), meaning(ours)):
            yield name + line
        if any_draft:
            continue
        if draft_of(official) != draft_of(ours):
            yield f"{name}: draft {draft_of(official)} in the source, {draft_of(ours)} in the model"
        theirs, own = defaults(official), _defaults(model, name)
        for path in sorted({*theirs, *own}):
            if theirs.get(path) != own.get(path):
                yield f"{name}{path}: default {theirs.get(path)} in the source, {own.get(path)} in the model"


def _defaults(model: dict[str, Any], name: str, path: str = "") -> dict[str, Any]:
    """Path -> default, read from the model itself: an exported reference cannot carry one."""
    found: dict[str, Any] = {}
    for field in model["types"][name]["fields"]:
        place = f"{path}.{field['name']}" + ("[]" if "items" in field else "")
        if "default" in field:
            found[place] = field["default"]
        if field["kind"] == "object":
            found |= _defaults(model, field["ref"], place)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.import_schemas", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("module", choices=MODULES)
    parser.add_argument("source", help="a folder, a zip file or an installed package with the schemas")
    parser.add_argument(
        "--any-draft", action="store_true", help="overlook which draft the source declares, and its defaults"
    )
    options = parser.parse_args(arguments)
    try:
        lines = list(compare(load_model(options.module), options.source, any_draft=options.any_draft))
    except SourceError as error:
        print(error, file=sys.stderr)
        return 2
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
