"""The terminal that tables are drawn on; plain text where stdout is none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

_PIPED_WIDTH = 160  # characters: nobody breaks lines in a pipe


def console() -> Console:
    """A console on today's stdout. It quotes nothing, marks nothing up, and obeys NO_COLOR."""
    from rich.console import Console

    class Screen(Console):
        """Rich ends with 1 when the reader of a pipe is gone; that code means findings here, so the error goes on to `_app`."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Screen(file=sys.stdout, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)
