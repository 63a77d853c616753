"""Bent frames under a policy, for a minute: the short look and the whole walk come to the same."""

from __future__ import annotations

import os
import time
from random import Random

import pytest

from support.backends import BACKENDS
from support.second_look import Bent, bent, differences, line_of
from support.summary import report

pytestmark = pytest.mark.long

SECONDS = float(os.environ.get("OCPPCORE_FUZZ_SECONDS", "60"))


def test_the_short_look_and_the_whole_walk_agree_on_whatever_comes() -> None:
    seed = int.from_bytes(os.urandom(4))
    random = Random(seed)
    rounds, end = 0, time.monotonic() + SECONDS
    parted: list[tuple[Bent, list[str]]] = []
    while time.monotonic() < end and len(parted) < 5:
        given = bent(random)
        rounds += 1
        if found := differences(given, BACKENDS):
            parted.append((given, found))
    report(f"{rounds} bent frames under two policies, short look against whole walk (seed {seed})")
    lines = "\n".join(f"{line_of(given)}\n    {found[0]}" for given, found in parted)
    assert not parted, f"seed {seed}; put these into tests/corpus/field/second_look.jsonl:\n{lines}"
    assert rounds > 10 * SECONDS
