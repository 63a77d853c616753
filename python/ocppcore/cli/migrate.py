"""`ocppcore migrate`: from PyPI `ocpp` to ocppcore.compat.ocpp."""

from __future__ import annotations

from pathlib import Path

import click

from ..compat.ocpp import _migrate
from ._app import FINDINGS, FINE, UNREADABLE


@click.command("migrate")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--write", is_flag=True, help="Change the files; else the changes are shown as a diff.")
@click.pass_context
def command(ctx: click.Context, paths: tuple[Path, ...], write: bool) -> None:
    """Turn imports of PyPI `ocpp` in PATH (files or folders) into imports of ocppcore.compat.ocpp.

    The diff goes to stdout, what a person must decide to stderr, by file and line. Exit codes: 0 nothing to decide, 1 something is.
    """
    files = changed = decisions = 0
    unreadable = False
    for path in (file for given in paths for file in _migrate.python_files(given)):
        try:
            migration = _migrate.migrate(path)
            if write and migration.new != migration.old:
                _migrate.write(migration)
        except OSError as error:
            click.echo(f"{path}: {error}", err=True)
            unreadable = True
            continue
        files += 1
        changed += migration.new != migration.old
        decisions += len(migration.decisions)
        if not write:
            click.echo(migration.diff(), nl=False)
        for decision in migration.decisions:
            click.echo(f"{path}:{decision.line}: {decision.text}", err=True)
    done = "changed" if write else "to change"
    read, left = f"{files} file{'' if files == 1 else 's'}", f"{decisions} thing{'' if decisions == 1 else 's'}"
    click.echo(f"{read} read, {changed} {done}, {left} to decide", err=True)
    ctx.exit(UNREADABLE if unreadable else FINDINGS if decisions else FINE)
