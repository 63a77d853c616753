"""The same shares on every CPython that is here: ocppcore beside msgspec and orjson, on 3.11, 3.12, 3.13 and whatever else `tools.dist` makes wheels for.

    python -m benches.pythons [--rounds 40] [--turns 3] [--no-write]

A native wheel of each is built and put into a virtual environment of its own, with the msgspec and orjson that run here. The Pythons take turns, each
in a process of its own, and the best round of all turns counts; leaves are not shared. Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import msgspec
import orjson

from benches.baseline import DECODERS
from benches.decode import two_steps
from benches.frames import all_kinds, run_seed
from benches.measure import best_rounds
from benches.results import facts, geometric_mean, marker, write_section
from ocppcore import Codec
from tools.dist import PYTHONS, ROOT, build_native, find_python

# Row -> what is timed over what.
ROWS = {
    "decode / msgspec typed and told the action": ("decode", "typed"),
    "decode / msgspec in two steps": ("decode", "steps"),
    "validate / orjson.loads": ("validate", "loads"),
    "encode, which validates / msgspec.json.encode": ("encode", "dumps"),
}
OTHERS = ("msgspec", "orjson")

Times = dict[str, dict[str, float]]
"""Kind of frame -> work -> nanoseconds of the best round."""


def measured(rounds: int) -> Times:
    """What one Python takes."""
    found: Times = {}
    for kind in all_kinds(run_seed()):
        codec = Codec(kind.subprotocol, backend="native")
        typed = DECODERS[kind.action].decode
        frames = kind.frames
        found[kind.name] = best_rounds(
            {
                "decode": (codec.decode, frames),
                "typed": (typed, frames),
                "steps": (two_steps(), frames),
                "validate": (codec.validate, frames),
                "loads": (orjson.loads, frames),
                "encode": (codec.encode, [codec.decode(frame) for frame in frames]),
                "dumps": (msgspec.json.encode, [typed(frame) for frame in frames]),
            },
            rounds,
        )
    return found


def environment(python: str, wheel: Path, folder: Path) -> Path:
    """An interpreter that has the wheel."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    interpreter = folder / "bin/python"
    others = [f"{name}=={version(name)}" for name in OTHERS]
    subprocess.run([str(interpreter), "-m", "pip", "install", "--quiet", str(wheel), *others], check=True)
    return interpreter


def turn(interpreter: Path, rounds: int) -> Times:
    """What it takes in a process of its own."""
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "OCPPCORE_SHARE_LEAVES": "0", "OCPPCORE_BENCH_SEED": run_seed()}
    command = [str(interpreter), "-m", "benches.pythons", "--worker", "--rounds", str(rounds)]
    done = subprocess.run(command, env=settings, stdout=subprocess.PIPE, check=True, text=True)
    times: Times = json.loads(done.stdout)
    return times


def all_pythons(rounds: int, turns: int) -> dict[str, Times]:
    """Python -> what it takes, the best of its turns."""
    found: dict[str, Times] = {}
    with tempfile.TemporaryDirectory() as folder:
        here = {wanted: python for wanted in PYTHONS if (python := find_python(wanted))}
        build_native(Path(folder), tuple(here))
        ready: dict[str, Path] = {}
        for wanted, python in here.items():
            wheel = next(Path(folder).glob(f"*-cp{wanted.replace('.', '')}-*.whl"))
            ready[wanted] = environment(python, wheel, Path(folder) / wanted)
        for _ in range(turns):
            for wanted, interpreter in ready.items():
                for kind, times in turn(interpreter, rounds).items():
                    best = found.setdefault(wanted, {}).setdefault(kind, times)
                    best.update({work: min(best[work], taken) for work, taken in times.items()})
    return found


def report(found: dict[str, Times], command: str) -> str:
    """The section."""
    first = next(iter(found))
    lines = [
        "# On every Python",
        "",
        marker("pythons"),
        "",
        *facts((*OTHERS, "ocppcore"), command, run_seed()),
        "",
        "Geometric means over the six kinds, leaves not shared; each Python in processes of its own, in turns, the best round of all. In brackets the share over that of "
        f"{first}:",
        "1.10 is a tenth worse. The shares differ from those above as far as the run does.",
        "",
        f"| | {' | '.join(found)} |",
        f"|---|{'--:|' * len(found)}",
    ]
    for row, (ours, theirs) in ROWS.items():
        shares = {
            name: geometric_mean(best[ours] / best[theirs] for best in times.values()) for name, times in found.items()
        }
        cells = [f"{share:.2f} ({share / shares[first]:.2f})" for share in shares.values()]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    times = [geometric_mean(best["decode"] for best in times.values()) for times in found.values()]
    lines.append(f"| decode, nanoseconds | {' | '.join(f'{taken:,.0f} ({taken / times[0]:.2f})' for taken in times)} |")
    return "\n".join([*lines, ""])


def main(given: list[str] | None = None) -> int:
    """Measure, print, write; or, as a worker, measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benches.pythons", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--no-write", action="store_true")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(given)
    if options.worker:
        print(json.dumps(measured(options.rounds)))
        return 0
    text = report(all_pythons(options.rounds, options.turns), f"`python -m benches.pythons --rounds {options.rounds}`")
    sys.stdout.write(text)
    if not options.no_write:
        write_section("pythons", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
