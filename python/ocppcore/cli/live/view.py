"""What a CSMS sees, on a terminal: its stations, what they charge, and how many messages come and go."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table

    from ...aio import Server
    from .csms import Csms

_ROWS = 15


class View:
    """Draws the state of a CSMS, and remembers the last drawing to tell the rate of messages."""

    def __init__(self, csms: Csms, server: Server) -> None:
        self._csms = csms
        self._server = server
        self._seen = 0
        self._when = time.monotonic()

    def draw(self) -> Table:
        """The stations that charge first, then the others, and a line that sums up."""
        from rich.table import Table

        csms = self._csms
        now, seen = time.monotonic(), csms.heard.total()
        rate = (seen - self._seen) / max(now - self._when, 1e-3)
        self._seen, self._when = seen, now
        charging = sum(state.power for state in csms.stations.values())
        table = Table(
            title=f"{len(self._server.connections)} connected, {charging / 1000:,.1f} kW, {rate:,.0f} messages/s",
            caption=f"{csms.sessions} charges begun, {csms.energy / 1000:,.1f} kWh delivered, {seen:,} messages heard",
        )
        for title in ("station", "OCPP", "model", "status", "transaction"):
            table.add_column(title, no_wrap=True)
        for title in ("kW", "limit kW", "kWh"):
            table.add_column(title, justify="right")
        states = sorted(csms.stations.values(), key=lambda state: (state.transaction is None, state.identity))
        for state in states[:_ROWS]:
            charges = state.transaction is not None
            table.add_row(
                state.identity,
                state.ocpp,
                state.model,
                state.status,
                str(state.transaction) if charges else "",
                f"{state.power / 1000:.1f}" if charges else "",
                f"{state.limit / 1000:.1f}" if charges and state.limit is not None else "",
                f"{state.energy / 1000:.2f}" if charges else "",
            )
        if len(states) > _ROWS:
            table.add_row(f"and {len(states) - _ROWS} more", *[""] * 7)
        return table


def messages_table(csms: Csms) -> Table:
    """How many messages of each action went either way."""
    from rich.table import Table

    table = Table(title="Messages")
    table.add_column("action")
    table.add_column("from stations", justify="right")
    table.add_column("from the CSMS", justify="right")
    table.add_column("refused or lost", justify="right")
    for action in sorted(csms.heard | csms.said):
        failed = csms.failed[action]
        table.add_row(
            action, f"{csms.heard[action]:,}", f"{csms.said[action] or ''}", str(failed) if failed else "", style=None
        )
    return table
