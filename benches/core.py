"""The core alone, without Python: how fast it validates, and how much slower it is where traffic is unusual.

    python -m benches.core [--rounds 60] [--no-write]

Builds rust/core/examples/frames.rs and has it time the rows in interleaved rounds; the best round of each counts. Beside validation stands what
serde_json needs to see that the same bytes are JSON (`IgnoredAny`: no value is made, no schema known). Writes benches/CORE.md.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Literal, NamedTuple

from benches.frames import Kind, all_kinds, run_seed
from benches.results import commit, geometric_mean, keep_figures, machine

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benches/CORE.md"
MODELS = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21"}

Operation = Literal["validate", "refuse", "peek", "syntax"]


class Row(NamedTuple):
    """What is done to which frames: the compact model's file, a name, the operation, the frames."""

    model: Path
    name: str
    operation: Operation
    frames: list[bytes]


def model_of(subprotocol: str) -> Path:
    """The file of a version's compact model."""
    return ROOT / f"python/ocppcore/_model/{MODELS[subprotocol]}.json"


def build() -> Path:
    """Build the example that runs rows, as optimised as what is shipped and with the names of its functions; the program's path."""
    flags = ["--profile", "bench", "--locked", "--quiet"]
    command = ["cargo", "build", *flags, "--package", "ocppcore", "--example", "frames"]
    subprocess.run(command, cwd=ROOT, check=True)
    return ROOT / "target/release/examples/frames"


def write_rows(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as the example reads them."""
    with path.open("wb") as file:
        for row in rows:
            head = "\t".join([str(row.model), row.name, row.operation]).encode()
            file.writelines(head + b"\t" + frame + b"\n" for frame in row.frames)


def times(rows: Sequence[Row], rounds: int) -> list[float]:
    """Nanoseconds per frame of each row, of its best round."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames"
        write_rows(file, rows)
        command = [str(build()), "time", str(file), str(rounds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [float(line) for line in done.stdout.split()]


# --- frames that are not usual ---------------------------------------------------------------------


def compact(frame: Any) -> bytes:
    return json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode()


def payload_changed(change: Callable[[Any], Any]) -> Callable[[bytes], bytes]:
    """Applies `change` to the payload of a frame."""

    def changed(frame: bytes) -> bytes:
        *head, payload = json.loads(frame)
        return compact([*head, change(payload)])

    return changed


def reordered(order: Callable[[list[str]], list[str]]) -> Callable[[Any], Any]:
    """Writes the keys of every object in another order."""

    def change(value: Any) -> Any:
        if value.__class__ is dict:
            return {key: change(value[key]) for key in order(list(value))}
        return [change(item) for item in value] if value.__class__ is list else value

    return change


def with_text(alter: Callable[[str], str]) -> Callable[[Any], Any]:
    """Alters free texts: those of letters and digits that no enumeration has."""

    def change(value: Any, key: str = "") -> Any:
        if value.__class__ is dict:
            return {name: change(item, name) for name, item in value.items()}
        if value.__class__ is list:
            return [change(item, key) for item in value]
        return alter(value) if value.__class__ is str and key in FREE_TEXTS else value

    return change


FREE_TEXTS = {
    "chargePointModel", "chargePointSerialNumber", "chargeBoxSerialNumber", "firmwareVersion", "meterType",
    "meterSerialNumber", "info", "vendorErrorCode", "value", "instance", "transactionId",
}  # fmt: skip


def leaves(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The places of all scalars, in the order of the text."""
    if value.__class__ is dict:
        items: list[tuple[Any, Any]] = list(value.items())
    elif value.__class__ is list:
        items = [*enumerate[Any](value)]
    else:
        return [place]
    return [leaf for key, item in items for leaf in leaves(item, (*place, key))]


def broken(share: float, wrong: Any = None) -> Callable[[Any], Any]:
    """Puts something wrong, null unless given, for the scalar that lies so far into the payload, 0 to 1; an unknown key where there is none."""

    def change(payload: Any) -> Any:
        places = leaves(payload)
        if not places:
            return {"noSuchKey": 1}
        *way, last = places[min(int(share * len(places)), len(places) - 1)]
        holder: Any = payload
        for step in way:
            holder = holder[step]
        holder[last] = wrong
        return payload

    return change


def with_vendor_fields(model: dict[str, Any]) -> dict[str, Any]:
    """A model in which each type has two more fields, as `Codec.extend` makes them of a vendor's own messages."""
    for of in model["types"].values():
        of["fields"] += [
            {
                "name": f"vendorField{at}",
                "attr": f"vendor_field_{at}",
                "kind": "string",
                "required": False,
                "max_length": 20,
            }
            for at in (1, 2)
        ]
    return model


def vendor_filled(value: Any) -> Any:
    """Gives every object the two fields of `with_vendor_fields`."""
    if value.__class__ is dict:
        own = {"vendorField1": "first", "vendorField2": "second"}
        return {key: vendor_filled(item) for key, item in value.items()} | own
    return [vendor_filled(item) for item in value] if value.__class__ is list else value


def cliffs(kind: Kind, folder: Path) -> list[Row]:
    """The rows of one kind: the usual frames first, then what departs from them."""
    random = Random(kind.name)
    model = model_of(kind.subprotocol)
    vendor = folder / f"vendor_{model.name}"
    vendor.write_text(json.dumps(with_vendor_fields(json.loads(model.read_text(encoding="utf-8")))), encoding="utf-8")

    def row(name: str, change: Callable[[bytes], bytes], operation: Operation = "validate", of: Path = model) -> Row:
        return Row(of, name, operation, [change(frame) for frame in kind.frames])

    shuffled = reordered(lambda keys: random.sample(keys, len(keys)))
    turns = iter(range(len(kind.frames)))
    orders = [reordered(list), reordered(sorted), reordered(lambda keys: keys[::-1])]
    return [
        row("usual", lambda frame: frame),
        row("spaced", lambda frame: json.dumps(json.loads(frame)).encode()),
        row("indented", lambda frame: json.dumps(json.loads(frame), indent=1).replace("\n", " \r").encode()),
        row("keys sorted", payload_changed(reordered(sorted))),
        row("three orders in turn", payload_changed(lambda payload: orders[next(turns) % 3](payload))),
        row("every object shuffled", payload_changed(shuffled)),
        row("vendor's fields", payload_changed(vendor_filled), of=vendor),
        row("text not ASCII", payload_changed(with_text(lambda text: text[:-3] + "äЖ中"[: len(text)]))),
        row("text with an escape", payload_changed(with_text(lambda text: text[:-1] + "\n"))),
        row(
            "text with \\uXXXX",
            lambda frame: in_hex(payload_changed(with_text(lambda text: text[:-1] + "\x7f"))(frame)),
        ),
        row("refused at the first value", payload_changed(broken(0)), "refuse"),
        row("refused in the middle", payload_changed(broken(0.5)), "refuse"),
        row("refused at the last value", payload_changed(broken(1)), "refuse"),
    ]


def in_hex(frame: bytes) -> bytes:
    """Writes what stands as DEL as an escape of six bytes."""
    return frame.replace(b"\x7f", b"\\u0041")


# --- the report ------------------------------------------------------------------------------------


def speed_table(kinds: Sequence[Kind], rounds: int) -> tuple[list[str], dict[str, float]]:
    """Validation and peek of each kind, beside the syntax alone; and what the targets ask for."""
    operations: tuple[Operation, ...] = ("validate", "syntax", "peek")
    rows = [Row(model_of(kind.subprotocol), kind.name, of, kind.frames) for kind in kinds for of in operations]
    found = times(rows, rounds)
    lines = [
        "| frame | bytes | validate, ns | GB/s | serde_json syntax, ns | ratio | peek, ns |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    ratios: list[float] = []
    speeds: list[float] = []
    for number, kind in enumerate(kinds):
        validate, syntax, peek = found[3 * number : 3 * number + 3]
        size = sum(map(len, kind.frames)) / len(kind.frames)
        ratios.append(validate / syntax)
        speeds += [size / validate] if size > 200 else []
        speed = f"{validate:,.0f} | {size / validate:.2f} | {syntax:,.0f} | {validate / syntax:.2f} | {peek:.0f}"
        lines.append(f"| {kind.name} | {size:,.0f} | {speed} |")
    figures = {"syntax_mean": geometric_mean(ratios), "speed_least": min(speeds)}
    return [*lines, "", f"Geometric mean of the ratios: **{geometric_mean(ratios):.2f}**."], figures


def cliff_table(kinds: Sequence[Kind], rounds: int) -> list[str]:
    """The time of unusual frames per byte over that of the usual ones; of refused ones per frame."""
    with tempfile.TemporaryDirectory() as folder:
        per_kind = [cliffs(kind, Path(folder)) for kind in kinds]
        found = iter(times([row for rows in per_kind for row in rows], rounds))
    columns: list[dict[str, float]] = []
    for rows in per_kind:
        spent = {row.name: next(found) for row in rows}
        size = {row.name: sum(map(len, row.frames)) for row in rows}
        usual = spent["usual"]
        scale = {row.name: 1.0 if row.operation == "refuse" else size[row.name] / size["usual"] for row in rows}
        columns.append({name: spent[name] / usual / scale[name] for name in spent})
    lines = ["| frames | " + " | ".join(kind.action for kind in kinds) + " |", "|---|" + "--:|" * len(kinds)]
    return [
        *lines,
        *(f"| {name} | " + " | ".join(f"{column[name]:.2f}" for column in columns) + " |" for name in columns[0]),
    ]


def main() -> None:
    """Measure, print, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--no-write", action="store_true", help=f"leave {RESULTS.relative_to(ROOT)} as it is")
    arguments = parser.parse_args()
    kinds = all_kinds(run_seed())
    speeds, figures = speed_table(kinds, arguments.rounds)
    report = [
        "# The core alone",
        "",
        "<!-- @generated by: python -m benches.core -->",
        "",
        f"- machine: {machine()}",
        f"- date: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {commit()}, seed {run_seed()}",
        f"- command: `python -m benches.core --rounds {arguments.rounds}`",
        "",
        f"Nanoseconds per frame, best of {arguments.rounds} interleaved rounds; 200 different frames of each kind. *Syntax* is what serde_json takes",
        "to see that the bytes are JSON; *validate* also knows the schema. *Peek* reads the head alone.",
        "",
        *speeds,
        "",
        "## Where traffic is unusual",
        "",
        "Time per byte as a multiple of the usual frames', which are compact and in the schema's order. Refused frames count per frame, and are walked",
        "twice here, to say where and why; decode and validate note that on their way out.",
        "",
        *cliff_table(kinds, arguments.rounds),
        "",
    ]
    text = "\n".join(report)
    print(text)
    if not arguments.no_write:
        RESULTS.write_text(text, encoding="utf-8")
        keep_figures("core", figures)


if __name__ == "__main__":
    main()
