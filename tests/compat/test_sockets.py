"""Plain `ocpp` on one end of a WebSocket, what stands in for it on the other, in two processes, since acceleration is one process's matter."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from support.needs import ROOT, need_module

need_module("ocpp", "the package ocpp")
need_module("websockets", "the package websockets")

WORKER = ROOT / "tests/compat/socket_worker.py"


def worker(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(WORKER), *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


@pytest.mark.parametrize(
    ("ends", "module"),
    [
        (("plain", "accelerated"), "v16"),
        (("accelerated", "plain"), "v201"),
        (("plain", "replaced"), "v201"),
        (("replaced", "plain"), "v16"),
    ],
    ids=lambda value: value if isinstance(value, str) else " to ".join(value),
)
def test_both_ends_of_a_socket_agree(ends: tuple[str, str], module: str) -> None:
    csms_way, station_way = ends
    csms = worker("csms", csms_way, module, "0")
    try:
        assert csms.stdout is not None
        port = csms.stdout.readline().strip()
        assert port, csms.communicate()[1]
        station = worker("station", station_way, module, port)
        out, errors = station.communicate(timeout=60)
        assert station.returncode == 0, errors
        seen_by_csms, errors = csms.communicate(timeout=60)
        assert csms.returncode == 0, errors
    finally:
        csms.kill()
    assert json.loads(out) == {"status": "Accepted", "refused": "SecurityError", "asked": True}
    assert json.loads(seen_by_csms) == {"model": "M", "samples": 3, "answer": "Accepted"}
