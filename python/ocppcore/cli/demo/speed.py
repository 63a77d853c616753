"""How fast this machine reads the demo's frames: ocppcore beside parsers that do the comparable part of the work.

Everything reads the same ordinary CALLs of the day, one after the other in one thread; the best of several rounds counts, since whatever
else a machine does makes a round slower, never faster.
"""

from __future__ import annotations

import importlib
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ... import Codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 7

Calls = list[tuple[str, bytes]]
"""(subprotocol, frame) of CALLs without fault or oddity."""


class Measured(NamedTuple):
    """What one reader took: `seconds` for all frames once, in its best round."""

    reader: str
    gives: str
    checks: str
    seconds: float


def measure(calls: Calls, rounds: int = ROUNDS) -> Iterator[Measured]:
    """Measure every reader that is installed, one after the other."""
    for reader, gives, checks, run in _readers(calls):
        run()  # tables are built and caches filled before the clock starts
        yield Measured(reader, gives, checks, min(_timed(run) for _ in range(rounds)))


def _timed(run: Callable[[], None]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def _readers(calls: Calls) -> Iterator[tuple[str, str, str, Callable[[], None]]]:
    codecs = {subprotocol: Codec(subprotocol) for subprotocol, _ in calls}
    everything = "everything"
    for method, gives, checks in (
        ("decode", "typed Structs", everything),
        ("validate", "a verdict", everything),
        ("peek", "type, id, action", "the frame's head"),
    ):
        yield f"ocppcore {method}", gives, checks, _each([(getattr(codecs[sub], method), data) for sub, data in calls])
    yield (
        "msgspec, two steps",
        "typed Structs",
        "not URIs, decimal steps, duplicate keys",
        _two_steps(calls),
    )
    loads = msgspec.json.Decoder().decode
    yield "msgspec, untyped", "dicts and lists", "JSON alone", _each([(loads, data) for _, data in calls])
    try:
        orjson = importlib.import_module("orjson")
    except ImportError:
        pass  # measured where it is installed
    else:
        yield "orjson", "dicts and lists", "JSON alone", _each([(orjson.loads, data) for _, data in calls])
    yield "json", "dicts and lists", "JSON alone", _each([(json.loads, data) for _, data in calls])


def _each(jobs: list[tuple[Callable[[bytes], Any], bytes]]) -> Callable[[], None]:
    def run() -> None:
        for read, data in jobs:
            read(data)

    return run


def _two_steps(calls: Calls) -> Callable[[], None]:
    """What a user of msgspec writes: the envelope first, then the payload by its action, into the same Structs."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
    jobs: list[tuple[dict[str, Any], bytes]] = []
    decoders: dict[str, dict[str, Any]] = {}
    for subprotocol, data in calls:
        by_action = decoders.setdefault(subprotocol, {})
        action = envelope(data)[2]
        if action not in by_action:
            by_action[action] = msgspec.json.Decoder(Codec(subprotocol).messages[action].request).decode
        jobs.append((by_action, data))

    def run() -> None:
        for by_action, data in jobs:
            _, _, action, payload = envelope(data)
            by_action[action](payload)

    return run
