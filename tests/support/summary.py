"""Lines of fact for docs/verification.md."""

from __future__ import annotations

import os
from pathlib import Path


def report(line: str) -> None:
    """Print a line, and append it to the file that OCPPCORE_SUMMARY names, if it names one."""
    print(line)
    target = os.environ.get("OCPPCORE_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
