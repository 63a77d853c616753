"""Typed decode of whole frames: ocppcore's native backend beside msgspec's own typed decoder.

    python -m benches.decode [--rounds 80] [--check] [--no-write | --smoke]

First it proves that the contenders did the same work: equal values for every frame, and the same refusals. Then it times them in one process,
in interleaved rounds, and keeps the best round of each: what is compared is the ratio, since a shared machine's nanoseconds drift.
Writes its section of benches/RESULTS.md. With --check the exit status is 1 if msgspec's typed decoder is the faster one anywhere.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from benches.baseline import DECODERS
from benches.frames import COUNT, Kind, run_seed
from benches.measure import arguments, best_rounds, settled
from benches.results import facts, geometric_mean, keep_figures, marker, write_section
from ocppcore import Codec, OcppError

Decode = Callable[[bytes], Any]

TYPED = "msgspec typed"
STEPS = "msgspec in two steps"
OURS = "ocppcore decode"
LONG_ID = b'"' + b"x" * 40
NAMES = (OURS, TYPED, STEPS, "ocppcore validate")


def contenders(kind: Kind) -> dict[str, Decode]:
    """Name -> a callable that takes one frame of this kind."""
    codec = Codec(kind.subprotocol, backend="native")
    return {
        OURS: codec.decode,
        TYPED: DECODERS[kind.action].decode,
        STEPS: two_steps(),
        "ocppcore validate": codec.validate,
    }


def two_steps() -> Decode:
    """What msgspec users must write where the action is not known: the envelope first, then the payload by its action."""
    envelope = msgspec.json.Decoder(tuple[int, str, str, msgspec.Raw])
    payloads = {action: msgspec.json.Decoder(payload_type(decoder)).decode for action, decoder in DECODERS.items()}

    def decode(frame: bytes, head: Decode = envelope.decode) -> Any:
        number, identifier, action, payload = head(frame)
        return number, identifier, action, payloads[action](payload)

    return decode


def payload_type(decoder: msgspec.json.Decoder[Any]) -> Any:
    """The payload's Struct in the type of a whole frame."""
    return decoder.type.__args__[3]


# --- the same work ---------------------------------------------------------------------------------


def plain(value: Any) -> Any:
    """A payload as plain values by wire name, instants in UTC, what is absent left out."""
    if isinstance(value, msgspec.Struct):
        fields = zip(value.__struct_fields__, value.__struct_encode_fields__, strict=True)
        return {wire: plain(item) for name, wire in fields if (item := getattr(value, name)) is not None}
    if value.__class__ is list:
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return value


def spoilt(frame: bytes) -> list[bytes]:
    """Frames that every contender must refuse: an unknown key, a broken end, a type, an id that is too long."""
    head, brace, rest = frame.partition(b"{")
    separator = b"" if rest.startswith(b"}") else b","
    long_id = frame.replace(b'"', LONG_ID, 1)
    return [head + brace + b'"noSuchKey":1' + separator + rest, frame[:-2], head + b"[" + rest, long_id]


def prove_same_work(kind: Kind) -> None:
    """Raise AssertionError unless all contenders read the same values and refuse the same spoilt frames."""
    of = contenders(kind)
    for frame in kind.frames:
        ours, theirs, stepwise = (of[name](frame) for name in NAMES[:3])
        assert ours.action == theirs[2] == kind.action
        assert ours.id == theirs[1]
        assert plain(ours.payload) == plain(theirs[3]) == plain(stepwise[3])
        assert of["ocppcore validate"](frame) is None
    for frame in spoilt(kind.frames[0]):
        for name in NAMES:
            if name == STEPS and LONG_ID in frame:
                continue  # its envelope has no length on the id: the step is a bare one
            try:
                of[name](frame)
            except (OcppError, msgspec.DecodeError):
                continue
            raise AssertionError(f"{name} took {frame[:80]!r}")


# --- the time --------------------------------------------------------------------------------------


def measure(kind: Kind, rounds: int) -> dict[str, float]:
    """The best round of each contender."""
    return best_rounds({name: (decode, kind.frames) for name, decode in contenders(kind).items()}, rounds)


# --- the report ------------------------------------------------------------------------------------


def report(results: dict[str, dict[str, float]], sizes: dict[str, float], rounds: int) -> str:
    """The results in Markdown."""
    lines = [
        "# Typed decode beside msgspec",
        "",
        marker("decode"),
        "",
        *facts(("msgspec", "ocppcore"), f"`make bench`, or `python -m benches.decode --rounds {rounds}`", run_seed()),
        "",
        f"Nanoseconds per frame, best of {rounds} interleaved rounds in one process; {COUNT} different frames of each kind, of a fresh seed.",
        "Before the clock starts, equal values and equal refusals are asserted. *Times as fast* is msgspec's typed decoder over ocppcore's",
        "decode: above 1, ocppcore is the faster.",
        "",
        "| frame | bytes | " + " | ".join(NAMES) + " | times as fast |",
        "|---|--:|" + "--:|" * (len(NAMES) + 1),
    ]
    for name, best in results.items():
        cells = " | ".join(f"{best[contender]:,.0f}" for contender in NAMES)
        lines.append(f"| {name} | {sizes[name]:,.0f} | {cells} | **{best[TYPED] / best[OURS]:.2f}** |")
    lines += [
        "",
        "*msgspec typed* is told the action beforehand and reads a tuple of Structs that an expert would write (`benches/baseline.py`);",
        "*in two steps* it reads the envelope first, then the payload by its action, as a server must. *validate* makes no object.",
        "Of these only ocppcore checks date-times by RFC 3339, refuses `null` for absent fields and duplicate keys, and can say where a fault lies.",
        "",
    ]
    return "\n".join(lines)


def figures(results: dict[str, dict[str, float]]) -> dict[str, float]:
    """What the targets ask for."""
    shares = {
        "typed": [best[OURS] / best[TYPED] for best in results.values()],
        "two_steps": [best[OURS] / best[STEPS] for best in results.values()],
    }
    means = {f"{name}_mean": geometric_mean(values) for name, values in shares.items()}
    return means | {name: max(values) for name, values in shares.items()}


def main(given: Sequence[str] | None = None) -> int:
    """Prove, measure, print, write."""
    parser = arguments("decode", "Typed decode beside msgspec.", 80)
    parser.add_argument("--check", action="store_true", help="fail if msgspec is faster on any frame")
    options = parser.parse_args(given)
    kinds, rounds, write = settled(options)
    for kind in kinds:
        prove_same_work(kind)
    results = {kind.name: measure(kind, rounds) for kind in kinds}
    sizes = {kind.name: sum(map(len, kind.frames)) / len(kind.frames) for kind in kinds}
    text = report(results, sizes, rounds)
    print(text)
    if write:
        write_section("decode", text)
        keep_figures("decode", figures(results))
    slower = [name for name, best in results.items() if best[TYPED] <= best[OURS]]
    if slower and options.check:
        print("msgspec is faster on:", ", ".join(slower), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
