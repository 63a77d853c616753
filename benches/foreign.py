"""Reading frames in other languages: Node's ocpp-rpc, ocpp-go, Java-OCA-OCPP, and Rust's ocpp_rs, ocpp-types, rust-ocpp, simd-json, sonic-rs.

    python -m benches.foreign [--rounds 30] [--no-write]

The programs of benches/peers are built into target/peers, and each contender runs in a process of its own over the same frames: first what
it takes and refuses, then its time, the best round. What lacks its language is left out by name. Writes benches/FOREIGN.md.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from benches.core import Row, model_of, times
from benches.frames import COUNT, Kind, all_kinds, run_seed
from benches.measure import best_rounds
from benches.peers import faults
from benches.results import ROOT, facts, output_of
from ocppcore import Codec, OcppError

PAGE = ROOT / "benches/FOREIGN.md"
PEERS = ROOT / "benches/peers"
OUT = ROOT / "target/peers"
RUST = {
    "ocpp_rs": "0.4.2",
    "ocpp-types": "0.3.0",
    "rust-ocpp": "3.0.4",
    "simd-json": "0.19.0",
    "sonic-rs": "0.5.10",
}


class Result(NamedTuple):
    """A contender, what it refuses, how many good frames of each kind it takes, and nanoseconds per frame of each kind."""

    name: str
    refused: list[str]
    takes: dict[str, int]
    ns: dict[str, float]


# --- building --------------------------------------------------------------------------------------


def run(*command: str, **settings: str) -> None:
    subprocess.run(command, check=True, env={**os.environ, **settings}, stdout=subprocess.DEVNULL)


def build_node() -> dict[str, list[str]]:
    folder = OUT / "node"
    shutil.copytree(PEERS / "node", folder, dirs_exist_ok=True)
    run("npm", "install", "--prefix", str(folder), "--no-package-lock", "--no-audit", "--no-fund", "--silent")
    program = ["node", str(folder / "read.js")]
    return {"Node: JSON.parse": [*program, "json"], "Node: ocpp-rpc 2.2.1": [*program, "ocpp-rpc"]}


def build_go() -> dict[str, list[str]]:
    program = OUT / "go/read"
    run("go", "build", "-C", str(PEERS / "go"), "-o", str(program), ".")
    return {"Go: encoding/json": [str(program), "json"], "Go: ocpp-go 0.19.0": [str(program), "ocpp-go"]}


def build_java() -> dict[str, list[str]]:
    folder = OUT / "java"
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "classpath.txt"
    run(
        "mvn", "-q", "-B", "-f", str(PEERS / "java/pom.xml"), "dependency:build-classpath", f"-Dmdep.outputFile={paths}"
    )
    classes = f"{paths.read_text(encoding='utf-8')}{os.pathsep}{folder}"
    run("javac", "-cp", classes, "-d", str(folder), *map(str, (PEERS / "java/src").glob("*.java")))
    program = ["java", "-cp", classes, "Read"]
    return {"Java: gson": [*program, "json"], "Java: Java-OCA-OCPP 1.1.0": [*program, "ocpp"]}


def build_rust(name: str) -> dict[str, list[str]]:
    folder = OUT / "rust" / name
    manifest = str(PEERS / "rust" / name / "Cargo.toml")
    run("cargo", "build", "--release", "--quiet", "--manifest-path", manifest, CARGO_TARGET_DIR=str(folder))
    return {f"Rust: {name} {RUST[name]}": [str(folder / "release/read")]}


def build_all() -> tuple[dict[str, list[str]], list[str]]:
    """Contender -> its command, and what was left out and why."""
    found: dict[str, list[str]] = {}
    missing: list[str] = []

    def attempt(what: str, programs: Sequence[str], build: Callable[[], dict[str, list[str]]]) -> None:
        absent = [program for program in programs if shutil.which(program) is None]
        if absent:
            missing.append(f"{what}, since {' and '.join(absent)} are missing here")
            return
        try:
            found.update(build())
        except subprocess.CalledProcessError:
            missing.append(f"{what}, which could not be built here")

    attempt("ocpp-rpc", ("node", "npm"), build_node)
    attempt("ocpp-go", ("go",), build_go)
    attempt("Java-OCA-OCPP", ("mvn", "javac"), build_java)
    for name in RUST:
        attempt(name, ("cargo",), partial(build_rust, name))
    return found, missing


# --- running ---------------------------------------------------------------------------------------


def frames_file(kinds: Sequence[Kind], rounds: int) -> dict[str, Any]:
    """What the programs read."""
    subprotocols = {kind.action: kind.subprotocol for kind in kinds}
    return {
        "rounds": rounds,
        "kinds": [{**kind._asdict(), "frames": [frame.decode() for frame in kind.frames]} for kind in kinds],
        "faults": [
            {"name": name, "subprotocol": subprotocols[action], "action": action, "frame": frame.decode()}
            for name, (action, frame) in faults().items()
        ],
    }


def ours(kinds: Sequence[Kind], rounds: int) -> list[Result]:
    """ocppcore on the same frames: typed decode from Python, and the core alone in Rust."""
    ns: dict[str, float] = {}
    for kind in kinds:
        decode = Codec(kind.subprotocol, backend="native").decode
        ns[kind.name] = best_rounds({"decode": (decode, kind.frames)}, rounds)["decode"]
    rows = [Row(model_of(kind.subprotocol), kind.name, "validate", kind.frames) for kind in kinds]
    core = dict(zip(ns, times(rows, rounds), strict=True))
    subprotocols = {kind.action: kind.subprotocol for kind in kinds}
    refused: list[str] = []
    for name, (action, frame) in faults().items():
        try:
            Codec(subprotocols[action], backend="native").decode(frame)
        except OcppError:
            refused.append(name)
    takes = {kind.name: len(kind.frames) for kind in kinds}
    return [
        Result("Python: ocppcore decode", refused, takes, ns),
        Result("Rust: ocppcore's core, validate", refused, takes, core),
    ]


def measure(kinds: Sequence[Kind], rounds: int) -> tuple[list[Result], list[str]]:
    """All contenders, one process after the other, and what was left out."""
    commands, missing = build_all()
    results = ours(kinds, rounds)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.json"
        file.write_text(json.dumps(frames_file(kinds, rounds)), encoding="utf-8")
        for name, (program, *rest) in commands.items():
            # The file goes before the contender's name, after what starts the program.
            at = len(rest) - 1 if not name.startswith("Rust") else len(rest)
            command = [program, *rest[:at], str(file), *rest[at:]]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            results.append(Result(name, **json.loads(done.stdout)))
    return results, missing


# --- the report ------------------------------------------------------------------------------------


def report(kinds: Sequence[Kind], results: Sequence[Result], missing: Sequence[str], rounds: int) -> str:
    """The results in Markdown."""
    names = list(faults())
    tools = {
        "node": output_of("node", "--version"),
        "go": output_of("go", "version"),
        "rustc": output_of("rustc", "--version"),
    }
    lines = [
        "# Reading frames in other languages",
        "",
        "<!-- @generated by: python -m benches.foreign -->",
        "",
        *facts(("ocppcore",), f"`make bench-foreign`, or `python -m benches.foreign --rounds {rounds}`", run_seed()),
        f"- {'; '.join(filter(None, tools.values()))}",
        "",
        f"Microseconds per frame, best of {rounds} rounds, each contender in a process of its own; {COUNT} different frames of each kind. A cell that is",
        "empty belongs to a version that the contender does not know; *takes n* says that it refused good frames, and was not timed.",
        "",
        "| | " + " | ".join(kind.name for kind in kinds) + " |",
        "|---|" + "--:|" * len(kinds),
    ]
    for result in results:
        cells = [
            f"{result.ns[kind.name] / 1000:,.2f}"
            if kind.name in result.ns
            else f"takes {result.takes[kind.name]}"
            if kind.name in result.takes
            else ""
            for kind in kinds
        ]
        lines.append(f"| {result.name} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "What each refuses, found out before the clock started: each column is a frame with that one fault.",
        "",
        "| | " + " | ".join(names) + " |",
        "|---|" + ":-:|" * len(names),
        *(
            f"| {result.name} | " + " | ".join("✓" if name in result.refused else "" for name in names) + " |"
            for result in results
        ),
        "",
        "The JSON parsers of the languages stand beside their contenders: they check syntax only. *ocpp-types* and *rust-ocpp* are told the action;",
        "*ocpp_rs* reads 2.0.1 with its types of 2.1. Java-OCA-OCPP on the registry knows 1.6 alone, so that",
        "*too few*, a fault in a message of 2.0.1, was not shown to it.",
        *(f"Left out: {what}." for what in missing),
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Build, prove, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.foreign", description="Reading frames elsewhere.")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--no-write", action="store_true", help="leave benches/FOREIGN.md as it is")
    options = parser.parse_args()
    kinds = all_kinds(run_seed())
    results, missing = measure(kinds, options.rounds)
    text = report(kinds, results, missing, options.rounds)
    print(text)
    if not options.no_write:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
