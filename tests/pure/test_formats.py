"""The formats of the readable backend: date-times, URIs, decimal steps, integers by their text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo

import pytest

from cases_faults import NOT_DATE_TIMES, NOT_URIS
from ocppcore._pure.formats import INT64_MAX, INT64_MIN, Step, format_datetime, integral, is_uri, parse_datetime

HOUR = timezone(timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02t03:04:05z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05-00:00", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.5+01:00", datetime(2026, 1, 2, 3, 4, 5, 500000, HOUR)),
        ("2026-01-02T03:04:05.1234564999Z", datetime(2026, 1, 2, 3, 4, 5, 123456, UTC)),
        ("2026-01-02T03:04:05.1234565Z", datetime(2026, 1, 2, 3, 4, 5, 123457, UTC)),
        ("2023-12-31T23:59:59.9999995+01:00", datetime(2024, 1, 1, tzinfo=HOUR)),
        ("2024-02-29T00:00:00.000Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01T00:00:00-23:59", datetime(1, 1, 1, tzinfo=timezone(-timedelta(hours=23, minutes=59)))),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999999, UTC)),
    ],
)
def test_what_a_date_time_means(text: str, value: datetime) -> None:
    parsed = parse_datetime(text)
    assert parsed == value
    assert parsed.utcoffset() == value.utcoffset()


@pytest.mark.parametrize("text", NOT_DATE_TIMES)
def test_what_is_no_date_time(text: str) -> None:
    assert parse_datetime(text) is None


class Nowhere(tzinfo):
    def utcoffset(self, at: datetime | None) -> None:
        return None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 678999, UTC), "2026-01-02T03:04:05.678Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999, UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 1, 0, 30, tzinfo=HOUR), "2025-12-31T23:30:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
        (datetime(1, 1, 1, tzinfo=HOUR), None),
        (datetime(9999, 12, 31, 23, 30, tzinfo=timezone(-timedelta(hours=1))), None),
        (datetime(2026, 1, 2), None),
        (datetime(2026, 1, 2, tzinfo=Nowhere()), None),
    ],
)
def test_how_a_date_time_is_written(value: datetime, text: str | None) -> None:
    assert format_datetime(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "ftp://user:pw@example.org:21/a/b.bin?x=1#top",
        "http://[2001:db8::1]:80/",
        "http://[::ffff:1.2.3.4]",
        "http://[v7.a:b]/",
        "urn:x:y",
        "file:///etc",
        "a:",
        "http://example.org/%20",
        "mailto:a@b",
        "http://",
        "http://:80",
        "http:?a/b?c#/d?",
    ],
)
def test_what_is_a_uri(text: str) -> None:
    assert is_uri(text)


@pytest.mark.parametrize("text", NOT_URIS)
def test_what_is_no_uri(text: str) -> None:
    assert not is_uri(text)


@pytest.mark.parametrize(
    ("text", "step", "expected"),
    [
        ("21.4", "0.1", True),
        ("0.3", "0.1", True),
        ("16", "0.1", True),
        ("16.00", "0.1", True),
        ("1e3", "0.1", True),
        ("214e-1", "0.1", True),
        ("0", "0.1", True),
        ("-0.0e9", "0.1", True),
        ("-7.4", "0.1", True),
        ("0.05", "0.1", False),
        ("21.45", "0.1", False),
        ("2145e-2", "0.1", False),
        ("1e-400", "0.1", False),
        ("0.75", "0.25", True),
        ("0.8", "0.25", False),
        ("15", "5", True),
        ("12", "5", False),
        ("1e300", "7", False),
        ("7" * 6000, "7", True),
        ("1e" + "9" * 6000, "0.1", True),
    ],
)
def test_multiples_by_their_text(text: str, step: str, expected: bool) -> None:
    assert Step(step).divides(text) is expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1),
        ("1e2", 100),
        ("-0.0", 0),
        ("0e999999999999999999999", 0),
        ("1200e-2", 12),
        ("1.5e1", 15),
        ("1250e-3", None),
        ("1e-400", None),
        ("1.5", None),
        ("-9.223372036854775808e18", INT64_MIN),
        ("9.223372036854775807E+18", INT64_MAX),
    ],
)
def test_integers_by_their_text(text: str, value: int | None) -> None:
    assert integral(text) == value


@pytest.mark.parametrize("text", ["9.223372036854775808e18", "1e19", "1e" + "9" * 6000, "9" * 6000 + ".0"])
def test_integers_beyond_64_bits(text: str) -> None:
    value = integral(text)
    assert value is not None
    assert value > INT64_MAX
