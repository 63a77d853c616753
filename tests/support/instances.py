"""Valid payloads from the model: minimal, full, boundary and random, always the same for the same seed.

Each is a tree for `emit`. Numbers come as `Raw` tokens where their spelling matters.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from .emit import Raw

if TYPE_CHECKING:
    from .model import Model

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
HEAVY = 3000  # fields; a list at its upper bound is made only below this

_ALPHABETS = (
    "abcXYZ 019-_.:+|@*=",
    "äéßñ",
    "€漢字Ω",
    "😀🔌𝄞",
    '"\\/\b\f\n\r\t',
    "\x00\x1f\x7f\u2028",
    "a€😀\\\n",
)

DATE_TIMES = (
    "2026-01-02T03:04:05Z",
    "2026-01-02T03:04:05.6Z",
    "2026-01-02T03:04:05.678Z",
    "2026-01-02T03:04:05.678901Z",
    "2026-01-02T03:04:05.6789012Z",
    "2026-01-02T03:04:05.123456789+00:00",
    "2026-01-02t03:04:05z",
    "2026-01-02T03:04:05+02:00",
    "2026-01-02T03:04:05.000-07:30",
    "2026-12-31T23:59:59.999999+23:59",
    "2026-12-31T23:59:59-23:59",
    "2024-02-29T00:00:00Z",
    "2000-02-29T12:00:00-00:00",
    "1970-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-02T00:00:00+23:59",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-30T23:59:59-23:59",
)

URIS = (
    "http://example.com",
    "https://user:pw@example.com:8443/a/b;c=1?x=y&z=%20#frag",
    "ftp://192.0.2.7/firmware.bin",
    "ftps://[2001:db8::7]:990/up/",
    "urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
    "mailto:a@example.com",
    "file:///var/log/diagnostics.tar.gz",
    "x:",
    "http://example.com/%C3%A9?q",
    "sftp://host/~user/!$&'()*+,;=:@",
)

_TENTHS = ["0", "1", "16", "16.0", "21.4", "0.3", "0.7", "8.1", "-0.0", "1e1", "1.5E+1", "-3", "-21.4", "10000.1"]
_FINE = ["0.30000000000000004", "5e-324", "1e-400", "230.123456789012345678", "1e22"]

_ANY = (
    None,
    True,
    False,
    0,
    -1,
    INT64_MIN,
    INT64_MAX,
    Raw("1.0"),
    Raw("1e2"),
    Raw("-0.0"),
    Raw("0.1"),
    Raw("1.7976931348623157e308"),
    Raw("5e-324"),
    "",
    "plain",
    "ä€😀\x00\n",
    [],
    {},
    [None, [1, [2, [3]]]],
    {"SCREAMING_CASE": 1, "HTTPServer": None, "already_snake": [True], "": {}, "~/": "tilde and slash"},
)


def nested(levels: int) -> Any:
    """Lists and objects in turn, `levels` deep."""
    node: Any = 1
    for level in range(levels):
        node = [node] if level % 2 else {"n": node}
    return node


class Maker:
    """Makes payloads of one version's types.

    mode: "minimal" (required fields, smallest values), "full" (all fields), "boundary" (all fields at their bounds;
    `turn` picks which bound, which enumeration value and which alphabet), "random".
    """

    def __init__(self, model: Model, mode: str, rng: Random, turn: int = 0) -> None:
        self.model = model
        self.mode = mode
        self.rng = rng
        self.turn = turn

    def make(self, type_name: str) -> dict[str, Any]:
        """One valid instance of the type."""
        return self._object(type_name, 2)

    def _object(self, type_name: str, level: int) -> dict[str, Any]:
        spec = self.model.types[type_name]
        out: dict[str, Any] = {}
        density = self.rng.choice((0.1, 0.5, 0.9)) if self.mode == "random" else 0.0
        for field in spec["fields"]:
            if field["required"] or self.mode in ("full", "boundary") or self.rng.random() < density:
                out[field["name"]] = self._field(field, spec["draft"], level)
        if spec["open"] and self.mode != "minimal":
            self._open(out, level)
        return out

    def _open(self, out: dict[str, Any], level: int) -> None:
        rng = self.rng
        if self.mode == "boundary":
            out["deepest"] = nested(64 - level)  # the frame's bracket, the payload's and those between count too
        for _ in range(rng.choice((0, 1, 3))):
            key = rng.choice(("x", "Vendor Key", "customData", "id", "ключ", "\t", "a/b", "m~n", "__proto__", ""))
            out[key] = rng.choice(_ANY)

    def _field(self, field: dict[str, Any], draft: int, level: int) -> Any:
        if "items" not in field:
            return self._one(field, draft, level + 1)
        low, high = field["items"]
        weight = self.model.weight(field["ref"]) if field["kind"] == "object" else 1
        if self.mode == "minimal":
            size = low
        elif self.mode == "full":
            size = max(low, 1)
        elif self.mode == "boundary":
            if high is not None and high * weight <= HEAVY and (level < 5 or high <= 4):
                size = high if self.turn % 2 == 0 else low
            else:
                size = low + (2 if level < 4 else 0)
        else:
            size = max(low, min(self.rng.choice((0, 1, 1, 2, 5)), high if high is not None else 5))
        return [self._one(field, draft, level + 2) for _ in range(size)]

    def _one(self, field: dict[str, Any], draft: int, level: int) -> Any:
        if field["kind"] == "object":
            return self._object(field["ref"], level)
        return getattr(self, "_" + field["kind"])(field, draft, level)

    def _string(self, field: dict[str, Any], draft: int, level: int) -> str:
        limit = field.get("max_length")
        if self.mode == "minimal":
            return ""
        if self.mode == "boundary":
            alphabet = _ALPHABETS[self.turn % len(_ALPHABETS)]
            size = limit if limit is not None else 300
            return (alphabet * (size // len(alphabet) + 1))[:size]
        if self.mode == "full":
            return "Text 1"[:limit]
        size = self.rng.choice((0, 1, 5, 20, limit if limit is not None and limit < 600 else 30))
        alphabet = self.rng.choice(_ALPHABETS)
        return "".join(self.rng.choices(alphabet, k=min(size, limit if limit is not None else size)))

    def _integer(self, field: dict[str, Any], draft: int, level: int) -> int | Raw:
        low, high = field.get("minimum", INT64_MIN), field.get("maximum", INT64_MAX)
        if self.mode == "minimal":
            return min(max(0, low), high)
        if self.mode == "boundary":
            return low if self.turn % 2 == 0 else high
        value = min(max(self.rng.choice((0, 1, 2, 7, 42, 100, -1, -30, 2**31, 2**53 + 1)), low), high)
        if draft >= 6 and self.mode == "random" and self.rng.random() < 0.3:
            return self._spelled(value)
        return value

    def _spelled(self, value: int) -> Raw:
        """An integral value written as draft 6 lets an integer be written."""
        if abs(value) >= 2**53:
            return Raw(str(value))  # a float would not hold it, so the oracle could not follow
        forms = ("{0}.0", "{0}.000", "{0}e0", "{0}.00E+0", "{0}0e-1", "{0}0.0e-1")
        return Raw(self.rng.choice(forms if value else forms[:4]).format(value))

    def _number(self, field: dict[str, Any], draft: int, level: int) -> Raw:
        rng = self.rng
        low, high = field.get("minimum"), field.get("maximum")
        if self.mode == "minimal":
            return Raw(str(max(0, low) if low is not None else min(0, high) if high is not None else 0))
        if self.mode == "boundary":
            if self.turn % 2 == 0:
                return Raw(str(low) if low is not None else "-1e300" if "step" in field else "-1.7976931348623157e308")
            return Raw(str(high) if high is not None else "1e300" if "step" in field else "1.7976931348623157e308")
        texts = _TENTHS if "step" in field else _TENTHS + _FINE
        texts = [t for t in texts if (low is None or float(t) >= low) and (high is None or float(t) <= high)]
        return Raw(rng.choice(texts))

    def _boolean(self, field: dict[str, Any], draft: int, level: int) -> bool:
        return self.turn % 2 == 0 if self.mode == "boundary" else self.rng.random() < 0.5

    def _datetime(self, field: dict[str, Any], draft: int, level: int) -> str:
        if self.mode in ("minimal", "full"):
            return DATE_TIMES[0]
        return DATE_TIMES[self.turn % len(DATE_TIMES)] if self.mode == "boundary" else self.rng.choice(DATE_TIMES)

    def _uri(self, field: dict[str, Any], draft: int, level: int) -> str:
        limit = field.get("max_length")
        if self.mode == "boundary" and limit is not None:
            return "http://h/" + "p" * (limit - 9)
        return self.rng.choice([u for u in URIS if limit is None or len(u) <= limit])

    def _enum(self, field: dict[str, Any], draft: int, level: int) -> str:
        values = self.model.enums[field["ref"]]
        if self.mode == "minimal":
            return values[0]
        return values[self.turn % len(values)] if self.mode == "boundary" else self.rng.choice(values)

    def _any(self, field: dict[str, Any], draft: int, level: int) -> Any:
        return nested(64 - level + 1) if self.mode == "boundary" and self.turn % 2 == 0 else self.rng.choice(_ANY)


def minimal(model: Model, type_name: str) -> dict[str, Any]:
    """The smallest valid instance."""
    return Maker(model, "minimal", Random(0)).make(type_name)


def full(model: Model, type_name: str, seed: int = 0) -> dict[str, Any]:
    """An instance with every field, lists with one item."""
    return Maker(model, "full", Random(seed)).make(type_name)


def boundary(model: Model, type_name: str, turn: int = 0) -> dict[str, Any]:
    """An instance with every field at a bound; each value of each enumeration appears within `largest_enum` turns."""
    return Maker(model, "boundary", Random(turn), turn).make(type_name)


def sample(model: Model, type_name: str, rng: Random) -> dict[str, Any]:
    """A random valid instance."""
    return Maker(model, "random", rng).make(type_name)


def instance_set(model: Model, type_name: str, rng: Random) -> list[dict[str, Any]]:
    """One instance of each sort, for tests that want breadth."""
    return [
        minimal(model, type_name),
        full(model, type_name, rng.randrange(2**32)),
        boundary(model, type_name, rng.randrange(64)),
        sample(model, type_name, rng),
    ]
