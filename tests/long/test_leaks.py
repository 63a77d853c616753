"""Memory stays flat: a million messages over all kinds, thousands of good and faulty ones of each kind, every way in and out.

Each runs in a process of its own. `sys.getallocatedblocks` counts exactly what Python's allocator holds; the resident size
catches what is allocated elsewhere.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.summary import report

pytestmark = pytest.mark.long

WORKER = Path(__file__).with_name("leak_worker.py")
BLOCKS = (
    600  # Python's own caches come and go; one block left by one sort of message shows as one for each of 850 rounds
)
KIB = 1536


def measure(*arguments: str) -> list[dict]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(WORKER.parent.parent), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, str(WORKER), *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_memory_is_flat_over_messages_of_all_kinds(backend: str) -> None:
    messages = 1_000_000 if backend == "native" else 60_000
    (row,) = measure("spread", backend, str(messages))
    assert row["messages"] >= messages
    assert row["blocks"] < BLOCKS, row
    assert row["rss_kib"] < KIB, row
    assert all(abs(n) <= 2 for n in row["references"].values()), row
    report(
        f"leaks, {backend}: {row['messages']:,} messages over {row['kinds']} frames of all kinds, each decoded, validated, peeked "
        f"and encoded: {row['blocks']:+} blocks, {row['rss_kib']:+} KiB resident"
    )


def test_memory_is_flat_for_each_kind_of_message_good_and_faulty(backend: str) -> None:
    rounds = 2_000 if backend == "native" else 60
    rows = measure("each", backend, str(rounds))
    growing = [row for row in rows if row["blocks"] >= BLOCKS or row["rss_kib"] >= 2 * KIB]
    assert not growing, growing[:10]
    assert len(rows) > 700
    report(
        f"leaks, {backend}: {rounds:,} rounds of each of {len(rows)} good and faulty sorts of message: flat "
        f"(largest {max(row['blocks'] for row in rows):+} blocks)"
    )


def test_memory_is_flat_over_codecs_made_and_dropped(backend: str) -> None:
    (row,) = measure("codecs", backend, "2000" if backend == "native" else "200")
    assert row["blocks"] < BLOCKS, row
    assert row["rss_kib"] < 2 * KIB, row
    report(
        f"leaks, {backend}: {row['messages']:,} codecs made and dropped: {row['blocks']:+} blocks, {row['rss_kib']:+} KiB resident"
    )
