"""`ocppcore serve`: a CSMS to connect stations to, with a live view."""

from __future__ import annotations

import asyncio
import contextlib

import click

from .. import Codec
from .._versions import VERSIONS
from .screen import console

NUMBERS = [version.number for version in VERSIONS]


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port", default=9000, show_default=True, type=click.IntRange(0, 65535), help="The port; 0 takes a free one."
)
@click.option(
    "--ocpp",
    multiple=True,
    type=click.Choice(NUMBERS),
    help="A version to speak, the preferred first; all unless given.",
)
@click.option("--default", type=click.Choice(NUMBERS), help="The version of stations that offer no subprotocol.")
@click.option(
    "--capacity",
    default=100.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="kW that all charges share, by charging profiles.",
)
@click.option("--seconds", type=click.FloatRange(min=0), help="End after so many seconds; else Ctrl-C or SIGTERM does.")
def command(
    host: str, port: int, ocpp: tuple[str, ...], default: str | None, capacity: float, seconds: float | None
) -> None:
    """A CSMS that lets every station connect and every token charge: to try stations with, not to run a site on.

    Stations connect to ws://HOST:PORT/IDENTITY. It answers boots, heartbeats, statuses, tokens and transactions of every version, shares the
    capacity among all that charge, starts a charge at an idle station now and then, and shows what it sees.
    """
    subprotocols = [f"ocpp{number}" for number in ocpp or reversed(NUMBERS)]
    if default is not None and f"ocpp{default}" not in subprotocols:
        raise click.UsageError(f"--default {default} is none of the versions that --ocpp names")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(host, port, subprotocols, f"ocpp{default}" if default else None, capacity * 1000, seconds))


async def _serve(
    host: str, port: int, subprotocols: list[str], default: str | None, capacity: float, seconds: float | None
) -> None:
    from .live.csms import Csms
    from .live.running import listening, watch, when_interrupted
    from .live.view import messages_table

    screen = console()
    csms = Csms()
    try:
        async with listening(csms, host, port, versions=subprotocols, default=default, capacity=capacity) as (
            server,
            url,
        ):
            backend = Codec(subprotocols[0]).backend
            click.echo(f"listening at {url}/IDENTITY for {', '.join(subprotocols)}, {backend} backend", err=True)
            watching = asyncio.create_task(watch(csms, server, screen))
            when_interrupted(watching.cancel)
            await asyncio.wait((watching,), timeout=seconds)
            watching.cancel()
    except OSError as error:
        raise click.ClickException(f"cannot listen at {host}:{port}: {error.strerror or error}") from None
    finally:
        if csms.heard:
            screen.print(messages_table(csms))
