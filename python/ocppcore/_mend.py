"""Mending text that is not quite JSON: a small, stated set of repairs, none of which guesses a value.

One pass over the text, which remembers the open brackets and what may come next. Where something else comes, the repairs that are allowed are
tried; where none fits, the text stays broken. Whatever is mended is read by the strict walk afterwards.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ._pure.text import MAX_DEPTH

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 1_000  # repairs of one text: what needs more is no JSON

_space = re.compile(r"[ \t\r\n]*").match
_scalar = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|true|false|null").match
_plain = re.compile(r'[^"\\\x00-\x1f]*').match
_escape = re.compile(r'\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})').match


class Mended(NamedTuple):
    """A repair: the span that it replaces and by what, its name, and the place and kind of the fault that it mends."""

    start: int
    end: int
    new: str
    name: str
    at: int
    kind: str = "syntax"


class _Hopeless(Exception):
    """No repair that is allowed fits here."""


def mended(text: str, allowed: frozenset[str]) -> list[Mended] | None:
    """The repairs that make JSON of a text, in order; None when those that are allowed do not."""
    mender = _Mender(text, allowed)
    try:
        mender.mend()
    except _Hopeless:
        return None
    return mender.repairs


class _Mender:
    """A place in a text, and what may come there."""

    def __init__(self, text: str, allowed: frozenset[str]) -> None:
        self.repairs: list[Mended] = []
        self._text = text
        self._allowed = allowed
        self._at = 0
        self._open: list[str] = []  # the closing brackets that are due
        self._comma: int | None = None  # the comma before the item that is due; None at the first
        self._states: dict[str, Callable[[str], str]] = {
            "value": self._value,
            "member": self._member,
            "colon": self._colon,
            "member_value": self._member_value,
            "follower": self._follower,
        }
        self._key = 0  # where the key of the value that is due begins

    def mend(self) -> None:
        """Go over the text, from state to state; each says which is next."""
        state = "value"
        while state != "end":
            self._skip()
            next_ = self._text[self._at : self._at + 1]
            state = self._states[state](next_) if next_ else self._cut_off(state)

    def _skip(self) -> None:
        """White space, and NULs between values or a byte order mark before them."""
        while True:
            match = _space(self._text, self._at)
            assert match is not None  # it matches nothing too
            self._at = match.end()
            here = self._text[self._at : self._at + 1]
            if here != "\0" and not (here == "\ufeff" and not self._open):
                return
            self._replace(self._at, self._at + 1, "", "stray_bytes")
            self._at += 1

    def _replace(self, start: int, end: int, new: str, name: str, kind: str = "syntax") -> None:
        if name not in self._allowed or len(self.repairs) == _MOST:
            raise _Hopeless
        while self.repairs and self.repairs[-1].start >= start:  # what is inside goes with it
            self.repairs.pop()
        self.repairs.append(Mended(start, end, new, name, self._at, kind))

    # What may come: each takes the character that comes, and gives the next state.

    def _value(self, next_: str) -> str:
        """A value: the whole text, or what a comma or an opening bracket in a list announced."""
        if next_ == "]" and self._open[-1:] == ["]"]:
            return self._closing(next_)
        if next_ == "," and self._comma is None and self._open:  # [,1]
            self._replace(self._at, self._at + 1, "", "stray_comma")
            self._at += 1
            return "value"
        return self._any_value(next_)

    def _member(self, next_: str) -> str:
        """A key, or the end of the object."""
        if next_ == '"':
            self._key = self._at
            self._string()
            return "colon"
        if next_ == "}":
            return self._closing(next_)
        if next_ != ",":
            raise _Hopeless
        self._replace(self._at, self._at + 1, "", "stray_comma")
        self._at += 1
        return "member"

    def _colon(self, next_: str) -> str:
        if next_ != ":":
            raise _Hopeless
        self._at += 1
        return "member_value"

    def _member_value(self, next_: str) -> str:
        """What a key announced."""
        if next_ not in ",}":
            return self._any_value(next_)
        if next_ == ",":
            self._replace(self._key, self._at + 1, "", "missing_value")
            self._at += 1
            return "member"
        start = self._key if self._comma is None else self._comma
        self._replace(start, self._at, "", "missing_value")
        self._comma = None
        return self._closing(next_)

    def _follower(self, next_: str) -> str:
        """What follows a value."""
        if not self._open:
            raise _Hopeless
        if next_ != ",":
            self._comma = None
            return self._closing(next_)
        self._comma = self._at
        self._at += 1
        return "value" if self._open[-1] == "]" else "member"

    def _any_value(self, next_: str) -> str:
        if next_ == '"':
            self._string()
        elif next_ in "[{":
            if len(self._open) == MAX_DEPTH:
                raise _Hopeless
            self._open.append("]" if next_ == "[" else "}")
            self._comma = None
            self._at += 1
            return "value" if next_ == "[" else "member"
        else:
            match = _scalar(self._text, self._at)
            if match is None:
                raise _Hopeless
            self._at = match.end()
        return "follower"

    def _closing(self, next_: str) -> str:
        """A closing bracket; a comma may stand before it."""
        if next_ != self._open[-1]:
            raise _Hopeless
        if self._comma is not None:
            self._replace(self._comma, self._at, "", "stray_comma")
        self._open.pop()
        self._comma = None
        self._at += 1
        return "follower"

    def _cut_off(self, state: str) -> str:
        """The text ends here: fine behind its value, else its open brackets may be closed where nothing was begun."""
        if state == "follower" and not self._open:
            return "end"
        if not self._open or state not in ("follower", "value", "member"):
            raise _Hopeless
        if state != "follower" and self._comma is not None:
            self._replace(self._comma, self._at, "".join(reversed(self._open)), "close_brackets", "truncated")
        else:
            self._replace(self._at, self._at, "".join(reversed(self._open)), "close_brackets", "truncated")
        return "end"

    def _string(self) -> None:
        """A string: control characters become escapes, a backslash that begins no escape becomes one that does."""
        text, at = self._text, self._at + 1
        while True:
            match = _plain(text, at)
            assert match is not None  # it matches nothing too
            at = match.end()
            special = text[at : at + 1]
            if special == '"':
                self._at = at + 1
                return
            if not special:
                raise _Hopeless
            escape = _escape(text, at)
            if escape is not None:
                at = escape.end()
                continue
            self._at = at
            if special == "\\":
                self._replace(at, at, "\\", "lone_backslash")
            else:
                self._replace(at, at + 1, f"\\u{ord(special):04x}", "control_character")
            at += 1
