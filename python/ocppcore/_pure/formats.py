"""What a schema can ask of a scalar beyond its JSON type: date-times, URIs, decimal steps, integers by their text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1
_FAR = 1 << 40  # an exponent of ten beyond anything that is told apart

_DATE_TIME = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]((?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])"
    r"(?:\.([0-9]+))?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
).fullmatch
_MICROSECOND = timedelta(microseconds=1)


def parse_datetime(text: str) -> datetime | None:
    """A date-time of RFC 3339 (§5.6), its offset kept and rounded half up to microseconds; None for anything else.

    Years 1 to 9999, in UTC too; no second 60.
    """
    match = _DATE_TIME(text)
    if match is None:
        return None
    day, time, fraction, offset = match.groups()
    if offset == "z":
        offset = "Z"
    try:
        if fraction is None:
            value = datetime.fromisoformat(f"{day}T{time}{offset}")
        else:
            value = datetime.fromisoformat(f"{day}T{time}.{fraction[:6]:0<6}{offset}")
            if fraction[6:7] >= "5":
                value += _MICROSECOND
        if value.year in (1, 9999):  # only there can the offset lead out of the calendar
            value.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return value


def format_datetime(value: datetime) -> str | None:
    """An aware date-time in UTC, truncated to milliseconds, which are left out when they are 0; None when it is naive or leaves the calendar."""
    offset = datetime.utcoffset(value)
    if offset is None:
        return None
    try:
        utc = datetime.combine(datetime.date(value), datetime.time(value)) - offset
    except OverflowError:
        return None
    return utc.isoformat(timespec="milliseconds" if utc.microsecond >= 1000 else "seconds") + "Z"


# RFC 3986, appendix A. `[...]` literals that are IPv6 addresses are looked at by the standard library.
_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_ENCODED = "%[0-9A-Fa-f]{2}"
_URI = re.compile(
    "[A-Za-z][A-Za-z0-9+.-]*:"
    "(?://"
    rf"(?:(?:[{_UNRESERVED}{_SUB_DELIMS}:]|{_ENCODED})*@)?"
    rf"(?:\[(?:[vV][0-9A-Fa-f]+\.[{_UNRESERVED}{_SUB_DELIMS}:]+|([0-9A-Fa-f:.]+))\]|(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_ENCODED})*)"
    "(?::[0-9]*)?"
    r"(?=[/?#]|\Z)|(?!//))"
    rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@/]|{_ENCODED})*"
    rf"(?:\?(?:[{_UNRESERVED}{_SUB_DELIMS}:@/?]|{_ENCODED})*)?"
    rf"(?:\#(?:[{_UNRESERVED}{_SUB_DELIMS}:@/?]|{_ENCODED})*)?"
).fullmatch


def is_uri(text: str) -> bool:
    """Whether the text is a `URI` of RFC 3986; it needs a scheme."""
    match = _URI(text)
    if match is None:
        return False
    address = match[1]
    return address is None or _is_ipv6(address)


def _is_ipv6(text: str) -> bool:
    import ipaddress  # rarely needed, and not cheap to import

    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


class Decimal(NamedTuple):
    """A JSON number by its text: digits without zeros at either end ("" for zero), times a power of ten."""

    negative: bool
    digits: str
    exponent: int

    @classmethod
    def of(cls, text: str) -> Decimal:
        """Take apart a JSON number. Exponents beyond 2^40 count as that."""
        negative = text.startswith("-")
        mantissa, _, power = text.lower().lstrip("-").partition("e")
        whole, _, fraction = mantissa.partition(".")
        size = power.lstrip("+-0")
        exponent = min(int(size or "0"), _FAR) if len(size) < 14 else _FAR
        if power.startswith("-"):
            exponent = -exponent
        digits = (whole + fraction).lstrip("0")
        stripped = digits.rstrip("0")
        return cls(negative, stripped, exponent - len(fraction) + len(digits) - len(stripped))


def integral(text: str) -> int | None:
    """The integer that a JSON number stands for, however it is spelled; None when it is not integral.

    One beyond 64 bits comes back as some number beyond them.
    """
    negative, digits, exponent = Decimal.of(text)
    if not digits:
        return 0
    if exponent < 0:
        return None
    if len(digits) + exponent > 19:
        return INT64_MAX + 1
    value = int(digits + "0" * exponent)
    return -value if negative else value


class Step:
    """A `multipleOf`, judged on decimal text: 21.4 is a multiple of 0.1, whatever binary floats think."""

    __slots__ = ("_mantissa", "_places", "text")

    def __init__(self, text: str) -> None:
        _, digits, exponent = Decimal.of(text)
        self.text = text
        self._mantissa, self._places = int(digits), -exponent

    def divides(self, text: str) -> bool:
        """Whether a JSON number is an integral multiple; time is linear in its length."""
        _, digits, exponent = Decimal.of(text)
        # number / step = digits × 10^shift / mantissa, and the digits have no factor 10 left.
        shift = exponent + self._places
        if not digits:
            return True
        if shift < 0:
            return False
        modulus = self._mantissa
        rest = 0
        for start in range(0, len(digits), 1000):
            part = digits[start : start + 1000]
            rest = (rest * 10 ** len(part) + int(part)) % modulus
        return rest * pow(10, shift, modulus) % modulus == 0
