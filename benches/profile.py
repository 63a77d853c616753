"""Where decode spends its instructions, and where msgspec spends its own: the profile behind the targets that are missed.

    python -m benches.profile [--no-write]

Counted under callgrind on the whole process, from the call to the release of the result, once over the frames and twice: the difference is one
pass. Needs valgrind and a Python with symbols. Leaves are not shared. Writes its section of benches/RESULTS.md.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from benches.baseline import DECODERS
from benches.frames import COUNT, all_kinds
from benches.measure import Work
from benches.paths import faulty, refusing, refusing_as_msgspec
from benches.results import facts, marker, write_section
from ocppcore import Codec
from tools.instructions import ROOT, callgrind

OWN, ALLOCATOR, PYTHON, LIBRARY = "its own code", "allocator", "CPython", "C library"
OWNERS = (OWN, ALLOCATOR, PYTHON, LIBRARY)
_allocates = re.compile(
    r"_?Py(Object|Mem)_(Raw)?(Malloc|Calloc|Realloc|Free)|(_int_)?(malloc|calloc|realloc|free)"
).match
CONTENDERS = ("ocppcore", "msgspec")
PATHS = ("decode", "a late fault, all read")


def work() -> Iterator[tuple[str, str, str, Work, list[bytes]]]:
    """What is counted: path, kind, whose, a callable, and what it is called with."""
    for kind in all_kinds():
        ours, theirs = Codec(kind.subprotocol, backend="native").decode, DECODERS[kind.action].decode
        late = [faulty(1)(frame) for frame in kind.frames]
        decode, fault = PATHS
        yield decode, kind.name, "ocppcore", ours, kind.frames
        yield decode, kind.name, "msgspec", theirs, kind.frames
        yield fault, kind.name, "ocppcore", refusing(ours), late
        yield fault, kind.name, "msgspec", refusing_as_msgspec(theirs), late


def run() -> None:
    """What runs under callgrind: all of it, each once to learn, then over all frames once and twice."""
    for *_, call, arguments in work():
        for argument in arguments:
            call(argument)
        for passes in (1, 2):
            deque(map(call, chain.from_iterable(repeat(arguments, passes))), maxlen=0)


def owner(program: str, function: str) -> str:
    """To whom a function's own instructions are counted."""
    if _allocates(function):
        return ALLOCATOR
    if "_native" in program or "msgspec" in program:
        return OWN
    return PYTHON if "python" in program else LIBRARY


def owners(dump: Path) -> Counter[str]:
    """Owner -> the instructions of a dump that are its functions' own."""
    programs: dict[str, str] = {}
    functions: dict[str, str] = {}
    found: Counter[str] = Counter()
    program = function = ""
    after_call = False
    for line in dump.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"(c?ob|c?fn)=(\(\d+\))(?: (.*))?$", line):
            known = programs if match[1].endswith("ob") else functions
            if match[3] is not None:
                known[match[2]] = match[3]
            if match[1] == "ob":
                program = known[match[2]]
            elif match[1] == "fn":
                function = known[match[2]]
        elif line.startswith("calls="):
            after_call = True
        elif line[:1] in "0123456789+-*" and line:
            # The line behind a call has the callee's instructions, which stand on their own lines too.
            if not after_call:
                found[owner(program, function)] += int(line.split()[-1])
            after_call = False
    return found


def counted() -> list[Counter[str]]:
    """Instructions per frame by owner, of each that `work` gives."""
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(ROOT),
        "OCPPCORE_SHARE_LEAVES": "0",
    }
    with tempfile.TemporaryDirectory() as folder:
        command = (sys.executable, "-m", "benches.profile", "run")
        dumps = callgrind(Path(folder), "deque_init", *command, environment=environment)
        wanted = 2 * len(list(work()))
        if len(dumps) < wanted:
            raise SystemExit("this Python has no symbols to count by: take one that is not stripped")
        counts = [owners(dump) for dump in dumps[-wanted:]]
    return [
        Counter({name: round((two[name] - one[name]) / COUNT) for name in OWNERS})
        for one, two in zip(counts[::2], counts[1::2], strict=True)
    ]


def report(rows: Iterable[tuple[str, str, str, Counter[str]]]) -> str:
    """The section."""
    known = {(path, kind, whose): counts for path, kind, whose, counts in rows}
    lines = [
        "# Where the instructions go",
        "",
        marker("profile"),
        "",
        *facts(("msgspec", "ocppcore"), "`python -m benches.profile`, which needs valgrind"),
        "",
        "Instructions per frame by callgrind, from the call to the release of the result, leaves not shared: those of ocppcore's or msgspec's *own code*, of CPython's",
        "*allocator*, of *CPython* beyond that (strings, lists, numbers; for a fault the exception and the Python that reads it), and of the *C library*, which moves",
        "memory. What stands under allocator and CPython nobody who makes the same objects can leave out: it bounds what a faster reader wins.",
    ]
    for path in PATHS:
        head = [f"{whose}: {name}" for whose in CONTENDERS for name in (*OWNERS, "all")]
        lines += ["", f"| {path} | {' | '.join(head)} | share |", f"|---|{'--:|' * (len(head) + 1)}"]
        for kind in dict.fromkeys(kind for _, kind, _ in known):
            cells: list[str] = []
            totals: list[int] = []
            for whose in CONTENDERS:
                counts = known[path, kind, whose]
                totals.append(counts.total())
                cells += [f"{value:,}" for value in (*(counts[name] for name in OWNERS), counts.total())]
            lines.append(f"| {kind} | {' | '.join(cells)} | **{totals[0] / totals[1]:.2f}** |")
    return "\n".join([*lines, ""])


def main(given: list[str]) -> int:
    if given == ["run"]:
        run()
        return 0
    names: list[tuple[Any, ...]] = [row[:3] for row in work()]
    text = report((*name, counts) for name, counts in zip(names, counted(), strict=True))
    sys.stdout.write(text)
    if "--no-write" not in given:
        write_section("profile", text)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
