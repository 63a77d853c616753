"""How time is taken: interleaved rounds in one process, the best round of each contender."""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benches.frames import COUNT, Kind, all_kinds, run_seed

Work = Callable[[Any], Any]
SIZE = 400_000
"""Bytes that a round reads at least: small frames are repeated, so that a round lasts long enough for the clock."""


def one_round(work: Work, items: Sequence[Any]) -> float:
    """Nanoseconds per item, the loop, the call and the release of the result included."""
    start = time.perf_counter_ns()
    for item in items:
        work(item)
    return (time.perf_counter_ns() - start) / len(items)


def size_of(item: Any) -> int:
    """About how many bytes an item has; a message that is no text counts as one of medium length."""
    return len(item) if isinstance(item, bytes | str) else 1_000


def best_rounds(works: Mapping[str, tuple[Work, Sequence[Any]]], rounds: int, size: int = SIZE) -> dict[str, float]:
    """Name -> nanoseconds per item of the best round. What is compared is the ratio, since a shared machine's nanoseconds drift."""
    repeated = {
        name: (work, list(items) * max(1, size // max(1, sum(map(size_of, items)))))
        for name, (work, items) in works.items()
    }
    best = dict.fromkeys(works, float("inf"))
    gc.disable()  # as timeit does: nothing here is kept
    try:
        for number in range(rounds):
            order = list(repeated.items())
            for name, (work, items) in order if number % 2 else reversed(order):
                best[name] = min(best[name], one_round(work, items))
    finally:
        gc.enable()
    return best


def arguments(name: str, says: str, rounds: int) -> argparse.ArgumentParser:
    """What every benchmark can be told."""
    parser = argparse.ArgumentParser(prog=f"python -m benches.{name}", description=says)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--no-write", action="store_true", help="print only, and leave the records as they are")
    parser.add_argument("--smoke", action="store_true", help="the proofs and one round over few frames; writes nothing")
    return parser


def settled(options: argparse.Namespace) -> tuple[list[Kind], int, bool]:
    """The kinds of frames, the rounds, and whether to write, as `arguments` were given."""
    count = 10 if options.smoke else COUNT
    rounds = 1 if options.smoke else options.rounds
    return all_kinds(run_seed(), count), rounds, not (options.smoke or options.no_write)
