"""What a log says beside a frame: when it was logged, and whether it came in or went out."""

from __future__ import annotations

import re
from datetime import datetime

# 2026-02-16 18:06:42.035, 2024-05-17T09:20:43:730, 2026-02-16T18:06:42.035123456+01:00
_INSTANT = re.compile(
    rb"(?<!\d)(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,:](\d{1,9}))?(?: ?(?:(Z)|([+-])(\d\d):?(\d\d)))?(?!\d)",
    re.I,
)
_NUMBER = re.compile(rb"\s*(\d{9,19})(?:\.(\d{1,9}))?\s*$")
# Digits of a number of seconds, milliseconds, microseconds and nanoseconds since 1970, and what makes microseconds of it.
_SCALES = ((11, 1_000_000, 1), (14, 1000, 1), (17, 1, 1), (19, 1, 1000))
_WAYS = re.compile(
    rb"(?<![A-Za-z])(?:(in|incoming|inbound|recv|receive|received|receiving|rx)|out|outgoing|outbound|send|sent|sending|tx)(?![A-Za-z])",
    re.I,
)
_FIRST = datetime(1970, 1, 1)


def time_of(text: bytes) -> int | None:
    """The first instant in a text, or a text that is a number of seconds, milli-, micro- or nanoseconds: microseconds since 1970 in UTC.

    A time without a zone is taken as UTC. None where there is none.
    """
    found = _INSTANT.search(text)
    if found is None:
        return _from_number(text)
    year, month, day, hour, minute, second, fraction, _, sign, hours, minutes = found.groups()
    try:
        instant = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second))
    except ValueError:
        return None
    since = instant - _FIRST
    micros = (since.days * 86_400 + since.seconds) * 1_000_000
    if fraction is not None:
        micros += int(fraction[:6].ljust(6, b"0"))
    if sign is not None:
        ahead = (int(hours) * 60 + int(minutes)) * 60_000_000
        micros += ahead if sign == b"-" else -ahead
    return micros


def _from_number(text: bytes) -> int | None:
    found = _NUMBER.match(text)
    if found is None:
        return None
    digits, fraction = found.groups()
    for most, times, over in _SCALES:
        if len(digits) <= most:
            micros = int(digits) * times // over
            if fraction is not None and times > 1:
                micros += int(fraction.ljust(9, b"0")) * times // 1_000_000_000
            return micros
    return None


def direction_of(text: bytes) -> str | None:
    """The way that a text tells, "in" or "out", by the last word in a text that says so: "receive", "msg-in", "sent", "TX", ...; None where none does."""
    ways = [found[1] is not None for found in _WAYS.finditer(text)]
    return None if not ways else "in" if ways[-1] else "out"
