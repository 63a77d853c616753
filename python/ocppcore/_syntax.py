"""What a text that is no JSON should have been: for people who write it by hand or by a faulty program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from ._errors import Finding

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|"|[\[\]{},:]|[^\s"\[\]{},:]+', re.DOTALL)
_VALUE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?|\'[^\'\\]*(?:\\.[^\'\\]*)*\'?|[^\s"\'\[\]{},:]+', re.DOTALL)
# Message type, id, and the action or the code; a CALLRESULT has neither.
_HEAD = re.compile(
    rb'\s*\[\s*(?:[2456]\s*,\s*(?:"[^"\\]*"|[0-9]{1,20})\s*,\s*"[^"\\]*"|[0-9]{1,2}\s*(?:,\s*"[^"\\]*")?)(?=\s*(?:[,\]]|\Z))'
)
_CLOSERS = {b"[": b"]", b"{": b"}"}
# Words of other languages -> JSON's.
_WORDS = {
    b"True": "true",
    b"TRUE": "true",
    b"False": "false",
    b"FALSE": "false",
    b"None": "null",
    b"NULL": "null",
    b"nil": "null",
    b"undefined": "null",
}
_NOT_NUMBERS = (b"NaN", b"Infinity", b"-Infinity", b"nan", b"inf", b"-inf")
_WORD = re.compile(rb"[-+]?[A-Za-z_]+")


class _State(NamedTuple):
    """Where the reader stood: the brackets that are open, outermost first, the last tokens, and a string that is open.

    `touches`: the last token reaches to the fault.
    """

    open: list[tuple[bytes, int]]
    last: bytes
    last_at: int
    before: bytes
    string: int | None
    touches: bool


def explained(finding: Finding, data: bytes) -> Finding:
    """The finding of a broken text with what is wrong, what would mend it, and the bracket or quote that it goes back to."""
    assert finding.offset is not None  # a fault of a text has a place
    hint, suggestion = _hint(data, finding.offset)
    text = f"{finding.text}. {hint}" if hint else finding.text
    return msgspec.structs.replace(finding, hint=hint, suggestion=suggestion, text=text)


def values(data: bytes) -> list[tuple[int, int]]:
    """What may be worth hiding in a text, broken or not: all but the head of its frame, keys, brackets, commas and colons."""
    head = _HEAD.match(data)
    found: list[tuple[int, int]] = []
    for match in _VALUE.finditer(data, head.end() if head is not None else 0):
        quoted = data[match.start()] in b"\"'"
        is_key = quoted and data[match.end() : match.end() + 16].lstrip()[:1] == b":"
        if not is_key:
            found.append(match.span())
    return found


def _hint(data: bytes, offset: int) -> tuple[str | None, str | None]:
    """A sentence that says what to do, and what to write at the place of the fault where that is known."""
    state = _state(data, offset)
    at = data[offset : offset + 1]
    if offset >= len(data):
        return _at_end(data, state)
    if state.string is not None:
        return _in_string(data, offset, state.string)
    if offset == 0 and data.startswith(b"\xef\xbb\xbf"):
        return "The text begins with a byte order mark: leave it out.", None
    if not state.open and state.last:
        return "The frame ended before this: send one frame per message and nothing behind it.", None
    word = _word_at(data, offset)
    if word in _WORDS:
        return f"JSON writes this {_WORDS[word]}.", _WORDS[word]
    if word in _NOT_NUMBERS:
        return "JSON has no such number: leave the field out.", None
    if at == b"'":
        return 'Strings stand in double quotes: "...".', '"'
    if at == b"/":
        return "JSON has no comments.", None
    return _by_grammar(at, state)


def _by_grammar(at: bytes, state: _State) -> tuple[str | None, str | None]:
    """What could have followed the last token."""
    bracket = state.open[-1][0] if state.open else b""
    opened = f"the {bracket.decode()} of byte {state.open[-1][1]}" if state.open else ""
    if state.last == b"," and at in (b"]", b"}"):
        return f"The comma of byte {state.last_at} has nothing behind it: leave it out.", None
    if at in (b"]", b"}") and bracket and at != _CLOSERS[bracket]:
        closer = _CLOSERS[bracket].decode()
        return f"A {closer} is needed first: it closes {opened}.", closer
    if state.last == b":":
        return "A value is missing behind the colon.", None
    if bracket == b"{" and state.last in (b"{", b","):
        return "A key is needed here, in double quotes.", '"'
    if bracket == b"{" and state.last.startswith(b'"') and state.before in (b"{", b","):
        return "A colon is needed between a key and its value.", ":"
    if state.last in (b"", b"[", b","):
        return "A value is needed here.", None
    if state.touches and (state.last[:1].isdigit() or state.last[:1] == b"-"):
        return f"The number that begins at byte {state.last_at} is not written as JSON writes numbers.", None
    if state.touches and state.last.isalpha():
        return "JSON knows the words true, false and null alone.", None
    if bracket:
        return f"A comma or the {_CLOSERS[bracket].decode()} that closes {opened} is needed here.", ","
    return None, None


def _at_end(data: bytes, state: _State) -> tuple[str | None, str | None]:
    if not data.strip():
        return "There is no text: an empty message is no frame.", None
    closers = b"".join(_CLOSERS[bracket] for bracket, _ in reversed(state.open)).decode()
    if state.string is not None:
        return (
            f"The string that begins at byte {state.string} is not closed; behind it {closers or 'nothing'} is missing.",
            f'"{closers}',
        )
    if state.last in (b",", b":"):
        return f"Something is missing behind the {state.last.decode()}, and then {closers}.", None
    if closers:
        bracket, opened = state.open[-1]
        around = " and what is around it" if len(closers) > 1 else ""
        return f"Missing: {closers}, which closes the {bracket.decode()} of byte {opened}{around}.", closers
    return None, None


def _in_string(data: bytes, offset: int, start: int) -> tuple[str | None, str | None]:
    at = data[offset]
    if at < 0x20:
        escape = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r"}.get(at, f"\\u{at:04x}")
        if at in (10, 13):
            return (
                f"The string that begins at byte {start} is not closed on its line; a line break in it is written {escape}.",
                escape,
            )
        return f"A control character in a string is written {escape}.", escape
    if data[offset - 1 : offset] == b"\\":
        return (
            'Only \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with four digits are escapes; a backslash itself is written \\\\.',
            "\\\\",
        )
    return "An escape \\u has four hexadecimal digits.", None


def _word_at(data: bytes, offset: int) -> bytes:
    """The word around a byte: the fault of `nulx` lies within it."""
    start = offset
    while start > 0 and offset - start < 16 and data[start - 1 : start].isalpha():
        start -= 1
    if data[start - 1 : start] == b"-" and start > 0:
        start -= 1
    match = _WORD.match(data, start)
    return match.group() if match is not None else b""


def _state(data: bytes, offset: int) -> _State:
    """The reader's state before the fault: the text up to there is sound."""
    open_: list[tuple[bytes, int]] = []
    last, last_at, before = b"", 0, b""
    string: int | None = None
    for match in _TOKEN.finditer(data, 0, offset):
        token = match.group()
        if token == b'"' and match.end() <= offset:
            string = match.start()
            break
        if token in _CLOSERS:
            open_.append((token, match.start()))
        elif token in (b"]", b"}") and open_:
            open_.pop()
        before, last, last_at = last, token, match.start()
    return _State(open_, last, last_at, before, string, last_at + len(last) == offset)
