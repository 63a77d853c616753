"""Finds the payload schemas in a folder, a zip file or an installed package, whatever their files are called."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

# Where packages keep the versions side by side, a folder on the way to the file names the version.
_VERSION_FOLDER = {"v16": "v16", "v201": "v201", "v21": "v21", "ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}


class SourceError(Exception):
    """The source cannot be read, or holds no schema of the version."""


def read_schemas(source: str, module: str, payloads: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Payload name -> schema. `payloads` maps the names that a file or an id may use to the model's names."""
    found: dict[str, dict[str, Any]] = {}
    for path, text in _files(source):
        folders = {_VERSION_FOLDER[part] for part in Path(path).parts[:-1] if part in _VERSION_FOLDER}
        if folders and module not in folders:
            continue
        try:
            content = json.loads(text.decode("utf-8-sig"))
        except ValueError as error:
            raise SourceError(f"{path} is not JSON: {error}") from None
        for schema, names in _schemas(content, path):
            name = next((payloads[each] for each in names if each in payloads), None)
            if name is None:
                continue
            if name in found and found[name] != schema:
                raise SourceError(f"the source holds two different schemas for {name}, the second in {path}")
            found[name] = schema
    if not found:
        raise SourceError(f"{source} holds no JSON Schema of {module}")
    return found


def _schemas(content: Any, path: str) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """The schemas of one file with the names that they may have: one, or a list that names each by its id."""
    if isinstance(content, list):
        for schema in cast("list[dict[str, Any]]", content):
            # `urn:Authorize.req` and `.conf`, as some libraries call request and response
            identity = str(schema.get("$id", schema.get("id", ""))).removeprefix("urn:")
            name = re.sub(r"\.req$", "Request", re.sub(r"\.conf$", "Response", identity))
            yield schema, (name, name.removesuffix("Request"))
    elif isinstance(content, dict):
        schema = cast("dict[str, Any]", content)
        if "properties" not in schema and schema.get("type") != "object":
            return
        stem = Path(path).stem
        yield schema, (stem, re.sub(r"_v\d+(p\d+)?$", "", stem))


def _files(source: str) -> Iterable[tuple[str, bytes]]:
    path = Path(source)
    if path.is_dir():
        return _folder(path)
    if zipfile.is_zipfile(path):
        return _archive(path)
    spec = find_spec(source) if source.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise SourceError(f"{source} is no folder, no zip file and no installed package")
    return _folder(Path(spec.submodule_search_locations[0]))


def _folder(path: Path) -> Iterator[tuple[str, bytes]]:
    for file in sorted(path.rglob("*.json")):
        yield file.relative_to(path).as_posix(), file.read_bytes()


def _archive(path: Path) -> Iterator[tuple[str, bytes]]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.endswith(".json"):
                yield name, archive.read(name)
