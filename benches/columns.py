"""A log's sampled values into Arrow: ocppcore.log beside orjson, lists and pyarrow, on one thread.

    python -m benches.columns [--megabytes 100] [--rounds 5] [--check] [--no-write]

The logs are generated from a fixed seed, one frame per line, and lie on disk. First both contenders' tables are proven equal; then they take
turns in one process, and the best round of each counts. Writes benches/COLUMNS.md. With --check the exit status is 1 where ocppcore is less
than ten times as fast.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import orjson

import ocppcore.log
from benches.frames import meter_values, transaction_event, uuid
from benches.results import commit, keep_figures, machine

# Neither has types to check by.
pa: Any = importlib.import_module("pyarrow")
pc: Any = importlib.import_module("pyarrow.compute")

PAGE = Path(__file__).resolve().parent / "COLUMNS.md"
WANTED = 10.0
DIFFERENT = 2_000
"""Payloads that are generated; a log repeats them under new ids until it is long enough."""


class LogFile(NamedTuple):
    """A log on disk, what it is called, and its contender."""

    name: str
    version: str
    path: Path
    frames: int
    read: Callable[[Path], Any]


# --- the logs --------------------------------------------------------------------------------------


def write_log(path: Path, action: str, make: Callable[[Random, int], dict[str, Any]], size: int) -> int:
    """Write a log of at least `size` bytes; the number of its frames."""
    random = Random(f"2026 {action}")
    payloads = [json.dumps(make(random, number), separators=(",", ":")) for number in range(DIFFERENT)]
    written = count = 0
    with path.open("w", encoding="ascii", newline="\n") as file:
        while written < size:
            line = f'[2,"{uuid(random)}","{action}",{payloads[count % DIFFERENT]}]\n'
            file.write(line)
            written += len(line)
            count += 1
    return count


def all_logs(folder: Path, size: int) -> list[LogFile]:
    made: list[LogFile] = []
    for version, action, make, read in (
        ("1.6", "MeterValues", meter_values, read_meter_values),
        ("2.0.1", "TransactionEvent", transaction_event, read_transaction_events),
    ):
        path = folder / f"{action}.log"
        made.append(LogFile(f"{version} {action}", version, path, write_log(path, action, make, size), read))
    return made


# --- the contender ---------------------------------------------------------------------------------

TEXT = pa.string()
COLUMNS: dict[str, Any] = {
    "frame": pa.int64(),
    "station": "choice",
    "evse_id": pa.int64(),
    "connector_id": pa.int64(),
    "transaction_id": "choice",
    "timestamp": pa.timestamp("us", "UTC"),
    "value": pa.float64(),
    "value_text": TEXT,
    "measurand": "choice",
    "phase": "choice",
    "location": "choice",
    "context": "choice",
    "format": "choice",
    "unit": "choice",
    "multiplier": pa.int64(),
}


def table_of(rows: int, lists: dict[str, list[Any]]) -> Any:
    """Lists as the columns of a table; times and decimals that are texts are read by pyarrow, the quickest way there is from Python."""
    arrays: list[Any] = []
    for name, kind in COLUMNS.items():
        if name not in lists:
            array = pa.nulls(rows, TEXT if kind == "choice" else kind)
        elif name == "timestamp" or (name == "value" and isinstance(lists[name][0], str)):
            array = pc.cast(pa.array(lists[name], TEXT), kind)
        elif name == "transaction_id" and isinstance(lists[name][0], int):
            array = pc.cast(pa.array(lists[name], pa.int64()), TEXT)
        else:
            array = pa.array(lists[name], TEXT if kind == "choice" else kind)
        arrays.append(array.dictionary_encode() if kind == "choice" else array)
    return pa.Table.from_arrays(arrays, names=list(COLUMNS))


def read_meter_values(path: Path) -> Any:
    """The sampled values of a log of MeterValues of 1.6; none of its values is anything but a number."""
    loads = orjson.loads
    names = ("frame", "connector_id", "transaction_id", "timestamp", "value", "measurand", "phase", "location", "context", "format", "unit")  # fmt: skip
    lists: dict[str, list[Any]] = {name: [] for name in names}
    frame, connector, transaction, when, value, measurand, phase, location, context, form, unit = (
        lists[name].append for name in names
    )
    with path.open("rb") as file:
        for number, line in enumerate(file):
            message = loads(line)
            if message[0] != 2 or message[2] != "MeterValues":
                continue
            payload = message[3]
            connector_id, transaction_id = payload["connectorId"], payload.get("transactionId")
            for meter in payload["meterValue"]:
                timestamp = meter["timestamp"]
                for sample in meter["sampledValue"]:
                    get = sample.get
                    frame(number)
                    connector(connector_id)
                    transaction(transaction_id)
                    when(timestamp)
                    value(sample["value"])
                    measurand(get("measurand"))
                    phase(get("phase"))
                    location(get("location"))
                    context(get("context"))
                    form(get("format"))
                    unit(get("unit"))
    return table_of(len(lists["frame"]), lists)


def read_transaction_events(path: Path) -> Any:
    """The sampled values of a log of TransactionEvent of 2.x."""
    loads = orjson.loads
    names = ("frame", "evse_id", "connector_id", "transaction_id", "timestamp", "value", "measurand", "phase", "location", "context", "unit", "multiplier")  # fmt: skip
    lists: dict[str, list[Any]] = {name: [] for name in names}
    frame, evse, connector, transaction, when, value, measurand, phase, location, context, unit, multiplier = (
        lists[name].append for name in names
    )
    none: dict[str, Any] = {}
    with path.open("rb") as file:
        for number, line in enumerate(file):
            message = loads(line)
            if message[0] != 2 or message[2] != "TransactionEvent":
                continue
            payload = message[3]
            place = payload.get("evse", none)
            evse_id, connector_id = place.get("id"), place.get("connectorId")
            transaction_id = payload["transactionInfo"]["transactionId"]
            for meter in payload.get("meterValue", ()):
                timestamp = meter["timestamp"]
                for sample in meter["sampledValue"]:
                    get = sample.get
                    measure = get("unitOfMeasure", none)
                    frame(number)
                    evse(evse_id)
                    connector(connector_id)
                    transaction(transaction_id)
                    when(timestamp)
                    value(sample["value"])
                    measurand(get("measurand"))
                    phase(get("phase"))
                    location(get("location"))
                    context(get("context"))
                    unit(measure.get("unit"))
                    multiplier(measure.get("multiplier"))
    return table_of(len(lists["frame"]), lists)


# --- the same work ---------------------------------------------------------------------------------


def read_samples(log: LogFile) -> Any:
    """The sampled values by ocppcore, taken by pyarrow."""
    return pa.table(
        ocppcore.log.read(log.path, ocpp=log.version, tables=["sampled_values"], backend="native").sampled_values
    )


def read_all(log: LogFile) -> Any:
    """All four tables by ocppcore, taken by pyarrow."""
    tables = ocppcore.log.read(log.path, ocpp=log.version, backend="native").tables
    return [pa.table(table) for table in tables.values()]


def prove_same_work(log: LogFile) -> int:
    """Raise AssertionError unless both tables hold the same; the number of their rows."""
    ours, theirs = read_samples(log), log.read(log.path)
    assert ours.schema == theirs.schema
    # Dictionaries may differ from batch to batch: what counts is what the rows say.
    plain = pa.schema([(name, TEXT if kind == "choice" else kind) for name, kind in COLUMNS.items()])
    assert ours.cast(plain).equals(theirs.cast(plain))
    assert ours.num_rows > log.frames
    return int(ours.num_rows)


# --- the time --------------------------------------------------------------------------------------


def seconds(run: Callable[[], Any]) -> float:
    gc.collect()
    start = time.perf_counter()
    made = run()
    taken = time.perf_counter() - start
    del made
    return taken


def measure(log: LogFile, rounds: int) -> tuple[float, float, float]:
    """The best round, in seconds: the contender, ocppcore's sampled values, ocppcore's four tables."""
    of: list[Callable[[], Any]] = [lambda: log.read(log.path), lambda: read_samples(log), lambda: read_all(log)]
    best = [float("inf")] * len(of)
    for number in range(rounds):
        order = range(len(of))
        for index in order if number % 2 else reversed(order):
            best[index] = min(best[index], seconds(of[index]))
    return best[0], best[1], best[2]


# --- the report ------------------------------------------------------------------------------------


def report(results: dict[LogFile, tuple[int, tuple[float, float, float]]], rounds: int) -> str:
    """The results in Markdown."""
    lines = [
        "# Sampled values of a log into Arrow",
        "",
        "<!-- @generated by: python -m benches.columns -->",
        "",
        f"- machine: {machine()}",
        f"- Python {platform.python_version()}, orjson {orjson.__version__}, pyarrow {pa.__version__}, ocppcore {ocppcore.__version__}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}",
        "- command: `make bench-columns`, or `python -m benches.columns`",
        "",
        f"Best of {rounds} rounds in one process, one thread; the logs are plain text, one frame per line. Before the clock starts the two tables",
        "of sampled values are proven equal. MB/s is of the log's text.",
        "",
        "| log | MB | frames | sampled values | orjson + lists + pyarrow | ocppcore | times as fast | all four tables |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for log, (rows, best) in results.items():
        size = log.path.stat().st_size / 1e6
        cells = [f"{taken:.2f} s, {size / taken:,.0f} MB/s" for taken in best]
        lines.append(
            f"| {log.name} | {size:,.0f} | {log.frames:,} | {rows:,} | {cells[0]} | {cells[1]} | **{best[0] / best[1]:.1f}** | {cells[2]} |"
        )
    lines += [
        "",
        "The contender parses each line with orjson, appends what it wants to lists, one per column, and makes a pyarrow table of them; times and decimals",
        "that are texts it leaves to pyarrow. It checks nothing. `ocppcore.log.read` validates every frame by its schema on the way.",
        "*All four tables*: frames, sampled values, statuses and transactions.",
        "",
    ]
    return "\n".join(lines)


def main() -> int:
    """Prove, measure, print, write."""
    parser = argparse.ArgumentParser(
        prog="python -m benches.columns", description="Sampled values of a log into Arrow."
    )
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--check", action="store_true", help=f"fail below {WANTED:.0f} times as fast")
    parser.add_argument("--no-write", action="store_true", help="leave benches/COLUMNS.md as it is")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        logs = all_logs(Path(folder), options.megabytes * 1_000_000)
        results = {log: (prove_same_work(log), measure(log, options.rounds)) for log in logs}
        text = report(results, options.rounds)
    print(text)
    if not options.no_write:
        PAGE.write_text(text, encoding="utf-8")
        keep_figures("columns", {"columns": min(best[0] / best[1] for _, best in results.values())})
    slow = [log.name for log, (_, best) in results.items() if best[0] < WANTED * best[1]]
    if slow and options.check:
        print(f"less than {WANTED:.0f} times as fast on:", ", ".join(slow), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
