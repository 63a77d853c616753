"""What the field does, docs/field.md: every frame is told of, and what is said to be tested is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from ocppcore import Codec, OcppError, Policy
from support.corpus import CORPUS
from support.needs import ROOT


def rows() -> list[list[str]]:
    lines = Path(ROOT, "docs", "field.md").read_text(encoding="utf-8").splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" |")] for line in lines if line.startswith("| ")][1:]


def frames() -> set[str]:
    """The names of the frames from the field, and of the profiles that have theirs."""
    names: set[str] = set()
    for file, key in (("tolerated", "name"), ("profiles", "profile")):
        lines = Path(CORPUS, "field", f"{file}.jsonl").read_text(encoding="utf-8").splitlines()
        names |= {json.loads(line)[key] for line in lines}
    return names


def test_every_frame_from_the_field_is_told_of_and_there() -> None:
    assert len(rows()) > 45
    told = {name for row in rows() for name in re.findall(r'"([^"]+)"', row[3])}
    assert told == frames()


def test_what_is_said_to_be_tested_is() -> None:
    for row in rows():
        for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[3]):
            assert f"def {name}(" in Path(ROOT, path).read_text(encoding="utf-8"), (path, name)
    untested = [row[0] for row in rows() if not row[3]]
    assert len(untested) == 2, untested  # what is the WebSocket library's own


def test_a_list_of_frames_is_no_frame(backend: str) -> None:
    codec: Any = Codec("ocpp1.6", backend=backend).extend(policy=Policy.observe)
    data = '[[2,"1","Heartbeat",{}],[2,"2","Heartbeat",{}]]'
    assert codec.decode_with_findings(data).frame is None
    with pytest.raises(OcppError):
        codec.extend(policy=Policy.tolerant).decode(data)
