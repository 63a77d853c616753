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

    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Console(file=sys.stdout, markup=False, highlight=False, emoji=False, width=width, soft_wrap=False)
