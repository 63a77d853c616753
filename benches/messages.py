"""Typed decode of every request of every version beside msgspec in two steps, and of the six kinds beside bare allocation.

    python -m benches.messages [--rounds 40] [--no-write | --smoke]

The contender's Structs are made of schemas/*.toml (`benches/expert.py`); a few full instances of each request are read by both and proven equal
first. The floor is a loop in C that allocates the same tree and releases it (`benches/floor.c`). Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from benches import expert
from benches.decode import plain
from benches.frames import Kind, run_seed, uuid
from benches.measure import Work, arguments, best_rounds, settled
from benches.paths import distinct_leaves
from benches.results import facts, geometric_mean, keep_figures, marker, write_section
from ocppcore import Codec

INSTANCES = 100
"""More than the small leaves that decode keeps of a type, so that none is found again."""
PROVEN = 10
SOURCE = Path(__file__).resolve().parent / "floor.c"


# --- every request ---------------------------------------------------------------------------------


def frames_of(version: str, random: Random) -> dict[str, list[bytes]]:
    """Action -> full frames of it."""
    return {
        action: [
            json.dumps([2, uuid(random), action, expert.full(version, body, random)], separators=(",", ":")).encode()
            for _ in range(INSTANCES)
        ]
        for action, body in expert.requests(version)
    }


def two_steps(version: str) -> Work:
    """The envelope first, then the payload by its action, over all requests of a version."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw]).decode
    payloads = {
        action: msgspec.json.Decoder(expert.struct(version, body)).decode for action, body in expert.requests(version)
    }

    def decode(frame: bytes) -> Any:
        number, identifier, action, payload = envelope(frame)
        return number, identifier, action, payloads[action](payload)

    return decode


def request_shares(version: str, rounds: int) -> dict[str, tuple[float, float]]:
    """Action -> bytes of a frame, and ocppcore's time over that of msgspec in two steps."""
    codec: Codec[Any] = Codec(expert.model(version).subprotocol, backend="native")
    theirs = two_steps(version)
    found: dict[str, tuple[float, float]] = {}
    for action, frames in frames_of(version, Random(run_seed())).items():
        for frame in frames[:PROVEN]:
            assert plain(codec.decode(frame).payload) == plain(theirs(frame)[3]), frame
        best = best_rounds({"ours": (codec.decode, frames), "theirs": (theirs, frames)}, rounds, size=60_000)
        found[action] = sum(map(len, frames)) / len(frames), best["ours"] / best["theirs"]
    return found


# --- the floor -------------------------------------------------------------------------------------


def build_floor() -> Work | None:
    """The function `tree` of benches/floor.c, or None where there is no C compiler."""
    compiler = shutil.which("cc")
    headers = sysconfig.get_path("include")
    if compiler is None or not Path(headers, "Python.h").exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / f"floor{sysconfig.get_config_var('EXT_SUFFIX')}"
        command = [compiler, "-O3", "-shared", "-fPIC", f"-I{headers}", str(SOURCE), "-o", str(library)]
        subprocess.run(command, check=True)
        found = importlib.util.spec_from_file_location("floor", library)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        found.loader.exec_module(module)
    tree: Work = module.tree
    return tree


def floor_times(kinds: Sequence[Kind], tree: Work, rounds: int) -> dict[str, tuple[float, float]]:
    """Kind -> nanoseconds of decode, and of allocating its messages."""
    found: dict[str, tuple[float, float]] = {}
    for kind in kinds:
        codec = Codec(kind.subprotocol, backend="native")
        messages = [codec.decode(frame) for frame in kind.frames]
        for message in messages:
            copy = tree(message)
            assert copy == message
            assert copy.payload is not message.payload
        # As many passes of both: a message counts like its frame.
        repeat = max(1, 400_000 // sum(map(len, kind.frames)))
        works: dict[str, tuple[Work, list[Any]]] = {
            "decode": (codec.decode, kind.frames * repeat),
            "floor": (tree, messages * repeat),
        }
        best = best_rounds(works, rounds, size=1)
        found[kind.name] = best["decode"], best["floor"]
    return found


# --- the report ------------------------------------------------------------------------------------


def report(
    shares: dict[str, dict[str, tuple[float, float]]], floors: dict[str, tuple[float, float]], rounds: int
) -> str:
    """The results in Markdown."""
    lines = [
        "# Every request, and the floor",
        "",
        marker("messages"),
        "",
        *facts(("msgspec", "ocppcore"), f"`python -m benches.messages --rounds {rounds}`", run_seed()),
        "",
        f"ocppcore's decode over msgspec in two steps, best of {rounds} interleaved rounds in one process: {INSTANCES} full instances of each request, all unlike, every",
        "field there, lists of two items. msgspec's Structs are made of the same facts by `benches/expert.py`; equal values are asserted first.",
        "",
        "| version | requests | geometric mean | best | worst | the five worst |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for version, found in shares.items():
        ranked = sorted(((share, action, size) for action, (size, share) in found.items()), reverse=True)
        five = ", ".join(f"{action} {share:.2f} ({size:,.0f} B)" for share, action, size in ranked[:5])
        mean = geometric_mean(share for share, _, _ in ranked)
        lines.append(
            f"| {version} | {len(ranked)} | **{mean:.2f}** | {ranked[-1][0]:.2f} | {ranked[0][0]:.2f} | {five} |"
        )
    if not floors:
        return "\n".join([*lines, "", "The floor was left out: there is no C compiler, or no Python.h.", ""])
    lines += [
        "",
        "Decode over allocating and releasing the same tree in C, texts, numbers and date-times too (`benches/floor.c`):",
        "",
        "| frame | decode, ns | allocation, ns | decode / allocation |",
        "|---|--:|--:|--:|",
        *(f"| {kind} | {ours:,.0f} | {bare:,.0f} | **{ours / bare:.2f}** |" for kind, (ours, bare) in floors.items()),
        "",
        f"Geometric mean: **{geometric_mean(ours / bare for ours, bare in floors.values()):.2f}**.",
        "",
    ]
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> None:
    """Prove, measure, print, write."""
    kinds, rounds, write = settled(arguments("messages", "Every request, and the floor.", 40).parse_args(given))
    shares = {version: request_shares(version, rounds) for version in expert.VERSIONS}
    tree = build_floor()
    # Without leaves that could be shared: the floor allocates them all.
    distinct = distinct_leaves(Random(run_seed()))
    kinds = [kind._replace(frames=[distinct(frame) for frame in kind.frames]) for kind in kinds]
    floors = {} if tree is None else floor_times(kinds, tree, rounds)
    text = report(shares, floors, rounds)
    print(text)
    if not write:
        return
    all_shares = [share for found in shares.values() for _, share in found.values()]
    figures = {"requests_worst": max(all_shares), "requests_mean": geometric_mean(all_shares)}
    if floors:
        figures["floor_mean"] = geometric_mean(ours / bare for ours, bare in floors.values())
    write_section("messages", text)
    keep_figures("messages", figures)


if __name__ == "__main__":
    main()
