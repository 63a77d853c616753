"""A CSMS that listens, manages its stations and is watched."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from ...aio import Server, serve
from .csms import Csms
from .view import View

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from rich.console import Console

_REDRAW = 0.5
"""Seconds between two drawings."""
_MANAGE = 1.0
"""Seconds between two looks of the CSMS at its stations."""


@asynccontextmanager
async def listening(
    csms: Csms, host: str, port: int, *, versions: Sequence[str], default: str | None, capacity: float
) -> AsyncGenerator[tuple[Server, str]]:
    """The CSMS while it listens and manages its stations, with the URL that stations connect to."""
    server = Server(csms.router, versions=versions, default=default)
    async with serve(server, host, port) as addresses:
        managing = asyncio.create_task(csms.manage(server, capacity=capacity, token="REMOTE", every=_MANAGE))
        bound = addresses[0]
        name = f"[{bound[0]}]" if ":" in bound[0] else bound[0]
        try:
            yield server, f"ws://{name}:{bound[1]}"
        finally:
            managing.cancel()
            await asyncio.wait((managing,))


def when_interrupted(end: Callable[[], object]) -> None:
    """Calls `end` on Ctrl-C and SIGTERM from now on, while this event loop runs."""
    for sign in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError, RuntimeError):  # Windows; a loop beside the main thread
            asyncio.get_running_loop().add_signal_handler(sign, end)


async def watch(csms: Csms, server: Server, screen: Console) -> None:
    """Shows the stations live on a terminal until it is cancelled; elsewhere nothing is shown."""
    if not screen.is_terminal:
        await asyncio.Event().wait()
    from rich.live import Live

    view = View(csms, server)
    with Live(console=screen, auto_refresh=False, transient=True) as live:
        while True:
            live.update(view.draw(), refresh=True)
            await asyncio.sleep(_REDRAW)
