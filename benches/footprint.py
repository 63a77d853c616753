"""What it takes to have ocppcore: time to import, memory, the size of messages and of the extension, and the time to build it.

    python -m benches.footprint [--rounds 15] [--build] [--no-write | --smoke]

Each import is timed in a process of its own, bytecode cached, after what it builds on; the best of the rounds counts. `--build` also makes a release
build from nothing on two cores in a folder of its own, which takes minutes. Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

import ocppcore
from benches.baseline import DECODERS
from benches.frames import Kind, run_seed
from benches.measure import arguments, settled
from benches.results import ROOT, facts, keep_figures, kept_figures, marker, write_section
from ocppcore import Codec

VERSIONS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}
CORES = 2


def in_a_process(code: str) -> Any:
    """What a fresh interpreter's `found` is after `code`, which has `clock` and `resident` at hand."""
    head = (
        "import json, os, time, msgspec\n"
        "clock = time.perf_counter\n"
        "def resident(): return int(open('/proc/self/statm').read().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
    )
    command = [sys.executable, "-c", f"{head}{code}\nprint(json.dumps(found))"]
    # A user's interpreter keeps bytecode; the first of several processes writes it.
    settings = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=settings).stdout)


def import_time(statement: str, before: str, rounds: int) -> float:
    """Milliseconds that a statement takes after others, the best of fresh processes."""
    code = f"{before}\nstart = clock()\n{statement}\nfound = clock() - start"
    return min(float(in_a_process(code)) for _ in range(rounds)) * 1e3


def memory(statement: str, before: str, rounds: int) -> float:
    """Megabytes of resident memory that a statement adds, the median of a few fresh processes."""
    code = f"{before}\nstart = resident()\n{statement}\nfound = resident() - start"
    return median(float(in_a_process(code)) for _ in range(min(rounds, 5))) / 1e6


def size_of(message: Any) -> int:
    """Bytes of a message and all that it holds; what is shared within it counts once, values of enumerations not at all."""
    seen: set[int] = set()

    def size(value: Any) -> int:
        if value is None or value.__class__ in (bool, type) or id(value) in seen:
            return 0
        seen.add(id(value))
        own = sys.getsizeof(value)
        if isinstance(value, msgspec.Struct):
            return own + sum(size(getattr(value, name)) for name in value.__struct_fields__)
        return own + (sum(map(size, value)) if value.__class__ in (list, tuple) else 0)

    return size(message)


def message_sizes(kinds: Sequence[Kind]) -> dict[str, tuple[float, float]]:
    """Kind -> mean bytes of a decoded frame, ours and msgspec's."""
    found: dict[str, tuple[float, float]] = {}
    for kind in kinds:
        codec: Codec[Any] = Codec(kind.subprotocol, backend="native")
        ours = [size_of(codec.decode(frame)) for frame in kind.frames]
        theirs = [size_of(DECODERS[kind.action].decode(frame)) for frame in kind.frames]
        found[kind.name] = sum(ours) / len(ours), sum(theirs) / len(theirs)
    return found


def extension_size() -> float:
    """Megabytes of the extension module, stripped if there is `strip`."""
    [library] = Path(ocppcore.__file__).parent.glob("_native.*")
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copy(library, folder))
        if shutil.which("strip"):
            subprocess.run(["strip", str(copy)], check=True)
        return copy.stat().st_size / 1e6


def build_time() -> float:
    """Seconds of a release build of the extension from nothing, its dependencies too, on two cores."""
    cores = sorted(os.sched_getaffinity(0))[:CORES]
    with tempfile.TemporaryDirectory() as folder:
        command = ["cargo", "build", "--release", "--locked", "--quiet", "--package", "ocppcore-python"]
        command = [*command, "--jobs", str(CORES), "--target-dir", folder]
        start = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYO3_PYTHON": sys.executable})
        os.sched_setaffinity(process.pid, cores)
        if process.wait():
            raise SystemExit("the release build failed; see above")
        return time.perf_counter() - start


def main(given: Sequence[str] | None = None) -> None:
    """Measure, print, write."""
    parser = arguments("footprint", "Imports, memory, sizes, the build.", 15)
    parser.add_argument("--build", action="store_true", help="time a release build from nothing, too")
    options = parser.parse_args(given)
    kinds, rounds, write = settled(options)
    package = import_time("import ocppcore", "", rounds)
    times = {name: import_time(f"import ocppcore.{name}", "import ocppcore", rounds) for name in VERSIONS.values()}
    codecs = {
        module: import_time(f"ocppcore.Codec({name!r})", f"import ocppcore, ocppcore.{module}", rounds)
        for name, module in VERSIONS.items()
    }
    loaded = "import ocppcore, ocppcore._native, datetime"
    memories = {
        module: memory(f"import ocppcore.{module}; codec = ocppcore.Codec({name!r})", loaded, rounds)
        for name, module in VERSIONS.items()
    }
    sizes = message_sizes(kinds)
    library = extension_size()
    figures = {
        "import_package": package,
        "import_version": max(times.values()),
        "memory_version": max(memories.values()),
        "message_size": max(ours / theirs for ours, theirs in sizes.values()),
        "extension_size": library,
    }
    if options.build:
        figures["build_time"] = build_time()
    elif "build_time" in (kept := kept_figures().get("footprint", {}).get("figures", {})):
        figures["build_time"] = kept["build_time"]
    flag = " --build" if options.build else ""
    lines = [
        "# What it takes to have it",
        "",
        marker("footprint"),
        "",
        *facts(("msgspec", "ocppcore"), f"`python -m benches.footprint --rounds {rounds}{flag}`", run_seed()),
        "",
        f"`import ocppcore` takes **{package:.1f} ms** beyond `import msgspec`, best of {rounds} processes, bytecode cached.",
        "",
        "| version | import, ms | first codec, ms | memory of both, MB |",
        "|---|--:|--:|--:|",
        *(f"| {name} | {times[name]:.1f} | {codecs[name]:.1f} | {memories[name]:.1f} |" for name in times),
        "",
        f"The extension module has **{library:.2f} MB** stripped."
        + (f" A release build on two cores took **{figures['build_time']:.0f} s**." if "build_time" in figures else ""),
        "",
        "| a decoded message, bytes | ocppcore | msgspec | share |",
        "|---|--:|--:|--:|",
        *(f"| {name} | {a:,.0f} | {b:,.0f} | {a / b:.2f} |" for name, (a, b) in sizes.items()),
        "",
    ]
    text = "\n".join(lines)
    print(text)
    if write:
        write_section("footprint", text)
        keep_figures("footprint", figures)


if __name__ == "__main__":
    main()
