"""What a test needs besides Python: where it is missing the test is skipped and says so; under CI it fails."""

import importlib.util
import os
import shutil
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
"""The project's folder."""


def need(there: object, what: str) -> None:
    """Go on if `there` is true; else skip the test and name `what` is missing, or fail it under CI."""
    if there:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is missing, and CI leaves nothing out", pytrace=False)
    pytest.skip(f"{what} is missing", allow_module_level=True)


def need_module(name: str, what: str) -> None:
    """Need a Python module, found without importing it."""
    try:
        found = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        found = None
    need(found, what)


def need_gil() -> None:
    """Need a Python that has the GIL: without it the native backend takes no short way."""
    need(not sysconfig.get_config_var("Py_GIL_DISABLED"), "the GIL")


def need_program(name: str) -> str:
    """The path of a program on the PATH."""
    path = shutil.which(name)
    need(path, f"the program {name}")
    assert path is not None
    return path


def need_shared(name: str) -> Path:
    """A file or folder of the `shared` folder that may stand beside the project."""
    path = ROOT.parent / "shared" / name
    need(path.exists(), f"../shared/{name}")
    return path
