"""Encode of whole frames: ocppcore's native backend, which checks what it writes, beside msgspec and orjson, which do not.

    python -m benches.encode [--rounds 80] [--check] [--no-write | --smoke]

First it proves that the contenders wrote the same values. Then it times them as benches/decode.py does: in one process, in interleaved
rounds, the best round of each. Writes its section of benches/RESULTS.md. With --check the exit status is 1 if ocppcore is the slower one
anywhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import orjson

from benches.baseline import DECODERS
from benches.frames import Kind, run_seed
from benches.measure import arguments, best_rounds, settled
from benches.results import facts, geometric_mean, keep_figures, marker, write_section
from ocppcore import Codec

Encode = Callable[[Any], bytes]

OURS = "ocppcore encode"
THEIRS = "msgspec, its Structs"
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


def report(results: dict[str, dict[str, float]], sizes: dict[str, float], rounds: int) -> str:
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
    text = report(results, sizes, rounds)
    print(text)
    if write:
        write_section("encode", text)
        keep_figures("encode", {"encode_worst": max(best[OURS] / best[THEIRS] for best in results.values())})
    slower = [name for name, best in results.items() if best[THEIRS] <= best[OURS]]
    if slower and options.check:
        print("msgspec is faster on:", ", ".join(slower), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
