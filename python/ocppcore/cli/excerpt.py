"""The part of a frame that a finding is about, as two lines: the text and carets below it."""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from itertools import islice
from typing import NamedTuple

_WIDTH = 96  # columns of an excerpt, its ellipses included
_LEAD = 36  # columns that are shown before what is at fault


class Excerpt(NamedTuple):
    """Text before what is at fault, that itself, text behind it; none of it moves the cursor."""

    before: str
    marked: str
    after: str

    @property
    def text(self) -> str:
        """The whole line."""
        return self.before + self.marked + self.after

    @property
    def carets(self) -> str:
        """The line below it; one caret where nothing stands."""
        return " " * _columns(self.before) + "^" * max(1, _columns(self.marked))


def excerpt(data: bytes, start: int, end: int, hidden: list[tuple[int, int]] | None = None) -> Excerpt:
    """What stands around the bytes from `start` to `end`; bytes in `hidden` ranges, in order, show as bullets."""
    low, high = max(0, start - _LEAD * 4), min(len(data), end + _WIDTH * 4)
    before = _shown(data, low, start, hidden)
    marked = _shown(data, start, end, hidden)
    after = _shown(data, end, high, hidden)
    if len(before) > _LEAD or low > 0:
        before = "…" + before[-_LEAD + 1 :]
    if len(marked) > _WIDTH - _LEAD:
        marked = marked[: _WIDTH - _LEAD - 1] + "…"
    room = _WIDTH - len(before) - len(marked)
    if len(after) > room or high < len(data):
        after = after[: max(0, room - 1)] + "…"
    return Excerpt(before, marked, after)


def _shown(data: bytes, start: int, end: int, hidden: list[tuple[int, int]] | None) -> str:
    """Some bytes as text of one line."""
    parts: list[str] = []
    at = start
    ranges = hidden or []
    first = max(0, bisect_left(ranges, (start, 0)) - 1)
    for low, high in islice(ranges, first, None):
        if low >= end:
            break
        if high <= at:
            continue
        parts.append(_plain(data[at : max(at, low)]))
        parts.append("•••")
        at = min(high, end)
    parts.append(_plain(data[at:end]))
    return "".join(parts)


def _plain(part: bytes) -> str:
    text = part.decode("utf-8", "replace")
    return text if text.isprintable() else "".join(c if c.isprintable() else "·" for c in text)


def _columns(text: str) -> int:
    """The columns of a terminal that a text fills."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
