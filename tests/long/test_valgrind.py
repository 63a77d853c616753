"""The hot paths of the extension under valgrind: no invalid read or write and no use of unset memory in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from support.needs import need_module, need_program
from support.summary import report

pytestmark = pytest.mark.long

WORKER = Path(__file__).with_name("valgrind_worker.py")
MEMORY = {"InvalidRead", "InvalidWrite", "InvalidFree", "MismatchedFree", "UninitCondition", "UninitValue", "Overlap"}


def test_no_invalid_memory_access(tmp_path: Path) -> None:
    need_module("ocppcore._native", "the native backend")
    need_program("valgrind")
    log = tmp_path / "valgrind.xml"
    environment = {**os.environ, "PYTHONMALLOC": "malloc", "OCPPCORE_BACKEND": "native"}
    environment["PYTHONPATH"] = os.pathsep.join([str(WORKER.parent.parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [
            "valgrind",
            "--tool=memcheck",
            "--leak-check=no",
            "--xml=yes",
            f"--xml-file={log}",
            "--num-callers=40",
            sys.executable,
            str(WORKER),
        ],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    frames, *_ = done.stdout.split()
    found = []
    for error in ElementTree.parse(log).getroot().iter("error"):
        kind = error.findtext("kind") or ""
        places = [f"{f.findtext('obj') or ''} {f.findtext('fn') or ''}" for f in error.iter("frame")]
        if kind in MEMORY and any("ocppcore/_native" in place for place in places):
            found.append((kind, places[:12]))
    assert not found, found[:5]
    report(
        f"valgrind: {frames} frames in and out of the native backend with PYTHONMALLOC=malloc: 0 invalid accesses in the extension"
    )
