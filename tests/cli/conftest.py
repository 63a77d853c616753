"""Running the command: in this process for speed, in one of its own where exit codes and streams are the question."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from ocppcore.cli._app import app

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run() -> Callable[..., Result]:
    """run("validate", path, input=b"...") in this process; an exception that is no exit fails the test."""

    def run(*args: object, input: bytes | None = None) -> Result:
        return CliRunner().invoke(app, [str(arg) for arg in args], input=input, catch_exceptions=False)

    return run


@pytest.fixture
def run_process(backend: str) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    """The command in a process of its own, on each backend."""

    def run(*args: object, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "ocppcore.cli", *map(str, args)],
            capture_output=True,
            env={**os.environ, "OCPPCORE_BACKEND": backend},
            timeout=120,
            check=False,
            **options,
        )

    return run


def objects(text: str | bytes) -> list[dict[str, Any]]:
    """The JSON objects of an output, one per line."""
    return [msgspec.json.decode(line) for line in text.splitlines()]
