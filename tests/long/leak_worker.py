"""Run by test_leaks in a process of its own: python leak_worker.py WHAT BACKEND COUNT; prints one JSON object a line."""

from __future__ import annotations

import contextlib
import gc
import json
import sys
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any

from ocppcore import Codec, EncodeError, OcppError, Policy
from support.backends import SUBPROTOCOLS, codec
from support.emit import text_of
from support.frames import framed, pending_for, sample_frames
from support.instances import full
from support.model import MODULES, model
from support.mutants import faults, spread

if TYPE_CHECKING:
    from collections.abc import Callable


def resident_kib() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


def settle() -> tuple[int, int]:
    gc.collect()
    sys._clear_type_cache()  # it keeps the last few thousand names that were asked of types, temporary ones too
    return sys.getallocatedblocks(), resident_kib()


def growth(
    work: Callable[[], None], warm: int, rounds: int, forget: Callable[[], None] = lambda: None
) -> dict[str, int]:
    """What is held more after `rounds` runs of the work than after `warm`, what may be forgotten left out."""
    for _ in range(warm):
        work()
    forget()
    blocks, rss = settle()
    for _ in range(rounds):
        work()
    forget()
    blocks_after, rss_after = settle()
    return {"blocks": blocks_after - blocks, "rss_kib": rss_after - rss}


def through(reader: Any, data: bytes, pending: Any) -> None:
    """One message in and out by every door."""
    text: Any = data
    for given in (data, text):
        with contextlib.suppress(OcppError):
            reader.validate(given, pending=pending)
        with contextlib.suppress(OcppError):
            _ = reader.peek(given).payload
    try:
        frame = reader.decode(data, pending=pending)
    except OcppError as error:
        str(error)
        error.reply()
        return
    reader.encode(frame)


def spread_over_all(backend: str, messages: int) -> None:
    """Messages spread over all kinds and versions, some of them faulty."""
    readers = {module: codec(module, backend) for module in MODULES}
    graded: dict[str, Any] = {module: readers[module].extend(policy=Policy.tolerant) for module in MODULES}
    rng = Random(1)
    frames = []
    for module in MODULES:
        frames += [(readers[module], data, pending) for data, pending in sample_frames(module)]
        for payload in model(module).payloads():
            mutants = spread(
                faults(model(module), payload.type_name, full(model(module), payload.type_name), rng), 1, rng
            )
            for reader in (readers[module], graded[module]):
                frames += [(reader, framed(payload, text_of(m.tree)), pending_for(payload)) for m in mutants]
    watched = {"None": None, "True": True, "False": False}
    for reader, data, pending in frames[:200]:
        with contextlib.suppress(OcppError):
            frame = reader.decode(data, pending=pending)
            payload = getattr(frame, "payload", frame)
            watched[type(payload).__name__] = type(payload)
    frame = payload = None

    def all_of_them() -> None:
        for reader, data, pending in frames:
            through(reader, data, pending)

    def forget() -> None:
        """What is remembered of a policy's decisions is bounded, not flat: tests/test_tolerance.py holds the bounds."""
        for tolerance in (reader._tolerance() for reader in graded.values()):
            for remembered in (tolerance._entries, tolerance.decided, tolerance.passed):
                remembered.clear()

    for _ in range(3):
        all_of_them()
    forget()
    settle()
    before = {name: sys.getrefcount(value) for name, value in watched.items()}
    rounds = -(-messages // len(frames))
    row: dict[str, Any] = growth(all_of_them, 1, rounds, forget)
    references = {name: sys.getrefcount(value) - before[name] for name, value in watched.items()}
    # None, True and False are held by whatever the interpreter does, and by what a policy's decisions are remembered in, which is emptied now
    # and then; a leak would show as one for each message.
    for name in ("None", "True", "False"):
        references[name] = 0 if abs(references[name]) < 1000 else references[name]
    print(json.dumps({**row, "messages": rounds * len(frames), "kinds": len(frames), "references": references}))


def each_kind(backend: str, rounds: int) -> None:
    """Many of each sort: every payload's full frame, and a mutant of every sort of fault of every payload's model."""
    rng = Random(2)
    met: set[tuple[str, str]] = set()
    for module in MODULES:
        reader = codec(module, backend)
        for payload in model(module).payloads():
            instance = full(model(module), payload.type_name)
            frames = [(str(payload), framed(payload, text_of(instance)))]
            for mutant in faults(model(module), payload.type_name, instance, rng):
                if (module, mutant.name) not in met or rng.random() < 0.002:
                    met.add((module, mutant.name))
                    frames.append((f"{payload} {mutant.name}", framed(payload, text_of(mutant.tree))))
            if len(frames) == 1:
                frames.append((f"{payload} cut short", frames[0][1][:-2]))
            for name, data in frames:
                runs = max(50, rounds * 600 // max(600, len(data)))
                row = growth(partial(through, reader, data, pending_for(payload)), 20, runs)
                print(json.dumps({"name": name, **row}))


def codecs(backend: str, count: int) -> None:
    """Codecs made, used, extended and dropped."""

    def one() -> None:
        for subprotocol in SUBPROTOCOLS.values():
            reader = Codec(subprotocol, backend=backend, max_size=4096)
            reader.decode('[2,"1","Heartbeat",{}]')
            with contextlib.suppress(OcppError, EncodeError):
                reader.decode("[2")

    row = growth(one, 20, count)
    print(json.dumps({**row, "messages": count * len(SUBPROTOCOLS)}))


if __name__ == "__main__":
    what, backend, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    {"spread": spread_over_all, "each": each_kind, "codecs": codecs}[what](backend, count)
