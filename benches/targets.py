"""What the project wants to reach, as figures that its benchmarks measure; benches/RESULTS.md opens with them.

Where no better bound was set, the bound is 1: never slower than the other.
"""

from __future__ import annotations

from typing import NamedTuple


class Target(NamedTuple):
    """A figure's name, the benchmark that measures it, what it says, its bound, whether less is better, and its unit."""

    key: str
    benchmark: str
    what: str
    bound: float
    at_most: bool = True
    unit: str = ""


LARGE = "MeterValues, TransactionEvent, NotifyReport"

TARGETS = (
    Target("typed", "decode", "decode / msgspec typed, the worst of six kinds", 1.0),
    Target("two_steps", "decode", "decode / msgspec in two steps, the worst of six kinds", 0.6),
    Target("typed_distinct", "paths", "decode / msgspec typed, no leaf like another, the worst of six kinds", 1.0),
    Target("two_steps_distinct", "paths", "decode / two steps, no leaf like another, the worst of six kinds", 0.6),
    Target("typed_orders", "paths", "the same / typed, the worst of three orders of keys, compact and spaced", 1.0),
    Target("two_steps_orders", "paths", "the same / two steps, the worst of three orders, compact and spaced", 0.6),
    Target("orders_mean", "paths", "the same / two steps, geometric mean", 0.4),
    Target("requests_worst", "messages", "decode / msgspec in two steps, the worst full request of all versions", 0.6),
    Target("requests_mean", "messages", "the same, geometric mean of all requests", 0.4),
    Target("floor_mean", "messages", "decode / allocating the same tree in C, geometric mean of six kinds", 1.5),
    Target("validate_orjson", "paths", "validate / orjson.loads, the worst of six kinds", 1.0),
    Target("syntax_worst", "core", "validate in Rust / serde_json's IgnoredAny, the worst of six kinds", 0.55),
    Target("speed_least", "core", "validate in Rust, the slowest kind of more than 200 B", 1.4, False, " GB/s"),
    Target("peek_small", "paths", "peek / msgspec's envelope with Raw, 60 B", 1.0),
    Target("peek_large", "paths", "peek / msgspec's envelope with Raw, 3 kB", 1.0),
    Target("encode_worst", "encode", "encode / msgspec of its own Structs, the worst of six kinds", 1.0),
    Target("error_accept", "paths", f"a late fault, type, pointer, offset and text read / accepting: {LARGE}", 1.0),
    Target("error_msgspec", "paths", "the same / msgspec typed and its text: the three small kinds", 1.0),
    Target("not_ascii", "paths", "decode / msgspec typed, texts not ASCII, the worst of kinds that have texts", 1.0),
    Target("escapes", "paths", "decode / msgspec typed, texts with \\uXXXX, the worst of kinds that have texts", 1.0),
    Target("text_input", "paths", "decode of str / of bytes, the worst of six kinds", 1.2),
    Target("cliff_order", "paths", "decode, every object in an order of its own / usual, the worst of six kinds", 2.0),
    Target("cliff_shape", "paths", "decode, optional fields come and go / usual, per byte, the worst", 2.0),
    Target("cliff_vendor", "paths", "decode of a vendor's own messages / built-in ones, the worst", 2.0),
    Target("cliff_error", "paths", f"refusing in the middle, all read / accepting: {LARGE}", 2.0),
    Target("cliff_pretty", "paths", "decode, pretty-printed by two blanks / usual, the worst of six kinds", 2.0),
    Target("batch_decode", "batch", "decode_many / a loop of decode, the worst of six kinds", 1.0),
    Target("batch_validate", "batch", "validate_many / a loop of validate, the worst of six kinds", 1.0),
    Target("columns", "columns", "a log's sampled values into Arrow, times as fast as orjson and pyarrow", 10.0, False),
    Target("python_backend", "peers", f"Python backend's decode / PyPI `ocpp`: {LARGE}", 1 / 6),
    Target("slowest_path", "peers", "ocppcore, any path / PyPI `ocpp`, the worst of six kinds", 1.0),
    Target("compat_small", "compat", "accelerated `ocpp`, times as fast, the worst of three small kinds", 5.0, False),
    Target("compat_large", "compat", f"accelerated `ocpp`, times as fast: {LARGE}", 20.0, False),
    Target("import_package", "footprint", "`import ocppcore` beyond `import msgspec`", 5.0, unit=" ms"),
    Target("import_version", "footprint", "importing a version, the slowest", 15.0, unit=" ms"),
    Target("memory_version", "footprint", "resident memory of a version with its codec, the largest", 5.0, unit=" MB"),
    Target("message_size", "footprint", "a decoded message / msgspec's, the worst of six kinds", 1.0),
    Target("extension_size", "footprint", "the extension module, stripped", 3.0, unit=" MB"),
    Target("build_time", "footprint", "release build on two cores", 120.0, unit=" s"),
)
