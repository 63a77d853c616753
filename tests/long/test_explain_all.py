"""Explain against every single-fault mutant of a full instance of each of the 387 payloads, and thousands with two and three faults."""

from __future__ import annotations

import multiprocessing
import os
from random import Random

import pytest

from support.backends import codec
from support.combined import combined, disagreement
from support.instances import full
from support.model import all_payloads, model
from support.mutants import faults, spread
from support.summary import report

pytestmark = pytest.mark.long

LARGEST = 200_000  # characters of a tree: lists beyond their bound may be longer
COMBINED_EACH = 60


def judge_payload(index: int) -> tuple[int, int, list[str]]:
    """All mutants of one payload: how many of one fault, of several, and what was told wrong."""
    payload = all_payloads()[index]
    spec = model(payload.module)
    rng = Random(f"explain {payload}")
    reader = codec(payload.module, "python")
    instance = full(spec, payload.type_name)
    mutants = [one for one in faults(spec, payload.type_name, instance, rng) if len(str(one.tree)) < LARGEST]
    wrong = [disagreement(reader, payload, mutant.tree, [mutant], alone=True) for mutant in mutants]
    several = 0
    sound = [mutant for mutant in mutants if mutant.path]
    for turn in range(COMBINED_EACH):
        tree, chosen = combined(instance, spread(sound, 60, rng), 2 + turn % 2, rng) if sound else (instance, [])
        if len(chosen) > 1:
            several += 1
            wrong.append(disagreement(reader, payload, tree, chosen, alone=True))
    return len(mutants), several, [text for text in wrong if text is not None]


def test_every_fault_of_every_payload_is_explained() -> None:
    singles = several = 0
    wrong: list[str] = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for single, more, failures in pool.imap_unordered(judge_payload, range(len(all_payloads()))):
            singles += single
            several += more
            wrong += failures[:3]
    assert not wrong, "\n".join(wrong[:20])
    assert singles > 50_000
    assert several > 10_000
    report(
        f"explain: {singles:,} mutants with one fault, {several:,} with two or three, each told by its rule at its place"
    )
