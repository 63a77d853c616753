"""Encode of whole frames: ocppcore's native backend, which checks what it writes, beside msgspec and orjson, which do not.

    python -m benches.encode [--rounds 80] [--check] [--no-write | --smoke]

First it proves that the contenders wrote the same values. Then it times them as benches/decode.py does: in one process, in interleaved
rounds, the best round of each. Writes its section of benches/RESULTS.md. With --check the exit status is 1 if ocppcore is the slower one
anywhere.
"""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from benches.baseline import DECODERS
from benches.core import payload_changed, with_text
from benches.frames import Kind, run_seed
from benches.measure import arguments, best_rounds, settled
from benches.results import facts, geometric_mean, keep_figures, marker, write_section
from ocppcore import Call, Codec

Encode = Callable[[Any], bytes]

OURS = "ocppcore encode"
THEIRS = "msgspec, its Structs"
USUAL = "usual"
NAMES = (OURS, THEIRS, "msgspec, our Structs", "orjson, dicts")


def contenders(kind: Kind) -> dict[str, tuple[Encode, list[Any]]]:
    """Name -> a callable that takes one frame, and the frames as it takes them."""
    codec = Codec(kind.subprotocol, backend="native")
    ours = [codec.decode(frame) for frame in kind.frames]
    return {
        OURS: (codec.encode, ours),
        THEIRS: (msgspec.json.encode, [DECODERS[kind.action].decode(frame) for frame in kind.frames]),
        "msgspec, our Structs": (msgspec.json.encode, [(2, frame.id, frame.action, frame.payload) for frame in ours]),
        "orjson, dicts": (orjson.dumps, [as_dicts(frame) for frame in kind.frames]),
    }


def as_dicts(frame: bytes) -> Any:
    """A frame as someone without Structs holds it: lists and dicts, but date-times as such."""

    def revive(entries: dict[str, Any]) -> dict[str, Any]:
        for key, value in entries.items():
            if key in ("timestamp", "generatedAt"):
                entries[key] = datetime.fromisoformat(value)
        return entries

    return json.loads(frame, object_hook=revive)


def plain(data: bytes) -> Any:
    """What a frame says, whoever wrote it: absent fields left out, instants in one spelling, numbers by value."""

    def clean(entries: dict[str, Any]) -> dict[str, Any]:
        return {
            key: datetime.fromisoformat(value).isoformat() if key in ("timestamp", "generatedAt") else value
            for key, value in entries.items()
            if value is not None
        }

    return json.loads(data, object_hook=clean)


def prove_same_work(kind: Kind) -> None:
    """Raise AssertionError unless all contenders write what was read."""
    of = contenders(kind)
    for number, frame in enumerate(kind.frames):
        for name, (encode, values) in of.items():
            assert plain(encode(values[number])) == plain(frame), (name, frame)


def measure(kind: Kind, rounds: int) -> dict[str, float]:
    """The best round of each contender, in nanoseconds per frame."""
    return best_rounds(contenders(kind), rounds)


def mean_share(results: dict[str, dict[str, float]]) -> float:
    """The geometric mean of ocppcore's time over msgspec's."""
    return geometric_mean(best[OURS] / best[THEIRS] for best in results.values())


def mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A payload with each of its leaves changed."""
    if isinstance(value, msgspec.Struct):
        fields = value.__struct_fields__
        return msgspec.structs.replace(value, **{name: mapped(getattr(value, name), change) for name in fields})
    if value.__class__ is list:
        return [mapped(item, change) for item in value]
    return change(value)


def with_custom_data(payload: Any) -> Any:
    """A payload that also says what its vendor has to say."""
    return payload | {"customData": {"vendorId": "com.example", "note": "a text", "level": 3, "list": [1.5, 2.5]}}


def moved_to(zone: tzinfo) -> Callable[[datetime], datetime]:
    """What tells a time in a zone, to the microsecond."""
    return lambda time: time.astimezone(zone).replace(microsecond=123_456)


def unusual(kind: Kind) -> dict[str, Callable[[], list[Any]]]:
    """Row -> what makes its frames, which are new each time: a text keeps its UTF-8 once that was asked for."""
    codec = Codec(kind.subprotocol, backend="native")
    usual = [codec.decode(frame) for frame in kind.frames]

    def read(change: Callable[[bytes], bytes]) -> Callable[[], list[Any]]:
        return lambda: [codec.decode(change(frame)) for frame in kind.frames]

    def made(of: type[Any], change: Callable[[Any], Any]) -> Callable[[], list[Any]]:
        def leaf(value: Any) -> Any:
            return change(value) if isinstance(value, of) else value

        return lambda: [Call(frame.id, mapped(frame.payload, leaf)) for frame in usual]

    zones = {"timezone of the user's": timezone(timedelta(hours=2)), "ZoneInfo": ZoneInfo("Europe/Berlin")}
    return {
        USUAL: read(lambda frame: frame),
        "texts not ASCII": read(payload_changed(with_text(lambda text: text[:-3] + "äЖ中"[: len(text)]))),
        "texts with an escape": read(payload_changed(with_text(lambda text: text[:-1] + "\n"))),
        **({} if kind.subprotocol == "ocpp1.6" else {"customData": read(payload_changed(with_custom_data))}),
        "times with +02:00, as decoded": read(lambda frame: re.sub(rb'(:[0-9.]+)Z"', rb'\1+02:00"', frame)),
        **{f"times with microseconds, a {name}": made(datetime, moved_to(zone)) for name, zone in zones.items()},
        "numbers as Decimal": made(float, lambda number: Decimal(str(number))),
    }


def cliffs(kind: Kind, rounds: int) -> dict[str, float]:
    """Row -> the time per byte over that of the usual frames."""
    encode = Codec(kind.subprotocol, backend="native").encode
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, make in unusual(kind).items():
            frames = make()
            size = sum(len(encode(frame)) for frame in make())
            start = time.perf_counter_ns()
            for frame in frames:
                encode(frame)
            best[name] = min(best.get(name, math.inf), (time.perf_counter_ns() - start) / size)
    return {name: value / best[USUAL] for name, value in best.items() if name != USUAL}


def report(
    results: dict[str, dict[str, float]], table: dict[str, dict[str, float]], sizes: dict[str, float], rounds: int
) -> str:
    """The results in Markdown."""
    lines = [
        "# Encode beside msgspec and orjson",
        "",
        marker("encode"),
        "",
        *facts(
            ("msgspec", "orjson", "ocppcore"),
            f"`make bench`, or `python -m benches.encode --rounds {rounds}`",
            run_seed(),
        ),
        "",
        f"Nanoseconds per frame, best of {rounds} interleaved rounds in one process; the frames are those of decode. Before the clock starts it is",
        "asserted that all wrote the same values. *Share* is ocppcore's time over that of `msgspec.json.encode` with Structs that an expert",
        "would write (`benches/baseline.py`): below 1, ocppcore is the faster.",
        "",
        "| frame | bytes | " + " | ".join(NAMES) + " | share |",
        "|---|--:|" + "--:|" * (len(NAMES) + 1),
    ]
    for name, best in results.items():
        cells = " | ".join(f"{best[contender]:,.0f}" for contender in NAMES)
        lines.append(f"| {name} | {sizes[name]:,.0f} | {cells} | **{best[OURS] / best[THEIRS]:.2f}** |")
    lines += [
        "",
        f"The geometric mean of the shares is **{mean_share(results):.2f}**. Of these only ocppcore checks what it writes: types, lengths, bounds, enumerations,",
        "required fields. It writes date-times to milliseconds, the others to microseconds.",
        "",
        "What is not usual, nanoseconds per byte over those of the same kind's usual frames; every text and every value of a frame is changed, and the frames are new in",
        "each round.",
        "",
        "| | " + " | ".join(table) + " |",
        "|---|" + "--:|" * len(table),
        *(
            f"| {row} | " + " | ".join(f"{of[row]:.2f}" if row in of else "" for of in table.values()) + " |"
            for row in dict.fromkeys(row for of in table.values() for row in of)
        ),
        "",
    ]
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> int:
    """Prove, measure, print, write."""
    parser = arguments("encode", "Encode beside msgspec and orjson.", 80)
    parser.add_argument("--check", action="store_true", help="fail if msgspec is faster on any frame")
    options = parser.parse_args(given)
    kinds, rounds, write = settled(options)
    for kind in kinds:
        prove_same_work(kind)
    results = {kind.name: measure(kind, rounds) for kind in kinds}
    sizes = {kind.name: sum(map(len, kind.frames)) / len(kind.frames) for kind in kinds}
    table = {kind.name: cliffs(kind, max(1, rounds // 4)) for kind in kinds}
    text = report(results, table, sizes, rounds)
    print(text)
    if write:
        write_section("encode", text)
        keep_figures("encode", {"encode_mean": mean_share(results)})
    slower = [name for name, best in results.items() if best[THEIRS] <= best[OURS]]
    if slower and options.check:
        print("msgspec is faster on:", ", ".join(slower), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
