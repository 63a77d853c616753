"""What the commands that read traffic share: their options, and the loop over inputs and frames with its totals and exit code."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from .._backend import choose
from ..log.layouts import LAYOUTS, NoSuchColumn
from ..log.sources import Source, Unreadable, named
from ..log.traffic import Options, open_text, outcomes, version_named
from ._app import FINDINGS, FINE, UNREADABLE
from .output import Writer

if TYPE_CHECKING:
    from .._backend import Choice
    from .._versions import Version
    from ..log.conversation import Depth, Outcome
    from ..log.layouts import Record
    from ..log.traffic import Text

    Handle = Callable[[Text, Record, Outcome], None]
    """What a command does with each frame."""


def version_option(ctx: click.Context, param: click.Parameter, value: str | None) -> Version | None:
    """The version that an argument or option names, by its number, its subprotocol or its module."""
    if value is None:
        return None
    version = version_named(value)
    if version is None:
        raise click.BadParameter(f"{value!r} is no version that ocppcore knows: use 1.6, 2.0.1 or 2.1", ctx, param)
    return version


def reads_traffic(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options of reading; it is called with `inputs`, `options` (Options) and `form`."""
    return takes_inputs(takes_options(_FORM(command)))


def takes_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say what its input is; it is called with `options` (Options)."""

    @functools.wraps(command)
    def packed(
        ocpp: Version | None,
        layout: str | None,
        column: str | None,
        station: str | None,
        max_size: int | None,
        **rest: Any,
    ) -> None:
        command(options=Options(ocpp, layout, column, station, max_size), **rest)

    dressed: Callable[..., None] = packed
    for part in reversed(_OPTIONS):
        dressed = part(dressed)
    return dressed


takes_inputs = click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
_FORM = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="json: one object per line."
)
_OPTIONS: list[Callable[[Callable[..., None]], Callable[..., None]]] = [
    click.option(
        "--ocpp",
        callback=version_option,
        metavar="VERSION",
        help="1.6, 2.0.1 or 2.1. When left out: the version that the text names, else the one that accepts most frames.",
    ),
    click.option(
        "--layout",
        type=click.Choice(LAYOUTS),
        help="One frame per line, under a key of JSON objects, in a CSV column, or inside log lines; recognised when left out.",
    ),
    click.option(
        "--column", metavar="COLUMN", help="CSV column of the frames, its title or its number; or their JSON key."
    ),
    click.option(
        "--station", metavar="COLUMN", help="CSV column or JSON key that names the station or the connection."
    ),
    click.option("--max-size", type=click.IntRange(1), metavar="BYTES", help="Longest frame; 1 MiB when left out."),
]


class Totals:
    """What a run came to."""

    def __init__(self) -> None:
        self.inputs = self.frames = self.bytes = self.untyped = self.faulty = self.unreadable = 0

    def add(self, record: Record, outcome: Outcome) -> None:
        """Count one frame."""
        self.frames += 1
        self.bytes += len(record.data)
        self.untyped += not outcome.typed
        self.faulty += outcome.is_faulty

    def as_json(self) -> dict[str, int]:
        """The totals by name."""
        return dict(vars(self))

    def __str__(self) -> str:
        answers = f", {_count(self.untyped, 'answer')} without its call" if self.untyped else ""
        faults = (
            _count(self.faulty, "faulty frame") if self.faulty else "no fault" if self.frames else "nothing was checked"
        )
        return f"{_count(self.frames, 'frame')} in {_count(self.inputs, 'input')}{answers}: {faults}"


def chosen_backend() -> Choice:
    """The backend that will run; what the environment asks for and cannot have is wrong usage."""
    try:
        return choose()
    except (ImportError, ValueError) as error:
        raise click.UsageError(str(error)) from None


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def read_all(
    inputs: tuple[str, ...], options: Options, depth: Depth, writer: Writer, handle: Handle
) -> tuple[Totals, int]:
    """Read every frame of every input and hand it on; the totals and the exit code. What is unreadable is said, and the rest is read."""
    chosen_backend()
    totals = Totals()
    for pattern in inputs:
        try:
            for name in named([pattern]):
                _read_one(name, options, depth, writer, handle, totals)
        except Unreadable as error:
            totals.unreadable += 1
            writer.note(f"ocppcore: {error}")
    writer.progress.clear()
    if totals.frames == 0 and not totals.unreadable:
        totals.unreadable += 1
        writer.note("ocppcore: no frame found; --layout and --column say where to look")
    return totals, UNREADABLE if totals.unreadable else FINDINGS if totals.faulty else FINE


def _read_one(name: str, options: Options, depth: Depth, writer: Writer, handle: Handle, totals: Totals) -> None:
    try:
        with Source(name) as source:
            text = open_text(source, options)
            totals.inputs += 1
            if options.version is None or options.layout is None:
                writer.note(f"{source.name}: {text.layout}; OCPP {text.version.number} ({text.reason})")
            for record, outcome in outcomes(text, depth):
                totals.add(record, outcome)
                writer.progress.step(source)
                handle(text, record, outcome)
    except NoSuchColumn as error:
        raise click.UsageError(f"{name}: {error}") from None
    except Unreadable as error:
        # One input's end is not the end of the others that a pattern named.
        totals.unreadable += 1
        writer.note(f"ocppcore: {error}")
