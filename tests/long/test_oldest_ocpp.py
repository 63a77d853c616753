"""The oldest `ocpp` that accelerate() takes, in an environment of its own: what our tests hold of the newest holds of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.environments import Environment, suite_tools
from support.needs import ROOT

pytestmark = pytest.mark.long

OLDEST = "2.0.0"
TOOLS = ("pytest>", "pytest-xdist>", "hypothesis>", "jsonschema-rs=")
FILES = ("test_accelerate.py", "test_behaviours.py", "test_sockets.py")


def test_the_oldest_peer_is_accelerated_like_the_newest(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "environment")
    named = [line for line in suite_tools() if line.startswith(TOOLS)]
    assert len(named) == len(TOOLS)
    environment.pip(f"ocpp=={OLDEST}", "msgspec>=0.22,<0.23", "websockets>=14", *named)
    assert environment.run("-c", "from importlib.metadata import version; print(version('ocpp'))").strip() == OLDEST
    told = environment.run(
        "-m", "pytest", "-q", "-n", "0", "-rs", *(f"tests/compat/{name}" for name in FILES),
        cwd=ROOT, PYTHONPATH=str(ROOT / "python"),
    )  # fmt: skip
    assert " passed" in told
    # What is left out says what 2.0.0 lacks.
    assert all("2.0.0" in line or "2.1" in line for line in told.splitlines() if line.startswith("SKIPPED")), told
