"""`ocppcore demo`: a day of a mixed site through ocppcore, and what it found."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ... import Codec
from ..._versions import VERSIONS
from ...log.conversation import Conversation, Outcome
from ..output import answer, plain, sound
from ..reading import chosen_backend
from ..screen import console
from . import site, speed
from .station import at

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from .station import Frame

_NO_ACTION = "(none could be read)"


class Day(NamedTuple):
    """The day's frames, each with what reading it gave, and how long all of it took in seconds."""

    read: list[tuple[Frame, Outcome]]
    codecs: dict[str, Codec[Any]]
    seconds: float


@click.command("demo")
@click.option("--frames", "only_frames", is_flag=True, help="Print the day's frames as CSV and nothing else.")
@click.option(
    "--ocpp", type=click.Choice([version.number for version in VERSIONS]), help="With --frames: of one version."
)
def command(only_frames: bool, ocpp: str | None) -> None:
    """Read a day of a site with ten stations, 1.6, 2.0.1 and 2.1, some of them odd; show what was found and how fast.

    `ocppcore demo --frames --ocpp 2.0.1 > day.csv` gives the other commands something to read.
    """
    frames = site.frames()
    if ocpp is not None and not only_frames:
        raise click.UsageError("--ocpp goes with --frames")
    if only_frames:
        _print_frames([frame for frame in frames if ocpp in (None, _number(frame.subprotocol))])
        return
    screen = console()
    choice = chosen_backend()
    day = _read(frames)
    _introduce(screen, day, choice.name, choice.reason)
    _by_action(screen, day)
    _faults(screen, day)
    _oddities(screen, day)
    _speed(screen, day, choice.name)


def _read(frames: list[Frame]) -> Day:
    codecs = {version.subprotocol: Codec(version.subprotocol) for version in VERSIONS}
    conversations = {subprotocol: Conversation(codec) for subprotocol, codec in codecs.items()}
    for codec in codecs.values():
        codec.validate(b'[4,"1","GenericError","",{}]')  # builds the version's tables: not part of a day's work
    began = time.perf_counter()
    read = [(frame, conversations[frame.subprotocol].read(frame.data, frame.station)) for frame in frames]
    return Day(read, codecs, time.perf_counter() - began)


def _print_frames(frames: list[Frame]) -> None:
    import csv
    import sys

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["time", "station", "subprotocol", "frame"])
    for frame in frames:
        text = frame.data.decode("utf-8", "backslashreplace")  # CSV is text; one frame is none
        writer.writerow([at(frame.second), frame.station, frame.subprotocol, text])


def _number(subprotocol: str) -> str:
    return subprotocol.removeprefix("ocpp")


def _introduce(screen: Console, day: Day, backend: str, reason: str) -> None:
    stations = Counter(_number(subprotocol) for _, subprotocol in {(f.station, f.subprotocol) for f, _ in day.read})
    size = sum(len(frame.data) for frame, _ in day.read)
    mix = ", ".join(f"{stations[version.number]} on {version.number}" for version in VERSIONS)
    faulty = sum(outcome.is_faulty for _, outcome in day.read)
    screen.print("A day of a mixed site", style="bold")
    screen.print(
        f"{sum(stations.values())} stations: {mix}. {len(day.read):,} frames, {size / 1000:,.0f} kB, {faulty} faulty."
    )
    screen.print(f"Read, checked and typed in {day.seconds * 1000:,.1f} ms by the {backend} backend ({reason}).\n")


def _table(*columns: tuple[str, str]) -> Table:
    """A table whose columns are (title, "left" or "right")."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold")
    for title, side in columns:
        table.add_column(title, justify="right" if side == "right" else "left", overflow="fold")
    return table


def _by_action(screen: Console, day: Day) -> None:
    from rich.text import Text

    counts: Counter[tuple[str, str]] = Counter()
    sizes: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    for frame, outcome in day.read:
        action = _known_action(day, frame, outcome)
        counts[action, frame.subprotocol] += 1
        sizes[action] += len(frame.data)
        faults[action] += outcome.is_faulty
    columns = [("action", "left"), *((version.number, "right") for version in VERSIONS)]
    table = _table(*columns, ("frames", "right"), ("bytes", "right"), ("faults", "right"))
    for action in sorted(sizes, key=lambda action: (action == _NO_ACTION, -sizes[action], action)):
        per_version = [counts[action, version.subprotocol] for version in VERSIONS]
        cells = [f"{count:,}" if count else "" for count in (*per_version, sum(per_version), sizes[action])]
        table.add_row(action, *cells, Text(str(faults[action] or ""), style="red"))
    screen.print(table)
    screen.print()


def _known_action(day: Day, frame: Frame, outcome: Outcome) -> str:
    """The action that a frame belongs to, an answer's being its call's; a name that the version does not know is none."""
    action = outcome.action
    return action if action is not None and action in day.codecs[frame.subprotocol].messages else _NO_ACTION


def _faults(screen: Console, day: Day) -> None:
    from rich.text import Text

    screen.print("What was wrong, and the answer that is sent", style="bold")
    faulty = [(frame, outcome, outcome.error) for frame, outcome in day.read if outcome.error is not None]
    for number, (frame, outcome, error) in enumerate(faulty, 1):
        name = " ".join(part for part in ((outcome.kind or "").upper(), outcome.action) if part) or "no frame"
        _wrapped(
            screen, Text(f"{number:3}", "dim"), Text.assemble(_where(frame), (plain(name), "bold"), f": {frame.oddity}")
        )
        reply = answer(day.codecs[frame.subprotocol], error)
        place = Text.assemble((error.path or "the frame itself", "cyan"), " · ", (error.code, "red"))
        _wrapped(screen, Text(""), place)
        _wrapped(screen, Text(""), Text(sound(error.format()).removeprefix(f"{error.path}: ")))
        said = Text("none is due", "dim") if reply is None else Text(reply.decode(), "green")
        _wrapped(screen, Text(""), Text.assemble(("answer: ", "dim"), said))
    screen.print()


def _where(frame: Frame) -> str:
    return f"{at(frame.second)[11:19]} {frame.station:6} {_number(frame.subprotocol):5} "


def _wrapped(screen: Console, mark: Text, text: Text) -> None:
    """A line behind a mark: folded under its own beginning on a terminal, as long as it is in a pipe."""
    from rich.table import Table

    if not screen.is_terminal:
        screen.print(f"{mark.plain:3}  {text.plain}", soft_wrap=True)
        return
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(width=3, justify="right")
    grid.add_column(overflow="fold")
    grid.add_row(mark, text)
    screen.print(grid)


def _oddities(screen: Console, day: Day) -> None:
    allowed = [frame for frame, outcome in day.read if frame.oddity and not outcome.is_faulty]
    screen.print("Odd, and allowed by the rules", style="bold")
    for frame in allowed:
        screen.print(f"     {_where(frame)}{frame.oddity.removesuffix(': allowed')}")
    screen.print()


def _speed(screen: Console, day: Day, backend: str) -> None:
    calls = [
        (frame.subprotocol, frame.data)
        for frame, outcome in day.read
        if outcome.kind == "call" and not frame.oddity  # msgspec would refuse some of the odd ones that are allowed
    ]
    size = sum(len(data) for _, data in calls)
    screen.print("How fast on this machine", style="bold")
    screen.print(
        f"{len(calls):,} ordinary CALLs of the day, {size / len(calls):,.0f} bytes on average, one thread, "
        f"best of {speed.ROUNDS} rounds, {backend} backend."
    )
    table = _table(
        ("reader", "left"),
        ("µs/frame", "right"),
        ("frames/s", "right"),
        ("MB/s", "right"),
        ("gives", "left"),
        ("checks", "left"),
    )
    for row in speed.measure(calls):
        each = row.seconds / len(calls)
        style = "bold" if row.reader.startswith("ocppcore") else None
        table.add_row(
            row.reader, f"{each * 1e6:,.2f}", f"{1 / each:,.0f}", f"{size / row.seconds / 1e6:,.0f}", row.gives, row.checks,
            style=style,
        )  # fmt: skip
    screen.print(table)
    screen.print(
        "\nEverything: the frame, types, enumerations, lengths, bounds, dates, URIs, decimal steps, unknown, missing and "
        "duplicate keys, depth."
    )
