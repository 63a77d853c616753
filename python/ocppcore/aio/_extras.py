"""What to say when an optional library is not installed."""

from __future__ import annotations


def missing(extra: str, error: ModuleNotFoundError) -> ModuleNotFoundError:
    """The error to raise instead: it names the extra that brings the library."""
    text = f"{error.name} is not installed; pip install 'ocppcore[{extra}]'"
    return ModuleNotFoundError(text, name=error.name)
