"""The programs of examples/, run as their readers would run them, against each other."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from support.needs import ROOT, need_module

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = ROOT / "examples"
PATIENCE = 40


@contextlib.contextmanager
def running(*command: str, waits_for: str) -> Iterator[tuple[subprocess.Popen[str], re.Match[str]]]:
    """A program while the block runs, once it has printed what it waits for."""
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines: list[str] = []
            for line in process.stdout:
                lines.append(line)
                found = re.search(waits_for, line)
                if found:
                    yield process, found
                    return
            raise AssertionError("".join(lines))
        finally:
            process.kill()


def run(*command: str) -> str:
    """What a program prints that ends by itself, in good order."""
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def example(name: str) -> str:
    return str(EXAMPLES / name)


def test_every_example_is_listed_and_tested() -> None:
    listed = set(re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text(encoding="utf-8")))
    assert listed == {path.name for path in EXAMPLES.glob("*.py")}
    tested = (ROOT / "tests/test_examples.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in tested or f"examples.{name[:-3]}:app" in tested for name in listed)


CHARGED = ["boot: Accepted", "told: Started", "told: Updated", "told: Ended"]


def test_the_station_charges_at_the_csms() -> None:
    need_module("websockets", "the library websockets")
    with running(example("csms.py"), "0", waits_for=r"listening at (ws://[0-9.:]+)") as (csms, found):
        assert run(example("station.py"), found[1], "CP001").splitlines() == CHARGED
        csms.terminate()
        assert csms.stdout is not None
        told = csms.stdout.read()
    assert "CP001 boots: Vendor Model" in told
    assert "CP001 has messages in its queue: False" in told
    assert "CP001 Ended T1" in told


def test_the_station_charges_through_the_gateway() -> None:
    need_module("websockets", "the library websockets")
    listens = r"listening at (ws://[0-9.:]+)"
    with (
        running(example("csms.py"), "0", waits_for=listens) as (csms, behind),
        running(example("gateway.py"), behind[1], "0", waits_for=listens) as (_, front),
    ):
        assert front[1] != behind[1]
        assert run(example("station.py"), front[1], "CP|7@x").splitlines() == CHARGED
        csms.terminate()
        assert csms.stdout is not None
        assert "CP|7@x Ended T1" in csms.stdout.read()


def test_the_station_charges_behind_asgi() -> None:
    for name in ("starlette", "uvicorn", "websockets"):
        need_module(name, f"the library {name}")
    with running(
        "-m", "uvicorn", "examples.fastapi_csms:app", "--port", "0", waits_for=r"running on http://([0-9.:]+)"
    ) as (_, found):
        assert run(example("station.py"), f"ws://{found[1]}/ocpp", "CP001").splitlines() == CHARGED
        with urllib.request.urlopen(f"http://{found[1]}/connected", timeout=PATIENCE) as page:
            assert page.read() == b"[]"


@pytest.mark.parametrize("backend_", ["native", "python"])
def test_payloads_come_without_a_connection(backend_: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if backend_ == "native":
        need_module("ocppcore._native", "the native backend")
    monkeypatch.setenv("OCPPCORE_BACKEND", backend_)
    charging, refused, reset = run(example("broker.py")).splitlines()
    assert charging == "connector 1 is Charging"
    assert refused.startswith("refused: /status: not one of the allowed values")
    assert reset == '{"type":"Soft"}'
