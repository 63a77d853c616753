"""Single-fault mutants: a valid payload with one thing wrong, and what the codec has to say about it.

`faults` walks an instance along the model and yields one `Mutant` for each thing that can be wrong at each place. It
knows the kind, the JSON pointer, the spot whose offset the error must name, the expectation, and whether the oracle's
verdict is known to differ (the key of an entry in `deliberate`).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from .emit import Pairs, Raw, Spot
from .instances import INT64_MAX, INT64_MIN, nested
from .model import Model, pointer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from decimal import Decimal
from random import Random

Path = tuple[str | int, ...]

DATE_TIME_FAULTS: tuple[tuple[str, str | None], ...] = (
    ("", None),
    ("yesterday", None),
    ("2026-01-02", None),
    ("2026-01-02T03:04:05", None),
    ("2026-01-02T03:04:05+02", None),
    ("2026-01-02T03:04:05+0200", None),
    ("2026-01-02T03:04:05+2:00", None),
    ("2026-01-02T03:04:05+24:00", None),
    ("2026-01-02T03:04:05+02:60", None),
    ("2026-01-02T03:04:05 Z", None),
    ("2026-01-02 03:04:05Z", None),
    ("2026-01-02_03:04:05Z", None),
    (" 2026-01-02T03:04:05Z", None),
    ("2026-01-02T03:04:05Z ", None),
    ("2026-01-02T03:04:05ZZ", None),
    ("2026-01-02T03:04:05Z+00:00", None),
    ("2026-01-02T03:04:05.Z", None),
    ("2026-01-02T03:04:05,5Z", None),
    ("2026-01-02T03:04Z", None),
    ("2026-01-02T3:04:05Z", None),
    ("2026-01-02T24:00:00Z", None),
    ("2026-01-02T03:60:05Z", None),
    ("2026-01-02T03:04:61Z", None),
    ("2026-13-02T03:04:05Z", None),
    ("2026-00-02T03:04:05Z", None),
    ("2026-01-00T03:04:05Z", None),
    ("2026-01-32T03:04:05Z", None),
    ("2026-04-31T03:04:05Z", None),
    ("2026-02-29T03:04:05Z", None),
    ("1900-02-29T03:04:05Z", None),
    ("26-01-02T03:04:05Z", None),
    ("12026-01-02T03:04:05Z", None),
    ("-2026-01-02T03:04:05Z", None),
    ("+2026-01-02T03:04:05Z", None),
    ("20260102T030405Z", None),
    ("2026-W01-5T03:04:05Z", None),
    ("2026-01-02T03:04:05\u22120:00", None),
    ("2026-01-02T03:04:05\x00Z", None),
    ("1767323045", None),
    ("2016-12-31T23:59:60Z", "leap_second"),
    ("2026-01-02T1-:04:05Z", "punctuation_digit"),
    ("20,6-01-02T03:04:05Z", "punctuation_digit"),
    ("2026-01-02T03:04:0.Z", "punctuation_digit"),
    ("0000-01-01T00:00:00Z", "year_zero"),
    ("0001-01-01T00:00:00+00:01", "instant_range"),
    ("9999-12-31T23:59:59-00:01", "instant_range"),
    ("9999-12-31T23:59:59.9999995Z", "instant_range"),
)

URI_FAULTS = (
    "",
    "x",
    "a b:c",
    "//example.com/x",
    "/var/log",
    "example.com",
    "1http://h",
    "http://h/%zz",
    "http://h/ x",
    "http://h/<x>",
    "http://:p",
    "http://[::1",
    "http://[1.2.3.4]",
    "http://h:8a/",
    "http://a@b@c",
    "x:#a#b",
)

# A value of every JSON type. `null` is a kind of its own.
_BY_TYPE: dict[str, tuple[Any, ...]] = {
    "string": ("1", "", "true"),
    "number": (5, Raw("1.5"), Raw("-1e-3"), 0),
    "boolean": (True, False),
    "array": ([], ["x"], [{}]),
    "object": ({}, {"vendorId": "v"}),
    "null": (None,),
}
_JSON_TYPE = {"string": "string", "datetime": "string", "uri": "string", "enum": "string", "integer": "integer"}
_JSON_TYPE |= {"number": "number", "boolean": "boolean", "object": "object"}


@dataclass(frozen=True)
class Mutant:
    """One payload with one fault."""

    name: str
    tree: Any
    kind: str
    path: str
    spot: Spot | None  # None: the text itself is the place (see `offset` in the tests)
    expected: Any
    difference: str | None = None


def put(tree: Any, path: Path, change: Callable[[Any], Any]) -> Any:
    """A copy of the tree with the value at `path` changed; the rest is shared."""
    if not path:
        return change(tree)
    head, rest = path[0], path[1:]
    if isinstance(tree, list):
        return [put(item, rest, change) if i == head else item for i, item in enumerate(tree)]
    return {key: put(item, rest, change) if key == head else item for key, item in tree.items()}


class _Walker:
    def __init__(self, model: Model, tree: Any, rng: Random) -> None:
        self.model = model
        self.tree = tree
        self.rng = rng

    def value(self, name: str, kind: str, path: Path, new: Any, expected: Any, difference: str | None = None) -> Mutant:
        """The value at `path` replaced by a bad one."""
        return Mutant(
            name, put(self.tree, path, lambda _: new), kind, pointer(path), Spot("value", path), expected, difference
        )

    def text(self, name: str, kind: str, path: Path, token: str, shift: int) -> Mutant:
        """The value at `path` replaced by a token that breaks the text `shift` bytes on."""
        difference = "surrogate" if kind == "surrogate" else None
        return Mutant(
            name, put(self.tree, path, lambda _: Raw(token)), kind, "", Spot("value", path, shift), None, difference
        )

    def object(self, type_name: str, node: dict[str, Any], path: Path, level: int) -> Iterator[Mutant]:
        """The faults of an object and of what it holds; `level` counts open brackets, the payload's own being 1."""
        spec = self.model.types[type_name]
        fields = spec["fields"]
        names = tuple(field["name"] for field in fields)
        if not spec["open"]:
            yield from self._unknown_keys(names, path)
        else:
            yield from self._free_form(path, level)
        for field in fields:
            name = field["name"]
            here = (*path, name)
            if name not in node:
                if field["kind"] != "any":
                    tree = put(self.tree, path, lambda o, name=name: {**o, name: None})
                    yield Mutant(
                        "null for absent", tree, "null", pointer(here), Spot("value", here), self._json_type(field)
                    )
                continue
            if field["required"]:
                tree = put(self.tree, path, lambda o, name=name: {k: v for k, v in o.items() if k != name})
                yield Mutant("required dropped", tree, "missing", pointer(here), Spot("close", path), name)
            twice = put(self.tree, path, lambda o, name=name: Pairs([*o.items(), (name, o[name])]))
            yield Mutant("key twice", twice, "duplicate_key", pointer(here), Spot("key", here), None, "duplicate_key")
            yield from self._field(field, spec["draft"], node[name], here, level + 1)

    def _unknown_keys(self, names: tuple[str, ...], path: Path) -> Iterator[Mutant]:
        candidates = [
            "unknownField",
            "",
            "\x00",
            "ключ",
            "a/b~c",
            *(n.swapcase() for n in names[:3]),
            *(n + " " for n in names[:2]),
        ]
        candidates += [n[:-1] for n in names[-2:]]
        for key in candidates:
            if key in names:
                continue
            for at_front in (True, False):
                extra = {key: self.rng.choice((1, None, "x", [], {"a": 1}))}
                tree = put(self.tree, path, lambda o, extra=extra, front=at_front: extra | o if front else o | extra)
                here = (*path, key)
                yield Mutant("unknown key", tree, "unknown_key", pointer(here), Spot("key", here), names)

    def _free_form(self, path: Path, level: int) -> Iterator[Mutant]:
        def added(value: Any) -> Any:
            return put(self.tree, path, lambda o: o | {"extra": value})

        here = (*path, "extra")
        deepest = 64 - level
        yield Mutant(
            "too deep",
            added(nested(deepest + 1)),
            "depth",
            "",
            Spot("value", (*here, *_innermost(deepest))),
            64,
            "depth",
        )
        yield Mutant(
            "free-form 2^63",
            added(Raw(str(INT64_MAX + 1))),
            "number_range",
            pointer(here),
            Spot("value", here),
            None,
            "int64",
        )
        yield Mutant(
            "free-form 1e400", added(Raw("1e400")), "number_range", pointer(here), Spot("value", here), None, "double"
        )
        yield Mutant("free-form NaN", added(Raw("NaN")), "syntax", "", Spot("value", here), None)
        yield Mutant(
            "free-form surrogate", added(Raw('["\\udc00"]')), "surrogate", "", Spot("value", here, 2), None, "surrogate"
        )

    @staticmethod
    def _json_type(field: dict[str, Any]) -> str:
        return "array" if "items" in field else _JSON_TYPE[field["kind"]]

    def _field(self, field: dict[str, Any], draft: int, value: Any, path: Path, level: int) -> Iterator[Mutant]:
        if "items" not in field:
            yield from self._value(field, draft, value, path, level)
            return
        low, high = field["items"]
        yield from self._wrong_types("array", path, field)
        if low > 0:
            few = put(self.tree, path, lambda items: items[: low - 1])
            yield Mutant("too few", few, "too_few", pointer(path), Spot("close", path), low)
        if high is not None:
            item = value[0]
            many = put(self.tree, path, lambda items: [*items, *[item] * (high + 1 - len(items))])
            yield Mutant("too many", many, "too_many", pointer(path), Spot("value", (*path, high)), high)
        for i, item in enumerate(value[:2] if len(value) > 4 else value):
            yield from self._value(field, draft, item, (*path, i), level + 1)

    def _value(self, field: dict[str, Any], draft: int, value: Any, path: Path, level: int) -> Iterator[Mutant]:
        kind = field["kind"]
        if kind == "any":
            yield self.value("free-form 2^63", "number_range", path, Raw(str(INT64_MIN - 1)), None, "int64")
            yield self.text("free-form NaN", "syntax", path, "[NaN]", 1)
            return
        yield from self._wrong_types(_JSON_TYPE[kind], path, field)
        if kind == "object":
            yield from self.object(field["ref"], value, path, level)
            return
        yield from getattr(self, "_" + kind)(field, draft, path)

    def _wrong_types(self, right: str, path: Path, field: dict[str, Any]) -> Iterator[Mutant]:
        for json_type, values in _BY_TYPE.items():
            if json_type == right or (json_type == "number" and right == "integer"):
                continue
            kind = "null" if json_type == "null" else "type"
            yield self.value(f"{json_type} for {right}", kind, path, self.rng.choice(values), right)

    def _string(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        limit = field.get("max_length")
        if limit is not None:
            char = self.rng.choice("xé€😀\n\x00")
            yield self.value("too long by one", "length", path, char * (limit + 1), limit)
        yield self.text("lone high surrogate", "surrogate", path, '"a\\ud83d"', 2)
        yield self.text("lone low surrogate", "surrogate", path, '"\\ude00"', 1)
        yield self.text("surrogates the wrong way round", "surrogate", path, '"é\\ude00\\ud83d"', 3)
        yield self.text("raw control character", "syntax", path, '"a\tb"', 2)
        yield self.text("raw NUL", "syntax", path, '"\x00"', 1)
        yield self.text("unknown escape", "syntax", path, '"\\q"', 2)
        yield self.text("bad hex", "syntax", path, '"\\u00g0"', 5)

    def _enum(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        values = tuple(self.model.enums[field["ref"]])
        value = self.rng.choice(values)
        near = (
            "",
            "Unknown",
            value + " ",
            " " + value,
            value.swapcase(),
            value[:-1],
            value + "x",
            value + "\x00",
            value * 2,
            "é" + value[1:],
        )
        for miss in near:
            if miss not in values:
                yield self.value("enum near miss", "enum", path, miss, values)

    def _integer(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        low, high = field.get("minimum"), field.get("maximum")
        if low is not None:
            yield self.value("below the minimum", "minimum", path, low - 1, low)
            yield self.value("far below the minimum", "minimum", path, INT64_MIN, low)
        if high is not None:
            yield self.value("above the maximum", "maximum", path, high + 1, high)
            yield self.value("far above the maximum", "maximum", path, INT64_MAX, high)
        beyond = None if high is not None else "int64"
        yield self.value("2^63", "number_range", path, Raw(str(INT64_MAX + 1)), None, beyond)
        yield self.value(
            "-2^63-1", "number_range", path, Raw(str(INT64_MIN - 1)), None, None if low is not None else "int64"
        )
        yield self.value("400 digits", "number_range", path, Raw("9" * 400), None, beyond)
        yield self.value("a fraction", "type", path, Raw(self.rng.choice(("0.5", "1.5", "15e-1", "-0.1"))), "integer")
        if draft < 6:
            yield self.value(
                "1.0 under draft 4",
                "type",
                path,
                Raw(self.rng.choice(("1.0", "1e2", "0e0", "-0.0", "2E+0"))),
                "integer",
            )
        else:
            yield self.value("1e19", "number_range", path, Raw("1e19"), None, beyond)
            small = max(low or 0, 1)
            yield self.value(
                "almost zero", "type", path, Raw("1e-400"), "integer", None if (low or 0) > 0 else "exact_integer"
            )
            yield self.value(
                "almost integral", "type", path, Raw(f"{small}.00000000000000000001"), "integer", "exact_integer"
            )
        yield self.text("leading zero", "syntax", path, "01", 1)
        yield self.text("plus sign", "syntax", path, "+1", 0)
        yield self.text("minus alone", "syntax", path, "-", 1)

    def _number(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        low, high, step = field.get("minimum"), field.get("maximum"), field.get("step")
        if low is not None:
            yield self.value("below the minimum", "minimum", path, low - 1, low)
            yield self.value(
                "just below the minimum",
                "minimum",
                path,
                Raw(str(exactly(low) - exactly("0.001"))),
                low,
            )
        if high is not None:
            yield self.value("above the maximum", "maximum", path, high + 1, high)
            yield self.value(
                "just above the maximum", "maximum", path, Raw(str(exactly(high) + exactly("0.001"))), high
            )
        if step is not None:
            for text in ("21.45", "0.05", "1e-2", "-0.01", "0.30000000000000004", "123456789.12"):
                yield self.value("off the step", "multiple_of", path, Raw(text), step)
            yield self.value(
                "just off the step", "multiple_of", path, Raw("21.40000000000000000001"), step, "exact_decimal"
            )
        yield self.value(
            "overflow", "number_range", path, Raw(self.rng.choice(("1e400", "-1e400", "1e309", "1.8e308"))), None
        )
        yield self.value(
            "2^63 as number", "number_range", path, Raw(str(INT64_MAX + 1)), None, None if high is not None else "int64"
        )
        yield self.text("NaN", "syntax", path, "NaN", 0)
        yield self.text("Infinity", "syntax", path, "Infinity", 0)
        yield self.text("-Infinity", "syntax", path, "-Infinity", 1)
        yield self.text("no digit after the point", "syntax", path, "1. ", 2)
        yield self.text("no digit before the point", "syntax", path, ".5", 0)
        yield self.text("no exponent", "syntax", path, "1e ", 2)

    def _boolean(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        yield self.text("True", "syntax", path, "True", 0)
        yield self.text("truf", "syntax", path, "truf", 3)

    def _datetime(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        for text, difference in DATE_TIME_FAULTS:
            yield self.value("bad date-time", "format", path, text, "date-time", difference)

    def _uri(self, field: dict[str, Any], draft: int, path: Path) -> Iterator[Mutant]:
        for text in URI_FAULTS:
            yield self.value("bad uri", "format", path, text, "uri")
        limit = field.get("max_length")
        if limit is not None:
            yield self.value("uri too long by one", "length", path, "http://h/" + "p" * (limit - 8), limit)


def exactly(number: float | str) -> Decimal:
    """The number as its text says it."""
    return Decimal(str(number))


def _innermost(levels: int) -> Path:
    """The path from the outermost bracket of `nested(levels + 1)` to the innermost."""
    node, path = nested(levels + 1), []
    for _ in range(levels):
        path.append("n" if isinstance(node, dict) else 0)
        node = node[path[-1]]
    return tuple(path)


def faults(model: Model, type_name: str, instance: dict[str, Any], rng: Random) -> Iterator[Mutant]:
    """Every single-fault mutant of an instance of the type, in the order of the model."""
    walker = _Walker(model, instance, rng)
    for new, kind in (
        (None, "payload_missing"),
        ([], "payload_type"),
        ("{}", "payload_type"),
        (1, "payload_type"),
        (True, "payload_type"),
    ):
        yield Mutant("no object", new, kind, "", Spot("value", ()), "object")
    yield from walker.object(type_name, instance, (), 1)


def spread(mutants: Iterator[Mutant], count: int, rng: Random) -> list[Mutant]:
    """`count` of the mutants, chosen so that rare sorts of fault come as often as frequent ones."""
    by_name: dict[str, list[Mutant]] = {}
    for mutant in mutants:
        by_name.setdefault(mutant.name, []).append(mutant)
    names = list(by_name)
    rng.shuffle(names)
    return [rng.choice(by_name[names[i % len(names)]]) for i in range(count)]
