"""Typed decode of whole frames: ocppcore's native backend beside msgspec's own typed decoder.

    python -m benches.decode [--rounds 80] [--check] [--no-write]

First it proves that the contenders did the same work: equal values for every frame, and the same refusals. Then it times them in one process,
in interleaved rounds, and keeps the best round of each: what is compared is the ratio, since a shared machine's nanoseconds drift.
Writes its section of benches/RESULTS.md. With --check the exit status is 1 if msgspec's typed decoder is the faster one anywhere.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from benches.baseline import DECODERS
from benches.frames import COUNT, Kind, all_kinds
from benches.results import marker, write_section
from ocppcore import Codec, OcppError, __version__

ROOT = Path(__file__).resolve().parents[1]

Decode = Callable[[bytes], Any]

TYPED = "msgspec typed"
OURS = "ocppcore decode"
NAMES = (OURS, TYPED, "msgspec in two steps", "ocppcore validate")


def contenders(kind: Kind) -> dict[str, Decode]:
    """Name -> a callable that takes one frame of this kind."""
    codec = Codec(kind.subprotocol, backend="native")
    return {
        OURS: codec.decode,
        TYPED: DECODERS[kind.action].decode,
        "msgspec in two steps": two_steps(),
        "ocppcore validate": codec.validate,
    }


def two_steps() -> Decode:
    """What msgspec users must write where the action is not known: the envelope first, then the payload by its action."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw])
    payloads = {action: msgspec.json.Decoder(payload_type(decoder)).decode for action, decoder in DECODERS.items()}

    def decode(frame: bytes, head: Decode = envelope.decode) -> Any:
        number, identifier, action, payload = head(frame)
        return number, identifier, action, payloads[action](payload)

    return decode


def payload_type(decoder: msgspec.json.Decoder[Any]) -> Any:
    """The payload's Struct in the type of a whole frame."""
    return decoder.type.__args__[3]


# --- the same work ---------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A payload as plain values by wire name, instants in UTC, what is absent left out."""
    if isinstance(value, msgspec.Struct):
        fields = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        return {wire: plain(item) for name, wire in fields if (item := getattr(value, name)) is not None}
    if value.__class__ is list:
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def spoilt(frame: bytes) -> list[bytes]:
    """Frames that every contender must refuse: an unknown key, a broken end, a type, an id that is too long."""
    head, brace, rest = frame.partition(b"{")
    separator = b"" if rest.startswith(b"}") else b","
    long_id = frame.replace(b'[2,"', b'[2,"' + b"x" * 40, 1)
    return [head + brace + b'"noSuchKey":1' + separator + rest, frame[:-2], head + b"[" + rest, long_id]


def prove_same_work(kind: Kind) -> None:
    """Raise AssertionError unless all contenders read the same values and refuse the same spoilt frames."""
    of = contenders(kind)
    for frame in kind.frames:
        ours, theirs, stepwise = (of[name](frame) for name in NAMES[:3])
        assert ours.action == theirs[2] == kind.action
        assert ours.id == theirs[1]
        assert plain(ours.payload) == plain(theirs[3]) == plain(stepwise[3])
        assert of["ocppcore validate"](frame) is None
    for frame in spoilt(kind.frames[0]):
        for name in NAMES:
            if name == "msgspec in two steps" and frame.startswith(b'[2,"' + b"x" * 40):
                continue  # its envelope has no length on the id: the step is a bare one
            try:
                of[name](frame)
            except (OcppError, msgspec.DecodeError):
                continue
            raise AssertionError(f"{name} took {frame[:80]!r}")


# --- the time --------------------------------------------------------------------------------------


def one_round(decode: Decode, frames: list[bytes]) -> float:
    """Nanoseconds per frame, the loop, the call and the release of the result included."""
    start = time.perf_counter_ns()
    for frame in frames:
        decode(frame)
    return (time.perf_counter_ns() - start) / len(frames)


def measure(kind: Kind, rounds: int) -> dict[str, float]:
    """The best round of each contender. A round repeats small frames, so that it lasts long enough for the clock."""
    of = contenders(kind)
    size = sum(map(len, kind.frames))
    frames = kind.frames * max(1, 400_000 // size)
    best = dict.fromkeys(of, float("inf"))
    gc.disable()  # as timeit does: nothing here is kept
    try:
        for number in range(rounds):
            order = list(of.items())
            for name, decode in order if number % 2 else reversed(order):
                best[name] = min(best[name], one_round(decode, frames))
    finally:
        gc.enable()
    return best


# --- the report ------------------------------------------------------------------------------------


def output_of(*command: str) -> str:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()


def machine() -> str:
    """The processor and how many of it, as the system names them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{os.cpu_count()} × {name}, {platform.system()}"


def commit() -> str:
    """The commit measured, and whether the package differed from it."""
    changed = output_of(
        "git", "status", "--porcelain", "--", "python", "rust", "benches/*.py", "Cargo.toml", "Cargo.lock"
    )
    return (output_of("git", "rev-parse", "--short=12", "HEAD") or "unknown") + (" with changes" if changed else "")


def report(results: dict[str, dict[str, float]], sizes: dict[str, float], rounds: int) -> str:
    """The results in Markdown."""
    lines = [
        "# Typed decode beside msgspec",
        "",
        marker("decode"),
        "",
        f"- machine: {machine()}",
        f"- Python {platform.python_version()}, msgspec {msgspec.__version__}, ocppcore {__version__}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}",
        f"- command: `make bench`, or `python -m benches.decode --rounds {rounds}`",
        "",
        f"Nanoseconds per frame, best of {rounds} interleaved rounds in one process; {COUNT} different frames of each kind, from a fixed seed.",
        "Before the clock starts, equal values and equal refusals are asserted. *Times as fast* is msgspec's typed decoder over ocppcore's",
        "decode: above 1, ocppcore is the faster.",
        "",
        "| frame | bytes | " + " | ".join(NAMES) + " | times as fast |",
        "|---|--:|" + "--:|" * (len(NAMES) + 1),
    ]
    for name, best in results.items():
        cells = " | ".join(f"{best[contender]:,.0f}" for contender in NAMES)
        lines.append(f"| {name} | {sizes[name]:,.0f} | {cells} | **{best[TYPED] / best[OURS]:.2f}** |")
    lines += [
        "",
        "*msgspec typed* is told the action beforehand and reads a tuple of Structs that an expert would write (`benches/baseline.py`);",
        "*in two steps* it reads the envelope first, then the payload by its action, as a server must. *validate* makes no object.",
        "Of these only ocppcore checks date-times by RFC 3339, refuses `null` for absent fields and duplicate keys, and can say where a fault lies.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Prove, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.decode", description="Typed decode beside msgspec.")
    parser.add_argument("--rounds", type=int, default=80)
    parser.add_argument("--check", action="store_true", help="fail if msgspec's typed decoder is faster on any frame")
    parser.add_argument("--no-write", action="store_true", help="leave benches/RESULTS.md as it is")
    options = parser.parse_args()

    kinds = all_kinds()
    for kind in kinds:
        prove_same_work(kind)
    results = {kind.name: measure(kind, options.rounds) for kind in kinds}
    sizes = {kind.name: sum(map(len, kind.frames)) / COUNT for kind in kinds}
    text = report(results, sizes, options.rounds)
    print(text)
    if not options.no_write:
        write_section("decode", text)
    slower = [name for name, best in results.items() if best[TYPED] <= best[OURS]]
    if slower and options.check:
        print("msgspec is faster on:", ", ".join(slower), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
