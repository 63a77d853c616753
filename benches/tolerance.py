"""What tolerance costs: frames without and with a quirk, read strictly and by a policy.

    python -m benches.tolerance [--rounds 40] [--no-write]

Writes benches/TOLERANCE.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benches.frames import Kind, run_seed
from benches.measure import arguments, best_rounds, settled
from benches.results import facts, marker
from ocppcore import Codec, Policy

PAGE = Path(__file__).resolve().parent / "TOLERANCE.md"
FEW = 20  # frames of a kind: the walk in Python takes its time
# What (as a pattern) is replaced by what, once in each frame, and what that is.
QUIRKS: dict[str, tuple[bytes, bytes, str]] = {
    "Heartbeat": (rb"\{\}", rb'{"vendorStatus":1}', "an extra field"),
    "BootNotification": (rb'\{"chargePointVendor":', rb'{"vendorTag":"x","chargePointVendor":', "an extra field"),
    "StatusNotification": (rb'"errorCode":"', rb'"errorCode":"X', "an unknown value"),
    "MeterValues": (rb'"connectorId":(\d+)', rb'"connectorId":"\1"', "a number in quotes"),
    "TransactionEvent": (rb'"triggerReason":"', rb'"triggerReason":"X', "an unknown value"),
    "NotifyReport": (rb'"requestId":', rb'"vendorTag":"x","requestId":', "an extra field"),
}


def with_quirk(kind: Kind) -> tuple[list[bytes], str]:
    """The frames of a kind, each with one quirk, and what it is."""
    old, new, says = QUIRKS[kind.action]
    frames = [re.sub(old, new, frame, count=1) for frame in kind.frames[:FEW]]
    assert all(frame != plain for frame, plain in zip(frames, kind.frames, strict=False))
    return frames, says


def measured(kind: Kind, backend: Any, rounds: int) -> tuple[str, dict[str, float]]:
    """The quirk, and nanoseconds a frame by what was done."""
    strict = Codec(kind.subprotocol, backend=backend)
    tolerant: Any = strict.extend(policy=Policy.tolerant)
    quirky, says = with_quirk(kind)
    clean = kind.frames[:FEW]
    for frame in clean:
        assert tolerant.decode(frame) == strict.decode(frame)
    for frame in quirky:
        told = tolerant.decode_with_findings(frame)
        walked = tolerant._tolerance().frame(frame, None)
        assert len(told.findings) == 1, (kind.name, frame)
        assert told.frame == tolerant.decode(frame) == walked.value
        assert told.findings == walked.findings()
    whole_walk = tolerant._tolerance().frame

    def walk(frame: bytes) -> Any:
        return whole_walk(frame, None)

    def read(frame: bytes) -> Any:
        return tolerant.decode_with_findings(frame).findings

    works: dict[str, Any] = {
        "strict": (strict.decode, clean),
        "clean": (tolerant.decode, clean),
        "quirky": (tolerant.decode, quirky),
        "told": (tolerant.decode_with_findings, quirky),
        "read": (read, quirky),
        "walk": (walk, quirky),
    }
    return says, best_rounds(works, rounds, 1)


def main(given: Sequence[str] | None = None) -> int:
    """Prove, measure, print, write."""
    options = arguments("tolerance", "What tolerance costs.", 40).parse_args(given)
    kinds, rounds, write = settled(options)
    lines = [
        "# What tolerance costs",
        "",
        marker("tolerance"),
        "",
        *facts(("msgspec", "ocppcore"), f"`python -m benches.tolerance --rounds {rounds}`", run_seed()),
        "",
        f"Microseconds per frame, best of {rounds} interleaved rounds over {FEW} frames of each kind; `Policy.tolerant`. *Strict* and *clean* read the frames as they are, the others",
        "the same frames with one quirk that comes again: *decode* gives the frame, *told* also says that there is a finding (`decode_with_findings`), *read* reads it,",
        "*walk* is the whole walk in Python, which is what a frame costs whose faults cannot be looked at one by one. In brackets the multiple of *strict*. Before the",
        "clock starts it is asserted that all ways of looking give the same frame and the same finding.",
        "",
        "| backend | frame | quirk | strict | clean | decode | told | read | walk |",
        "|---|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for backend in ("native", "python"):
        for kind in kinds:
            says, best = measured(kind, backend, rounds)
            strict = best["strict"]
            cells = [
                f"{best[name] / 1e3:,.1f} ({best[name] / strict:.1f})"
                for name in ("clean", "quirky", "told", "read", "walk")
            ]
            lines.append(f"| {backend} | {kind.name} | {says} | {strict / 1e3:,.2f} | {' | '.join(cells)} |")
    text = "\n".join([*lines, ""])
    sys.stdout.write(text)
    if write:
        PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
