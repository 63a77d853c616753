"""A million generated payloads and mutants against the oracle on the native backend, a tenth of that on the Python one."""

from __future__ import annotations

import multiprocessing
import os
from collections import Counter
from random import Random

import pytest

from support.deliberate import STRICTER
from support.instances import boundary, full, minimal, sample
from support.judge import Judge
from support.model import all_payloads, model
from support.mutants import faults, spread
from support.needs import need_module
from support.summary import report

pytestmark = pytest.mark.long

MUTANTS_EACH = 40
VALID_EACH = 8
SEED = 20260101


def judge_payload(task: tuple[int, str, int]) -> tuple[int, int, Counter[str], Counter[str], int, list[str]]:
    """At least `count` cases of one payload schema: payloads, mutants, kinds, differences, failures and some of their text."""
    index, backend, count = task
    payload = all_payloads()[index]
    version = model(payload.module)
    name = payload.type_name
    rng = Random(f"{SEED} {payload}")
    judge = Judge(payload.module, backend)
    judge.accepted(payload, minimal(version, name), None)
    turn = 0
    while judge.payloads + judge.mutants < count:
        judge.accepted(payload, boundary(version, name, turn), None)
        turn += 1
        for _ in range(VALID_EACH):
            judge.accepted(payload, sample(version, name, rng), rng.choice((None, rng)))
        instance = full(version, name, turn) if turn % 4 == 0 else sample(version, name, rng)
        mutants = spread(faults(version, name, instance, rng), MUTANTS_EACH, rng)
        for mutant in mutants[: count - judge.payloads - judge.mutants]:
            judge.refused(payload, mutant, rng.choice((None, rng)))
    return judge.payloads, judge.mutants, judge.kinds, judge.differences, judge.failed, judge.failures


@pytest.mark.parametrize(("backend", "cases"), [("native", 1_000_000), ("python", 100_000)])
def test_no_verdict_differs(backend: str, cases: int) -> None:
    if backend == "native":
        need_module("ocppcore._native", "the native backend")
    schemas = len(all_payloads())
    each = -(-cases // schemas)
    tasks = [(index, backend, each) for index in range(schemas)]
    payloads = mutants = failed = 0
    kinds: Counter[str] = Counter()
    differences: Counter[str] = Counter()
    failures: list[str] = []
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for valid, broken, k, d, bad, texts in pool.imap_unordered(judge_payload, tasks):
            payloads, mutants, failed = payloads + valid, mutants + broken, failed + bad
            kinds += k
            differences += d
            failures += texts
    assert not failed, f"{failed} of {payloads + mutants}\n" + "\n".join(failures[:40])
    assert payloads + mutants >= cases
    assert STRICTER.keys() <= differences.keys()
    report(
        f"oracle, {backend}: {payloads + mutants:,} cases over {schemas} schemas ({payloads:,} valid payloads, {mutants:,} single-fault "
        f"mutants of {len(kinds)} kinds): 0 differing verdicts beside {sum(differences.values()):,} cases of the {len(STRICTER)} "
        f"deliberate differences; kind, pointer, offset, expectation and code right in all"
    )
