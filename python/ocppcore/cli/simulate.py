"""`ocppcore simulate`: a fleet of stations, against a CSMS of yours or one of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from .screen import console
from .serve import NUMBERS

if TYPE_CHECKING:
    from .live.csms import Csms
    from .live.fleet import Fleet


def _checked_url(ctx: click.Context, param: click.Parameter, url: str | None) -> str | None:
    """The URL as it was given, once it is one that a WebSocket can be opened at."""
    if url is None:
        return None
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("ws", "wss") and bool(parts.hostname) and parts.port != 0  # a port out of range raises
    except ValueError:
        good = False
    if not good:
        raise click.BadParameter(f"{url!r} is no URL of a WebSocket: write ws://HOST:PORT/PATH, or wss:// for TLS")
    return url


@click.command("simulate")
@click.argument("url", required=False, callback=_checked_url)
@click.option("--stations", default=20, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--ocpp", multiple=True, type=click.Choice(NUMBERS), help="Their versions, in turn; all unless given.")
@click.option(
    "--speed",
    default=300.0,
    show_default=True,
    type=click.FloatRange(min=0.001),
    help="Simulated seconds in one of the world's.",
)
@click.option(
    "--seconds",
    default=10.0,
    show_default=True,
    type=click.FloatRange(min=0.1),
    help="How long, in the world's seconds.",
)
@click.option("--seed", default=2026, show_default=True, help="Of the chances: the same fleet again.")
@click.pass_context
def command(
    ctx: click.Context, url: str | None, stations: int, ocpp: tuple[str, ...], speed: float, seconds: float, seed: int
) -> None:
    """Stations that boot, beat, charge cars and obey charging profiles and remote starts, at the CSMS at URL.

    Without URL a CSMS of its own listens on the loopback interface. Ctrl-C and SIGTERM end it before its time, with the same report. Exit code 1
    if a call was refused or got no answer, or a connection broke.
    """
    versions = ocpp or tuple(NUMBERS)
    try:
        ctx.exit(asyncio.run(_simulate(url, stations, versions, speed, seconds, seed)))
    except KeyboardInterrupt:
        ctx.exit(0)


async def _simulate(
    url: str | None, stations: int, versions: tuple[str, ...], speed: float, seconds: float, seed: int
) -> int:
    from .live.clock import Clock
    from .live.csms import Csms
    from .live.fleet import Fleet
    from .live.running import listening, watch

    if url is not None:
        fleet = Fleet(url, stations, versions, speed, seed)
        return _report(fleet, None, await _run(fleet, seconds), 0.0)
    csms = Csms(Clock(speed).now)
    capacity = 4_000.0 * stations
    spoken = [f"ocpp{number}" for number in versions]
    async with listening(csms, "127.0.0.1", 0, versions=spoken, default=None, capacity=capacity) as (server, own):
        fleet = Fleet(own, stations, versions, speed, seed)
        watching = asyncio.create_task(watch(csms, server, console()))
        used = time.process_time()
        try:
            seconds = await _run(fleet, seconds)
        finally:
            used = time.process_time() - used
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
    return _report(fleet, csms, seconds, used)


async def _run(fleet: Fleet, seconds: float) -> float:
    """Runs the fleet to its end, or to an interruption; the seconds that it ran."""
    from .live.running import when_interrupted

    begin = time.monotonic()
    running = asyncio.create_task(fleet.run(seconds))
    when_interrupted(running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return round(time.monotonic() - begin, 1)
    return seconds


def _report(fleet: Fleet, csms: Csms | None, seconds: float, used: float) -> int:
    """Says what was done and what went wrong; the exit code."""
    from .live.view import messages_table

    screen = console()
    said = fleet.calls.total()
    charges = f"{fleet.charges} charge{'' if fleet.charges == 1 else 's'}"
    if csms is not None:
        screen.print(messages_table(csms))
        both = said + csms.said.total()
        screen.print(
            f"{len(fleet.stations)} stations in {seconds:g} s: {both:,} messages and their answers, both ends in one process, "
            f"{used / both * 1e6:,.0f} µs of processor time each; {charges}, {csms.energy / 1000:,.0f} kWh"
        )
    else:
        screen.print(f"{len(fleet.stations)} stations in {seconds:g} s: {said:,} messages, {charges}")
    failed = fleet.failed if csms is None else fleet.failed + csms.failed
    for action, count in sorted(failed.items()):
        screen.print(f"{action}: {count} refused, or without an answer")
    for reason, count in fleet.broken.most_common():
        screen.print(f"{count} connection{'' if count == 1 else 's'} broke: {reason}")
    return 1 if failed or fleet.broken else 0
