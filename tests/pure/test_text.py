"""The scanner of the readable backend: strings, offsets, and what its regular expressions leave to slower code."""

from __future__ import annotations

import pytest

from ocppcore._pure.text import MAX_DEPTH, Scanner, Stop


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('""', ""),
        ('"a b"', "a b"),
        (r'"\"\\\/\b\f\n\r\t"', '"\\/\b\f\n\r\t'),
        (r'"\u0041\u00e9\u20AC\ud83d\uDE00"', "Aé€😀"),
        (r'"\u0000x\ue000"', "\0x\ue000"),
        ('"é€😀\u007f\u2028"', "é€😀\u007f\u2028"),
        (r'"\ud83d\ude00\ud83d\ude01"', "😀😁"),
    ],
)
@pytest.mark.parametrize("as_bytes", [False, True])
def test_what_a_string_says(text: str, value: str, as_bytes: bool) -> None:
    scanner = Scanner(text.encode() if as_bytes else text)
    assert scanner.string() == value
    assert scanner.at == scanner.end


def test_offsets_are_bytes_whichever_order_they_are_asked_in() -> None:
    text = 'é"€😀x'
    for data in (text, text.encode()):
        scanner = Scanner(data)
        assert [scanner.offset(at) for at in (0, 1, 2, 3, 4, 5)] == [0, 2, 3, 6, 10, 11]
        assert scanner.offset(3) == 6


def test_offsets_behind_what_is_no_text() -> None:
    assert Scanner(b"\xff\xed\xa0\x80x").offset(4) == 4
    assert Scanner("\ud800\udc80x").offset(2) == 6


@pytest.mark.parametrize(
    ("text", "written", "is_plain"),
    [("0", "0", True), ("-0,", "-0", True), ("10 ", "10", True), ("1.50]", "1.50", False), ("-1E+5}", "-1E+5", False)],
)
def test_a_number_as_it_is_written(text: str, written: str, is_plain: bool) -> None:
    scanner = Scanner(text)
    match = scanner.number()
    assert (match[0], match.lastindex is None, scanner.at) == (written, is_plain, len(written))


def test_the_limit_on_depth_counts_what_stands_around_the_text() -> None:
    scanner = Scanner("[[", depth=MAX_DEPTH - 1)
    scanner.open()
    with pytest.raises(Stop) as caught:
        scanner.open()
    assert caught.value.fault == ("depth", "", 1, MAX_DEPTH)
