"""Reads schemas/columns.toml, the tables that a log is read into, and checks it against the versions' models.

The language is defined in schemas/README.md. Every refusal is a ModelError whose text is a whole sentence that names the place.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any, NoReturn

from tools.codegen.model import Field, Model, ModelError

# Type of a column -> kinds of field that it takes.
_TAKES = {
    "int": {"integer"},
    "decimal": {"number", "string"},
    "time": {"datetime"},
    "bool": {"boolean"},
    "text": {"string", "enum", "integer"},
    "choice": {"string", "enum", "integer"},
}
_REST = "rest of "


def read_columns(path: Path, models: list[Model]) -> dict[str, Any]:
    """schemas/columns.toml as the compact columns.json says it."""
    return parse_columns(tomllib.loads(path.read_text(encoding="utf-8")), models)


def parse_columns(data: dict[str, Any], models: list[Model]) -> dict[str, Any]:
    """The tables, and by version and action the rows that a message gives them."""
    if sorted(data) != ["rows", "table"]:
        _refuse("there are [table.NAME] and [rows.VERSION.ACTION.TABLE] and nothing else")
    tables = {name: _table(name, columns) for name, columns in data["table"].items()}
    rows: dict[str, dict[str, list[dict[str, Any]]]] = {model.module: {} for model in models}
    for key, actions in data["rows"].items():
        meant = [model for model in models if model.version == key or (key == "2.x" and model.version[:2] == "2.")]
        if not meant:
            _refuse(f"[rows] speaks of the version {key}, which does not exist")
        for model in meant:
            for action, entries in actions.items():
                rows[model.module][action] = [_rows(model, action, name, raw, tables) for name, raw in entries.items()]
    return {"tables": tables, "rows": rows}


def _refuse(sentence: str) -> NoReturn:
    raise ModelError(f"columns: {sentence}.")


def _table(name: str, columns: dict[str, str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for column, type_ in columns.items():
        if type_.startswith(_REST):
            of = type_.removeprefix(_REST)
            if columns.get(of) != "decimal":
                _refuse(f"{name}.{column} is the rest of {of}, which is no column of decimals")
            found.append({"name": column, "type": "text", "rest_of": of})
        elif type_ in _TAKES:
            found.append({"name": column, "type": type_})
        else:
            _refuse(
                f"{name}.{column} is of type {type_!r}, and a column is one of {', '.join(_TAKES)}, or '{_REST}' one"
            )
    return found


def _rows(
    model: Model, action: str, table: str, raw: dict[str, str], tables: dict[str, list[dict[str, str]]]
) -> dict[str, Any]:
    where = f"{model.version} {action}.{table}"
    message = model.messages.get(action)
    if message is None:
        _refuse(f"{where}: {model.version} has no message {action}")
    if table not in tables:
        _refuse(f"{where}: there is no table {table}")
    types = {column["name"]: column for column in tables[table]}
    _, lists, _ = _place(model, message.bodies, raw["rows"], where) if "rows" in raw else ("", [], None)
    if not all(step.endswith("[]") for step in lists):
        _refuse(f"{where}: rows is {raw['rows']}, and it must run through lists alone")
    columns: list[dict[str, Any]] = []
    for column, source in raw.items():
        if column == "rows":
            continue
        if column not in types or "rest_of" in types[column]:
            _refuse(f"{where}: {table} has no column {column} that a message can fill")
        if source.startswith('"'):
            if types[column]["type"] != "choice":
                _refuse(f"{where}: {column} is always {source}, and only a choice can be")
            columns.append({"column": column, "value": json.loads(source)})
            continue
        part, path, field = _place(model, message.bodies, source, where)
        through = [step for step in path if step.endswith("[]")]
        if through != lists[: len(through)] or (through and path[: len(through)] != through):
            _refuse(f"{where}: {column} comes from {source}, which is in a list that the rows do not run through")
        if part == "response" and "rows" in raw:
            _refuse(
                f"{where}: {column} comes from the response, and only a table with one row per message can wait for it"
            )
        if field is None or field.items is not None or field.kind not in _TAKES[types[column]["type"]]:
            _refuse(f"{where}: {column} is of type {types[column]['type']}, and {source} is none")
        columns.append({"column": column, "part": part, "path": [step.removesuffix("[]") for step in path]})
    entry: dict[str, Any] = {"table": table, "columns": columns}
    return entry | ({"rows": [step.removesuffix("[]") for step in lists]} if lists else {})


def _place(model: Model, bodies: dict[str, str], source: str, where: str) -> tuple[str, list[str], Field | None]:
    """The body that a source is in, its steps with "[]" behind those that are lists, and the field at its end."""
    part, *path = source.split(".")
    if part not in bodies:
        _refuse(f"{where}: {source} must begin with one of {', '.join(bodies)}")
    owner: str | None = bodies[part]
    found: Field | None = None
    for step in path:
        fields = {field.name: field for field in model.types[owner].fields} if owner else {}
        found = fields.get(step.removesuffix("[]"))
        if found is None:
            _refuse(f"{where}: {source} leads nowhere at {step}")
        if (found.items is not None) != step.endswith("[]"):
            _refuse(f"{where}: {source} says {step}, and [] stands behind lists alone")
        owner = found.ref if found.kind == "object" else None
    return part, path, found
