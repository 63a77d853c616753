"""`ocppcore schema`: what a version's messages look like, as tables for people and as JSON Schema for tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from .._export import json_schema
from .._versions import VERSIONS, Version, model, near
from .reading import version_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BODIES = ("request", "response", "send")
_SENDER = {"station": "station → CSMS", "csms": "CSMS → station", "both": "both ways"}


@click.command("schema")
@click.argument("version", callback=version_option, required=False)
@click.argument("name", required=False)
@click.option(
    "--json-schema", "export", is_flag=True, help="JSON Schema instead of tables: of NAME, or of every payload."
)
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="With --json-schema: write one file per payload into this folder.",
)
def command(version: Version | None, name: str | None, export: bool, folder: Path | None) -> None:
    """List the versions, the messages of VERSION, or show NAME: a message or one of its types.

    \b
      ocppcore schema                                   the versions
      ocppcore schema 2.0.1                             its messages
      ocppcore schema 2.0.1 BootNotification            a message as tables
      ocppcore schema 2.0.1 --json-schema -o schemas    all its JSON Schemas
    """
    if folder is not None and not export:
        raise click.UsageError("--output goes with --json-schema")
    if version is None:
        if export:
            raise click.UsageError("--json-schema needs a version: ocppcore schema 2.0.1 --json-schema")
        _list_versions()
    elif export:
        _export(model(version.module), name, folder)
    elif name is None:
        _list_messages(model(version.module))
    else:
        _show(model(version.module), name)


def _bodies(message: Mapping[str, Any]) -> Iterator[str]:
    """The type names of a message's payloads."""
    return (message[body] for body in _BODIES if message.get(body))


def _types_of(model: Mapping[str, Any], name: str) -> list[str]:
    """What a name stands for: a message's payloads, or the one type of that name."""
    if name in model["messages"]:
        return list(_bodies(model["messages"][name]))
    if name in model["types"] or name in model["enums"]:
        return [name]
    known = [*model["messages"], *model["types"], *model["enums"]]
    raise click.UsageError(f"OCPP {model['version']} has no message or type {name!r}; {near(name, known)}")


# JSON Schema


def _export(model: Mapping[str, Any], name: str | None, folder: Path | None) -> None:
    names = (
        [body for message in model["messages"].values() for body in _bodies(message)]
        if name is None
        else _types_of(model, name)
    )
    if any(wanted in model["enums"] for wanted in names):
        raise click.UsageError(f"{name!r} is an enumeration: export the message that uses it")
    schemas = {wanted: json_schema(model, wanted) for wanted in names}
    if folder is None:
        # One schema stands alone; several are an object by name.
        document: Any = schemas if len(schemas) > 1 else next(iter(schemas.values()))
        click.echo(_json(document))
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for wanted, schema in schemas.items():
            (folder / f"{wanted}.json").write_text(_json(schema) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"{folder}: cannot be written: {error.strerror}") from None
    click.echo(f"{len(schemas)} schemas in {folder}", err=True)


def _json(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode("utf-8")


# Tables


def _table(*columns: str, title: str | None = None) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(*parts: Any) -> None:
    from .screen import console

    screen = console()
    for part in parts:
        screen.print(part)


def _list_versions() -> None:
    table = _table("OCPP", "subprotocol", "module", "messages", "payloads", "enumerations")
    for version in VERSIONS:
        content = model(version.module)
        payloads = sum(len(list(_bodies(message))) for message in content["messages"].values())
        counts = (len(content["messages"]), payloads, len(content["enums"]))
        table.add_row(version.number, version.subprotocol, f"ocppcore.{version.module}", *map(str, counts))
    _print(table)


def _list_messages(model: Mapping[str, Any]) -> None:
    group = "profile" if model["version"] == "1.6" else "block"
    table = _table(
        "message", "sent", group, "kind", title=f"OCPP {model['version']}: {len(model['messages'])} messages"
    )
    for action, message in model["messages"].items():
        table.add_row(action, _SENDER[message["from"]], message[group], message["kind"])
    _print(table)


def _show(model: Mapping[str, Any], name: str) -> None:
    from rich.text import Text

    names = _types_of(model, name)
    message = model["messages"].get(name)
    if message is not None:
        group = f"{message['profile']} profile" if "profile" in message else f"block {message['block']}"
        title = f"{name} · OCPP {model['version']} · {message['kind'].upper()} · {_SENDER[message['from']]} · {group}\n"
        _print(Text(title, style="bold"))
    shown: set[str] = set()
    waiting = list(names)
    while waiting:
        wanted = waiting.pop(0)
        if wanted in shown:
            continue
        shown.add(wanted)
        if wanted in model["enums"]:
            _print(Text(wanted, style="bold"), Text("  " + ", ".join(model["enums"][wanted]) + "\n"))
        else:
            _print(_fields(model, wanted))
            waiting += [field["ref"] for field in model["types"][wanted]["fields"] if "ref" in field]


def _fields(model: Mapping[str, Any], name: str) -> Any:
    """A type as a table of its fields."""
    type_ = model["types"][name]
    note = " (further keys allowed)" if type_["open"] else ""
    if not type_["fields"]:
        from rich.text import Text

        return Text.assemble((name + note, "bold"), "\n  no fields\n")
    table = _table("field", "in Python", "type", "", "limits", title=name + note)
    for field in type_["fields"]:
        optional = "required" if field["required"] else "optional"
        table.add_row(
            field["name"], field["name"] if type_["open"] else field["attr"], _type(field), optional, _limits(field)
        )
    return table


def _type(field: Mapping[str, Any]) -> str:
    text: str = field.get("ref", field["kind"])
    return f"list of {text}" if "items" in field else text


def _limits(field: Mapping[str, Any]) -> str:
    parts: list[str] = []
    if "items" in field:
        low, high = field["items"]
        parts.append(f"{low} or more items" if high is None else f"{low} to {high} items")
    if "max_length" in field:
        parts.append(f"at most {field['max_length']:,} characters")
    if "minimum" in field:
        parts.append(f"from {field['minimum']}")
    if "maximum" in field:
        parts.append(f"to {field['maximum']}")
    if "step" in field:
        parts.append(f"in steps of {field['step']}")
    return ", ".join(parts)
