"""Reading JSON tokens from text: the only file that knows what JSON looks like.

A Scanner stops at the first character that cannot continue a JSON text, by raising Stop with the fault. It works on `str`, since that is what
`re` is fast at; places are indices of characters, and become byte offsets only when a fault is told (`Scanner.offset`).

The text ends with a NUL that the data does not have: a look at the next character needs no check for the end, and a NUL is
allowed nowhere in JSON.
"""

from __future__ import annotations

import re
from typing import NamedTuple, NoReturn

MAX_DEPTH = 64  # brackets that may be open at once, the frame's own included

_PLAIN = r'[^"\\\x00-\x1f\ud800-\udfff]*'
_SPACE = r"[ \t\n\r]*"

skip_space = re.compile(_SPACE).match
match_string = re.compile(f'"({_PLAIN})"').match  # one without escapes
# A member of an object up to its value: group 1 is the key, group 2 the value if it is a string, neither with escapes.
match_member = re.compile(f'{_SPACE}"({_PLAIN})"{_SPACE}:{_SPACE}(?:"({_PLAIN})")?').match
match_number = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?").match
# A scalar, strings without escapes.
match_token = re.compile(rf'"{_PLAIN}"|-?[0-9][-+.0-9eE]*|true|false|null').match
_plain = re.compile(_PLAIN).match
_escape = re.compile(r'\\(?:(["\\/bfnrt])|u([0-9A-Fa-f]{4}))').match
_hex_digits = re.compile("[0-9A-Fa-f]{0,4}").match

_IN_NUMBERS = frozenset("0123456789.eE")
_BEGINS = frozenset('"-0123456789{[tfn')
_WORDS: dict[str, tuple[str, bool | None]] = {"t": ("true", True), "f": ("false", False), "n": ("null", None)}
_UNESCAPED = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


class Fault(NamedTuple):
    """One thing that is wrong: the kind, a JSON pointer into the payload, the index of the character, and what was expected there."""

    kind: str
    path: str
    at: int
    expected: object


class Stop(Exception):
    """The reader cannot, or need not, go on. Without a fault all has been reported before."""

    def __init__(self, fault: Fault | None) -> None:
        super().__init__(fault)
        self.fault = fault


class Scanner:
    """A place in a text. Each method that reads moves `at` behind what it has read."""

    __slots__ = ("_byte", "_char", "_errors", "at", "depth", "end", "text")

    def __init__(self, data: str | bytes, depth: int = 0) -> None:
        if isinstance(data, str):
            self.text = data + "\0"
            self._errors = "surrogatepass"
        else:
            # A byte that is not UTF-8 becomes a lone surrogate, U+DC80 to U+DCFF, which the scanner meets in its turn.
            self.text = data.decode("utf-8", "surrogateescape") + "\0"
            self._errors = "surrogateescape"
        self.end = len(self.text) - 1
        self.at = 0
        self.depth = depth
        self._char = self._byte = 0  # the last place whose offset was asked for

    def offset(self, at: int) -> int:
        """The UTF-8 byte at which a character begins. Asked in rising order the whole text is encoded once at most."""
        if at < self._char:
            self._char = self._byte = 0
        self._byte += len(self.text[self._char : at].encode("utf-8", self._errors))
        self._char = at
        return self._byte

    # Faults of the text: whoever meets one cannot go on.

    def stop(self, kind: str, at: int, expected: object = None) -> NoReturn:
        """End the walk with a fault of the text, which has no path."""
        raise Stop(Fault(kind, "", at, expected))

    def unexpected(self, at: int) -> NoReturn:
        """No JSON text goes on like this: `syntax`, or `truncated` where the data has ended."""
        self.stop("truncated" if at >= self.end else "syntax", at)

    # Between values

    def space(self) -> str:
        """Skip white space; the character that follows."""
        text = self.text
        if text[self.at] <= " ":
            match = skip_space(text, self.at)
            assert match is not None  # it matches nothing too
            self.at = match.end()
        return text[self.at]

    def begins(self) -> str:
        """Skip white space; the first character of the value that must follow."""
        first = self.space()
        if first not in _BEGINS:
            self.unexpected(self.at)
        return first

    def open(self) -> None:
        """Pass an opening bracket."""
        if self.depth == MAX_DEPTH:
            self.stop("depth", self.at, MAX_DEPTH)
        self.depth += 1
        self.at += 1

    def closes(self, bracket: str) -> bool:
        """Whether the closing bracket comes at once; it is passed then."""
        if self.space() != bracket:
            return False
        self.at += 1
        self.depth -= 1
        return True

    def more(self, bracket: str) -> bool:
        """After an item: pass a comma (True) or the closing bracket (False)."""
        follows = self.space()
        if follows == ",":
            self.at += 1
            return True
        if follows != bracket:
            self.unexpected(self.at)
        self.at += 1
        self.depth -= 1
        return False

    def colon(self) -> None:
        """Pass the colon after a key, and the white space around it."""
        if self.space() != ":":
            self.unexpected(self.at)
        self.at += 1
        self.space()

    def end_of_text(self) -> None:
        """Only white space may follow."""
        self.space()
        if self.at != self.end:
            self.unexpected(self.at)

    # Scalars

    def literal(self) -> bool | None:
        """The value of `true`, `false` or `null`, whichever the character here begins."""
        word, value = _WORDS[self.text[self.at]]
        for expected in word:
            if self.text[self.at] != expected:
                self.unexpected(self.at)
            self.at += 1
        return value

    def number(self) -> re.Match[str]:
        """A number as it is written: group 1 is its fraction, group 2 its exponent; `lastindex` is None where it has neither."""
        match = match_number(self.text, self.at)
        if match is None:
            self.unexpected(self.at + 1)  # behind a minus
        end = match.end()
        follows = self.text[end]
        if follows in _IN_NUMBERS:
            if follows == "." and match.lastindex is None:
                self.unexpected(end + 1)
            if follows in "eE" and match[2] is None:
                self.unexpected(end + 2 if self.text[end + 1] in "+-" else end + 1)
            if follows.isdigit():
                self.unexpected(end)  # 02
        self.at = end
        return match

    def string(self) -> str:
        """The string whose opening quote is here, its escapes undone."""
        match = match_string(self.text, self.at)
        if match is not None:
            self.at = match.end()
            return match[1]
        parts: list[str] = []
        text, at = self.text, self.at + 1
        while True:
            match = _plain(text, at)
            assert match is not None  # it matches nothing too
            parts.append(match[0])
            at = match.end()
            special = text[at]
            if special == '"':
                self.at = at + 1
                return "".join(parts)
            if special == "\\":
                character, at = self._unescape(at)
                parts.append(character)
            elif special < " ":
                self.unexpected(at)
            else:
                self.stop("surrogate" if self._is_surrogate(at) else "utf8", at)

    def _unescape(self, at: int) -> tuple[str, int]:
        """The character that an escape stands for, and the place behind it."""
        match = _escape(self.text, at)
        if match is None:
            if self.text[at + 1] != "u":
                self.unexpected(at + 1)
            self.unexpected(self._no_hex_digit(at + 2))
        if match[1] is not None:
            return _UNESCAPED[match[1]], at + 2
        unit = int(match[2], 16)
        if unit & 0xF800 != 0xD800:
            return chr(unit), at + 6
        # A surrogate: only a high one that a low one follows stands for a character.
        low = self._low_surrogate(at + 6) if unit < 0xDC00 else None
        if low is None:
            self.stop("surrogate", at)
        return chr(0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)), at + 12

    def _low_surrogate(self, at: int) -> int | None:
        """The low surrogate whose escape is here; None when something else is, and a fault where the data ends within it."""
        text = self.text
        for place, expected in ((at, "\\"), (at + 1, "u")):
            if text[place] != expected:
                if place >= self.end:
                    self.unexpected(place)
                return None
        broken = self._no_hex_digit(at + 2)
        if broken < at + 6:
            if broken >= self.end:
                self.unexpected(broken)
            return None
        unit = int(text[at + 2 : at + 6], 16)
        return unit if unit & 0xFC00 == 0xDC00 else None

    def _no_hex_digit(self, at: int) -> int:
        """The place behind the hexadecimal digits here, four at most."""
        match = _hex_digits(self.text, at)
        assert match is not None  # it matches nothing too
        return match.end()

    def _is_surrogate(self, at: int) -> bool:
        """Whether the lone surrogate here stands for one in the data, and not for a byte that is no UTF-8."""
        if self._errors == "surrogatepass":
            return True
        three = self.text[at : at + 3].encode("utf-8", "surrogateescape")[:3]
        return len(three) == 3 and three[0] == 0xED and 0xA0 <= three[1] <= 0xBF and 0x80 <= three[2] <= 0xBF
