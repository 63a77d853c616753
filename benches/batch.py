"""Many frames at once: decode_many beside a loop of decode, validate_many beside a loop of validate and on two threads.

    python -m benches.batch [--rounds 40] [--no-write | --smoke]

First it proves that all give the same answers, for faulty frames too. Then it times them as benches/decode.py does: in one process, in
interleaved rounds, the best round of each. Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import Any

from benches.decode import spoilt
from benches.frames import COUNT, Kind, run_seed
from benches.measure import arguments, settled
from benches.results import facts, keep_figures, marker, write_section
from ocppcore import Codec, OcppError

Work = Callable[[], Any]

SIZE = 400_000  # bytes that a round decodes
CHECKED = 4_000_000  # bytes that a round validates: threads need something to share

LOOP, MANY = "decode, a loop", "decode_many"
LINES_LOOP, LINES = "decode, lines", "decode_many, lines"
CHECK_LOOP, CHECK, CHECK_ON_TWO = "validate, a loop", "validate_many", "on 2 threads"
SPIN, SPIN_ON_TWO = "pure work", "pure work on 2 threads"


def decode_each(codec: Codec[Any], frames: list[bytes]) -> list[Any]:
    """What decode_many spares its users."""
    decode = codec.decode
    decoded: list[Any] = []
    for frame in frames:
        try:
            decoded.append(decode(frame))
        except OcppError as error:
            decoded.append(error)
    return decoded


def validate_each(codec: Codec[Any], frames: list[bytes]) -> int:
    """The number of frames that are fine."""
    validate = codec.validate
    fine = 0
    for frame in frames:
        try:
            validate(frame)
        except OcppError:
            continue
        fine += 1
    return fine


def prove_same_work(kind: Kind) -> None:
    """Raise AssertionError unless all give the same answers."""
    codec = Codec(kind.subprotocol, backend="native")
    frames = [*kind.frames, *spoilt(kind.frames[0]), *kind.frames[:7]]
    expected = [str(item) for item in decode_each(codec, frames)]
    text = b"\n".join(frames)
    assert [str(item) for item in codec.decode_many(frames)] == expected
    assert [str(item) for item in codec.decode_many(text)] == expected
    fine = validate_each(codec, frames)
    assert len(kind.frames) <= fine < len(frames)
    for threads in (1, 2):
        assert codec.validate_many(text, threads=threads) == codec.validate_many(frames)
        assert codec.validate_many(frames, threads=threads).ok == fine


def repeated(kind: Kind, size: int) -> list[bytes]:
    """The frames, as often as it takes to have about so many bytes."""
    return kind.frames * max(1, size // sum(map(len, kind.frames)))


def contenders(kind: Kind) -> dict[str, tuple[Work, int]]:
    """Name -> the work of a round, and the number of frames in it."""
    codec = Codec(kind.subprotocol, backend="native")
    frames, checked = repeated(kind, SIZE), repeated(kind, CHECKED)
    text = b"\n".join(frames)
    return {
        LOOP: (lambda: decode_each(codec, frames), len(frames)),
        MANY: (lambda: codec.decode_many(frames), len(frames)),
        LINES_LOOP: (lambda: decode_each(codec, text.split(b"\n")), len(frames)),
        LINES: (lambda: codec.decode_many(text), len(frames)),
        CHECK_LOOP: (lambda: validate_each(codec, checked), len(checked)),
        CHECK: (lambda: codec.validate_many(checked), len(checked)),
        CHECK_ON_TWO: (lambda: codec.validate_many(checked, threads=2), len(checked)),
        SPIN: (lambda: spin(1), 1),
        SPIN_ON_TWO: (lambda: spin(2), 1),
    }


def spin(threads: int) -> None:
    """Work that shares nothing and needs no GIL, evenly on threads: what they win here is the most that they could win."""
    work = [Thread(target=hashlib.sha256, args=(bytes(CHECKED // threads),)) for _ in range(threads)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()


def measure(kind: Kind, rounds: int) -> tuple[dict[str, float], dict[str, float]]:
    """The best round of each contender, nanoseconds per frame: by the clock, and of the processor."""
    of = contenders(kind)
    best, busy = dict.fromkeys(of, float("inf")), dict.fromkeys(of, float("inf"))
    gc.disable()  # as timeit does: nothing here is kept
    try:
        for number in range(rounds):
            order = list(of.items())
            for name, (work, count) in order if number % 2 else reversed(order):
                spent, start = time.process_time_ns(), time.perf_counter_ns()
                result = work()
                best[name] = min(best[name], (time.perf_counter_ns() - start) / count)
                busy[name] = min(busy[name], (time.process_time_ns() - spent) / count)
                del result  # outside the clock, for all alike
    finally:
        gc.enable()
    return best, busy


def report(results: dict[str, tuple[dict[str, float], dict[str, float]]], rounds: int) -> str:
    """The results in Markdown."""
    lines = [
        "# Many frames at once",
        "",
        marker("batch"),
        "",
        *facts(("ocppcore",), f"`make bench`, or `python -m benches.batch --rounds {rounds}`", run_seed()),
        "",
        f"Nanoseconds per frame, best of {rounds} interleaved rounds in one process; {COUNT} different frames of each kind, repeated. A loop is one in Python,",
        "*lines* are the lines of one buffer. Before the clock starts, equal answers are asserted, for faulty frames too. *Share* is the time of the",
        "column before over that of the loop. *Times as fast* is `validate_many` over itself on two threads; *CPU* is the processor's time on two over one:",
        "near 1, two free cores are twice as fast. *Ceiling* is what two threads win with as many bytes of SHA-256, which share nothing, in the same rounds. What is",
        f"validated are {CHECKED // 10**6} MB of frames, {CHECKED // 60:,} of the smallest kind: too few for two threads are validated on one.",
        "",
        f"| frame | {LOOP} | {MANY} | share | {LINES_LOOP} | {LINES} | share | {CHECK_LOOP} | {CHECK} | share | {CHECK_ON_TWO} | times as fast | CPU | ceiling |",
        "|---|" + "--:|" * 13,
    ]
    for name, (best, busy) in results.items():
        cells: list[str] = []
        for loop, many in ((LOOP, MANY), (LINES_LOOP, LINES), (CHECK_LOOP, CHECK)):
            cells += [f"{best[loop]:,.0f}", f"{best[many]:,.0f}", f"**{best[many] / best[loop]:.2f}**"]
        cells += [f"{best[CHECK_ON_TWO]:,.0f}", f"**{best[CHECK] / best[CHECK_ON_TWO]:.2f}**"]
        cells += [f"{busy[CHECK_ON_TWO] / busy[CHECK]:.2f}", f"{best[SPIN] / best[SPIN_ON_TWO]:.2f}"]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def main(given: Sequence[str] | None = None) -> int:
    """Prove, measure, print, write."""
    parser = arguments("batch", "Many frames at once.", 40)
    options = parser.parse_args(given)
    kinds, rounds, write = settled(options)
    for kind in kinds:
        prove_same_work(kind)
    results = {kind.name: measure(kind, rounds) for kind in kinds}
    text = report(results, rounds)
    print(text)
    if write:
        write_section("batch", text)
        shares = [best[MANY] / best[LOOP] for best, _ in results.values()]
        threads = [best[CHECK] / best[CHECK_ON_TWO] for best, _ in results.values()]
        figures = {"batch_small": max(shares[:3]), "batch_large": max(shares[3:]), "batch_threads": min(threads[3:])}
        keep_figures("batch", figures)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
