"""Writing results: text for people, one JSON object per line for programs, and a progress line while it takes long.

Data goes to stdout, words about it to stderr.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from .._codec import Codec
    from .._errors import Finding, OcppError
    from ..log.conversation import Outcome
    from ..log.layouts import Record
    from ..log.sources import Source

_QUIET_START = 0.7  # seconds before the first progress line
_INTERVAL = 0.1  # seconds between two of them
_BAR = 24  # characters
_FRAMES_PER_LOOK = 64  # at the clock


class Progress:
    """One line on stderr that says how far a long read has come. It is nowhere to be seen when stderr is no terminal."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._shown = False
        self._wanted = sys.stderr.isatty()
        self._frames = 0
        self._began = self._last = time.monotonic()

    def step(self, source: Source) -> None:
        """One more frame of the source has been read."""
        self._frames += 1
        if not self._wanted or self._frames % _FRAMES_PER_LOOK:
            return
        now = time.monotonic()
        if now - self._began < _QUIET_START or now - self._last < _INTERVAL:
            return
        self._last = now
        rate = f"{self._frames:,} frames  {self._frames / (now - self._began):,.0f}/s"
        if source.size is None:
            line = f"{self._what}  {source.position / 1e6:,.0f} MB  {rate}"
        else:
            share = min(1.0, source.position / source.size)
            full = round(share * _BAR)
            line = f"{self._what}  {'━' * full}{'╌' * (_BAR - full)} {share:4.0%}  {rate}  {source.name}"
        width = max(20, _width() - 1)
        sys.stderr.write(f"\r{line[:width]}\x1b[K")
        sys.stderr.flush()
        self._shown = True

    def clear(self) -> None:
        """Take the line away, before anything else is written and at the end."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._shown = False


def _width() -> int:
    """The terminal's width in characters."""
    import shutil

    return shutil.get_terminal_size().columns


class Writer:
    """Where a command's results go, in the form that the user chose."""

    def __init__(self, form: str, what: str) -> None:
        self.is_json = form == "json"
        self.progress = Progress(what)
        self._encode = msgspec.json.Encoder(order=None).encode

    def line(self, text: str) -> None:
        """A line of text for people; its styles are dropped where stdout shows none."""
        self.progress.clear()
        click.echo(text)

    def object(self, value: dict[str, Any]) -> None:
        """A line that holds one JSON object; entries that are None are left out."""
        self.progress.clear()
        sys.stdout.write(self._encode({k: v for k, v in value.items() if v is not None}).decode("utf-8") + "\n")

    def note(self, text: str) -> None:
        """Words for people beside the results: on stderr."""
        self.progress.clear()
        sys.stdout.flush()
        click.echo(text, err=True)


def place(source: str, record: Record) -> str:
    """Where a frame was found, as editors and terminals understand it: file:line."""
    return f"{source}:{record.line}"


def head(source: str, version: str, record: Record, outcome: Outcome) -> dict[str, Any]:
    """What every JSON line about a frame begins with."""
    return {
        "source": source,
        "line": record.line,
        "station": record.station,
        "ocpp": version,
        "kind": outcome.kind,
        "id": None if outcome.id is None else sound(outcome.id),
        "action": None if outcome.action is None else sound(outcome.action),
    }


def fault(error: OcppError, reply: bytes | None) -> dict[str, Any]:
    """An error as JSON, with the answer that the protocol asks for."""
    return {
        "kind": error.kind,
        "path": sound(error.path),
        "offset": error.offset,
        "expected": error.expected,
        "found": None if error.found is None else sound(error.found),
        "code": error.code,
        "text": sound(str(error)),
        "reply": None if reply is None else reply.decode("utf-8"),
    }


def finding(found: Finding) -> dict[str, Any]:
    """A finding as JSON."""
    return {
        "rule": found.rule,
        "severity": found.severity,
        "kind": found.kind,
        "path": sound(found.path),
        "offset": found.offset,
        "end": found.end,
        "expected": found.expected,
        "found": None if found.found is None else sound(found.found),
        "suggestion": found.suggestion,
        "fix": found.fix,
        "section": found.section,
        "code": found.code,
        "text": sound(found.text),
    }


def sound(text: str) -> str:
    """Text that any output can carry: lone surrogates, which JSON refuses, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def answer(codec: Codec[Any], error: OcppError) -> bytes | None:
    """The frame to send in answer to a fault, as bytes; None where the protocol wants none."""
    reply = error.reply()
    return None if reply is None else codec.encode(reply)


def plain(text: str) -> str:
    """A peer's word for people's eyes: nothing in it can move the cursor, and no more than a line of it."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:100])
    return shown if len(text) <= 100 else f"{shown}…"
