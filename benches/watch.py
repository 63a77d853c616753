"""Decode, validate, peek and encode by pytest-benchmark, for whoever works on them; what is published is measured by the other files.

    make bench-watch                                    # a table
    python -m pytest benches/watch.py --benchmark-autosave, and later --benchmark-compare    # before and after a change

A test here proves what it times; targets are looked at elsewhere, as ratios (docs/decisions/0033-rounds-in-turn.md).
"""

from __future__ import annotations

from typing import Any

import pytest

from benches.frames import Kind, all_kinds
from ocppcore import Codec

KINDS = all_kinds(count=1)


@pytest.fixture(params=KINDS, ids=[kind.name for kind in KINDS])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the six kinds of frames."""
    of: Kind = request.param
    return of


def test_decode(kind: Kind, benchmark: Any) -> None:
    codec: Any = Codec(kind.subprotocol)
    frame: Any = benchmark(codec.decode, kind.frames[0])
    assert frame.action == kind.action


def test_validate(kind: Kind, benchmark: Any) -> None:
    codec: Any = Codec(kind.subprotocol)
    assert benchmark(codec.validate, kind.frames[0]) is None


def test_peek(kind: Kind, benchmark: Any) -> None:
    codec: Any = Codec(kind.subprotocol)
    head: Any = benchmark(codec.peek, kind.frames[0])
    assert head.action == kind.action


def test_encode(kind: Kind, benchmark: Any) -> None:
    codec: Any = Codec(kind.subprotocol)
    frame: Any = codec.decode(kind.frames[0])
    assert codec.decode(benchmark(codec.encode, frame)) == frame
