"""Holds a codec against the oracle and against what a mutant says of itself, and keeps count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from ocppcore import OcppError

from .backends import codec
from .deliberate import STRICTER
from .emit import emit
from .model import model, wire_code
from .official import accepts

if TYPE_CHECKING:
    from random import Random

    from .model import Payload
    from .mutants import Mutant

KEPT_FAILURES = 20


class Judge:
    """One backend of one version against the oracle.

    `failures` holds the first few disagreements as text; `payloads`, `mutants`, `kinds` and `differences` count what was judged.
    """

    def __init__(self, module: str, backend: str) -> None:
        self.codec = codec(module, backend, max_size=64 << 20)  # a list of 1,025 rich items passes a mebibyte
        self.version = model(module).version
        self.failures: list[str] = []
        self.failed = 0
        self.payloads = 0
        self.mutants = 0
        self.kinds: Counter[str] = Counter()
        self.differences: Counter[str] = Counter()

    def accepted(self, payload: Payload, tree: Any, rng: Random | None) -> None:
        """A payload that the model calls valid: the oracle and the codec must accept it."""
        text, _ = emit(tree, rng)
        self.payloads += 1
        if not accepts(payload, text):
            self._fail(payload, text, "the oracle refuses a payload that the model calls valid")
        try:
            self.codec.decode_payload(text, payload.action, payload.kind)
        except OcppError as error:
            self._fail(payload, text, f"refused: {error!r} {error.path} at {error.offset}")

    def refused(self, payload: Payload, mutant: Mutant, rng: Random | None) -> None:
        """A mutant: verdicts must agree save where it says so, and the fault must be the one it holds, where it holds it."""
        text, offset = emit(mutant.tree, rng, mutant.spot)
        self.mutants += 1
        self.kinds[mutant.kind] += 1
        if mutant.difference is not None:
            self.differences[mutant.difference] += 1
            if mutant.kind not in STRICTER[mutant.difference].kinds:
                self._fail(payload, text, f"{mutant.name}: {mutant.difference} does not list {mutant.kind}")
        if accepts(payload, text) != (mutant.difference is not None):
            self._fail(payload, text, f"{mutant.name}: the oracle's verdict is not the one the mutant tells")
        try:
            self.codec.decode_payload(text, payload.action, payload.kind)
        except OcppError as error:
            told = (error.kind, error.path, error.offset, error.expected, error.code)
            right = (mutant.kind, mutant.path, offset, mutant.expected, wire_code(self.version, mutant.kind))
            if told != right:
                self._fail(payload, text, f"{mutant.name}: said {told}, should say {right}")
        else:
            self._fail(payload, text, f"{mutant.name}: accepted, should be {mutant.kind} at {mutant.path}")

    def _fail(self, payload: Payload, text: bytes, what: str) -> None:
        self.failed += 1
        if len(self.failures) < KEPT_FAILURES:
            self.failures.append(f"{payload}: {what}\n    {text[:400]!r}")

    def report(self) -> str:
        """The failures as text."""
        return f"{self.failed} disagreements\n" + "\n".join(self.failures)
