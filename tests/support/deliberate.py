"""Where ocppcore's verdict differs from the oracle's on purpose: the written list, with the reason of each.

`STRICTER` lists what we refuse although jsonschema-rs accepts it; there is nothing that we accept and it refuses.
Mutants name the entry they belong to; the oracle test checks that the verdicts do differ there and nowhere else, and
that each entry occurs.
"""

from __future__ import annotations

from typing import NamedTuple


class Difference(NamedTuple):
    """One deliberate difference: the kinds of fault we report, and why."""

    kinds: tuple[str, ...]
    example: str
    reason: str


STRICTER: dict[str, Difference] = {
    "duplicate_key": Difference(
        ("duplicate_key",),
        '{"status":"Accepted","status":"Rejected"}',
        "JSON Schema never sees the first of two equal keys; two readers of one frame could act on different values",
    ),
    "int64": Difference(
        ("number_range",),
        "9223372036854775808",
        "an integer beyond signed 64 bits has no faithful home in most peers and data stores",
    ),
    "double": Difference(
        ("number_range",),
        '{"customData":{"vendorId":"v","x":1e400}}',
        "a free-form number that overflows a double would come back as infinity, which JSON cannot write",
    ),
    "exact_integer": Difference(
        ("type",),
        "1.00000000000000000001",
        "numbers are judged by their text; the oracle sees the nearest double, which is integral",
    ),
    "exact_decimal": Difference(
        ("multiple_of",),
        "21.40000000000000000001",
        "numbers are judged by their text; the oracle sees the nearest double, which is a multiple of the step",
    ),
    "leap_second": Difference(
        ("format",),
        "2016-12-31T23:59:60Z",
        "Python's datetime has no second 60, and rounding it away would change the instant",
    ),
    "punctuation_digit": Difference(
        ("format",),
        "2026-01-02T1-:04:05Z",
        "RFC 3339 asks for digits; the oracle takes some punctuation for a digit (seen with 0.60.3)",
    ),
    "year_zero": Difference(
        ("format",),
        "0000-01-01T00:00:00Z",
        "Python's datetime starts with the year 1",
    ),
    "instant_range": Difference(
        ("format",),
        "0001-01-01T00:00:00+00:01",
        "an instant outside the years 1 to 9999 in UTC could not be written back",
    ),
    "surrogate": Difference(
        ("surrogate",),
        '"\\ud83d"',
        "a lone surrogate is no character: it could be neither encoded nor sent on",
    ),
    "depth": Difference(
        ("depth",),
        "64 levels of nesting in customData",
        "a bound on nesting keeps the reader's stack bounded; no message needs more than 13 levels",
    ),
}
