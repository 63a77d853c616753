"""What stands at the place of a fault: where it ends, and as much of it as a text may show, in printable characters."""

from __future__ import annotations

import re

LONGEST_QUOTE = 64  # characters of a value that a text may show
_LONGEST_NESTED = 4096  # bytes of a list or object that are followed to find its end: hostile ones cost no more

# Kinds whose place is where something is absent or everything is: there is nothing to quote.
NOTHING_FOUND = frozenset(("missing", "too_few", "truncated", "size", "depth"))
# Those that are one byte wide: the closing bracket before which something is absent, and what stops the reader.
_ONE_BYTE = frozenset(("missing", "too_few", "truncated", "depth", "utf8"))
# Those whose end is not that of a value.
_OTHER_END = _ONE_BYTE | {"size", "surrogate", "syntax"}
_CHARACTER = re.compile(rb"[\xc0-\xff][\x80-\xbf]{0,3}|.", re.DOTALL)
_SCALAR = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:\[\]{}]+', re.DOTALL)
_DEEPER = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}
_NESTING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


# A character takes at most four bytes: this window holds more than is shown.
_LONGEST_PART = 4 * (LONGEST_QUOTE + 1)


def quote(kind: str, data: bytes, offset: int | None) -> str | None:
    """The value or token at `offset`, at most 64 characters, the last of them an ellipsis when it was cut."""
    return None if offset is None else quoted(kind, data, offset, None)


def quoted(kind: str, data: bytes, offset: int, end: int | None) -> str | None:
    """The same where it is known which byte is behind what is at fault."""
    if kind in NOTHING_FOUND:
        return None
    if end is None or end - offset >= _LONGEST_PART or kind in _OTHER_END:
        part = data[offset : offset + _LONGEST_PART]
        part = part[: _end_of_value(part)]
    else:
        part = data[offset:end]
    text = printable(part.decode("utf-8", "backslashreplace"))
    return shorten(text) if text else None


def end_of(kind: str, data: bytes, offset: int) -> int:
    """Where that ends which is at fault: a value, a key, a bracket, a character, an escape, or what is too long."""
    if kind == "size":
        return len(data)
    if kind == "surrogate":
        return min(offset + (6 if data[offset : offset + 1] == b"\\" else 3), len(data))
    if kind == "syntax":
        character = _CHARACTER.match(data, offset)
        return offset if character is None else character.end()
    if kind in _ONE_BYTE:
        return min(offset + 1, len(data))
    return _end_of_value(data, offset, offset + _LONGEST_NESTED)


def _end_of_value(data: bytes, start: int = 0, farthest: int | None = None) -> int:
    """Where the value that begins at `start` ends; the data's own end if it lies beyond, one byte on for what is no value.

    A list or an object is followed as far as `farthest`.
    """
    first = data[start : start + 1]
    if first not in (b"[", b"{"):
        scalar = _SCALAR.match(data, start)
        return scalar.end() if scalar is not None else len(data) if first == b'"' else start + 1
    depth = 0
    farthest = len(data) if farthest is None else min(farthest, len(data))
    for token in _NESTING.finditer(data, start, farthest):
        depth += _DEEPER.get(token.group(), 0)
        if depth == 0:
            return token.end()
    return farthest


def shorten(text: str, longest: int = LONGEST_QUOTE) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def printable(text: str) -> str:
    """The text with escapes for what would break a line of a log: control characters, lone surrogates and the like."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
