"""JSON text from a tree, in one canonical or in many equivalent spellings, with the byte offset of one spot.

A tree is made of dict, list, str, int, bool and None as `json.dumps` takes them, and of `Raw` (a token written
as it stands: number spellings, broken strings) and `Pairs` (an object that may repeat a key).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from random import Random


class Raw(str):
    """A JSON token, written as it stands."""

    __slots__ = ()


class Pairs(list):
    """An object as a list of (key, value), which may repeat a key. Its order is kept."""


class Spot(NamedTuple):
    """A place in a tree: where = "value" (its first byte), "key" (its opening quote) or "close" (the bracket).

    Of a repeated key it is the last.
    """

    where: str
    path: tuple[str | int, ...]
    shift: int = 0  # bytes after that place


_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BLANKS = ("", "", "", " ", "\n", "\t", "\r\n  ")


def quoted(text: str, rng: Random | None = None) -> str:
    """A JSON string; with `rng`, some characters are spelled as escapes."""
    if rng is None:
        return json.dumps(text, ensure_ascii=False)
    if text.isascii() and text.isalnum() and rng.random() < 0.9:
        return f'"{text}"'
    out = ['"']
    for char in text:
        short = _SHORT.get(char)
        if short and rng.random() < 0.7:
            out.append(short)
        elif short or char < " " or rng.random() < 0.15:
            if char == "/" and rng.random() < 0.5:
                out.append("\\/")
            else:
                units = char.encode("utf-16-be", "surrogatepass").hex()
                escape = "".join("\\u" + units[i : i + 4] for i in range(0, len(units), 4))
                out.append(escape if rng.random() < 0.5 else escape.replace("\\u", "\0").upper().replace("\0", "\\u"))
        else:
            out.append(char)
    out.append('"')
    return "".join(out)


class _Writer:
    def __init__(self, rng: Random | None, spot: Spot | None) -> None:
        self.rng = rng
        self.spot = spot
        self.parts: list[str] = []
        self.found = -1  # number of parts before the spot

    def mark(self, where: str, path: tuple[str | int, ...]) -> None:
        if self.spot is not None and self.spot.where == where and self.spot.path == path:
            self.found = len(self.parts)

    def blank(self) -> None:
        if self.rng is not None:
            blank = self.rng.choice(_BLANKS)
            if blank:
                self.parts.append(blank)

    def value(self, node: Any, path: tuple[str | int, ...]) -> None:
        parts = self.parts
        self.mark("value", path)
        if isinstance(node, (dict, Pairs)):
            pairs = list(node.items()) if isinstance(node, dict) else list(node)
            if self.rng is not None and isinstance(node, dict) and self.rng.random() < 0.5:
                self.rng.shuffle(pairs)
            parts.append("{")
            for i, (key, item) in enumerate(pairs):
                if i:
                    parts.append(",")
                self.blank()
                here = (*path, key)
                self.mark("key", here)
                parts.append(quoted(key, self.rng))
                self.blank()
                parts.append(":")
                self.blank()
                self.value(item, here)
                self.blank()
            self.blank()
            self.mark("close", path)
            parts.append("}")
        elif isinstance(node, list):
            parts.append("[")
            for i, item in enumerate(node):
                if i:
                    parts.append(",")
                self.blank()
                self.value(item, (*path, i))
                self.blank()
            self.mark("close", path)
            parts.append("]")
        elif isinstance(node, Raw):
            parts.append(str(node))
        elif isinstance(node, str):
            parts.append(quoted(node, self.rng))
        else:
            parts.append(json.dumps(node))


def emit(node: Any, rng: Random | None = None, spot: Spot | None = None) -> tuple[bytes, int | None]:
    """The tree as JSON text, and the byte offset of the spot.

    Without `rng` the text is compact and keeps the order of keys; with it, order, blanks and escapes vary, never the
    meaning.
    """
    writer = _Writer(rng, spot)
    writer.value(node, ())
    offset = None
    if spot is not None:
        if writer.found < 0:
            raise LookupError(f"the tree has no {spot}")
        offset = len("".join(writer.parts[: writer.found]).encode()) + spot.shift
    return "".join(writer.parts).encode(), offset


def text_of(node: Any, rng: Random | None = None) -> bytes:
    """The tree as JSON text."""
    return emit(node, rng)[0]
