"""What a message costs a server: processor time per message and memory per idle connection, beside other ways to serve.

    python -m benches.gateway [--seconds 0.06] [--rounds 8] [--idle 10000] [--storm 5000] [--only picows] [--no-write]

The server is a process of its own (benches.servers), the load comes from this one, over the loopback interface: `CONNECTIONS` stations that each
wait for the answer before the next TransactionEvent. One process of a library does all that is measured, for stations that are called by different names, and
they take turns of a few hundredths of a second, so that neither what else the machine does nor the luck of a process favours anybody; processor time is
the server's, user and system, to the nanosecond, and the best turn counts. Writes benches/GATEWAY.md.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import shutil
import statistics
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from benches.frames import all_kinds
from benches.results import commit, machine
from benches.servers import LIBRARIES, SUBPROTOCOL, WORKS

ws_connect: Any = import_module("picows").ws_connect  # its stub leaves a part of its type open

PAGE = Path(__file__).resolve().parent / "GATEWAY.md"
ROOT = PAGE.parents[1]
GO = "Go, gorilla/websocket"
GO_SOURCE = ROOT / "tests/interop/peers/go"
GO_ECHO = ROOT / "target/interop/go/echo"
CONNECTIONS = 32
FRAMES = next(kind.frames for kind in all_kinds() if kind.action == "TransactionEvent")


class Process:
    """A server in a process of its own."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port: int = json.loads(self.process.stdout.readline())

    @property
    def processor(self) -> float:
        """Seconds of processor time so far, user and system."""
        clock = (
            ~self.process.pid << 3
        ) | 2  # as clock_getcpuclockid(3) has it: all threads, those that run now included
        return time.clock_gettime(clock)

    @property
    def memory(self) -> int:
        """Resident bytes."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii").splitlines()
        line = next(line for line in lines if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


class Station(WSListener):
    """A client that sends its next message when an answer comes, as long as it may."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.sent = self.answers = 0
        self.going = False
        self.socket: WSTransport | None = None
        self.closed = asyncio.get_running_loop().create_future()

    def on_ws_connected(self, transport: WSTransport) -> None:
        self.socket = transport

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            self.answers += 1
            if self.going:
                self.send()

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        if not self.closed.done():
            self.closed.set_result(None)

    def send(self) -> None:
        assert self.socket is not None
        self.number += 1
        self.sent += 1
        self.socket.send(WSMsgType.TEXT, FRAMES[self.number % len(FRAMES)])


async def connect(port: int, number: int, name: str = "CS") -> Station:
    """A station that is connected."""
    _, station = await ws_connect(
        lambda: Station(number * 7),
        f"ws://127.0.0.1:{port}/{name}-{number}",
        extra_headers={"Sec-WebSocket-Protocol": SUBPROTOCOL},
    )
    assert isinstance(station, Station)
    return station


async def hang_up(stations: list[Station]) -> None:
    for station in stations:
        if station.socket is not None:
            station.socket.disconnect()
    await asyncio.wait([station.closed for station in stations])


# A process may lie in memory, and hash, by a fifth better or worse than another one of the same program, for as long as it lives: many processes tell more than
# many turns.
STARTS = 12


class Contender:
    """Something that a server does, for stations of their own; it does nothing between its turns."""

    def __init__(self, server: Process, name: str) -> None:
        self.server = server
        self.name = name
        self.stations: list[Station] = []
        self.best = float("inf")

    async def turn(self, seconds: float) -> None:
        """One turn under load; the best counts, in microseconds per message."""
        if not self.stations:
            self.stations = [await connect(self.server.port, number, self.name) for number in range(CONNECTIONS)]
        self.best = min(self.best, await load(self.server, self.stations, seconds))


async def load(server: Process, stations: list[Station], seconds: float) -> float:
    """Microseconds of the server's processor time per message, under load."""
    for station in stations:
        station.going = True
        station.send()
    await asyncio.sleep(seconds / 4)
    used, before, answers = 0.0, server.processor, sum(station.answers for station in stations)
    done = 0
    while done < 100:  # the slowest need longer
        await asyncio.sleep(seconds)
        used = server.processor - before
        done = sum(station.answers for station in stations) - answers
    for station in stations:
        station.going = False
    while any(station.answers < station.sent for station in stations):
        await asyncio.sleep(0.001)
    return used / done * 1e6


async def idle(server: Process, count: int) -> float:
    """Bytes that an idle connection takes in the server."""
    first = [await connect(server.port, number) for number in range(100)]
    before = server.memory
    stations = await crowd(server, count, 100)
    await asyncio.sleep(0.5)
    taken = (server.memory - before) / count
    await hang_up(first + stations)
    return taken


async def crowd(server: Process, count: int, start: int) -> list[Station]:
    """Many connections, some hundreds of handshakes at a time."""
    stations: list[Station] = []
    for begin in range(0, count, 250):
        numbers = range(start + begin, start + min(begin + 250, count))
        stations += await asyncio.gather(*(connect(server.port, number) for number in numbers))
    return stations


async def storm(server: Process, idle_count: int, count: int) -> tuple[float, float]:
    """`count` of the idle connections break at once and come again, each with a message: seconds until all are served, and the server's processor time."""
    stations = await crowd(server, idle_count, 0)
    before, start = server.processor, time.monotonic()
    for station in stations[:count]:
        assert station.socket is not None
        station.socket.disconnect(graceful=False)
    again: list[Station] = []
    for begin in range(0, count, 1000):
        again += await asyncio.gather(
            *(connect(server.port, number) for number in range(begin, min(begin + 1000, count)))
        )
    for station in again:
        station.send()
    while any(station.answers == 0 for station in again):
        await asyncio.sleep(0.02)
    took, used = time.monotonic() - start, server.processor - before
    # Whoever stayed is still served.
    for station in stations[count:]:
        station.send()
    while any(station.answers == 0 for station in stations[count:]):
        await asyncio.sleep(0.02)
    await hang_up(again + stations[count:])
    return took, used


def build_go() -> bool:
    """Whether the bare echo in Go is there; it is built where Go is."""
    if shutil.which("go"):
        subprocess.run(["go", "build", "-C", str(GO_SOURCE), "-o", str(GO_ECHO), "./echo"], check=True)
    return GO_ECHO.exists()


class Cost(NamedTuple):
    """Microseconds per message in the best turn of all processes, and what was added to the echo of the same process, in the median of them."""

    best: float
    added: float


async def one_process(library: str, beside_go: bool, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """The best turn of all that a library's server does, in one process: column -> work -> microseconds per message."""
    servers = [Process([sys.executable, "-m", "benches.servers", library])]
    contenders = {(library, work): Contender(servers[0], str(number)) for number, work in enumerate(WORKS)}
    if beside_go:
        servers.append(Process([str(GO_ECHO)]))
        contenders[GO, "echo"] = Contender(servers[1], "CS")
    for number in range(options.rounds):
        # Back and forth, so that nobody always comes after the same one.
        for contender in list(contenders.values())[:: -1 if number % 2 else 1]:
            await contender.turn(options.seconds)
        gc.collect()
    found: dict[str, dict[str, float]] = {}
    for (column, work), contender in contenders.items():
        found.setdefault(column, {})[work] = contender.best
        await hang_up(contender.stations)
    for server in servers:
        server.end()
    return found


async def measure(options: argparse.Namespace) -> tuple[dict[str, dict[str, Cost]], dict[str, float], Any]:
    libraries: tuple[str, ...] = (options.only,) if options.only else LIBRARIES
    costs: dict[str, dict[str, Cost]] = {}
    for library in libraries:
        beside_go = library == LIBRARIES[-1] and build_go()  # beside picows, which is to stay within it
        runs = [await one_process(library, beside_go, options) for _ in range(STARTS)]
        for column, works in runs[0].items():
            costs[column] = {
                work: Cost(
                    min(run[column][work] for run in runs),
                    statistics.median(run[column][work] - run[column]["echo"] for run in runs),
                )
                for work in works
            }
    if options.only:
        return costs, {}, (0.0, 0.0)
    memory: dict[str, float] = {}
    for library in LIBRARIES:
        for work in ("echo", "ocppcore, sync handler", "ocpp"):
            server = Process([sys.executable, "-m", "benches.servers", library, work])
            memory[f"{library}, {work}"] = await idle(server, 2000)
            server.end()
    server = Process([sys.executable, "-m", "benches.servers", "websockets", "ocppcore, sync handler"])
    took, used = await storm(server, options.idle, options.storm)
    server.end()
    return costs, memory, (took, used)


def share(costs: dict[str, Cost]) -> str:
    """What ocppcore adds to the echo over what the hand-written way adds: best beside best, and by the medians."""
    ours, theirs = costs.get("ocppcore, sync handler"), costs.get("msgspec, routing and checks")
    if ours is None or theirs is None:
        return ""
    echo = costs["echo"].best
    return f"{(ours.best - echo) / (theirs.best - echo):.2f}; {ours.added / theirs.added:.2f}"


def report(costs: dict[str, dict[str, Cost]], memory: dict[str, float], blown: Any, options: argparse.Namespace) -> str:
    """The results in Markdown."""
    from datetime import UTC, datetime
    from importlib.metadata import version
    from platform import python_version

    packages = ("uvloop", *LIBRARIES, "msgspec", "ocpp")
    lines = [
        "# What a message costs a server",
        "",
        "<!-- @generated by: python -m benches.gateway -->",
        "",
        f"- machine: {machine()}; Python {python_version()}",
        f"- {', '.join(f'{name} {version(name)}' for name in packages)}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}",
        f"- command: `make bench-gateway`, or `python -m benches.gateway --seconds {options.seconds} --rounds {options.rounds}`",
        "",
        f"Microseconds of the server's processor time per TransactionEvent of 1.7 KB, kernel included, in the best turn of {STARTS} processes; in brackets what is added to the best of",
        f"the echo, and behind it what is added to the echo of the same process, in the median of the processes. {CONNECTIONS} connections, each waits for its answer.",
        "",
        "| | " + " | ".join(costs) + " |",
        "|---|" + "--:|" * len(costs),
    ]
    for work in WORKS:
        cells: list[str] = []
        for library in costs:
            cost = costs[library].get(work)
            added = (
                ""
                if work == "echo" or cost is None
                else f" ({cost.best - costs[library]['echo'].best:+.1f}; {cost.added:+.1f})"
            )
            cells.append("" if cost is None else f"{cost.best:.1f}{added}")
        lines.append(f"| {work} | " + " | ".join(cells) + " |")
    lines += [
        f"| *sync handler adds, of what msgspec with routing and checks adds* | {' | '.join(map(share, costs.values()))} |"
    ]
    lines += [
        "",
        "*forward* reads the envelope and sends the same bytes; *msgspec, routing and checks* is what a careful author would write by hand",
        "(`benches/servers.py`), which still knows no duplicate keys, no `null` and no place of a fault.",
        "",
    ]
    if options.only:
        return "\n".join(lines)
    lines += [
        "| an idle connection takes | KiB |",
        "|---|--:|",
    ]
    lines += [f"| {name} | {taken / 1024:.1f} |" for name, taken in memory.items()]
    took, used = blown
    lines += [
        "",
        f"{options.idle:,} idle connections on `websockets`; {options.storm:,} of them break at once, come again and send a message: all are served after "
        f"{took:.1f} s, with {used:.1f} s of processor time, no error; those that stayed are served too.",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benches.gateway", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=0.06)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--only", choices=LIBRARIES, help="measure messages on this library alone, and write nothing")
    parser.add_argument("--idle", type=int, default=10_000)
    parser.add_argument("--storm", type=int, default=5_000)
    parser.add_argument("--no-write", action="store_true", help="leave benches/GATEWAY.md as it is")
    options = parser.parse_args()
    text = report(*uvloop.run(measure(options)), options)
    print(text)
    if not options.no_write and not options.only:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
