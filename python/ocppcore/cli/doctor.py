"""`ocppcore doctor`: which backend runs and why, and what it runs on; the first thing to paste into a report."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from importlib import metadata
from typing import Any

import click
import msgspec

from .. import __version__
from .._backend import VARIABLE, choose, why_not_native
from .._versions import VERSIONS, model

_BESIDE = ("msgspec", "click", "rich", "orjson", "ocpp")


@click.command("doctor")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.pass_context
def command(ctx: click.Context, form: str) -> None:
    """Say which backend runs and why, and what it runs on. Exit code 1 when something is wrong."""
    facts, problems = _examine()
    if form == "json":
        click.echo(msgspec.json.encode({**facts, "problems": problems}))
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            click.echo(f"{click.style(name.ljust(width), bold=True)}  {value}")
        for problem in problems:
            click.echo(f"{click.style('problem'.ljust(width), fg='red')}  {problem}")
        if not problems:
            click.echo(f"{'':{width}}  {click.style('all is well', fg='green')}")
    ctx.exit(1 if problems else 0)


def _examine() -> tuple[dict[str, str], list[str]]:
    problems: list[str] = []
    facts = {
        "ocppcore": f"{__version__} at {os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}",
        "installed from": _wheel(),
        "Python": f"{platform.python_implementation()} {platform.python_version()} at {sys.executable}",
        "platform": f"{platform.platform()}, {sys.implementation.cache_tag}, {os.cpu_count()} processors",
    }
    try:
        choice = choose()
        facts["backend"] = f"{choice.name}: {choice.reason}"
    except (ImportError, ValueError) as error:
        facts["backend"] = f"none: {error}"
        problems.append(str(error))
    facts[VARIABLE] = os.environ.get(VARIABLE) or "not set"
    missing = why_not_native()
    facts["native backend"] = _build() if missing is None else missing
    problems += _wrong_build() if missing is None else []
    for name in _BESIDE:
        facts[name] = _installed(name)
    problems += _wrong_msgspec()
    for version in VERSIONS:
        content = model(version.module)
        facts[f"OCPP {version.number}"] = f"{len(content['messages'])} messages, {len(content['types'])} types"
        problems += _tried(version.subprotocol)
    return facts, problems


def _installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def _wheel() -> str:
    """The tags of the wheel that pip installed; a tree on the path has none."""
    try:
        text = metadata.distribution("ocppcore").read_text("WHEEL") or ""
    except metadata.PackageNotFoundError:
        return "a source tree on the path"
    tags = [line.removeprefix("Tag: ") for line in text.splitlines() if line.startswith("Tag: ")]
    return f"a wheel, {', '.join(tags)}" if tags else "a package without wheel tags"


def _build() -> str:
    """What the extension module says of itself."""
    module: Any = importlib.import_module("ocppcore._native")
    return f"{os.path.basename(module.__file__ or '')}, built as {module.__version__}"


def _wrong_build() -> list[str]:
    """An extension module of another version than the Python around it: a stale build in a source tree."""
    module: Any = importlib.import_module("ocppcore._native")
    if module.__version__ == __version__:
        return []
    return [f"the native backend is of {module.__version__}, the package of {__version__}: build or install it again"]


def _wrong_msgspec() -> list[str]:
    """The bounds on msgspec that the package declares, held against the one that runs."""
    try:
        requires = metadata.requires("ocppcore") or []
    except metadata.PackageNotFoundError:
        return []
    wanted = next((line for line in requires if line.startswith("msgspec")), "")
    running = _numbers(msgspec.__version__)
    for bound in wanted.removeprefix("msgspec").split(";")[0].split(","):
        bound = bound.strip()
        if bound.startswith(">=") and running < _numbers(bound[2:]):
            return [f"msgspec {msgspec.__version__} is too old: pip install '{wanted}'"]
        if bound.startswith("<") and running >= _numbers(bound[1:]):
            return [f"msgspec {msgspec.__version__} has not been tested with this ocppcore: pip install '{wanted}'"]
    return []


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _tried(subprotocol: str) -> list[str]:
    """Make the version's codec and check a frame: tables, classes and backend must fit together."""
    from .. import Codec, OcppError

    try:
        codec = Codec(subprotocol)
        codec.validate(b'[4,"1","GenericError","",{}]')
    except (ImportError, ValueError, TypeError, OcppError) as error:
        return [f"Codec({subprotocol!r}) does not work: {error}"]
    return []
