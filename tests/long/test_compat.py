"""A hundred thousand generated payloads through plain and accelerated `ocpp`: not one outcome differs."""

from __future__ import annotations

import multiprocessing
import os

import pytest

from support.model import all_payloads
from support.needs import need_module
from support.peer import compare_payload

pytestmark = pytest.mark.long

CASES = 100_000


def test_no_outcome_differs_from_the_plain_peer_s() -> None:
    need_module("ocpp", "the package ocpp")
    payloads = all_payloads()
    each = -(-CASES // len(payloads) // 2)
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        done = pool.starmap(compare_payload, [(index, each) for index in range(len(payloads))], chunksize=4)
    failures = [line for _, lines in done for line in lines]
    assert not failures, "\n".join(failures[:20])
    assert sum(count for count, _ in done) >= CASES
