"""Reading frames: ocppcore beside everything else that Python has, each contender in a process of its own.

    python -m benches.peers [--rounds 7] [--no-write]

A contender first shows what it checks: it must take every good frame, and the faults that it refuses are printed beside its time. Then
each process times its own contender, the processes taking turns, and the best round of each counts. Writes benches/PEERS.md and the plot benches/peers.svg.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benches.contenders import CONTENDERS, Read
from benches.frames import COUNT, Kind, all_kinds, run_seed
from benches.plot import plot
from benches.results import facts, keep_figures

PAGE = Path(__file__).resolve().parent / "PEERS.md"
PLOT = PAGE.with_name("peers.svg")
PLOTTED = "TransactionEvent"
BUDGET = 0.1
"""Seconds that a round of one kind may take at most."""


# --- what a contender checks -----------------------------------------------------------------------


def faults() -> dict[str, tuple[str, bytes]]:
    """Fault -> the action and the frame that has it, and no other."""
    good = {kind.action: kind.frames[0].decode() for kind in all_kinds(run_seed())}
    head = '[2,"1",'
    status = head + '"StatusNotification",{"connectorId":%s,"errorCode":"%s","status":"Available"%s}]'
    boot = head + '"BootNotification",{"chargePointVendor":%s,"chargePointModel":"M"%s}]'
    meter = head + '"MeterValues",{"connectorId":1,"meterValue":[{"timestamp":"%s","sampledValue":[{"value":"1"}]}]}]'
    report = head + '"NotifyReport",{"requestId":1,"generatedAt":"2026-03-01T12:00:00Z","seqNo":0,"reportData":[]}]'
    made = {
        "syntax": ("Heartbeat", good["Heartbeat"][:-1]),
        "type": ("StatusNotification", status % ('"1"', "NoError", "")),
        "missing": ("StatusNotification", head + '"StatusNotification",{"connectorId":1,"errorCode":"NoError"}]'),
        "unknown key": ("StatusNotification", status % ("1", "NoError", ',"extra":1')),
        "enumeration": ("StatusNotification", status % ("1", "NoErrors", "")),
        "length": ("BootNotification", boot % ('"' + "x" * 21 + '"', "")),
        "date-time": ("MeterValues", meter % "2026-02-30T12:00:00Z"),
        "leap second": ("MeterValues", meter % "2026-06-30T23:59:60Z"),
        "null": ("BootNotification", boot % ('"V"', ',"iccid":null')),
        "duplicate key": ("BootNotification", boot % ('"V"', ',"iccid":"a","iccid":"b"')),
        "too few": ("NotifyReport", report),
        "id too long": ("Heartbeat", f'[2,"{"x" * 40}","Heartbeat",{{}}]'),
        "wrong action": ("Heartbeat", '[2,"1","Hartbeat",{}]'),
        "a fifth element": ("Heartbeat", '[2,"1","Heartbeat",{},1]'),
        "lone surrogate": ("BootNotification", boot % ('"\\ud800"', "")),
    }
    return {name: (action, frame.encode()) for name, (action, frame) in made.items()}


def refused(name: str) -> list[str]:
    """The faults that a contender refuses, once it has taken every good frame."""
    make = CONTENDERS[name]
    for kind in all_kinds(run_seed()):
        read = make(kind.action)
        for frame in kind.frames:
            read(frame)
    found: list[str] = []
    for fault, (action, frame) in faults().items():
        try:
            make(action)(frame)
        except Exception:  # whatever a contender raises is a refusal
            found.append(fault)
    return found


# --- the time --------------------------------------------------------------------------------------


def one_round(read: Read, kind: Kind) -> float:
    """Nanoseconds per frame of one round, which is cut short once it has used its time."""
    clock = time.perf_counter_ns
    frames = kind.frames
    passes, spent = 0, 0
    while passes == 0 or (spent < BUDGET * 1e9 / 4 and passes < 50):
        start = clock()
        for frame in frames:
            read(frame)
        spent += clock() - start
        passes += 1
    return spent / passes / len(frames)


def serve(name: str) -> None:
    """The process of one contender: what it refuses first, then a round of every kind for each line that comes in."""
    print(json.dumps(refused(name)), flush=True)
    kinds = all_kinds(run_seed())
    readers = [CONTENDERS[name](kind.action) for kind in kinds]
    gc.disable()
    for _ in sys.stdin:
        print(json.dumps([one_round(read, kind) for read, kind in zip(readers, kinds, strict=True)]), flush=True)
        gc.collect()


class Contender:
    """One contender in its process."""

    def __init__(self, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "benches.peers", "--serve", name]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.refused: list[str] = self.read()
        self.best: list[float] = []

    def read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} has failed; see above")
        return json.loads(line)

    def round(self) -> None:
        assert self.process.stdin is not None
        print("go", file=self.process.stdin, flush=True)
        times: list[float] = self.read()
        self.best = list(map(min, self.best, times)) if self.best else times

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def report(contenders: list[Contender], rounds: int) -> str:
    """The results in Markdown: times, ratios, and what each checks."""
    kinds = all_kinds(run_seed())
    ours = contenders[0].best
    packages = ("msgspec", "orjson", "pydantic", "jsonschema-rs", "fastjsonschema", "ocpp")
    names = list(faults())
    lines = [
        "# Reading frames beside the peers",
        "",
        "<!-- @generated by: python -m benches.peers -->",
        "",
        *facts(packages, f"`make bench-peers`, or `python -m benches.peers --rounds {rounds}`", run_seed()),
        "",
        f"Each contender runs in a process of its own; the processes take turns, and the best of {rounds} rounds counts. {COUNT} different frames",
        "of each kind. Microseconds per frame; in brackets, how many times the time of ocppcore's typed decode.",
        "",
        "| | " + " | ".join(kind.name for kind in kinds) + " |",
        "|---|" + "--:|" * len(kinds),
    ]
    for contender in contenders:
        cells = [
            f"{time / 1000:,.2f}" + (f" ({time / own:,.2f})" if contender is not contenders[0] else "")
            for time, own in zip(contender.best, ours, strict=True)
        ]
        lines.append(f"| {contender.name} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "What each of them refuses, found out before the clock started: each column is a frame with that one fault.",
        "",
        "| | " + " | ".join(names) + " |",
        "|---|" + ":-:|" * len(names),
    ]
    for contender in contenders:
        lines.append(
            f"| {contender.name} | " + " | ".join("✓" if name in contender.refused else "" for name in names) + " |"
        )
    lines += [
        "",
        "*msgspec typed* must be told the action beforehand, so that it can be no server's reader; *in two steps* is what a server would write.",
        "*ocpp* is PyPI's `ocpp` without its hop to a thread, which adds a tenth of a millisecond to each message.",
        "",
    ]
    return "\n".join(lines)


def figures(best: dict[str, list[float]]) -> dict[str, float]:
    """What the targets ask for."""
    python = "ocppcore decode, Python backend"
    shares = {
        name: [ours / theirs for ours, theirs in zip(times, best["ocpp"], strict=True)]
        for name, times in best.items()
        if name.startswith("ocppcore")
    }
    return {"python_backend": max(shares[python][3:]), "slowest_path": max(map(max, shares.values()))}


def drawn(contenders: list[Contender]) -> str:
    """The plot that the README carries; who lets a wrong value pass is said to see the syntax alone."""
    [(at, kind)] = [(at, kind) for at, kind in enumerate(all_kinds(run_seed())) if kind.action == PLOTTED]
    size = sum(map(len, kind.frames)) / len(kind.frames) / 1000
    return plot(
        f"Reading a {PLOTTED} of {size:.1f} kB",
        "Microseconds per frame on one core, logarithmic; what each of them checks stands in benches/PEERS.md.",
        {
            contender.name + ("" if "enumeration" in contender.refused else " (syntax only)"): contender.best[at] / 1000
            for contender in contenders
        },
        ours="ocppcore",
    )


def main() -> None:
    """Prove, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.peers", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-write", action="store_true", help="leave benches/PEERS.md as it is")
    parser.add_argument("--serve", metavar="NAME", help="be the process of one contender")
    options = parser.parse_args()
    if options.serve:
        serve(options.serve)
        return
    contenders = [Contender(name) for name in CONTENDERS]
    for _ in range(options.rounds):
        for contender in contenders:
            contender.round()
    for contender in contenders:
        contender.close()
    text = report(contenders, options.rounds)
    print(text)
    if not options.no_write:
        PAGE.write_text(text, encoding="utf-8")
        PLOT.write_text(drawn(contenders), encoding="utf-8")
        keep_figures("peers", figures({contender.name: contender.best for contender in contenders}))


if __name__ == "__main__":
    main()
