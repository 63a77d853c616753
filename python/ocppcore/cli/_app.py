"""The command's frame: subcommands that are loaded when they run, `--version`, exit codes, broken pipes."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import Any, NoReturn

import click

from .. import __version__

FINE, FINDINGS, USAGE, UNREADABLE = 0, 1, 2, 3
UNWRITABLE = 4
"""What the exit codes mean."""

_INTERRUPTED, _PIPE_BROKEN = 130, 141  # as a shell reports SIGINT and SIGPIPE

# Each lives in the module of its name; the sentence stands here so that --help loads none of them.
_COMMANDS = {
    "decode": "Frames as typed values.",
    "validate": "Every fault, with its place, its reason and the wire code that answers it.",
    "peek": "Type, id and action of frames; the rest is not looked at.",
    "explain": "Everything that is wrong with each frame, where, why, and what was meant.",
    "lint": "What each kind of station does amiss, and the profile that would tolerate it.",
    "rule": "What a rule asks for and why; without an id, all rules.",
    "log": "A log as tables: to-parquet.",
    "schema": "What a version's messages look like; export to JSON Schema.",
    "doctor": "Which backend runs and why; versions and build.",
    "serve": "A CSMS to connect stations to, with a live view.",
    "simulate": "A fleet of stations, against a CSMS of yours or one of its own.",
    "migrate": "From PyPI ocpp to ocppcore.compat.ocpp: rewrite imports, list what is to decide.",
    "demo": "A day of a mixed site in all three versions, its faults, and the speed of this machine.",
}


class _Commands(click.Group):
    """A group that imports a subcommand when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(f".{cmd_name}", __package__).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            from .._versions import near

            ctx.fail(f"no such command {name!r}; {near(name, _COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _leave_broken_pipe()
        except OSError as error:
            # Inputs that cannot be read are told where they are read; this is the output.
            print(f"ocppcore: the output cannot be written: {error.strerror or error}", file=sys.stderr)
            _end_quietly(UNWRITABLE)
        return result


def _leave_broken_pipe() -> NoReturn:
    """Whoever read our output is gone: end quietly."""
    _end_quietly(_PIPE_BROKEN)


def _end_quietly(code: int) -> NoReturn:
    """End, and let the interpreter's last flush go nowhere."""
    with contextlib.suppress(OSError, ValueError):  # a stdout that is no file has nothing left to flush
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    raise SystemExit(code)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 fine, 1 findings, 2 wrong usage, 3 unreadable input, 4 output that cannot be written.",
)
@click.version_option(__version__, prog_name="ocppcore")
@click.pass_context
def app(ctx: click.Context) -> None:
    """Read, check and explain OCPP-J frames: 1.6, 2.0.1 and 2.1.

    \b
      ocppcore validate station.log            a log, as it is
      ocppcore validate 'day/*.csv.gz'         a column of CSV files, compressed
      tail -f log | ocppcore decode --ocpp 1.6 --layout log -
    """
    if os.environ.get("NO_COLOR"):
        ctx.color = False
    elif os.environ.get("FORCE_COLOR"):
        ctx.color = True


def run() -> int:
    """Run the command; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A frame may hold characters that the terminal's encoding has not.
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")
    try:
        code = app.main(prog_name="ocppcore", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    return code if isinstance(code, int) else FINE
